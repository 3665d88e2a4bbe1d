"""A locked contract as far as it is in use: cut down once, kept, and opened from there.

What is kept is a view: the operations and endpoints of the WSDL, the shapes and schemas that the
operations and types in use can reach. Everything else is asked of the whole contract, which is
read when that first happens; so a view answers as the whole does, only sooner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from claimbridge.contract.calls.explain import MAX_SCHEMA_BYTES
from claimbridge.contract.calls.gate import Gate
from claimbridge.contract.calls.service import Lookup, Service
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.operation import Operation
from claimbridge.contract.pruned.cut import prune
from claimbridge.contract.pruned.gate import PrunedGate
from claimbridge.contract.pruned.shapes import KnownShapes, ShapeData, shape_data
from claimbridge.contract.pruned.store import store, stored
from claimbridge.errors import ContractError

VERSION: Final = 1
"""Counts up whenever a view would come out otherwise than before, or would not come out at all.

A kept view is opened without the checks of loading: it passed those of its version.
"""


class InUse(msgspec.Struct, frozen=True):
    """A contract cut down; see ``Service``, ``Documents`` and ``Pruned`` for the fields."""

    operations: dict[str, Operation]
    endpoints: dict[str, str]
    answers: tuple[str, ...]
    shapes: ShapeData
    schemas: dict[str, bytes]
    namespaces: dict[str, str]
    elements: frozenset[str]
    types: frozenset[str]
    hidden: frozenset[str]
    explained: bool

    def service(self, whole: Callable[[], Lookup]) -> Service:
        """Return what the WSDL offers; ``whole`` is asked about what was cut away."""
        shapes = KnownShapes(self.shapes, whole)
        return Service(self.operations, self.endpoints, {}, self.answers, shapes)

    def gate(self, title: str, shapes: Lookup, whole: Callable[[], Gate]) -> PrunedGate:
        """Return the gate; raises ContractError CB-215 when the schemas do not compile."""
        documents = Documents(title, "", {}, self.schemas, self.namespaces)
        return PrunedGate(
            Gate(documents, shapes.element, explained=self.explained),
            elements=self.elements,
            types=self.types,
            hidden=self.hidden,
            whole=whole,
        )


def kept_view(bundle: Bundle, operations: Iterable[str], types: Iterable[str]) -> InUse | None:
    """Return the view that was kept of a locked bundle; None when there is none."""
    if bundle.home is None:
        return None
    content = stored(_key(bundle, operations, types), bundle.home)
    if content is None:
        return None
    try:
        return msgspec.msgpack.decode(content, type=InUse)
    except msgspec.MsgspecError:
        return None


def keep_view(
    bundle: Bundle,
    service: Service,
    documents: Documents,
    operations: Iterable[str],
    types: Iterable[str],
) -> None:
    """Keep a view of a locked bundle for next time, where one can be made; never raises."""
    if bundle.home is None or service.unsupported:
        return  # the encoded calls need all schemas as they are
    try:
        view = view_of(service, documents, operations, types)
        view.gate(bundle.title, service.shapes, _never)
    except ContractError:
        return
    store(_key(bundle, operations, types), msgspec.msgpack.encode(view), bundle.home)


def view_of(
    service: Service, documents: Documents, operations: Iterable[str], types: Iterable[str]
) -> InUse:
    """Return the contract cut down to what the operations and types by these names can reach."""
    used = [found for name in operations if (found := service.operations.get(name))]
    elements = tuple(
        dict.fromkeys(name for one in used for name in (one.input, one.output, *one.faults) if name)
    )
    concrete = [known[0] for name in types if (known := service.shapes.named(name))]
    pruned = prune(documents, elements, concrete)
    return InUse(
        operations=dict(service.operations),
        endpoints=dict(service.endpoints),
        answers=service.answers,
        shapes=shape_data(service.shapes, elements, sorted(pruned.types)),
        schemas=dict(pruned.documents.schemas),
        namespaces=dict(pruned.documents.namespaces),
        elements=pruned.elements,
        types=pruned.types,
        hidden=pruned.hidden,
        explained=sum(map(len, documents.schemas.values())) <= MAX_SCHEMA_BYTES,
    )


def _key(bundle: Bundle, operations: Iterable[str], types: Iterable[str]) -> str:
    parts = [VERSION, bundle.digest, sorted(set(operations)), sorted(set(types))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _never() -> Gate:
    raise ContractError("a view that is only tried has no whole", code="CB-215")


__all__ = ["InUse", "keep_view", "kept_view", "view_of"]
