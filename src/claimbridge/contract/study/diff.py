"""What changed between two generations of a contract, and whom it breaks.

A change is judged for those who keep speaking the old form: the profiles that are given, or, where
none is, a sender of everything that the old form allows. Requests break by what is demanded, or no
longer taken; replies, which are read tolerantly, only by what is gone or is no longer one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from claimbridge.contract.base.names import split_name
from claimbridge.contract.base.operation import Operation
from claimbridge.contract.outline.types import Type
from claimbridge.contract.study.compare import DifferenceKind, TypeDifference, differences, is_text
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.traces import Trace
from claimbridge.contract.study.uses import Uses

_K: Final = DifferenceKind


class Impact(StrEnum):
    """What a change means for those who keep speaking the old form."""

    BREAKS = "breaks"
    HARMLESS = "harmless"
    NEW = "new"


class ContractChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change in one direction: ``side`` is ``operation``, ``request`` or ``reply``.

    ``type`` is the name of the type (that of an unnamed one leads there from a named one), ``name``
    the element or ``@attribute`` in it, "" for the type or operation itself. ``operations`` are
    those that it can be met in. ``breaks`` names the profiles that it breaks, ``concerns`` those
    that send or read the type at all. ``strict`` is the verdict for a sender of everything.
    """

    verdict: Impact
    side: str
    kind: str
    type: str
    name: str
    text: str
    operations: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    strict: Impact = Impact.HARMLESS

    def __str__(self) -> str:
        place = f"{self.type}/{self.name}" if self.name and self.type else self.type or self.name
        return f"{place} {self.text}"


_REQUEST: Final = {
    _K.ADDED: Impact.NEW,
    _K.ADDED_REQUIRED: Impact.BREAKS,
    _K.VANISHED: Impact.BREAKS,
    _K.REQUIRED: Impact.BREAKS,
    _K.OPTIONAL: Impact.NEW,
    _K.MOVED: Impact.BREAKS,
    _K.NARROWED: Impact.BREAKS,
    _K.WIDENED: Impact.NEW,
    _K.FEWER: Impact.BREAKS,
    _K.MORE: Impact.NEW,
    _K.ALTERNATIVE: Impact.BREAKS,
    _K.NAMESPACE: Impact.BREAKS,
    _K.CONTENT: Impact.BREAKS,
}
# SOAP 1.1 §5.1 and §5.4.1: accessors may be left out, and are told apart by name, not by place.
_ENCODED: Final = _REQUEST | {
    _K.ADDED_REQUIRED: Impact.NEW,
    _K.REQUIRED: Impact.HARMLESS,
    _K.MOVED: Impact.HARMLESS,
}
# Reading goes by local names, in any order, and passes over what it does not know.
_REPLY: Final = dict.fromkeys(DifferenceKind, Impact.HARMLESS) | {
    _K.VANISHED: Impact.BREAKS,
    _K.MORE: Impact.BREAKS,
    _K.CONTENT: Impact.BREAKS,
}


def diff(
    old: Generation, new: Generation, *, uses: Sequence[Uses] = ()
) -> tuple[ContractChange, ...]:
    """Return every change, those that break first; empty when the two mean the same.

    ``uses`` are the profiles to judge for; without any, a sender of everything is. Raises
    ContractError CB-215 for schemas with no meaning.
    """
    traces = [Trace(one, old) for one in uses]
    found = [*_operations(old, new, traces)]
    walk = _Walk(old, new)
    for name, operation in old.operations.items():
        later = new.operations.get(name)
        if later is not None:
            walk.descend(operation, later)
    for met in walk.met.values():
        is_encoded = met.operations.keys() <= old.encoded
        found += _judged(met, traces, _ENCODED if is_encoded else _REQUEST)
    order = list(Impact)
    return tuple(sorted(found, key=lambda change: order.index(change.verdict)))


@dataclass
class _Met:
    """Two types that stand at the same place, and the operations that lead there."""

    old: Type
    label: str
    reply: bool
    differences: tuple[TypeDifference, ...]
    below: list[tuple[int, int, bool]] = field(default_factory=list)
    operations: dict[str, None] = field(default_factory=dict)


class _Walk:
    """Meets each pair of types once per direction, and notes which operations lead to it."""

    def __init__(self, old: Generation, new: Generation) -> None:
        self._old = old
        self._new = new
        self.met: dict[tuple[int, int, bool], _Met] = {}
        # Types live as long as they are held; a number could otherwise be used again.
        self._held: list[Type] = []

    def descend(self, old: Operation, new: Operation) -> None:
        """Meet everything in an operation's request, reply and faults."""
        pairs = [(old.input, new.input, False), (old.output, new.output, True)]
        faults = {split_name(name)[1]: name for name in new.faults}
        pairs += [(name, faults.get(split_name(name)[1], ""), True) for name in old.faults]
        for first, second, reply in pairs:
            before, after = self._old.root(first), self._new.root(second)
            if before is not None and after is not None:
                self._reach(before.type, after.type, before.local, reply, old.name)

    def _reach(self, old: Type, new: Type, label: str, reply: bool, operation: str) -> None:
        waiting = [self._pair(old, new, label, reply)]
        while waiting:
            met = self.met[waiting.pop()]
            if operation not in met.operations:
                met.operations[operation] = None
                waiting += met.below

    def _pair(self, old: Type, new: Type, label: str, reply: bool) -> tuple[int, int, bool]:
        """Compare two types and all below them, and return the key of the two."""
        first = (id(old), id(new), reply)
        waiting = [(old, new, label)]
        while waiting:
            before, after, label = waiting.pop()
            key = (id(before), id(after), reply)
            if key in self.met:
                continue
            self._held += (before, after)
            label = before.local or label
            met = _Met(
                before, label, reply, (*differences(before, after), *self._kinds(before, after))
            )
            self.met[key] = met
            for one, other, step in self._below(before, after):
                met.below.append((id(one), id(other), reply))
                waiting.append((one, other, f"{label}/{step}"))
        return first

    def _below(self, old: Type, new: Type) -> Iterator[tuple[Type, Type, str]]:
        later = {child.local: child for child in self._new.children(new)}
        for child in self._old.children(old):
            other = later.get(child.local)
            if other is None or (is_text(child.type) and is_text(other.type)):
                continue  # texts were compared in the type that holds them
            if (child.type.content is None) == (other.type.content is None):
                yield child.type, other.type, child.local
        for name in old.extended_by:
            one, other_type = self._old.type(name), self._new.type(name)
            if one is not None and other_type is not None:
                yield one, other_type, ""

    def _kinds(self, old: Type, new: Type) -> Iterator[TypeDifference]:
        """Yield the types that may no longer, or may now, stand in for this one."""
        for name in old.extended_by:
            if self._new.schemas.type(name) is None:
                yield TypeDifference(_K.VANISHED, f"@xsi:type={split_name(name)[1]}", "is gone")
        for name in new.extended_by:
            if self._old.schemas.type(name) is None:
                local = split_name(name)[1]
                yield TypeDifference(_K.ADDED, f"@xsi:type={local}", "is new, and optional")


def _judged(
    met: _Met, traces: Sequence[Trace], request: Mapping[DifferenceKind, Impact]
) -> Iterator[ContractChange]:
    for difference in met.differences:
        strict = (_REPLY if met.reply else request)[difference.kind]
        breaks = tuple(
            trace.profile
            for trace in traces
            if strict is Impact.BREAKS and _breaks(trace, met.old, difference, reply=met.reply)
        )
        verdict = strict
        if traces and strict is Impact.BREAKS:
            verdict = Impact.BREAKS if breaks else Impact.HARMLESS
        yield ContractChange(
            verdict=verdict,
            side="reply" if met.reply else "request",
            kind=difference.kind,
            type=met.label,
            name=difference.step,
            text=difference.text,
            operations=tuple(met.operations),
            breaks=breaks,
            concerns=tuple(
                trace.profile for trace in traces if trace.touches(met.old, reply=met.reply)
            ),
            strict=strict,
        )


def _breaks(trace: Trace, kind: Type, difference: TypeDifference, *, reply: bool) -> bool:
    """Whether the profile is broken by a difference that breaks a sender, or reader, of all."""
    step = difference.step
    if reply:
        return step in trace.read.get(id(kind), ()) if step else trace.touches(kind, reply=True)
    if difference.kind in {_K.REQUIRED, _K.ADDED_REQUIRED}:
        return trace.has_left_out(kind, step, of=difference.others)
    if difference.kind is _K.MOVED:
        siblings = {child.local for child in kind.children} - {step}
        return trace.has_sent(kind, step, beside=siblings)
    if difference.kind is _K.FEWER:
        return trace.most_sent(kind, step) > 1
    if not step:
        return trace.touches(kind, reply=False)
    return trace.has_sent(kind, step, beside=difference.others)


def _operations(
    old: Generation, new: Generation, traces: Sequence[Trace]
) -> Iterator[ContractChange]:
    for name, operation in old.operations.items():
        later = new.operations.get(name)
        users = tuple(trace.profile for trace in traces if name in trace.operations)
        if later is None:
            yield _about(name, "vanished", "is gone", users, judged=bool(traces))
            continue
        for what in ("input", "output", "soap_action"):
            first, second = getattr(operation, what), getattr(later, what)
            if first != second:
                means = f"{second or 'none'} instead of {first or 'none'}"
                said = f"has the {what.replace('_', ' ')} {means}"
                yield _about(name, "moved", said, users, judged=bool(traces))
    for name in new.operations:
        if name not in old.operations:
            yield ContractChange(
                verdict=Impact.NEW, side="operation", kind="added", type="", name=name,
                text="is new", operations=(name,), strict=Impact.NEW,
            )  # fmt: skip


def _about(
    name: str, kind: str, text: str, users: tuple[str, ...], *, judged: bool
) -> ContractChange:
    return ContractChange(
        verdict=Impact.BREAKS if users or not judged else Impact.HARMLESS,
        side="operation",
        kind=kind,
        type="",
        name=name,
        text=text,
        operations=(name,),
        breaks=users,
        concerns=users,
        strict=Impact.BREAKS,
    )


__all__ = ["ContractChange", "Impact", "diff"]
