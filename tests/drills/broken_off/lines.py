"""Exceptions raised at a chosen line, as a signal handler would raise them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

import claimbridge

HOME = str(Path(claimbridge.__file__).parent) + "/"
OTHERS = (HOME + "sandbox/", HOME + "testing/", HOME + "cli/")


class Interrupted(BaseException):
    """What KeyboardInterrupt is: nobody catches it by the way."""


class Alarm(Exception):
    """What a user's own handler of SIGALRM raises."""


class Point(msgspec.Struct, frozen=True, order=True):
    """The n-th time that a line of claimbridge is reached in a call."""

    file: str
    line: int
    nth: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.nth})"


def points_of(call: Callable[[], object]) -> list[Point]:
    """Make a call; return the first and the last time that it reached each line."""
    counts: dict[tuple[str, int], int] = {}

    def seen(file: str, line: int) -> None:
        counts[file, line] = counts.get((file, line), 0) + 1

    _traced(call, seen)
    return sorted({Point(*at, nth) for at, count in counts.items() for nth in (1, count)})


def broken_off_at(point: Point, call: Callable[[], object], error: BaseException) -> bool:
    """Make a call in which ``error`` is raised at ``point``; return whether it came so far."""
    left = point.nth
    reached = False

    def seen(file: str, line: int) -> None:
        nonlocal left, reached
        if (file, line) == (point.file, point.line) and not reached:
            left -= 1
            if left == 0:
                reached = True
                raise error

    _traced(call, seen)
    return reached


def _traced(call: Callable[[], object], seen: Callable[[str, int], None]) -> None:
    """Make a call, and tell of each line of claimbridge that this thread reaches in it."""

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen(frame.f_code.co_filename[len(HOME) :], frame.f_lineno)
        return on_line

    def on_call(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        return on_line if name.startswith(HOME) and not name.startswith(OTHERS) else None

    sys.settrace(on_call)
    try:
        call()
    finally:
        sys.settrace(None)
