"""Sets of characters: as ranges of code points, and as RE2 writes them."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Final

from claimbridge.contract.patterns.grammar import Category, CharRange, Chars, Malformed

Ranges = tuple[tuple[int, int], ...]
"""First and last code points, both included, in order and apart."""

_LAST: Final = 0x10FFFF
# RE2 knows these by the same names, and they need no table of ours.
_NATIVE: Final = {"d": r"\p{Nd}", "s": r"\x{20}\t\n\r"}
# XSD 1.0 Part 2, Appendix F: \w is [#x0000-#x10FFFF]-[\p{P}\p{Z}\p{C}].
_NO_WORD: Final = ("P", "Z", "C")


@lru_cache(maxsize=256)
def written(chars: Chars) -> str:
    """Return the set as RE2 writes it. Raises Malformed for a name that XML Schema has not."""
    if chars.minus is None and all(_is_native(part) for part in chars.parts):
        inner = "".join(map(_native, chars.parts))
        return f"[{'^' if chars.negated else ''}{inner}]"
    points = ranges(chars)
    if not points:
        return r"[^\x{0}-\x{10FFFF}]"
    return f"[{''.join(map(_written_range, points))}]"


@lru_cache(maxsize=256)
def ranges(chars: Chars) -> Ranges:
    """Return the set's code points. Raises Malformed for a name that XML Schema has not."""
    points = _joined(chain.from_iterable(_of_part(part) for part in chars.parts))
    if chars.negated:
        points = _others(points)
    return points if chars.minus is None else _without(points, ranges(chars.minus))


def holds(spans: Ranges, char: str) -> bool:
    """Whether ``char`` is one of the set."""
    point = ord(char)
    index = bisect.bisect_right(spans, (point, _LAST)) - 1
    return index >= 0 and spans[index][0] <= point <= spans[index][1]


def _is_native(part: CharRange | Category) -> bool:
    return isinstance(part, CharRange) or (part.name in _NATIVE and not part.negated)


def _native(part: CharRange | Category) -> str:
    if isinstance(part, CharRange):
        return _written_range((ord(part.first), ord(part.last)))
    return _NATIVE[part.name]


def _written_range(span: tuple[int, int]) -> str:
    first, last = span
    return f"\\x{{{first:X}}}" + (f"-\\x{{{last:X}}}" if last != first else "")


def _of_part(part: CharRange | Category) -> Ranges:
    if isinstance(part, CharRange):
        return ((ord(part.first), ord(part.last)),)
    points = _named(part.name)
    return _others(points) if part.negated else points


@lru_cache(maxsize=256)
def _named(name: str) -> Ranges:
    # elementpath's tables; imported here because that takes 80 ms, and few patterns need them.
    from elementpath.regex import RegexError, character_classes, unicode_subset

    short = {
        "s": character_classes.s_shortcut,
        "i": character_classes.i_shortcut,
        "c": character_classes.c_shortcut,
    }
    if name == "w":
        return _others(_joined(chain.from_iterable(map(_named, _NO_WORD))))
    try:
        points = short[name]() if name in short else unicode_subset("Nd" if name == "d" else name)
    except RegexError as error:
        raise Malformed(f"{error}") from error
    spans = points.codepoints  # ends are not included there
    return _joined((one, one) if isinstance(one, int) else (one[0], one[1] - 1) for one in spans)


def _joined(spans: Iterable[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _others(spans: Ranges) -> Ranges:
    gaps, start = [], 0
    for first, last in spans:
        if start < first:
            gaps.append((start, first - 1))
        start = last + 1
    if start <= _LAST:
        gaps.append((start, _LAST))
    return tuple(gaps)


def _without(spans: Ranges, taken: Ranges) -> Ranges:
    return _others(_joined((*_others(spans), *taken)))


__all__ = ["Ranges", "holds", "ranges", "written"]
