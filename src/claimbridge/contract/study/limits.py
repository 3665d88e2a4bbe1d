"""How the limits of one text differ from those of another: narrowed, widened, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, NamedTuple

from claimbridge.contract.outline.types import Facets, Type
from claimbridge.contract.outline.wording import BOUNDS, listed


class LimitChange(NamedTuple):
    """One limit that changed; ``text`` goes on from the element's name."""

    way: Literal["narrowed", "widened"]
    text: str


_MOST: Final = {
    "max_length": "characters",
    "total_digits": "digits",
    "fraction_digits": "decimals",
}
# XML Schema Part 2 §3.3 and §3.4: each is derived from what stands after it.
_DERIVED: Final = (
    ("byte", "short", "int", "long", "integer", "decimal"),
    ("unsignedByte", "unsignedShort", "unsignedInt", "unsignedLong", "nonNegativeInteger"),
    ("positiveInteger", "nonNegativeInteger", "integer"),
    ("ID", "NCName", "Name", "token", "normalizedString", "string"),
    ("language", "token"),
    ("NMTOKEN", "token"),
)
_TAKES_ALL: Final = frozenset({"string", "anySimpleType", "anyType"})


def limit_changes(old: Type, new: Type) -> Iterator[LimitChange]:
    """Yield how the text of ``new`` is limited otherwise than that of ``old``."""
    if old.text != new.text:
        way: Literal["narrowed", "widened"] = (
            "widened" if _is_within(old.text, new.text) else "narrowed"
        )
        yield LimitChange(way, f"is {_a(new.text)} instead of {_a(old.text)}")
    yield from _lengths(old.facets, new.facets)
    for name, words in BOUNDS.items():
        sign = 1 if name.startswith("min") else -1
        yield from _bound(getattr(old.facets, name), getattr(new.facets, name), words, sign)
    yield from _forms(old.facets, new.facets)


def _a(text: str) -> str:
    return f"of the type {text}" if text else "without a text"


def _is_within(old: str, new: str) -> bool:
    if new in _TAKES_ALL and old:
        return True
    above, seen = {old}, set[str]()
    while above - seen:
        name = (above - seen).pop()
        seen.add(name)
        for line in _DERIVED:
            if name in line:
                above |= set(line[line.index(name) :])
    return new in seen


def _lengths(old: Facets, new: Facets) -> Iterator[LimitChange]:
    for name, unit in _MOST.items():
        before, after = getattr(old, name), getattr(new, name)
        if name == "max_length":
            before = old.length if old.length is not None else before
            after = new.length if new.length is not None else after
        if before == after:
            continue
        narrowed = after is not None and (before is None or after < before)
        said = "any number of" if after is None else f"at most {after}"
        was = "any number" if before is None else before
        yield LimitChange(
            "narrowed" if narrowed else "widened", f"takes {said} {unit} instead of {was}"
        )
    least = [max(each.min_length or 0, each.length or 0) for each in (old, new)]
    if least[0] != least[1]:
        yield LimitChange(
            "narrowed" if least[1] > least[0] else "widened",
            f"takes at least {least[1]} characters instead of {least[0]}",
        )


def _bound(old: str | None, new: str | None, words: str, sign: int) -> Iterator[LimitChange]:
    if old == new:
        return
    if new is None:
        yield LimitChange("widened", f"need no longer be {words} {old}")
    elif old is None:
        yield LimitChange("narrowed", f"must be {words} {new}")
    else:
        yield LimitChange(
            "narrowed" if sign * _compared(old, new) < 0 else "widened",
            f"must be {words} {new} instead of {old}",
        )


def _compared(old: str, new: str) -> int:
    """Return -1 where ``old`` is the smaller; bounds may be dates, which order as texts."""
    try:
        difference = Decimal(old) - Decimal(new)
        return (difference > 0) - (difference < 0)
    except InvalidOperation:
        return (old > new) - (old < new)


def _forms(old: Facets, new: Facets) -> Iterator[LimitChange]:
    for pattern in new.patterns:
        if pattern not in old.patterns:
            yield LimitChange("narrowed", f"must have the form {pattern}")
    if set(old.patterns) > set(new.patterns):
        yield LimitChange("widened", "has fewer forms to keep to")
    if not old.enumeration and new.enumeration:
        yield LimitChange("narrowed", f"takes only {listed(new.enumeration)}")
    elif old.enumeration and not new.enumeration:
        yield LimitChange("widened", "takes any value instead of a list")
    else:
        lost = [value for value in old.enumeration if value not in new.enumeration]
        more = [value for value in new.enumeration if value not in old.enumeration]
        if lost:
            yield LimitChange("narrowed", f"no longer takes {listed(lost)}")
        if more:
            yield LimitChange("widened", f"takes {listed(more)} too")


__all__ = ["LimitChange", "limit_changes"]
