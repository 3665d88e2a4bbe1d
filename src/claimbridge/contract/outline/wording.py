"""A contract's limits, values and documentation in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from claimbridge.contract.outline.types import Facets

BOUNDS: Final = {
    "min_inclusive": "at least",
    "min_exclusive": "more than",
    "max_inclusive": "at most",
    "max_exclusive": "less than",
}
"""What stands before a bound, by its name in ``Facets``."""
MOST_WORDS: Final = 400
"""Characters of a documentation that are repeated: some contracts write essays."""


def facet_words(facets: Facets) -> list[str]:
    """Return what the facets demand, in phrases that begin with a small letter."""
    return list(_facets(facets))


def _facets(facets: Facets) -> Iterator[str]:
    if facets.length is not None:
        yield f"exactly {facets.length} characters"
    elif facets.max_length is not None:
        least = f"{facets.min_length} to " if facets.min_length else "at most "
        yield f"{least}{facets.max_length} characters"
    elif facets.min_length:
        yield f"at least {facets.min_length} characters"
    if facets.total_digits is not None:
        yield f"at most {facets.total_digits} digits"
    if facets.fraction_digits is not None:
        yield f"at most {facets.fraction_digits} decimals"
    for name, words in BOUNDS.items():
        bound = getattr(facets, name)
        if bound is not None:
            yield f"{words} {bound}"
    for pattern in facets.patterns:
        yield f"of the form {pattern}"


def listed(values: Sequence[str], *, most: int = 10) -> str:
    """Return the first values, and how many more there are."""
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(values[:most]) + more


def comment(text: str, indent: str, width: int) -> list[str]:
    """Return ``text`` as lines of a comment; none for an empty text."""
    return [f"{indent}# {line}" for line in wrapped(text, width - len(indent) - 2)]


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` on lines of at most ``width``, shortened where it is an essay."""
    line = " ".join(text.split())
    if len(line) > MOST_WORDS:
        line = f"{line[:MOST_WORDS].rsplit(' ', 1)[0]} …"
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)


def packed(words: Iterable[str], width: int) -> list[str]:
    """Return ``words`` on lines of at most ``width`` as far as they fit; none is broken."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


__all__ = ["BOUNDS", "comment", "facet_words", "listed", "packed", "wrapped"]
