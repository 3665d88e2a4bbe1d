"""One pattern facet, ready to judge values."""

from __future__ import annotations

from typing import Any, Final

import re2

from claimbridge.contract.patterns import spans
from claimbridge.contract.patterns.charset import written
from claimbridge.contract.patterns.grammar import (
    Chars,
    Choice,
    Malformed,
    Node,
    Repeat,
    Sequence,
    parse,
)

_MOST_REPEATS: Final = 1000
"""RE2 refuses a higher count, also as the product of counts inside each other."""
_MEMORY: Final = 8 << 20
_LONGEST: Final = 1_000_000
"""Characters of a pattern as RE2 writes it: `\\w` alone has 7,000, and RE2 reads 10 MB a second."""
_SHOWN: Final = 200
"""Characters of a pattern that a message repeats."""


class Undecidable(Exception):
    """No verdict, and why: the pattern is malformed, or would take too long for this value."""


class Pattern:
    """A pattern as a schema has it (``source``); threads may share it.

    Raises nothing; ``matches`` raises for a pattern that cannot be judged.
    """

    def __init__(self, source: str) -> None:
        self.source: Final = source
        self._tree: Node | None = None
        self._engine: Any = None
        self._why = ""
        try:
            self._tree = parse(source)
            self._engine = _compiled(self._tree)
        except Malformed as error:
            self._why = str(error)

    def matches(self, value: str) -> bool:
        """Whether the whole of ``value`` is of this form. Raises Undecidable."""
        if self._why or self._tree is None:
            raise Undecidable(f"{self._shown} is no pattern of XML Schema: {self._why}")
        if self._engine is not None:
            return self._engine.fullmatch(value) is not None
        try:
            return spans.matches(self._tree, value)
        except spans.TooLong:
            raise Undecidable(
                f"the pattern {self._shown} takes too long for a text of {len(value)} characters"
            ) from None

    @property
    def _shown(self) -> str:
        return self.source if len(self.source) <= _SHOWN else f"{self.source[:_SHOWN]} …"


def _compiled(tree: Node) -> Any:
    """Return RE2's engine for a pattern; None where it is beyond RE2's limits."""
    if _repeats(tree) > _MOST_REPEATS:
        _check(tree)
        return None
    text = _text(tree)
    if len(text) > _LONGEST:
        return None
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    try:
        return re2.compile(text, options)
    except re2.error:  # too large when compiled
        return None


def _repeats(node: Node) -> int:
    """Return the highest product of counts that stand inside each other."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Repeat):
        return max(1, node.least, node.most or 0) * _repeats(node.item)
    parts = node.items if isinstance(node, Sequence) else node.options
    return max(map(_repeats, parts), default=1)


def _check(node: Node) -> None:
    """Raise Malformed for a set of characters by an unknown name."""
    if isinstance(node, Chars):
        written(node)
    elif isinstance(node, Repeat):
        _check(node.item)
    else:
        for part in node.items if isinstance(node, Sequence) else node.options:
            _check(part)


def _text(node: Node) -> str:
    """Return a pattern as RE2 writes it, every part in a group where it needs one."""
    if isinstance(node, Chars):
        return written(node)
    if isinstance(node, Sequence):
        return "".join(map(_text, node.items)) if node.items else "(?:)"
    if isinstance(node, Choice):
        return f"(?:{'|'.join(map(_text, node.options))})"
    most = "" if node.most is None else str(node.most)
    return f"(?:{_text(node.item)}){{{node.least},{most}}}"


__all__ = ["Pattern", "Undecidable"]
