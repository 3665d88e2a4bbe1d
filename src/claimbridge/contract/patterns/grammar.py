"""XML Schema's regular expressions as trees (XSD 1.0 Part 2, Appendix F)."""

from __future__ import annotations

from typing import Final

import msgspec

MAX_SOURCE: Final = 20_000
"""Characters of a pattern."""
MAX_DEPTH: Final = 100
"""Groups inside each other."""
MAX_COUNT: Final = 1_000_000
"""The highest count in a quantifier: beyond what any value is long."""

_SINGLE: Final = {"n": "\n", "r": "\r", "t": "\t"} | {c: c for c in r"\|.?*+(){}-[]^"}
_MULTIPLE: Final = frozenset("sSiIcCdDwW")
_META: Final = frozenset(r".\?*+()|[]")


class Malformed(Exception):
    """A pattern that is none: what is wrong with it, in a sentence."""


class CharRange(msgspec.Struct, frozen=True):
    """The characters from ``first`` to ``last``, both included."""

    first: str
    last: str


class Category(msgspec.Struct, frozen=True):
    """Characters by a name of XML Schema: ``d``, ``w`` …, or a property (``Lu``, ``IsGreek``).

    ``negated``: all others.
    """

    name: str
    negated: bool = False


class Chars(msgspec.Struct, frozen=True):
    """One character out of ``parts``; ``negated``: none of them. Never one of ``minus``."""

    parts: tuple[CharRange | Category, ...]
    negated: bool = False
    minus: Chars | None = None


class Sequence(msgspec.Struct, frozen=True):
    """All of ``items``, one after the other; without any: the empty text."""

    items: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """One of ``options``."""

    options: tuple[Node, ...]


class Repeat(msgspec.Struct, frozen=True):
    """``item`` from ``least`` to ``most`` times; None: without a limit."""

    item: Node
    least: int
    most: int | None


Node = Chars | Sequence | Choice | Repeat

ANY: Final = Chars((CharRange("\n", "\n"), CharRange("\r", "\r")), negated=True)
"""What ``.`` stands for: any character but a line's end."""


def parse(source: str) -> Node:
    """Return the tree of a pattern; raises Malformed."""
    if len(source) > MAX_SOURCE:
        raise Malformed(f"it has more than {MAX_SOURCE} characters")
    reader = _Reader(source)
    tree = reader.choice(0)
    if reader.more():
        raise reader.bad("a ) closes nothing")
    return tree


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._source)

    def bad(self, why: str) -> Malformed:
        return Malformed(f"{why}, at character {self._at + 1}")

    def choice(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.bad(f"more than {MAX_DEPTH} groups stand inside each other")
        options = [self._sequence(depth)]
        while self._takes("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, depth: int) -> Node:
        items: list[Node] = []
        while self.more() and self._peek() not in "|)":
            items.append(self._piece(depth))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _piece(self, depth: int) -> Node:
        atom = self._atom(depth)
        if self._takes("?"):
            return Repeat(atom, 0, 1)
        if self._takes("*"):
            return Repeat(atom, 0, None)
        if self._takes("+"):
            return Repeat(atom, 1, None)
        if self._takes("{"):
            return self._counted(atom)
        return atom

    def _counted(self, atom: Node) -> Repeat:
        least = self._number()
        most: int | None = least
        if self._takes(","):
            most = None if self._peek() == "}" else self._number()
        if not self._takes("}"):
            raise self.bad("a quantifier { is not closed")
        if most is not None and most < least:
            raise self.bad("a quantifier ends before it begins")
        return Repeat(atom, least, most)

    def _number(self) -> int:
        start = self._at
        while self._peek() in "0123456789" and self.more():
            self._at += 1
        digits = self._source[start : self._at]
        if not digits or len(digits) > 9 or int(digits) > MAX_COUNT:
            raise self.bad(f"a quantifier is no number up to {MAX_COUNT}")
        return int(digits)

    def _atom(self, depth: int) -> Node:
        char = self._next()
        if char == "(":
            inner = self.choice(depth + 1)
            if not self._takes(")"):
                raise self.bad("a ( is not closed")
            return inner
        if char == "[":
            return self._class(0)
        if char == ".":
            return ANY
        if char == "\\":
            return Chars((self._escape(),))
        if char in _META:
            self._at -= 1
            raise self.bad(f"a {char} has nothing to stand for")
        return Chars((CharRange(char, char),))

    def _class(self, depth: int) -> Chars:
        """Read what follows a ``[``, its ``]`` included."""
        if depth > MAX_DEPTH:
            raise self.bad("too many subtractions stand inside each other")
        negated = self._takes("^")
        parts: list[CharRange | Category] = []
        minus: Chars | None = None
        while not self._takes("]"):
            if parts and self._source.startswith("-[", self._at):
                self._at += 2
                minus = self._class(depth + 1)
                if not self._takes("]"):
                    raise self.bad("something follows a subtraction")
                break
            parts.append(self._range())
        if not parts:
            raise self.bad("a [ ] holds nothing")
        return Chars(tuple(parts), negated, minus)

    def _range(self) -> CharRange | Category:
        first = self._class_char()
        if isinstance(first, Category):
            return first
        ahead = self._source[self._at : self._at + 2]
        # A - is a range's only between two characters; at the end, or before a subtraction, not.
        if not ahead.startswith("-") or ahead[1:] in ("", "]", "["):
            return CharRange(first, first)
        self._at += 1
        last = self._class_char()
        if isinstance(last, Category) or last < first:
            raise self.bad("a range ends before it begins")
        return CharRange(first, last)

    def _class_char(self) -> str | Category:
        char = self._next()
        if char == "[":
            raise self.bad("a [ stands inside [ ] without \\")
        if char != "\\":
            return char
        part = self._escape()
        return part.first if isinstance(part, CharRange) else part

    def _escape(self) -> CharRange | Category:
        r"""Read what follows a ``\``."""
        char = self._next()
        if char in _SINGLE:
            return CharRange(_SINGLE[char], _SINGLE[char])
        if char in _MULTIPLE:
            return Category(char.lower(), negated=char.isupper())
        if char in "pP" and self._takes("{"):
            end = self._source.find("}", self._at)
            if end < 0:
                raise self.bad("a \\p{ is not closed")
            name, self._at = self._source[self._at : end], end + 1
            return Category(name, negated=char == "P")
        self._at -= 1
        raise self.bad(f"there is no \\{char} in XML Schema")

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _next(self) -> str:
        if not self.more():
            raise self.bad("it ends too early")
        self._at += 1
        return self._source[self._at - 1]

    def _takes(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._at += 1
        return True


__all__ = [
    "ANY",
    "Category",
    "CharRange",
    "Chars",
    "Choice",
    "Malformed",
    "Node",
    "Repeat",
    "Sequence",
    "parse",
]
