"""What is kept open: the connections of a transport, and the transports of an ERP."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from claimbridge.clock import Clock
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.connection import Countdown, TimedConnection
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.turns import Turn

T = TypeVar("T")


class _Idle(msgspec.Struct, frozen=True):
    connection: TimedConnection
    since: float


class Loan:
    """A place in the pool, and the connection that is lent with it.

    ``complete`` once its exchange is: then the connection may serve another. ``over`` once the
    connection was taken back.
    """

    def __init__(self) -> None:
        self.connection: TimedConnection | None = None
        self.complete = False
        self.over = False


class Pool:
    """At most ``settings.pool`` connections; the one used last is used first."""

    def __init__(
        self, make: Callable[[], TimedConnection], settings: TransportSettings, clock: Clock
    ) -> None:
        self._make = make
        self._settings = settings
        self._clock = clock
        self._turn = Turn()
        self._lent: set[Loan] = set()
        self._idle: deque[_Idle] = deque()
        self._process = os.getpid()
        self._closed = False

    @contextlib.contextmanager
    def lend(self, deadline: Countdown) -> Iterator[Loan]:
        """Lend a connection for one exchange; raises NotDelivered when none gets free.

        It goes back however the exchange ends, at whatever line.
        """
        loan = Loan()
        try:
            try:
                self._enter(loan, deadline)
                loan.connection = self._reusable() or self._make()
                yield loan
            finally:
                self._take_back(loan)
        finally:
            self._take_back(loan)  # where the first was interrupted

    def _enter(self, loan: Loan, deadline: Countdown) -> None:
        end = self._clock.monotonic() + deadline.seconds
        with self._turn.hold():
            while len(self._lent) >= self._settings.pool:
                left = end - self._clock.monotonic()
                if left <= 0 or not self._turn.wait(left):
                    raise failures.busy(place=self._settings.place, seconds=deadline.seconds)
            if self._closed:
                raise failures.after_close(place=self._settings.place)
            self._lent.add(loan)

    def _take_back(self, loan: Loan) -> None:
        """Take a connection back, closed where its condition is not known; again: nothing."""
        if loan.over:
            return
        with self._turn.hold():
            connection, loan.connection = loan.connection, None
            keep = loan.complete and not self._closed
            if connection is not None and keep and not connection.is_closed:
                self._idle.append(_Idle(connection, self._clock.monotonic()))
            elif connection is not None:
                connection.close()
            self._lent.discard(loan)
            self._turn.wake_all()
        loan.over = True

    def close(self) -> None:
        """Close what is idle now, and what is busy when it comes back."""
        with self._turn.hold():
            self._closed = True
            left = list(self._idle)
            self._idle.clear()
        for idle in left:
            idle.connection.close()

    def _reusable(self) -> TimedConnection | None:
        """Return an open connection that the server has not closed, as far as one can see.

        A server that closes at the very moment of sending makes the outcome unknown, so what has
        been idle for long, or is readable (the server's goodbye), is not tried.
        """
        while True:
            with self._turn.hold():
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


class Ports(Generic[T]):
    """One transport per address, made when first needed; threads may share it.

    The settings' own endpoint is opened at once. The credentials go to every port: those are named
    by the configuration or lie beside the endpoint, never by a reply.
    """

    def __init__(self, settings: TransportSettings, make: Callable[[TransportSettings], T]) -> None:
        """Open the endpoint; raises ConfigurationError or KeyUnavailable as ``make`` does."""
        self._settings = settings
        self._make = make
        self._turn = Turn()
        self._open: dict[str, T] = {settings.endpoint: make(settings)}

    def to(self, endpoint: str) -> T:
        """Return the transport to ``endpoint``; "" is the settings' own."""
        place = endpoint or self._settings.endpoint
        if place in self._open:
            return self._open[place]
        with self._turn.hold():
            if place not in self._open:
                settings = msgspec.structs.replace(self._settings, endpoint=place)
                self._open[place] = self._make(settings)
            return self._open[place]

    def __iter__(self) -> Iterator[T]:
        with self._turn.hold():
            return iter(list(self._open.values()))
