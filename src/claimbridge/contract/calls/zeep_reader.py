"""The door to zeep: a WSDL read into operations, endpoints and shapes.

zeep knows the rules of WSDL and of XML Schema's types; nothing else of it is used. Operations are
those whose Body it has resolved to one element; ``offer`` tells all that is written, callable or
not, and ``schemas`` what shapes leave out (facets, documentation). zeep is imported
here only, and this module only when a contract is loaded: importing zeep takes 150 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zeep import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding
from zeep.xsd import AnySimpleType, AnyType, ComplexType
from zeep.xsd import Group as ZeepGroup
from zeep.xsd.elements import Any as ZeepAny
from zeep.xsd.elements import AnyAttribute, Choice, Element
from zeep.xsd.elements.indicators import OrderIndicator

from claimbridge.contract.calls.service import Service
from claimbridge.contract.calls.shape import Group, Leaf, Order, Part, Shape, Wildcard
from claimbridge.contract.files.documents import SCHEME_FOR_ZEEP, Documents
from claimbridge.contract.names import XSD, split_name, unique_local_names
from claimbridge.contract.operation import Operation
from claimbridge.errors import ClaimBridgeError, ContractError
from claimbridge.turns import Turn


class Shapes:
    """Makes shapes from zeep's types, each once."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._made: dict[int, Shape] = {}
        self._by_name = _global_types(schema)
        # zeep computes its types' content when first asked and is not written for threads.
        self._turn = Turn()

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        with self._turn.held():
            try:
                found = self._schema.get_element(name)
            except Exception:  # noqa: BLE001 - zeep's ways to say "no such element" are many
                return None
            return self._leaf(found, split_name(name)[1])

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return ``{namespace}name`` and shape of a global type, as ``Types`` promises."""
        found = self._by_name.get(name)
        return (found.qname.text, self.of(found)) if found is not None else None

    def of(self, zeep_type: Any) -> Shape:
        """Return the shape of one of zeep's types."""
        made = self._made.get(id(zeep_type))
        if made is not None:
            return made
        with self._turn.held():
            # By identity: zeep's types are not hashable, and live as long as their schema.
            if id(zeep_type) not in self._made:
                self._made[id(zeep_type)] = self._shape(zeep_type)
            return self._made[id(zeep_type)]

    def _shape(self, zeep_type: Any) -> Shape:
        if isinstance(zeep_type, AnySimpleType):
            return Shape(attributes={}, content=None, has_text=True)
        if not isinstance(zeep_type, ComplexType):
            return Shape(
                attributes={}, content=None, has_text=True, is_open=True, open_attributes=True
            )
        inner: Any = zeep_type._element
        attributes = [found for _, found in zeep_type.attributes]
        simple = isinstance(inner, Element) and isinstance(inner.type, AnyType)
        content = self._content(zeep_type) if not isinstance(inner, Element) else None
        return Shape(
            attributes={f"@{found.name}": found.qname.text for found in attributes if found.name},
            content=content,
            has_text=simple and not isinstance(inner.type, ComplexType),
            is_open=content is not None and _has_wildcard(content),
            open_attributes=any(isinstance(found, AnyAttribute) for found in attributes),
        )

    def _content(self, zeep_type: Any) -> Group | None:
        inner = zeep_type._element
        if inner is None:
            return None
        shared = _shared_names(inner)
        part = self._part(inner, shared)
        if isinstance(part, Group):
            return part
        return Group(Order.SEQUENCE, (part,), required=part.required, repeats=False)

    def _part(self, found: Any, shared: frozenset[str]) -> Part:
        if isinstance(found, Element):
            return self._leaf(found, str(found.qname.text if found.name in shared else found.name))
        if isinstance(found, ZeepAny):
            return Wildcard()
        if isinstance(found, ZeepGroup):
            parts: tuple[Part, ...] = (self._part(found.child, shared),)
        elif isinstance(found, OrderIndicator):
            parts = tuple(self._part(part, shared) for part in found)
        else:
            raise ContractError(
                f"the contract has a content model that is not supported: {type(found).__name__}",
                code="CB-217",
            )
        return Group(
            Order.CHOICE if isinstance(found, Choice) else Order.SEQUENCE,
            parts,
            required=found.min_occurs > 0,
            repeats=_repeats(found),
        )

    def _leaf(self, found: Any, key: str) -> Leaf:
        return Leaf(
            key,
            found.qname.text,
            required=found.min_occurs > 0,
            repeats=_repeats(found),
            most=None if found.max_occurs == "unbounded" else int(found.max_occurs),
            shape=lambda: self.of(found.type),
        )


class ClosedTransport:
    """Answers zeep's questions for documents from memory, and refuses the rest."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def load(self, url: str) -> bytes:
        return self.documents.answer(url)


def read_service(documents: Documents) -> Service:
    """Return what the documents' WSDL offers.

    Raises ContractError CB-215 for a WSDL that zeep cannot read.
    """
    location = SCHEME_FOR_ZEEP + documents.entry
    try:
        transport: Any = ClosedTransport(documents)
        wsdl = Document(location, transport, settings=Settings(strict=True, force_https=False))
        return _service(wsdl, documents)
    except ClaimBridgeError:
        raise
    except Exception as error:
        raise ContractError(
            f"the contract {documents.title} cannot be read: {str(error)[:300]}", code="CB-215"
        ) from error


def _service(wsdl: Any, documents: Documents) -> Service:
    operations: dict[str, Operation] = {}
    unsupported: dict[str, str] = {}
    endpoints: dict[str, str] = {}
    for port in _ports(wsdl):
        version = "1.2" if isinstance(port.binding, Soap12Binding) else "1.1"
        endpoints.setdefault(version, port.binding_options.get("address") or "")
        for name, found in port.binding.all().items():
            if found.style != "document" or not _has_element(found.input):
                unsupported.setdefault(name, found.style)
            else:
                operations.setdefault(name, _operation(name, found))
    if not operations and not unsupported:
        raise ContractError(
            f"the contract {documents.title} offers no operation over SOAP", code="CB-215"
        )
    shapes = Shapes(wsdl.types)
    answers = dict.fromkeys(
        name for one in operations.values() for name in (one.output, *one.faults) if name
    )
    declared = tuple(name for name in answers if shapes.element(name) is not None)
    return Service(operations, endpoints, unsupported, declared, shapes)


def _ports(wsdl: Any) -> Iterator[Any]:
    for service in wsdl.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                yield port


def _operation(name: str, found: Any) -> Operation:
    output = found.output if found.output is not None and _has_element(found.output) else None
    return Operation(
        name=name,
        soap_action=found.soapaction or "",
        input=found.input.body.qname.text,
        output=output.body.qname.text if output else "",
        faults=tuple(_fault_names(found)),
    )


def _has_element(message: Any) -> bool:
    return message is not None and getattr(message.body, "qname", None) is not None


def _fault_names(found: Any) -> Iterator[str]:
    for message in (found.abstract.fault_messages or {}).values():
        for part in message.parts.values():
            if part.element is not None:
                yield part.element.qname.text


def _global_types(schema: Any) -> dict[str, Any]:
    """Return the global types by ``{namespace}name``, and by local name where it is unique."""
    full = {found.qname.text: found for found in schema.types if found.qname is not None}
    own = unique_local_names(name for name in full if split_name(name)[0] != XSD)
    return {local: full[name] for local, name in own.items()} | full


def _shared_names(found: Any) -> frozenset[str]:
    """Return the local names that elements of different namespaces share in one content model."""
    seen: dict[str, set[str]] = {}
    for element in _elements(found):
        seen.setdefault(element.name, set()).add(element.qname.text)
    return frozenset(name for name, full in seen.items() if len(full) > 1)


def _elements(found: Any) -> Iterator[Any]:
    if isinstance(found, Element):
        yield found
    elif isinstance(found, ZeepGroup):
        yield from _elements(found.child)
    elif isinstance(found, OrderIndicator):
        for part in found:
            yield from _elements(part)


def _has_wildcard(group: Group) -> bool:
    return any(
        isinstance(part, Wildcard) or (isinstance(part, Group) and _has_wildcard(part))
        for part in group.parts
    )


def _repeats(found: Any) -> bool:
    return found.max_occurs == "unbounded" or int(found.max_occurs) > 1


__all__ = ["Shapes", "read_service"]
