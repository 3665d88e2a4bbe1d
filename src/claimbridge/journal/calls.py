"""Which call began a flight: when the call is over, nobody flies it any more.

An exception may end a call at any line, also between two that belong together. So whether a call
is over is not only noted at its end: it is seen.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextvars import ContextVar
from types import FrameType
from typing import Final, Protocol


class ClientCall(Protocol):
    """One call of a client that may begin flights."""

    def lasts(self) -> bool:
        """Whether somebody is still carrying it out."""
        ...


class ThreadCall:
    """A call of a synchronous client: it lasts while ``frame`` is on its thread's stack."""

    def __init__(self, frame: FrameType) -> None:
        self._frame: FrameType | None = frame
        self._thread = threading.get_ident()

    def lasts(self) -> bool:
        """Whether the frame is still being executed."""
        wanted = self._frame
        if wanted is None:
            return False
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if frame is wanted:
                return True
            frame = frame.f_back
        return False

    def end(self) -> None:
        """Note that it is over, and let go of its frame."""
        self._frame = None


class TaskCall:
    """A call of an asynchronous client: it lasts while its task runs in a loop that is open."""

    def __init__(self, task: asyncio.Task[object], loop: asyncio.AbstractEventLoop) -> None:
        self._task = task
        self._loop = loop
        self._over = False

    def lasts(self) -> bool:
        """Whether the task may still go on."""
        return not (self._over or self._task.done() or self._loop.is_closed())

    def end(self) -> None:
        """Note that it is over."""
        self._over = True


CURRENT: Final[ContextVar[ClientCall | None]] = ContextVar("claimbridge call", default=None)
"""The call that is being carried out; None where flights last until they are recorded."""


__all__ = ["CURRENT", "ClientCall", "TaskCall", "ThreadCall"]
