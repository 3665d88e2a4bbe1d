"""zeep is a second opinion on the outline: types, operations and addresses are what zeep has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from zeep import Settings
from zeep.wsdl import Document
from zeep.xsd import ComplexType, Element, Group
from zeep.xsd.elements import Choice
from zeep.xsd.elements.indicators import OrderIndicator

from claimbridge.contract import Bundle
from claimbridge.contract.base.names import XSD
from claimbridge.contract.calls.shapes import Branch, Leaf, Shape, Shapes
from claimbridge.contract.calls.zeep_reader import ClosedTransport, read_service
from claimbridge.contract.files.documents import SCHEME_FOR_ZEEP, Documents, gather
from claimbridge.contract.outline.offer import OfferedOperation, read_offer
from claimbridge.contract.outline.schemas import Schemas

OURS = sorted(each.name for each in files("claimbridge.wsdl").iterdir() if each.suffix == ".wsdl")  # type: ignore[attr-defined]  # a Traversable has no suffix, a Path has
SHARED = (
    "in-string/LoadService.wsdl",
    "in-string/reim.wsdl",
    "kingdee-eas/EASLogin_2021.wsdl",
    "kingdee-eas/WSGLWebServiceFacade.wsdl",
    "netsuite-2023.2/netsuite.wsdl",
    "sap-journal-entry/2020.wsdl",
    "sap-journal-entry/2024.wsdl",
    "workday-financial-management-v30/Financial_Management.wsdl",
)
SAMPLE = Path(__file__).parent / "data" / "sample" / "service.wsdl"


@pytest.fixture(scope="module", params=[*OURS, "sample", *SHARED])
def documents(request: pytest.FixtureRequest, shared: Callable[[str], Path]) -> Documents:
    name = request.param
    if name in SHARED:
        return gather(Bundle.from_path(shared(f"contracts/{name}")))
    return gather(Bundle.from_path(SAMPLE) if name == "sample" else Bundle.from_package(name))


@pytest.fixture(scope="module")
def zeeps(documents: Documents) -> Any:
    transport: Any = ClosedTransport(documents)
    location = SCHEME_FOR_ZEEP + documents.entry
    return Document(location, transport, settings=Settings(strict=True, force_https=False))


def test_every_type_has_the_children_that_zeep_sees(documents: Documents, zeeps: Any) -> None:
    """The same attributes, and the same elements as often in the same order, all the way down."""
    shapes = Shapes(Schemas(documents))
    waiting: list[tuple[str, Any, Shape]] = []
    for kind in (each for each in zeeps.types.types if each.qname is not None):
        found = shapes.named(kind.qname.text)
        assert found is not None, kind
        waiting.append((kind.qname.text, kind, found[1]))
    for element in zeeps.types.elements:
        if element.qname.namespace == XSD:  # zeep's own xs:schema, in every contract
            continue
        leaf = shapes.element(element.qname.text)
        assert leaf is not None, element
        waiting.append((element.qname.text, element.type, leaf.shape))
    known = set[tuple[int, int]]()
    while waiting:
        place, kind, shape = waiting.pop()
        if (id(kind), id(shape)) in known or not isinstance(kind, ComplexType):
            continue
        known.add((id(kind), id(shape)))
        assert shape.attributes == attributes(kind), place
        if _is_array(kind):
            continue
        theirs = [*elements(kind._element)] if not isinstance(kind._element, Element) else []
        ours = [*shape.content.leaves()] if shape.content else []
        assert [*map(told, ours)] == [*map(zeep_told, theirs)], place
        assert choices(shape.content) == [*zeep_choices(kind._element)], place
        waiting += [
            (f"{place}/{leaf.local}", element.type, leaf.shape)
            for leaf, element in zip(ours, theirs, strict=True)
        ]
    assert known


def _is_array(kind: Any) -> bool:
    """What restricts SOAP's own array has the members of no schema."""
    return any(getattr(each, "array_type", None) for _, each in kind.attributes)


def attributes(kind: Any) -> dict[str, str]:
    return {f"@{each.name}": each.qname.text for _, each in kind.attributes if each.name}


def elements(part: Any) -> Iterator[Any]:
    """Yield every element of zeep's content model, in order."""
    if isinstance(part, Element):
        yield part
    elif isinstance(part, Group):
        yield from elements(part.child)
    elif isinstance(part, OrderIndicator):
        for each in part:
            yield from elements(each)


def told(leaf: Leaf) -> tuple[str, str, int | None]:
    return leaf.namespace, leaf.local, leaf.most


def zeep_told(element: Any) -> tuple[str, str, int | None]:
    most = None if element.max_occurs == "unbounded" else int(element.max_occurs)
    return element.qname.namespace or "", element.qname.localname, most


def choices(branch: Branch | None) -> list[tuple[bool, list[str]]]:
    """Return every choice: whether one must be made, and among what."""
    if branch is None:
        return []
    inner = [each for part in branch.parts if isinstance(part, Branch) for each in choices(part)]
    own = [(branch.required, [leaf.local for leaf in branch.leaves()])] if branch.is_choice else []
    return own + inner


def zeep_choices(part: Any) -> Iterator[tuple[bool, list[str]]]:
    if isinstance(part, Choice):
        yield part.min_occurs > 0, [each.name for each in elements(part)]
    for each in part if isinstance(part, OrderIndicator) else [getattr(part, "child", None)]:
        if isinstance(each, (Group, OrderIndicator)):
            yield from zeep_choices(each)


def test_every_operation_is_what_zeep_calls(documents: Documents) -> None:
    """What zeep resolves to one element, the offer has with the same action and messages."""
    offer, service = read_offer(documents), read_service(documents)
    offered = {each.name: each for each in offer.operations()}
    assert service.operations.keys() | service.unsupported.keys() == offered.keys()
    for name, operation in service.operations.items():
        other = offered[name]
        assert (other.style, other.use) == ("document", "literal")
        assert operation.soap_action == other.soap_action
        assert (operation.input, operation.output) == messages(other)
        assert list(operation.faults) == [
            part.element for fault in other.faults for part in fault.parts if part.element
        ]
    for port in (port for each in offer.services for port in each.ports if port.version):
        assert port.version in service.endpoints


def messages(offered: OfferedOperation) -> tuple[str, str]:
    output = offered.output.parts if offered.output else ()
    return offered.input.parts[0].element, output[0].element if output else ""
