"""One generation of a contract, for those who compare it: its operations and their elements.

rpc operations are among them: their request is taken for an element of the operation's name that
holds the parts of its message, as it looks in the Body (SOAP 1.1 §7.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from claimbridge.contract.base.names import ITEM
from claimbridge.contract.base.operation import Operation
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import Documents, gather
from claimbridge.contract.outline.offer import OfferedMessage, OfferedOperation, read_offer
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.outline.types import Element, Group, Type


class Generation:
    """A contract's operations, and each root element once: what two sides of a comparison have.

    Loading raises ContractError as ``Contract.load`` does.
    """

    def __init__(self, documents: Documents) -> None:
        self.schemas: Final = Schemas(documents)
        self._wrappers: dict[str, Element] = {}
        self._arrays: dict[int, tuple[Type, Group]] = {}
        operations: dict[str, Operation] = {}
        encoded: set[str] = set()
        for offered in read_offer(documents).operations():
            if offered.name not in operations:
                operations[offered.name] = self._operation(offered)
                encoded |= {offered.name} if offered.use == "encoded" else set()
        self.operations: Final[Mapping[str, Operation]] = operations
        self.encoded: Final = frozenset(encoded)
        """Operations of which any part of a struct may be left out (SOAP 1.1 §5.1)."""

    @classmethod
    def load(cls, source: Path | str | Bundle) -> Generation:
        """Return the generation of a WSDL file, a contract's folder, or a bundle."""
        return cls(gather(source if isinstance(source, Bundle) else Bundle.from_path(source)))

    def root(self, name: str) -> Element | None:
        """Return the Body's child, the same object whenever asked; None when there is none."""
        return self._wrappers.get(name) or self.schemas.element(name)

    def type(self, name: str) -> Type | None:
        """Return the type that ``@xsi:type`` names; the local name will do where it is unique."""
        return self.schemas.xsi_type(name)

    def content(self, kind: Type) -> Group | None:
        """Return what elements a type holds; a SOAP-encoded array any number of ``item``."""
        if not kind.array_of:
            return kind.content
        if id(kind) not in self._arrays:
            member = Element(name=ITEM, min=0, max=None, typed=lambda: self._member(kind))
            # The type is kept beside: a number counts only while it lives.
            self._arrays[id(kind)] = (kind, Group(order="sequence", parts=(member,)))
        return self._arrays[id(kind)][1]

    def children(self, kind: Type) -> tuple[Element, ...]:
        """Return the elements of ``content``, in schema order."""
        content = self.content(kind)
        return tuple(content.elements()) if content else ()

    def concrete(self, kind: Type) -> Iterator[Type]:
        """Yield every concrete type that may stand where ``kind`` is declared, by ``xsi:type``."""
        waiting, seen = list(kind.extended_by), set[str]()
        while waiting:
            name = waiting.pop(0)
            found = self.schemas.type(name)
            if found is None or name in seen:
                continue
            seen.add(name)
            waiting += found.extended_by
            if not found.abstract and (found.content or found.attributes or not found.text):
                yield found

    def _member(self, kind: Type) -> Type:
        found = self.schemas.type(kind.array_of)
        return found if found is not None else Type(name="", text="anyType")

    def answers(self, operation: str) -> tuple[str, ...]:
        """Return the ``{namespace}name`` of an operation's reply and faults."""
        found = self.operations[operation]
        return tuple(name for name in (found.output, *found.faults) if name)

    def _operation(self, offered: OfferedOperation) -> Operation:
        output = offered.output
        return Operation(
            name=offered.name,
            soap_action=offered.soap_action,
            input=self._taken(offered, offered.input, offered.call),
            output=self._taken(offered, output, offered.answer) if output is not None else "",
            faults=tuple(
                part.element for each in offered.faults for part in each.parts if part.element
            ),
        )

    def _taken(self, offered: OfferedOperation, message: OfferedMessage, name: str) -> str:
        """Return the name of the Body's child for a message; ``name`` is an rpc wrapper's."""
        if offered.style != "rpc" and len(message.parts) == 1 and message.parts[0].element:
            return message.parts[0].element
        parts = tuple(
            self.schemas.part(part.name, of=part.type)
            if part.type
            else self.schemas.element(part.element) or self.schemas.part(part.name, of="")
            for part in message.parts
        )
        content = Group(order="sequence", parts=parts)
        wrapper = Type(name="", content_read=lambda: content)
        self._wrappers[name] = Element(name=name, typed=lambda: wrapper)
        return name


__all__ = ["Generation"]
