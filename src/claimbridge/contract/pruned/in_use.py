"""A locked contract as far as it is in use: cut down once, stored, and opened from there.

The part in use has the operations and endpoints of the WSDL, and the schemas that the operations
and types in use can reach. The whole contract answers for everything else; it is read when somebody
first asks. So the part in use answers as the whole does, only sooner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from claimbridge.contract.base.operation import Operation
from claimbridge.contract.calls.explain import MAX_SCHEMA_BYTES
from claimbridge.contract.calls.message_rules import MessageRules
from claimbridge.contract.calls.service import Service
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.pruned import store
from claimbridge.contract.pruned.cut import prune
from claimbridge.contract.pruned.gate import PrunedGate
from claimbridge.contract.pruned.shapes import PrunedShapes
from claimbridge.errors import ContractError

VERSION: Final = 2
"""Counts up whenever ``InUse`` would come out otherwise than before, or would not come out at all.

A stored part is opened without the checks of loading: it passed those of its version.
"""


class InUse(msgspec.Struct, frozen=True):
    """The part in use; see ``Service``, ``Documents`` and ``Cut`` for the fields.

    ``types`` has the ``{namespace}name`` of the types by each name that they answer to.
    """

    operations: dict[str, Operation]
    endpoints: dict[str, str]
    schemas: dict[str, bytes]
    namespaces: dict[str, str]
    elements: frozenset[str]
    types: dict[str, str]
    hidden: frozenset[str]
    explained: bool

    @property
    def service(self) -> Service:
        """What the WSDL offers."""
        return Service(self.operations, self.endpoints, {})

    def open(
        self, title: str, whole: Callable[[], MessageRules]
    ) -> tuple[PrunedShapes, PrunedGate]:
        """Return shapes and gate; ``whole`` is asked about what was cut away.

        Raises ContractError CB-215 when the schemas do not compile.
        """
        documents = Documents(title, "", {}, self.schemas, self.namespaces)
        small = MessageRules.of(documents, explained=self.explained)
        shapes = PrunedShapes(
            small.shapes, elements=self.elements, types=self.types, whole=lambda: whole().shapes
        )
        gate = PrunedGate(
            small.gate,
            elements=self.elements,
            types=frozenset(self.types.values()),
            hidden=self.hidden,
            whole=lambda: whole().gate,
        )
        return shapes, gate


def read_in_use(bundle: Bundle, operations: Iterable[str], types: Iterable[str]) -> InUse | None:
    """Return what is stored of a locked bundle for this use; None when nothing is."""
    if bundle.home is None:
        return None
    content = store.read(_key(bundle, operations, types), bundle.home)
    if content is None:
        return None
    try:
        return msgspec.msgpack.decode(content, type=InUse)
    except msgspec.MsgspecError:
        return None


def write_in_use(
    bundle: Bundle,
    service: Service,
    outline: Schemas,
    documents: Documents,
    *,
    operations: Iterable[str],
    types: Iterable[str],
) -> None:
    """Store what is in use of a locked bundle for next time, if possible; never raises."""
    if bundle.home is None or service.unsupported:
        return  # the encoded calls need all schemas as they are
    try:
        part = in_use(service, outline, documents, operations, types)
        part.open(bundle.title, _never)
    except ContractError:
        return
    store.write(_key(bundle, operations, types), msgspec.msgpack.encode(part), bundle.home)


def in_use(
    service: Service,
    outline: Schemas,
    documents: Documents,
    operations: Iterable[str],
    types: Iterable[str],
) -> InUse:
    """Return the contract cut down to what the operations and types by these names can reach."""
    called = [service.operations[name] for name in operations if name in service.operations]
    messages = (name for each in called for name in (each.input, each.output, *each.faults))
    elements = tuple(dict.fromkeys(filter(None, messages)))
    concrete = [kind.name for name in types if (kind := outline.xsi_type(name))]
    cut = prune(documents, elements, concrete)
    # A cut names what a chameleon include brings in as if it had no namespace.
    types_there = cut.types.intersection(outline.type_names())
    unique = {local: name for local, name in outline.unique_types.items() if name in types_there}
    return InUse(
        operations=dict(service.operations),
        endpoints=dict(service.endpoints),
        schemas=dict(cut.documents.schemas),
        namespaces=dict(cut.documents.namespaces),
        elements=cut.elements,
        types=unique | {name: name for name in types_there},
        hidden=cut.hidden,
        explained=sum(map(len, documents.schemas.values())) <= MAX_SCHEMA_BYTES,
    )


def _key(bundle: Bundle, operations: Iterable[str], types: Iterable[str]) -> str:
    parts = [VERSION, bundle.digest, sorted(set(operations)), sorted(set(types))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _never() -> MessageRules:
    raise ContractError("a part that is only tried has no whole", code="CB-215")


__all__ = ["InUse", "in_use", "read_in_use", "write_in_use"]
