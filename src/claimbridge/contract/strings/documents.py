"""The contract of a document that travels as text inside an element of a message.

The WSDL says only "a string" there. The document has a schema of its own, an XSD even if it travels
as JSON. Such a document is rendered and judged as XML, and then written as JSON, so that amounts
stay exact and findings are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.calls.findings import traced
from claimbridge.contract.calls.message_rules import MessageRules
from claimbridge.contract.calls.render import render
from claimbridge.contract.calls.shapes import Leaf
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import gather_schema
from claimbridge.contract.outline.simple import INTEGERS
from claimbridge.contract.outline.types import Element
from claimbridge.errors import ContractError, SchemaViolation
from claimbridge.findings import Finding
from claimbridge.places import path_in

Format = Literal["xml", "json"]
Encoding = Literal["UTF-8", "GBK"]

_NUMBERS: Final = INTEGERS | {"decimal", "double", "float"}
# XSD 1.0 part 2 §3.2.2: the words of xs:boolean.
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class InnerContract:
    """One inner document's schema: its root element, and what may stand in it.

    May be used by many threads at once.
    """

    def __init__(self, schema: Bundle, element: str) -> None:
        """Open the XSD that is the bundle's entry; ``element`` is the root, ``{namespace}name``.

        Raises ContractError as ``Contract.load`` does, and CB-178 when the schema declares no
        such element.
        """
        rules = MessageRules.of(gather_schema(schema))
        root, outline = rules.shapes.element(element), rules.outline.element(element)
        if root is None or outline is None:
            raise ContractError(
                f"the schema {schema.title} declares no element {element}", code="CB-178"
            )
        self._root: Final = root
        self.types: Final = rules.shapes
        self._outline: Final = outline
        self._rules: Final = rules

    @property
    def root(self) -> Leaf:
        """What the document may hold; ``types`` are those that ``@xsi:type`` may name in it."""
        return self._root

    @classmethod
    def open(cls, schema: str, element: str, *, folder: Path) -> InnerContract:
        """Open a file by its path, which may be relative to ``folder``, or one of our own schemas.

        Our own are in ``claimbridge.xsd``, and are named without a folder. Raises ContractError as
        ``Bundle.from_path`` does, and CB-213 where the path begins with an unknown home.
        """
        try:
            place = path_in(folder, schema)
        except ValueError as error:
            raise ContractError(f"there is no schema: {error}", code="CB-213") from error
        if "/" in schema or place.exists():
            return cls(Bundle.from_path(place), element)
        return cls(Bundle.from_package(schema).started_by(f"xsd/{schema}"), element)

    def document(
        self,
        body: Mapping[str, Any],
        *,
        sources: Mapping[str, str],
        format: Format = "xml",
        encoding: Encoding = "UTF-8",
    ) -> str:
        """Return the document's text; raises SchemaViolation for what the schema forbids.

        An XML text begins with a declaration of ``encoding``. A character that the encoding lacks
        is written as a reference, so that nothing is lost when the text is stored in it.
        """
        try:
            written = render(self._root, body, self._rules.shapes)
        except SchemaViolation as error:
            error.findings = tuple(traced(finding, sources) for finding in error.findings)
            raise
        findings = self._rules.gate.check(written, sources)
        if findings:
            raise SchemaViolation(
                f"the schema of the inner {self._root.local} forbids it", findings=findings
            )
        if format == "json":
            return _json(xmlio.parse(written, what="the inner document"), self._outline)
        # XML 1.0 §4.1: a character reference stands for the character whatever the encoding.
        plain = written.decode().encode(encoding, "xmlcharrefreplace").decode(encoding)
        return f'<?xml version="1.0" encoding="{encoding}"?>{plain}'


def at(path: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings about an inner document as findings about the request that carries it."""
    return tuple(
        msgspec.structs.replace(each, path=f"{path}/{each.path}" if each.path else path)
        for each in findings
    )


def _json(root: etree._Element, outline: Element) -> str:
    return "".join(_written(root, outline))


def _written(node: etree._Element, element: Element) -> Iterator[str]:
    """Yield the JSON of an element: an object of what stands in it, or its text by its type."""
    if node.attrib:
        raise _no_place(xmlio.local_name(node))
    children = {one.local: one for one in element.children}
    if not children:
        yield _scalar(node.text or "", element.type.text)
        return
    members: dict[str, list[etree._Element]] = {}
    for child in node.iterchildren(etree.Element):
        members.setdefault(xmlio.local_name(child), []).append(child)
    yield "{"
    for number, (name, nodes) in enumerate(members.items()):
        yield f"{',' if number else ''}{_text(name)}:"
        yield from _member(nodes, children[name])
    yield "}"


def _member(nodes: list[etree._Element], element: Element) -> Iterator[str]:
    if element.max == 1:
        yield from _written(nodes[0], element)
        return
    yield "["
    for number, node in enumerate(nodes):
        yield "," if number else ""
        yield from _written(node, element)
    yield "]"


def _scalar(text: str, kind: str) -> str:
    if kind in _NUMBERS:
        # RFC 8259 §6 knows no leading "+" or zeros and no bare ".5", which xs:decimal allows.
        number = Decimal(text)
        if not number.is_finite():
            return _text(text)
        # In digits, as ledgers write amounts; but xs:double may have more than anybody can hold.
        return format(number, "f") if abs(number.adjusted()) < 60 else str(number)
    if kind == "boolean":
        return _text(_FLAGS[text.strip()])
    return _text(text)


def _no_place(name: str) -> SchemaViolation:
    finding = Finding(name, "unexpected", "JSON has no attributes; make them elements")
    return SchemaViolation(
        f"{name} has attributes, and the document is JSON", findings=(finding,), code="CB-121"
    )


def _text(value: str | bool) -> str:
    return json.dumps(value, ensure_ascii=False)
