"""Whether a profile works with a contract: each name that it needs, and what the gate would refuse.

The verdicts are the gate's own, on requests that the profile really built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from claimbridge.contract.base.names import split_name
from claimbridge.contract.contract import Contract
from claimbridge.contract.outline.types import Type
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.traces import Trace
from claimbridge.contract.study.uses import Sent, Uses
from claimbridge.errors import ContractError, SchemaViolation
from claimbridge.findings import Finding

_INDEX: Final = re.compile(r"\[\d+\]")


class Need(msgspec.Struct, frozen=True):
    """One name that the profile sends (in ``where``, an operation) or reads (in a reply)."""

    where: str
    path: str
    sends: bool
    present: bool


class Obstacle(msgspec.Struct, frozen=True):
    """What the contract forbids in a request of ``operation``; ``finding`` as the gate gives it."""

    operation: str
    finding: Finding


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract means for a profile.

    ``refused``: violations with ordinary values. ``could_exceed``: further violations with the
    longest and largest values that a claim may hold.
    """

    needs: tuple[Need, ...]
    refused: tuple[Obstacle, ...]
    could_exceed: tuple[Obstacle, ...]

    @property
    def missing(self) -> tuple[Need, ...]:
        """The names that the contract does not have."""
        return tuple(need for need in self.needs if not need.present)

    @property
    def works(self) -> bool:
        """Whether everything can be sent, and everything that is read has its place."""
        return not self.missing and not self.refused


def check(uses: Uses, contract: Contract, generation: Generation, *, own: Generation) -> Check:
    """Return what ``contract`` (and ``generation``, its outline) mean for a profile.

    ``own`` is the contract that the profile was written for. A name that the profile reads is
    wanted if ``own`` has it.
    """
    # An operation that is not offered is one missing name, and no more.
    sent = [request for request in uses.sent if request.operation in generation.operations]
    refused = _once(obstacle for request in sent for obstacle in _obstacles(contract, request))
    places = {(each.operation, each.finding.path, each.finding.rule) for each in refused}
    # A missing name is among the needs. Without it the rest can still be judged.
    widest = [
        _judgeable(request, generation)
        for request in uses.widest
        if request.operation in generation.operations
    ]
    exceeding = _once(obstacle for request in widest for obstacle in _obstacles(contract, request))
    return Check(
        needs=tuple(_needs(uses, generation, own)),
        refused=refused,
        could_exceed=tuple(
            each
            for each in exceeding
            if (each.operation, each.finding.path, each.finding.rule) not in places
        ),
    )


def _needs(uses: Uses, generation: Generation, own: Generation) -> Iterator[Need]:
    here, there = Trace(uses, generation), Trace(uses, own)
    elsewhere = uses.elsewhere - generation.operations.keys()
    for operation in uses.operations:
        if operation not in generation.operations and operation not in elsewhere:
            yield Need(operation, "", sends=True, present=False)
    answered = {
        split_name(name)[1] for each in here.operations for name in generation.answers(each)
    }
    # This contract does not lack what another port answers.
    lacking = {split_name(name)[1] for each in elsewhere for name in own.answers(each)}
    for (where, path), is_there in there.names.items():
        if where in own.operations:
            if where in generation.operations:
                yield Need(where, path, sends=True, present=here.names.get((where, path), False))
        elif where in answered:
            if is_there:
                yield Need(where, path, sends=False, present=here.names.get((where, path), False))
        elif where not in lacking:
            lacking.add(where)
            yield Need(where, "", sends=False, present=False)


def _obstacles(contract: Contract, sent: Sent) -> Iterator[Obstacle]:
    try:
        body = contract.render(sent.operation, sent.body, sources=sent.sources)
        findings = contract.check(body, sources=sent.sources)
    except SchemaViolation as error:
        findings = tuple(error.findings)
    except ContractError as error:
        if error.code == "CB-217":  # no gate can judge it; its names were looked up all the same
            return
        findings = (Finding("", "operation", error.message),)
    for finding in findings:
        yield Obstacle(sent.operation, finding)


def _once(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Return each once, though several elements of one name may have it."""
    by_place: dict[tuple[str, str, str], Obstacle] = {}
    for each in obstacles:
        path = _INDEX.sub("", each.finding.path)
        plain = msgspec.structs.replace(each.finding, path=path)
        by_place.setdefault(
            (each.operation, path, each.finding.rule), Obstacle(each.operation, plain)
        )
    return tuple(by_place.values())


def _judgeable(sent: Sent, generation: Generation) -> Sent:
    """Return the request without the names that the contract does not have."""
    root = generation.root(generation.operations[sent.operation].input)
    if root is None:
        return sent
    return msgspec.structs.replace(sent, body=_rest_of(sent.body, root.type, generation))


def _rest_of(body: Mapping[str, Any], kind: Type, generation: Generation) -> dict[str, Any]:
    concrete = body.get("@xsi:type")
    kind = (generation.type(str(concrete)) if concrete else None) or kind
    children = {child.local: child for child in generation.children(kind)}
    attributes = {f"@{each.local}" for each in kind.attributes}
    rest: dict[str, Any] = {}
    for key, value in body.items():
        child = children.get(split_name(key)[1])
        if child is not None and isinstance(value, list):
            rest[key] = [_value(each, child.type, generation) for each in value]
        elif child is not None:
            rest[key] = _value(value, child.type, generation)
        elif key == "#text" or key in attributes or key.startswith("@xsi:"):
            rest[key] = value
    return rest


def _value(value: Any, kind: Type, generation: Generation) -> Any:
    return _rest_of(value, kind, generation) if isinstance(value, Mapping) else value


__all__ = ["Check", "Need", "Obstacle", "check"]
