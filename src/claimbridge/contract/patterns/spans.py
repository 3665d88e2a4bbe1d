"""Matching by sets of places: slower than RE2, without its limits, and never exponential.

A set of places in the text is one integer, a bit a place. Each part of a pattern maps the places
where it may begin to those where it may end, for all of them at once. So nothing is tried twice,
and what is left is bounded: a repetition ends when it reaches no new place.
"""

from __future__ import annotations

from typing import Final

from claimbridge.contract.patterns.charset import Ranges, holds, ranges
from claimbridge.contract.patterns.grammar import Chars, Choice, Node, Repeat, Sequence

MOST_STEPS: Final = 2_000_000
"""What one value may cost, in operations on 64 places: well under a second."""


class TooLong(Exception):
    """A value that would take more than ``MOST_STEPS``."""


def matches(tree: Node, text: str) -> bool:
    """Whether the whole of ``text`` is of the form ``tree``. Raises TooLong."""
    return bool(_Matching(text).ends(tree, 1) >> len(text) & 1)


class _Matching:
    """One text being matched."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[Ranges, int] = {}
        self._sets: dict[Chars, int] = {}
        self._cost = 1 + len(text) // 64
        self._left = MOST_STEPS

    def ends(self, node: Node, starts: int) -> int:
        """Return where ``node`` may end that begins at one of ``starts``."""
        self._left -= self._cost
        if self._left < 0:
            raise TooLong
        if not starts:
            return 0
        if isinstance(node, Chars):
            return (starts & self._standing(node)) << 1
        if isinstance(node, Sequence):
            for item in node.items:
                starts = self.ends(item, starts)
            return starts
        if isinstance(node, Choice):
            places = 0
            for option in node.options:
                places |= self.ends(option, starts)
            return places
        return self._repetition(node, starts)

    def _repetition(self, node: Repeat, starts: int) -> int:
        for _ in range(node.least):
            reached = self.ends(node.item, starts)
            if reached == starts:  # it stands still (empty parts): more of it changes nothing
                break
            starts = reached
        places = fresh = starts
        count = node.least
        while fresh and (node.most is None or count < node.most):
            fresh = self.ends(node.item, fresh) & ~places
            places |= fresh
            count += 1
        return places

    def _standing(self, chars: Chars) -> int:
        """Return the places at which one of ``chars`` stands."""
        places = self._sets.get(chars)
        if places is None:
            places = self._sets[chars] = self._places_of(ranges(chars))
        return places

    def _places_of(self, allowed: Ranges) -> int:
        if allowed not in self._places:
            self._left -= len(self._text)
            bits = "".join("1" if holds(allowed, char) else "0" for char in reversed(self._text))
            self._places[allowed] = int(bits or "0", 2)
        return self._places[allowed]


__all__ = ["TooLong", "matches"]
