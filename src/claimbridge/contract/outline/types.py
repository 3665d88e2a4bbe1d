"""What a contract's schemas declare, word for word: elements, types, facets, documentation.

An outline loses nothing that a person or a generator wants to know.
``claimbridge.contract.outline.schemas`` reads it from the schema documents, each type when somebody
first asks for it. Each declared type is one object, so that an outline may recurse: a walk over it
must remember where it has been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from claimbridge.contract.base.names import split_name


class Facets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a simple type's values must keep to, all steps of its derivation together.

    Bounds are as written, since they may be dates. A value must match each of ``patterns``; the
    alternatives of one step are one pattern, joined by ``|``. Empty and None mean unlimited.
    """

    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    min_inclusive: str | None = None
    max_inclusive: str | None = None
    min_exclusive: str | None = None
    max_exclusive: str | None = None
    patterns: tuple[str, ...] = ()
    enumeration: tuple[str, ...] = ()
    white_space: str | None = None


NO_FACETS = Facets()


class Note(msgspec.Struct, frozen=True):
    """What an annotation says: its documentation, and the validations that the ERP will make.

    ``validations`` are the messages in ``xsd:appinfo`` (Workday's ``Validation_Message``).
    """

    documentation: str = ""
    validations: tuple[str, ...] = ()


NO_NOTE = Note()


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One attribute of a type; ``name`` is ``{namespace}name``."""

    name: str
    required: bool
    type: Type
    default: str | None = None
    fixed: str | None = None
    note: Note = NO_NOTE

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return split_name(self.name)[1]


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element's place; ``name`` is ``{namespace}name``, ``max`` None when unbounded.

    ``note`` is its own; that of its type is ``type.note``.
    """

    name: str
    min: int = 1
    max: int | None = 1
    nillable: bool = False
    abstract: bool = False
    default: str | None = None
    fixed: str | None = None
    note: Note = NO_NOTE
    substitutes: tuple[str, ...] = ()
    """``{namespace}name`` of the elements that may stand in its place."""
    typed: Callable[[], Type] = field(repr=False, compare=False)
    """Reads the type; ask ``type``."""

    @cached_property
    def type(self) -> Type:
        """Its type, read when first asked for."""
        return self.typed()

    @property
    def namespace(self) -> str:
        """The namespace; "" for none."""
        return split_name(self.name)[0]

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return split_name(self.name)[1]

    @property
    def children(self) -> tuple[Element, ...]:
        """The elements that may stand in it, in schema order, choices included."""
        return self.type.children


@dataclass(frozen=True, kw_only=True)
class Wildcard:
    """A place for elements that the schema does not name (``xs:any``).

    ``judged``: what stands there is validated where a schema declares it.
    """

    namespaces: str = "##any"
    min: int = 1
    max: int | None = 1
    judged: bool = True


@dataclass(frozen=True, kw_only=True)
class Group:
    """A model group: ``order`` is ``sequence``, ``choice`` or ``all``."""

    order: str
    parts: tuple[Part, ...]
    min: int = 1
    max: int | None = 1

    @property
    def is_choice(self) -> bool:
        """Whether only one of the parts may stand there."""
        return self.order == "choice"

    @property
    def is_open(self) -> bool:
        """Whether there is a place for any element in it, in an inner group too."""
        return any(
            isinstance(part, Wildcard) or (isinstance(part, Group) and part.is_open)
            for part in self.parts
        )

    def elements(self) -> Iterator[Element]:
        """Yield every element's place in schema order, those of inner groups too."""
        for part in self.parts:
            if isinstance(part, Element):
                yield part
            elif isinstance(part, Group):
                yield from part.elements()


Part = Element | Group | Wildcard


@dataclass(frozen=True, kw_only=True, eq=False)
class Type:
    """A type; ``name`` is ``{namespace}name``, "" for one that stands in its element.

    ``text`` is the local name of its text's built-in type (``decimal``); "" where it holds elements
    only, ``anySimpleType`` for lists and for unions of several. ``base`` is the type that it is
    derived from, ``derivation`` how: ``extension``, ``restriction``, ``list``, ``union``. Both are
    "" for a type that derives from none. ``members`` are the types of a union, or the one of a list
    (``is_list``, also where a step has restricted it).
    """

    name: str
    text: str = ""
    base: str = ""
    derivation: str = ""
    abstract: bool = False
    mixed: bool = False
    facets: Facets = NO_FACETS
    note: Note = NO_NOTE
    members: tuple[Type, ...] = ()
    is_list: bool = False
    attributes: tuple[Attribute, ...] = ()
    open_attributes: bool = False
    array_of: str = ""
    """What a SOAP-encoded array holds, as ``{namespace}name``; "" for all other types."""
    extended_by: tuple[str, ...] = ()
    """``{namespace}name`` of the types derived from it directly, for ``xsi:type``."""
    content_read: Callable[[], Group | None] = field(repr=False, default=lambda: None)
    """Reads the content; ask ``content``."""

    @cached_property
    def content(self) -> Group | None:
        """What elements it holds, those of its base first; None when it holds none."""
        return self.content_read()

    @property
    def children(self) -> tuple[Element, ...]:
        """The elements that may stand in it, in schema order, choices included."""
        return tuple(self.content.elements()) if self.content else ()

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return split_name(self.name)[1]


def shared_names(elements: Iterable[Element]) -> frozenset[str]:
    """Return local names that elements of different namespaces share: their keys are whole."""
    seen: dict[str, set[str]] = {}
    for element in elements:
        seen.setdefault(element.local, set()).add(element.name)
    return frozenset(name for name, full in seen.items() if len(full) > 1)


__all__ = [
    "NO_FACETS",
    "NO_NOTE",
    "Attribute",
    "Element",
    "Facets",
    "Group",
    "Note",
    "Part",
    "Type",
    "Wildcard",
    "shared_names",
]
