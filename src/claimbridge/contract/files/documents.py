"""What a contract consists of: its WSDL and schema documents, and how they refer to each other.

Every reference is followed here, inside the bundle, before zeep or libxml2 see anything. The
schemas are rewritten to name each other by addresses that only ``Documents`` can answer. So inline
schemas that import each other without a ``schemaLocation`` find one another, and two documents of
one namespace count as one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import SOAP_ENCODING, SOAP_ENVELOPE, WSDL, XML, XSD, full_name
from claimbridge.contract.files.breadth import refuse_breadth
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.expansion import refuse_explosion
from claimbridge.errors import ContractError, DocumentError

MAX_DOCUMENTS: Final = 1000
MAX_TOTAL_BYTES: Final = 100_000_000
SCHEME: Final = "contract:///"
# zeep resolves relative references only below http, https and file addresses; nothing goes there.
SCHEME_FOR_ZEEP: Final = "https://contract.invalid/"

# RFC 3986 §4.3: what begins with a scheme is absolute.
_ABSOLUTE: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")

_SCHEMA: Final = f"{{{XSD}}}schema"
_DEFINITIONS: Final = f"{{{WSDL}}}definitions"
REFERENCES: Final = ("import", "include", "redefine", "override")

# Namespaces that contracts import without a copy of their own. xmlschema ships the documents.
_STANDARD: Final = {
    XML: "XML/xml.xsd",
    SOAP_ENCODING: "WSDL/soap-encoding.xsd",
    SOAP_ENVELOPE: "WSDL/soap-envelope.xsd",
    "http://www.w3.org/1999/xlink": "XLINK/xlink.xsd",
}
# The places that zeep asks for by itself when an import names none.
_STANDARD_PLACES: Final = {
    SOAP_ENCODING: SOAP_ENCODING,
    "https://www.w3.org/2001/xml.xsd": XML,
}


class Documents(msgspec.Struct, frozen=True):
    """Everything a contract consists of, in memory.

    ``entry`` is the WSDL's name. ``sources`` are the documents as they are, by name; a standard one
    by the address that it is asked for. Where they name each other by address, the addresses are
    those that ``answer`` knows. ``schemas`` are the schemas rewritten, by address. ``namespaces``
    maps each target namespace ("" for none) to the address that stands for it.
    """

    title: str
    entry: str
    sources: Mapping[str, bytes]
    schemas: Mapping[str, bytes]
    namespaces: Mapping[str, str]

    def answer(self, place: str) -> bytes:
        """Return the document that zeep knows by ``place``; ContractError CB-214 for any other."""
        if place in _STANDARD_PLACES:
            return _standard(_STANDARD_PLACES[place])
        try:
            return self.sources[unquote(place.removeprefix(SCHEME_FOR_ZEEP))]
        except KeyError:
            raise ContractError(
                f"the contract {self.title} asks for {place}, which is not one of its files",
                code="CB-214",
            ) from None

    def driver(self) -> bytes:
        """Return one schema that brings in all others."""
        parts = [
            f'<xs:include schemaLocation="{place}"/>'
            if not name
            else f'<xs:import namespace="{_quoted(name)}" schemaLocation="{place}"/>'
            for name, place in self.namespaces.items()
        ]
        return f'<xs:schema xmlns:xs="{XSD}">{"".join(parts)}</xs:schema>'.encode()


def gather(bundle: Bundle) -> Documents:
    """Return everything that the bundle's WSDL leads to.

    Raises ContractError: CB-212 for a document that is not WSDL or XSD (an HTML page, say),
    CB-213 for a missing one, CB-214 for a reference outside the bundle. CB-231 means that a
    namespace of its messages has a relative URI.
    """
    walk = _Walk(bundle, _DEFINITIONS)
    walk.follow()
    return walk.documents()


def gather_schema(bundle: Bundle) -> Documents:
    """Return everything that a bundle leads to whose entry is a schema; raises as ``gather``."""
    walk = _Walk(bundle, _SCHEMA)
    walk.follow()
    return walk.documents()


class _Schema(msgspec.Struct):
    """A schema: where it stands, its tree, and whether something imports it."""

    place: str
    tree: etree._Element
    imported: bool

    @property
    def namespace(self) -> str:
        return self.tree.get("targetNamespace", "")


class _Walk:
    """Follows references breadth first, from a document whose root is ``start``."""

    def __init__(self, bundle: Bundle, start: str) -> None:
        self.bundle = bundle
        self.start = start
        self.sources: dict[str, bytes] = {}
        self.schemas: dict[str, _Schema] = {}
        self.services: set[str] = set()
        self.size = 0
        self.waiting: deque[tuple[str, bool]] = deque([(bundle.entry, True)])

    def follow(self) -> None:
        while self.waiting:
            name, imported = self.waiting.popleft()
            if name in self.sources:
                if name in self.schemas:
                    self.schemas[name].imported |= imported
                continue
            content = self.bundle.read(name)
            self.size += len(content)
            refuse_excess(len(self.sources), self.size, self.bundle.title)
            self._take(name, content, imported=imported)

    def _take(self, name: str, content: bytes, *, imported: bool) -> None:
        root = parse_document(name, content, self.bundle.title)
        self.sources[name] = _relocated(root, name, self.bundle) or content
        if root.tag not in (_SCHEMA, _DEFINITIONS) or (
            name == self.bundle.entry and root.tag != self.start
        ):
            raise _not_wsdl(name, root, self.bundle.title)
        if root.tag == _SCHEMA:
            self._take_schema(name, root, base=name, imported=imported)
        else:
            self._take_wsdl(name, root)

    def _take_wsdl(self, name: str, root: etree._Element) -> None:
        for service in root.iterchildren(f"{{{WSDL}}}service"):
            service_name = full_name(root.get("targetNamespace", ""), service.get("name", ""))
            if service_name in self.services:
                raise ContractError(
                    f"the contract {self.bundle.title} has two services called "
                    f"{service.get('name', '')}; nobody can tell which is meant: ask the vendor",
                    code="CB-215",
                )
            self.services.add(service_name)
        for body in root.iterfind(f"{{{WSDL}}}binding//{{*}}body[@namespace]"):
            self._absolute(body.get("namespace", ""), name)
        for reference in root.iterchildren(f"{{{WSDL}}}import"):
            location = reference.get("location")
            if location:
                self.waiting.append((self.bundle.resolve(location, name), True))
        inline = root.iterfind(f"{{{WSDL}}}types/{{{XSD}}}schema")
        for number, schema in enumerate(inline, 1):
            # tostring keeps the prefixes that only QName values use; a copied tree loses them.
            alone = xmlio.parse(etree.tostring(schema, with_tail=False), what=name)
            self._take_schema(f"{name}#{number}", alone, base=name, imported=True)

    def _take_schema(self, place: str, tree: etree._Element, *, base: str, imported: bool) -> None:
        self._absolute(tree.get("targetNamespace", ""), base)
        self.schemas[place] = _Schema(place, tree, imported)
        for reference in _references(tree):
            location = reference.get("schemaLocation")
            is_import = xmlio.local_name(reference) == "import"
            namespace = reference.get("namespace", "") if is_import else ""
            if is_import and namespace in _STANDARD and not _inside(location):
                self._take_standard(namespace, location)
            elif location:
                name = self.bundle.resolve(location, base)
                reference.set("schemaLocation", name)
                self.waiting.append((name, is_import))

    def _absolute(self, namespace: str, name: str) -> None:
        # Canonical XML 1.0 §1.3: no message with such a namespace can be signed or compared.
        if namespace and not _ABSOLUTE.match(namespace):
            raise ContractError(
                f"{name} of the contract {self.bundle.title} has the namespace "
                f"{namespace[:80]!r}, a relative URI, for which there is no canonical XML; "
                "ask the ERP's vendor for an absolute one",
                code="CB-231",
            )

    def _take_standard(self, namespace: str, location: str | None) -> None:
        content = _standard(namespace)
        if location:
            self.sources[location] = content
        if namespace not in self.schemas:
            tree = xmlio.parse(content, what=namespace)
            self._take_schema(namespace, tree, base="", imported=True)

    def documents(self) -> Documents:
        trees = [schema.tree for schema in self.schemas.values()]
        refuse_explosion(trees, title=self.bundle.title)
        refuse_breadth(trees, title=self.bundle.title)
        places = {name: f"{SCHEME}{number}.xsd" for number, name in enumerate(self.schemas)}
        roots: dict[str, list[str]] = {}
        for name, schema in self.schemas.items():
            if schema.imported:
                roots.setdefault(schema.namespace, []).append(places[name])
        texts: dict[str, bytes] = {}
        namespaces: dict[str, str] = {}
        for namespace, members in roots.items():
            namespaces[namespace] = members[0]
            if len(members) > 1 and namespace:
                namespaces[namespace] = f"{SCHEME}all-{len(namespaces)}.xsd"
                texts[namespaces[namespace]] = _union(namespace, members)
        for name, schema in self.schemas.items():
            texts[places[name]] = _rewritten(schema.tree, places[name], places, namespaces)
        if len(roots.get("", ())) > 1:
            namespaces[""] = f"{SCHEME}all-none.xsd"
            texts[namespaces[""]] = _union("", roots[""])
        return Documents(self.bundle.title, self.bundle.entry, self.sources, texts, namespaces)


def _references(tree: etree._Element) -> Iterator[etree._Element]:
    return tree.iterchildren(*(f"{{{XSD}}}{name}" for name in REFERENCES))


def _inside(location: str | None) -> bool:
    return bool(location) and "://" not in str(location)


def _rewritten(
    tree: etree._Element, own: str, places: Mapping[str, str], namespaces: Mapping[str, str]
) -> bytes:
    for reference in list(_references(tree)):
        if xmlio.local_name(reference) == "import":
            place = namespaces.get(reference.get("namespace", ""))
        else:
            place = places.get(reference.get("schemaLocation", ""))
        if place == own and xmlio.local_name(reference) == "include":
            tree.remove(reference)  # it adds nothing, and libxml2 refuses it
        elif place:
            reference.set("schemaLocation", place)
    return etree.tostring(tree, with_tail=False, encoding="utf-8")


def _union(namespace: str, members: list[str]) -> bytes:
    target = f' targetNamespace="{_quoted(namespace)}"' if namespace else ""
    parts = "".join(f'<xs:include schemaLocation="{place}"/>' for place in members)
    return f'<xs:schema xmlns:xs="{XSD}"{target}>{parts}</xs:schema>'.encode()


def _quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _standard(namespace: str) -> bytes:
    spec = find_spec("xmlschema")  # found without importing it: that takes 150 ms
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    return (folder / "schemas" / _STANDARD[namespace]).read_bytes()


def references(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Yield each reference in a document to another file, and which attribute has its place.

    Imports of the standard namespaces are left out: claimbridge ships these.
    """
    for reference in root.iter(f"{{{WSDL}}}import"):
        if reference.get("location"):
            yield reference, "location"
    for reference in root.iter(*(f"{{{XSD}}}{name}" for name in REFERENCES)):
        location = reference.get("schemaLocation")
        standard = reference.get("namespace") in _STANDARD and not _inside(location)
        if location and not standard:
            yield reference, "schemaLocation"


def refuse_excess(count: int, size: int, title: str) -> None:
    """Raise ContractError CB-212 for more documents, or more bytes of them, than are read."""
    if count > MAX_DOCUMENTS:
        raise ContractError(
            f"the contract {title} has more than {MAX_DOCUMENTS} documents", code="CB-212"
        )
    if size > MAX_TOTAL_BYTES:
        raise ContractError(
            f"the contract {title} has more than {MAX_TOTAL_BYTES} bytes", code="CB-212"
        )


def parse_document(name: str, content: bytes, title: str) -> etree._Element:
    """Return the root of a contract's document; raises ContractError CB-212 for no XML."""
    try:
        return xmlio.parse(content, what=f"{name} of the contract {title}")
    except DocumentError as error:
        if b"<html" in content[:2000].lower() or b"<!doctype html" in content[:2000].lower():
            raise _html(name, title) from error
        raise ContractError(error.message, code="CB-212") from error


def _relocated(root: etree._Element, name: str, bundle: Bundle) -> bytes | None:
    """Return a document whose references lead to its bundle's files by zeep's addresses.

    None where they are names already. ``root`` itself stays as it is.
    """
    if not bundle.locations:
        return None
    copy = xmlio.parse(etree.tostring(root), what=name)
    for reference, key in references(copy):
        reference.set(key, SCHEME_FOR_ZEEP + bundle.resolve(reference.get(key, ""), name))
    return etree.tostring(copy)


def _not_wsdl(name: str, root: etree._Element, title: str) -> ContractError:
    if xmlio.local_name(root).lower() == "html":
        return _html(name, title)
    return ContractError(
        f"{name} of the contract {title} is neither WSDL 1.1 nor XML Schema: "
        f"its root is {xmlio.local_name(root)!r}",
        code="CB-212",
    )


def _html(name: str, title: str) -> ContractError:
    return ContractError(
        f"{name} of the contract {title} is an HTML page, not a WSDL; "
        "it was probably saved from a login or error page: fetch the WSDL itself",
        code="CB-212",
    )


__all__ = [
    "REFERENCES",
    "SCHEME",
    "SCHEME_FOR_ZEEP",
    "Documents",
    "gather",
    "gather_schema",
    "parse_document",
    "references",
    "refuse_excess",
]
