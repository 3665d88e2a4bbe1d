"""A contract's limits and documentation in words, for comments in generated code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from claimbridge.contract.outline import Facets

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
    for bound, words in (
        (facets.min_inclusive, "at least"),
        (facets.min_exclusive, "more than"),
        (facets.max_inclusive, "at most"),
        (facets.max_exclusive, "less than"),
    ):
        if bound is not None:
            yield f"{words} {bound}"
    for pattern in facets.patterns:
        yield f"of the form {pattern}"


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


__all__ = ["comment", "facet_words", "packed", "wrapped"]
