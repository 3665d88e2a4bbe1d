"""What a contract's WSDL offers, word for word: services, ports, bindings, operations, messages.

``claimbridge.contract.calls.zeep_reader`` keeps what claimbridge can call. Nothing is left out
here: rpc and encoded operations, overloaded ones, headers, ports of other protocols, documentation.
zeep knows an operation by its name alone, so that one of two overloaded ones is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import WSDL, full_name, qname
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.annotations import documentation_of
from claimbridge.errors import ContractError

_SOAP: Final = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2",
}


class MessagePart(msgspec.Struct, frozen=True):
    """One part of a message: an ``element`` or a ``type``, as ``{namespace}name``; the other "".

    A part of a type is an element of its own ``name`` in no namespace (WSDL 1.1 §3.5).
    """

    name: str
    element: str = ""
    type: str = ""


class OfferedMessage(msgspec.Struct, frozen=True):
    """A message as one operation uses it; ``name`` is the fault's for a fault."""

    name: str
    parts: tuple[MessagePart, ...] = ()


class OfferedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation at one port.

    ``style`` is ``document`` or ``rpc``, ``use`` ``literal`` or ``encoded``. ``namespace`` is that
    of an rpc call's wrapper. ``output`` is None for a one-way operation. ``headers`` are what a
    request carries beside the Body. A WSDL may overload a name.
    """

    name: str
    style: str
    use: str
    soap_action: str
    namespace: str
    input: OfferedMessage
    output: OfferedMessage | None
    faults: tuple[OfferedMessage, ...]
    headers: tuple[MessagePart, ...]
    documentation: str

    @property
    def call(self) -> str:
        """The ``{namespace}name`` of an rpc call's wrapper (SOAP 1.1 §7.1)."""
        return full_name(self.namespace, self.name)

    @property
    def answer(self) -> str:
        """The ``{namespace}name`` of its reply's wrapper."""
        return full_name(self.namespace, f"{self.name}Response")


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One port; ``version`` is SOAP's (``1.1``, ``1.2``), "" for another protocol."""

    name: str
    binding: str
    version: str
    address: str
    operations: tuple[OfferedOperation, ...]


class OfferedService(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a WSDL."""

    name: str
    documentation: str
    ports: tuple[Port, ...]


class Offer(msgspec.Struct, frozen=True):
    """All services of a WSDL."""

    services: tuple[OfferedService, ...]

    def operations(self) -> tuple[OfferedOperation, ...]:
        """Return every operation once, though several ports offer it; overloads each."""
        operations: dict[tuple[str, OfferedMessage], OfferedOperation] = {}
        for service in self.services:
            for port in service.ports:
                for operation in port.operations:
                    operations.setdefault((operation.name, operation.input), operation)
        return tuple(operations.values())


def read_offer(documents: Documents) -> Offer:
    """Return what the documents' WSDL offers.

    Raises ContractError CB-215 for a reference to nothing, and when no port has a SOAP binding.
    """
    wsdl = _Wsdl(documents)
    offer = Offer(tuple(wsdl.service(node) for node in wsdl.services()))
    if not any(port.version for service in offer.services for port in service.ports):
        raise ContractError(
            f"the contract {documents.title} has no port with a SOAP binding; "
            "take the WSDL that the ERP publishes with its service, not an abstract one",
            code="CB-215",
        )
    return offer


class _Wsdl:
    """The WSDL documents of a contract, and what they define by kind and name."""

    def __init__(self, documents: Documents) -> None:
        self._title = documents.title
        self._nodes: dict[tuple[str, str], etree._Element] = {}
        for name, content in documents.sources.items():
            root = xmlio.parse(content, what=name)
            if root.tag == f"{{{WSDL}}}definitions":
                self._define(root)

    def services(self) -> list[etree._Element]:
        """Return every service in the order of its document."""
        return [node for (kind, _), node in self._nodes.items() if kind == "service"]

    def service(self, node: etree._Element) -> OfferedService:
        """Return one service with its ports."""
        return OfferedService(
            name=node.get("name", ""),
            documentation=documentation_of(node),
            ports=tuple(self._port(port) for port in node.iterchildren(f"{{{WSDL}}}port")),
        )

    def _define(self, root: etree._Element) -> None:
        space = root.get("targetNamespace", "")
        for child in root.iterchildren(etree.Element):
            kind = xmlio.local_name(child)
            key = (kind, full_name(space, child.get("name", "")))
            self._nodes.setdefault(key, child)

    def _find(self, kind: str, written: str, near: etree._Element) -> etree._Element:
        node = self._nodes.get((kind, qname(written, near)))
        if node is None:
            raise self._meaningless(f"the {kind} {written or 'without a name'} is not defined")
        return node

    def _port(self, node: etree._Element) -> Port:
        binding = self._find("binding", node.get("binding", ""), node)
        soap = _extension(binding, "binding")
        version = _SOAP[xmlio.namespace(soap)] if soap is not None else ""
        address = _extension(node, "address")
        return Port(
            name=node.get("name", ""),
            binding=binding.get("name", ""),
            version=version,
            address=address.get("location", "") if address is not None else "",
            operations=tuple(self._operations(binding, soap)) if soap is not None else (),
        )

    def _operations(
        self, binding: etree._Element, soap: etree._Element
    ) -> Iterator[OfferedOperation]:
        port_type = self._find("portType", binding.get("type", ""), binding)
        for node in binding.iterchildren(f"{{{WSDL}}}operation"):
            yield self._operation(node, _abstract(node, port_type), soap)

    def _operation(
        self, node: etree._Element, abstract: etree._Element | None, soap: etree._Element
    ) -> OfferedOperation:
        if abstract is None:
            raise self._meaningless(f"the operation {node.get('name')} is bound but not defined")
        extension = _extension(node, "operation")
        binding = node.find(f"{{{WSDL}}}input")
        body = _extension(binding, "body") if binding is not None else None
        inward, outward = (abstract.find(f"{{{WSDL}}}{way}") for way in ("input", "output"))
        parts = body.get("parts") if body is not None else None
        return OfferedOperation(
            name=node.get("name", ""),
            style=_style(extension) or _style(soap) or "document",
            use=body.get("use", "literal") if body is not None else "literal",
            soap_action=extension.get("soapAction", "") if extension is not None else "",
            namespace=body.get("namespace", "") if body is not None else "",
            input=OfferedMessage("") if inward is None else self._message(inward, names=parts),
            output=None if outward is None else self._message(outward),
            faults=tuple(self._message(one) for one in abstract.iterchildren(f"{{{WSDL}}}fault")),
            headers=tuple(self._headers(binding)) if binding is not None else (),
            documentation=documentation_of(abstract) or documentation_of(node),
        )

    def _message(self, way: etree._Element, *, names: str | None = None) -> OfferedMessage:
        message = self._find("message", way.get("message", ""), way)
        parts = _parts(message)
        if names is not None:
            parts = [part for part in parts if part.name in names.split()]
        return OfferedMessage(way.get("name", message.get("name", "")), tuple(parts))

    def _headers(self, bound: etree._Element) -> Iterator[MessagePart]:
        for header in bound.iterchildren(*(f"{{{space}}}header" for space in _SOAP)):
            message = self._find("message", header.get("message", ""), header)
            yield from (part for part in _parts(message) if part.name == header.get("part"))

    def _meaningless(self, why: str) -> ContractError:
        return ContractError(f"in the contract {self._title}, {why}", code="CB-215")


def _abstract(node: etree._Element, port_type: etree._Element) -> etree._Element | None:
    """Return the operation that ``node`` binds; overloads differ in their input's name."""
    named = [
        each
        for each in port_type.iterchildren(f"{{{WSDL}}}operation")
        if each.get("name") == node.get("name")
    ]
    wanted = _input_name(node)
    exact = [each for each in named if wanted and _input_name(each) == wanted]
    return next(iter(exact or named), None)


def _style(node: etree._Element | None) -> str:
    return node.get("style", "") if node is not None else ""


def _input_name(operation: etree._Element) -> str | None:
    child = operation.find(f"{{{WSDL}}}input")
    return child.get("name") if child is not None else None


def _parts(message: etree._Element) -> list[MessagePart]:
    return [
        MessagePart(
            part.get("name", ""),
            qname(part.get("element", ""), part),
            qname(part.get("type", ""), part),
        )
        for part in message.iterchildren(f"{{{WSDL}}}part")
    ]


def _extension(node: etree._Element, name: str) -> etree._Element | None:
    """Return the child ``name`` of ``node`` that SOAP's binding adds; None when there is none."""
    return next(node.iterchildren(*(f"{{{space}}}{name}" for space in _SOAP)), None)


__all__ = [
    "MessagePart",
    "Offer",
    "OfferedMessage",
    "OfferedOperation",
    "OfferedService",
    "Port",
    "read_offer",
]
