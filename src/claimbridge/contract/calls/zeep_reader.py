"""The door to zeep, which wraps a WSDL: operations, endpoints, and what a Body is resolved to.

The schemas are read by the outline; zeep refuses those that have no meaning. This module alone
imports zeep, and is itself imported only where a contract is read whole: that takes 150 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zeep import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from claimbridge.contract.base.operation import Operation
from claimbridge.contract.calls.service import Service
from claimbridge.contract.files.documents import SCHEME_FOR_ZEEP, Documents
from claimbridge.errors import ClaimBridgeError, ContractError


class ClosedTransport:
    """Answers zeep's questions for documents from memory, and refuses the rest."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def load(self, url: str) -> bytes:
        """Return a document as zeep asks for it; raises ContractError CB-214 for any other."""
        return self.documents.answer(url)


def read_service(documents: Documents) -> Service:
    """Return what the documents' WSDL offers.

    Raises ContractError CB-215 for a WSDL or a schema that zeep cannot read.
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
        for name, bound in port.binding.all().items():
            if bound.style != "document" or not _has_element(bound.input):
                unsupported.setdefault(name, bound.style)
            else:
                operations.setdefault(name, _operation(name, bound))
    if not operations and not unsupported:
        raise ContractError(
            f"the contract {documents.title} offers no operation over SOAP", code="CB-215"
        )
    return Service(operations, endpoints, unsupported)


def _ports(wsdl: Any) -> Iterator[Any]:
    for service in wsdl.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                yield port


def _operation(name: str, bound: Any) -> Operation:
    return Operation(
        name=name,
        soap_action=bound.soapaction or "",
        input=bound.input.body.qname.text,
        output=bound.output.body.qname.text if _has_element(bound.output) else "",
        faults=tuple(_fault_names(bound)),
    )


def _has_element(message: Any) -> bool:
    return message is not None and getattr(message.body, "qname", None) is not None


def _fault_names(bound: Any) -> Iterator[str]:
    for message in (bound.abstract.fault_messages or {}).values():
        for part in message.parts.values():
            if part.element is not None:
                yield part.element.qname.text


__all__ = ["ClosedTransport", "read_service"]
