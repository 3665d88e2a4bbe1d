"""A contract as people read it: operations, messages as trees, and what the ERP will check.

A tree shows each named type once; where the type comes again, the row says so. So every tree ends,
and none is longer than the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import ITEM, XSD, by_local_name
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import Documents, gather
from claimbridge.contract.outline.annotations import validations_in
from claimbridge.contract.outline.offer import (
    MessagePart,
    Offer,
    OfferedMessage,
    OfferedOperation,
    read_offer,
)
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.outline.types import NO_FACETS, Element, Facets, Group, Note, Part, Type
from claimbridge.errors import ContractError

MAX_DEPTH: Final = 100
"""Elements within elements; deeper ones are not shown."""
MAX_NESTING: Final = 300
"""Elements and groups within each other, whatever Python's own limit is set to."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a tree.

    ``kind`` is ``element``, ``attribute``, ``choice``, ``sequence`` (one that repeats or may be
    left out), ``all`` or ``any``. ``path`` leads from the root by local names. ``most`` is None
    for unbounded. ``type`` is ``{namespace}name``, "" for a type of the element's own; ``text``
    the built-in type of its text, "" for none. ``array_of`` is what a SOAP-encoded array holds.
    ``alternatives`` are the types or elements that may stand here instead. ``shown_above`` says
    that a row above has the type's content.
    """

    depth: int
    kind: str
    path: str
    name: str = ""
    least: int = 1
    most: int | None = 1
    nillable: bool = False
    abstract: bool = False
    type: str = ""
    text: str = ""
    facets: Facets = NO_FACETS
    array_of: str = ""
    default: str | None = None
    fixed: str | None = None
    alternatives: tuple[str, ...] = ()
    documentation: str = ""
    validations: tuple[str, ...] = ()
    shown_above: bool = False


class MessageRoot(msgspec.Struct, frozen=True):
    """One message part of an operation; ``role`` is input, output, fault or header."""

    role: str
    element: Element


class Validation(msgspec.Struct, frozen=True):
    """A message that the ERP will refuse with, and where the contract has it.

    ``place`` is a path through a message, or through the schema by the names of what declares it.
    """

    place: str
    message: str


class Overview:
    """What a contract offers and declares, read from its own documents."""

    def __init__(self, documents: Documents) -> None:
        self.title: Final = documents.title
        self.offer: Final[Offer] = read_offer(documents)
        self.schemas: Final = Schemas(documents)
        self._documents = documents

    @classmethod
    def load(cls, source: Path | str | Bundle) -> Overview:
        """Return the overview of a WSDL file, a contract's folder, or a bundle.

        Raises ContractError, as ``Contract.load`` does.
        """
        bundle = source if isinstance(source, Bundle) else Bundle.from_path(source)
        return cls(gather(bundle))

    def operations(self, name: str) -> tuple[OfferedOperation, ...]:
        """Return the operations of a name, several where it is overloaded.

        Raises ContractError CB-216 when there is none.
        """
        offered = self.offer.operations()
        found = tuple(one for one in offered if one.name == name)
        if not found:
            like = [one.name for one in offered if name.casefold() in one.name.casefold()]
            named = ", ".join(dict.fromkeys(like or [one.name for one in offered]))
            raise ContractError(
                f"the contract {self.title} has no operation {name}; it offers {named[:400]}",
                code="CB-216",
            )
        return found

    def roots(self, operation: OfferedOperation) -> Iterator[MessageRoot]:
        """Yield the parts of an operation's messages: headers, input, output, faults."""
        for part in operation.headers:
            yield MessageRoot("header", self._part(part))
        yield from self._message("input", operation.input)
        if operation.output is not None:
            yield from self._message("output", operation.output)
        for fault in operation.faults:
            yield from self._message("fault", fault)

    def tree(self, root: Element) -> Iterator[Row]:
        """Yield an element and all that may stand in it, in schema order."""
        try:
            yield from _Tree(self.schemas).element(root, 0, "")
        except RecursionError as error:  # ours, or that of a caller who is deep down already
            raise ContractError(
                f"the messages of the contract {self.title} nest deeper than can be shown",
                code="CB-215",
            ) from error

    def type_tree(self, name: str) -> Iterator[Row]:
        """Yield the tree of a global type by ``{namespace}name`` or its local name.

        Raises ContractError CB-216 when there is none, or several of this local name.
        """
        names = [name] if name.startswith("{") else self._types_called(name)
        found = self.schemas.type(names[0]) if len(names) == 1 else None
        if found is None:
            why = f"several types {name}: {', '.join(names)}" if names[1:] else f"no type {name}"
            raise ContractError(f"the contract {self.title} has {why}", code="CB-216")
        return self.tree(Element(name=found.local, typed=lambda: found))

    def validations(self, operation: OfferedOperation) -> Iterator[Validation]:
        """Yield what the ERP checks in an operation's request, each message of a place once."""
        for root in self.roots(operation):
            if root.role == "input":
                for row in self.tree(root.element):
                    yield from (Validation(row.path, message) for message in row.validations)

    def all_validations(self) -> Iterator[Validation]:
        """Yield every validation message of the contract's documents, in document order."""
        for name, content in self._documents.sources.items():
            root = xmlio.parse(content, what=name)
            for note in root.iter(f"{{{XSD}}}annotation"):
                place = _path_of(note)
                yield from (Validation(place, message) for message in validations_in(note))

    def _message(self, role: str, message: OfferedMessage) -> Iterator[MessageRoot]:
        for part in message.parts:
            yield MessageRoot(role, self._part(part))

    def _part(self, part: MessagePart) -> Element:
        if not part.element:
            return self.schemas.part(part.name, of=part.type)
        found = self.schemas.element(part.element)
        if found is None:
            raise ContractError(
                f"the contract {self.title} declares no element {part.element}", code="CB-215"
            )
        return found

    def _types_called(self, local: str) -> list[str]:
        return by_local_name(self.schemas.type_names()).get(local, [])


class _Tree:
    """Walks one tree, and remembers which named types it has shown."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._types: set[str] = set()
        self._nested = 0

    def element(self, element: Element, depth: int, above: str) -> Iterator[Row]:
        path = f"{above}/{element.local}" if above else element.local
        kind = element.type
        again = kind.name in self._types or depth >= MAX_DEPTH
        yield Row(
            depth=depth, kind="element", path=path, name=element.name,
            least=element.min, most=element.max, nillable=element.nillable,
            abstract=element.abstract or kind.abstract,
            default=element.default, fixed=element.fixed,
            alternatives=element.substitutes + (kind.extended_by if kind.abstract else ()),
            documentation=element.note.documentation or kind.note.documentation,
            validations=_messages(element.note, kind, again=again),
            shown_above=again, **_type_fields(kind),
        )  # fmt: skip
        if again:
            return
        if kind.name and (kind.content or kind.attributes or kind.note.validations):
            self._types.add(kind.name)
        yield from self._inside(kind, depth + 1, path)

    def _inside(self, kind: Type, depth: int, path: str) -> Iterator[Row]:
        # An array's attributes are SOAP encoding's own, and the same for all arrays.
        for attribute in () if kind.array_of else kind.attributes:
            yield Row(
                depth=depth, kind="attribute", path=f"{path}/@{attribute.local}",
                name=attribute.name, least=int(attribute.required),
                default=attribute.default, fixed=attribute.fixed,
                documentation=attribute.note.documentation,
                validations=_messages(attribute.note, attribute.type),
                **_type_fields(attribute.type),
            )  # fmt: skip
        if kind.array_of:
            item = self._schemas.part(ITEM, of=kind.array_of)
            yield from self.element(replace(item, min=0, max=None), depth, path)
        elif kind.content is not None:
            yield from self._part(kind.content, depth, path)

    def _part(self, part: Part, depth: int, path: str) -> Iterator[Row]:
        self._nested += 1
        if self._nested > MAX_NESTING:
            raise RecursionError
        if isinstance(part, Element):
            yield from self.element(part, depth, path)
        elif isinstance(part, Group):
            is_shown = part.order != "sequence" or (part.min, part.max) != (1, 1)
            if is_shown:
                yield Row(depth=depth, kind=part.order, path=path, least=part.min, most=part.max)
            for inner in part.parts:
                yield from self._part(inner, depth + is_shown, path)
        else:
            yield Row(
                depth=depth, kind="any", path=path, name=part.namespaces,
                least=part.min, most=part.max,
            )  # fmt: skip
        self._nested -= 1


def _type_fields(kind: Type) -> dict[str, Any]:
    return {
        "type": kind.name,
        "text": kind.text if kind.content is None else "",
        "facets": kind.facets,
        "array_of": kind.array_of,
    }


def _messages(note: Note, kind: Type, *, again: bool = False) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note.validations + (() if again else kind.note.validations)))


def _path_of(note: etree._Element) -> str:
    """Return the names of what declares an annotation, outermost first: ``Type/Element``."""
    names = [node.get("name") or node.get("ref") for node in note.iterancestors()]
    within = [name for name in names[:-1] if name]  # the last is the document itself
    return "/".join(reversed(within))


__all__ = ["MessageRoot", "Overview", "Row", "Validation"]
