"""A lock that no exception leaves locked, at whatever line a signal handler raises it.

``with lock:`` is not enough. An exception may come after the lock was taken and before the ``with``
block has begun, or at the very end of that block, before the lock is given back. So every holder
gives the lock back twice: the second time changes nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turn:
    """One thread's turn at a time; a thread that has it may ask for it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._holder: int | None = None

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the turn, and have it until the block ends, however it ends."""
        # Python closes an unfinished generator with its last reference. So its ``finally`` runs
        # even where an exception came between two lines of the caller.
        if self._holder == threading.get_ident():
            yield
            return
        try:
            try:
                self.take()
                yield
            finally:
                self.give_back()
        finally:
            self.give_back()

    def take(self) -> None:
        """Wait for the turn; ``give_back`` it in a ``finally``."""
        self._lock.acquire()
        self._holder = threading.get_ident()

    def give_back(self) -> None:
        """Give the turn back; do nothing where this thread does not have it."""
        if self._holder == threading.get_ident():
            self._holder = None
        with contextlib.suppress(RuntimeError):  # it is another's, or nobody's
            self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Give the turn back, wait for ``wake_all``, and take it again; False when too late."""
        self._holder = None
        try:
            return self._changed.wait(timeout)
        finally:
            self._holder = threading.get_ident()

    def wake_all(self) -> None:
        """Wake all who ``wait``."""
        self._changed.notify_all()


__all__ = ["Turn"]
