"""How one type differs from its next generation, place by place; nothing below it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from claimbridge.contract.outline.types import Attribute, Element, Group, Type
from claimbridge.contract.study.limits import limit_changes


class DifferenceKind(StrEnum):
    """What happened to a place."""

    ADDED = "added"
    ADDED_REQUIRED = "added-required"
    VANISHED = "vanished"
    REQUIRED = "required"
    OPTIONAL = "optional"
    MOVED = "moved"
    NARROWED = "narrowed"
    WIDENED = "widened"
    FEWER = "fewer"
    MORE = "more"
    ALTERNATIVE = "alternative"
    NAMESPACE = "namespace"
    CONTENT = "content"


@dataclass(frozen=True)
class TypeDifference:
    """One difference; ``step`` is an element's local name, ``@name``, or "" for the type itself.

    ``others`` are, for an alternative, the names that may no longer stand beside it.
    """

    kind: DifferenceKind
    step: str
    text: str
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ElementPlace:
    """Where an element may stand in a content model, with the groups around it worked in.

    ``rivals`` are the elements that cannot stand beside it.
    """

    element: Element
    min: int
    max: int | None
    rivals: frozenset[str]

    def merged(self, other: ElementPlace) -> ElementPlace:
        """Return what two places of one name come to."""
        most = None if self.max is None or other.max is None else self.max + other.max
        return ElementPlace(
            self.element, min(self.min, other.min), most, self.rivals & other.rivals
        )


def places(content: Group | None) -> dict[str, ElementPlace]:
    """Return every place by its local name, in schema order."""
    found: dict[str, ElementPlace] = {}
    for place in _flattened(content, 1, 1, frozenset()) if content else ():
        name = place.element.local
        found[name] = found[name].merged(place) if name in found else place
    return found


def differences(old: Type, new: Type) -> Iterator[TypeDifference]:
    """Yield every difference in what the two types hold themselves."""
    yield from _content("", old, new)
    for change in limit_changes(old, new):
        yield TypeDifference(DifferenceKind(change.way), "", change.text)
    before = {f"@{each.local}": each for each in old.attributes}
    after = {f"@{each.local}": each for each in new.attributes}
    yield from _attributes(before, after)
    yield from _elements(places(old.content), places(new.content))
    yield from _groups(old, new)


def _flattened(
    group: Group, least: int, most: int | None, rivals: frozenset[str]
) -> Iterator[ElementPlace]:
    most = None if most is None or group.max is None else most * group.max
    choice = group.is_choice and len(group.parts) > 1
    least = 0 if choice else least * group.min
    names = [_names(part) for part in group.parts]
    for number, part in enumerate(group.parts):
        beside = rivals
        if choice and most == 1:
            beside |= frozenset().union(*names[:number], *names[number + 1 :]) - names[number]
        if isinstance(part, Element):
            high = None if most is None or part.max is None else most * part.max
            yield ElementPlace(part, least * part.min, high, beside)
        elif isinstance(part, Group):
            yield from _flattened(part, least, most, beside)


def _names(part: object) -> frozenset[str]:
    if isinstance(part, Element):
        return frozenset({part.local})
    return frozenset(each.local for each in part.elements()) if isinstance(part, Group) else _NONE


_NONE: frozenset[str] = frozenset()


def _attributes(
    old: Mapping[str, Attribute], new: Mapping[str, Attribute]
) -> Iterator[TypeDifference]:
    for step, attribute in old.items():
        later = new.get(step)
        if later is None:
            yield TypeDifference(DifferenceKind.VANISHED, step, "is gone")
            continue
        yield from _need(step, int(attribute.required), int(later.required))
        yield from _fixed(step, attribute.fixed, later.fixed)
        for change in limit_changes(attribute.type, later.type):
            yield TypeDifference(DifferenceKind(change.way), step, change.text)
    for step, attribute in new.items():
        if step not in old:
            yield _added(step, required=attribute.required, where="")


def _elements(
    old: Mapping[str, ElementPlace], new: Mapping[str, ElementPlace]
) -> Iterator[TypeDifference]:
    for name, place in old.items():
        later = new.get(name)
        if later is None:
            yield TypeDifference(DifferenceKind.VANISHED, name, "is gone")
        else:
            yield from _element(name, place, later)
    order = list(new)
    for name, place in new.items():
        if name not in old:
            before = next(
                (each for each in reversed(order[: order.index(name)]) if each in old), ""
            )
            where = f" after {before}" if before else " at the beginning"
            yield _added(name, required=place.min > 0, where=where)
    yield from _moved([name for name in old if name in new], [name for name in new if name in old])


def _added(step: str, *, required: bool, where: str) -> TypeDifference:
    if required:
        return TypeDifference(DifferenceKind.ADDED_REQUIRED, step, f"is new{where}, and required")
    return TypeDifference(DifferenceKind.ADDED, step, f"is new{where}, and optional")


def _element(name: str, old: ElementPlace, new: ElementPlace) -> Iterator[TypeDifference]:
    yield from _need(name, old.min, new.min)
    if old.max != new.max:
        fewer = new.max is not None and (old.max is None or new.max < old.max)
        most = "any number of times" if new.max is None else f"{new.max} times at most"
        yield TypeDifference(
            DifferenceKind.FEWER if fewer else DifferenceKind.MORE, name, f"may stand {most}"
        )
    rivals = new.rivals - old.rivals
    if rivals:
        beside = ", ".join(sorted(rivals))
        yield TypeDifference(
            DifferenceKind.ALTERNATIVE, name, f"may no longer stand beside {beside}", rivals
        )
    first, second = old.element, new.element
    if first.namespace != second.namespace:
        yield TypeDifference(
            DifferenceKind.NAMESPACE, name, f"is in {second.namespace or 'no namespace'} now"
        )
    if first.nillable != second.nillable:
        kind = DifferenceKind.WIDENED if second.nillable else DifferenceKind.NARROWED
        yield TypeDifference(kind, name, f"may {'' if second.nillable else 'not '}be nil")
    yield from _fixed(name, first.fixed, second.fixed)
    yield from _content(name, first.type, second.type)
    if is_text(first.type) and is_text(second.type):
        for change in limit_changes(first.type, second.type):
            yield TypeDifference(DifferenceKind(change.way), name, change.text)


def is_text(kind: Type) -> bool:
    """Whether a type is a text and nothing else, so that its limits are those of its place."""
    return kind.content is None and not kind.attributes and not kind.array_of


def _content(step: str, old: Type, new: Type) -> Iterator[TypeDifference]:
    if (old.content is None) != (new.content is None):
        said = "elements instead of a text" if new.content else "no elements any more"
        yield TypeDifference(DifferenceKind.CONTENT, step, f"holds {said}")


def _need(step: str, old: int, new: int) -> Iterator[TypeDifference]:
    if new > old:
        times = f"at least {new} times" if new > 1 else "required"
        yield TypeDifference(DifferenceKind.REQUIRED, step, f"is {times} now")
    elif new < old:
        yield TypeDifference(
            DifferenceKind.OPTIONAL, step, "is optional now" if not new else "may stand fewer"
        )


def _fixed(step: str, old: str | None, new: str | None) -> Iterator[TypeDifference]:
    if old != new:
        kind = DifferenceKind.WIDENED if new is None else DifferenceKind.NARROWED
        said = "is no longer fixed" if new is None else f"must be {new}"
        yield TypeDifference(kind, step, said)


def _moved(old: list[str], new: list[str]) -> Iterator[TypeDifference]:
    """Yield what is not where it was among those that are in both."""
    if old == new:
        return
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    stayed = {
        name for block in matcher.get_matching_blocks() for name in old[block.a :][: block.size]
    }
    for name in new:
        if name not in stayed:
            at = new.index(name)
            where = f"after {new[at - 1]}" if at else "at the beginning"
            yield TypeDifference(DifferenceKind.MOVED, name, f"stands {where} now")


def _groups(old: Type, new: Type) -> Iterator[TypeDifference]:
    """Yield choices that demand one of several, and places for anything, that came or went."""
    demanded = _demanded(old.content)
    needed = {name for name, place in places(old.content).items() if place.min}
    for names in _demanded(new.content):
        if not (names & needed or any(each <= names for each in demanded)):
            listed = ", ".join(sorted(names))
            yield TypeDifference(DifferenceKind.REQUIRED, "", f"needs one of {listed}", names)
    before, after = (kind.content is not None and kind.content.is_open for kind in (old, new))
    if before != after:
        kind = DifferenceKind.WIDENED if after else DifferenceKind.NARROWED
        yield TypeDifference(kind, "", f"has {'a' if after else 'no'} place for any element now")
    if old.open_attributes and not new.open_attributes:
        yield TypeDifference(DifferenceKind.NARROWED, "", "has no place for any attribute now")


def _demanded(content: Group | None) -> list[frozenset[str]]:
    """Return the choices of which one branch must be there."""
    if content is None or not content.min:
        return []
    if content.is_choice:
        return [_names(content)] if all(part.min for part in content.parts) else []
    return [names for part in content.parts if isinstance(part, Group) for names in _demanded(part)]


__all__ = ["DifferenceKind", "ElementPlace", "TypeDifference", "differences", "is_text", "places"]
