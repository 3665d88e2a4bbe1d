"""The regular expressions that a condition may hold: those that run fast on every text.

Python's engine tries one way of reading a text after another. The ways are counted before a claim
is read. An expression that could need more than a fraction of a second for the longest text is
refused.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

LONGEST_TEXT: Final = 4000
"""The length of a claim line's ``text``, the longest that a condition sees."""

MOST_WAYS: Final = 8 * (LONGEST_TEXT + 1) ** 2
"""Two parts of any length, and some alternatives beside them: a fraction of a second."""

_BOUND: Final = MOST_WAYS + 1


def check_pattern(pattern: str, *, anywhere: bool) -> None:
    """Refuse a pattern that could run for long, searched ``anywhere`` or from the beginning.

    Raises ValueError saying why.
    """
    try:
        parsed = _parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"invalid regular expression {pattern[:60]!r}: {error}") from error
    ways = _ways(parsed) * (LONGEST_TEXT + 1 if anywhere else 1)
    if ways > MOST_WAYS:
        most = 1 if anywhere else 2
        raise ValueError(
            f"the regular expression {pattern[:60]!r} could take minutes for a long text: let "
            f"no more than {most} of its parts repeat without end, none within another (a "
            "back reference is such a part)"
        )


def _parse(pattern: str) -> Iterable[tuple[Any, Any]]:
    # This is the parser of ``re``; it has had no public name since Python 3.11.
    parsed: Iterable[tuple[Any, Any]] = importlib.import_module("re._parser").parse(pattern)
    return parsed


def _ways(parsed: Iterable[tuple[Any, Any]]) -> int:
    """Return in how many ways a text can be read at most, cut off above ``MOST_WAYS``."""
    ways = 1
    for kind, argument in parsed:
        ways = min(ways * _ways_of(str(kind), argument), _BOUND)
    return ways


def _ways_of(kind: str, argument: Any) -> int:
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, repeated = argument
        return _repetitions(least, min(int(most), LONGEST_TEXT), _ways(repeated))
    if kind == "GROUPREF":  # each try compares as much text as the group has taken
        return LONGEST_TEXT + 1
    if kind == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    return _of_all(argument if isinstance(argument, tuple) else (argument,))


def _repetitions(least: int, most: int, ways: int) -> int:
    if ways == 1:
        return max(most - least + 1, 1)
    total = 1
    for _ in range(most):
        total *= ways
        if total > MOST_WAYS:
            return _BOUND
    return total * max(most - least + 1, 1)


def _of_all(argument: Sequence[Any]) -> int:
    """Return the ways of the patterns in a group, a look-ahead, a condition."""
    ways = 1
    for part in argument:
        if hasattr(part, "getwidth"):
            ways = min(ways * _ways(part), _BOUND)
    return ways
