"""The connections of a transport between their exchanges."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable

import msgspec

from claimbridge.clock import Clock
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.connection import Connection, Deadline
from claimbridge.soap.transport.settings import TransportSettings


class _Idle(msgspec.Struct, frozen=True):
    connection: Connection
    since: float


class Pool:
    """At most ``settings.pool`` connections; the one used last is used first."""

    def __init__(
        self, make: Callable[[], Connection], settings: TransportSettings, clock: Clock
    ) -> None:
        self._make = make
        self._settings = settings
        self._clock = clock
        self._room = threading.Semaphore(settings.pool)
        self._lock = threading.Lock()
        self._idle: deque[_Idle] = deque()
        self._process = os.getpid()
        self._closed = False

    def take(self, deadline: Deadline) -> Connection:
        """Return a connection for one exchange; raises NotDelivered when none gets free."""
        place = self._settings.place
        if not self._room.acquire(timeout=deadline.seconds):
            raise failures.busy(place=place, seconds=deadline.seconds)
        try:
            if self._closed:
                raise failures.closed(place=place)
            return self._reusable() or self._make()
        except BaseException:
            self._room.release()
            raise

    def give(self, connection: Connection) -> None:
        """Take back a connection whose exchange is complete."""
        with self._lock:
            keep = not self._closed and not connection.is_closed
            if keep:
                self._idle.append(_Idle(connection, self._clock.monotonic()))
        if not keep:
            connection.close()
        self._room.release()

    def drop(self, connection: Connection) -> None:
        """Take back a connection in an unknown condition."""
        connection.close()
        self._room.release()

    def close(self) -> None:
        """Close what is idle now, and what is busy when it comes back."""
        with self._lock:
            self._closed = True
            left = list(self._idle)
            self._idle.clear()
        for idle in left:
            idle.connection.close()

    def _reusable(self) -> Connection | None:
        """Return an open connection that the server has not closed, as far as one can see.

        A server that closes at the very moment of sending makes the outcome unknown, so what has
        been idle for long, or is readable (the server's goodbye), is not tried.
        """
        while True:
            with self._lock:
                if self._process != os.getpid():
                    # After a fork, the parent's connections: two processes must not share one.
                    self._idle.clear()
                    self._process = os.getpid()
                if not self._idle:
                    return None
                idle = self._idle.pop()
            fresh = self._clock.monotonic() - idle.since < self._settings.idle
            if fresh and idle.connection.is_connected:
                return idle.connection
            idle.connection.close()
