"""A contract's requests as a Python module of TypedDicts, in the contract's own names.

With it ``mypy --strict`` checks what a profile builds: names, what must be there, what repeats, the
kinds of values, and listed values. Comments say lengths and patterns; the gate checks them.
Only what the operations reach is written, in the order in which it is met, so that the same
contract gives the same text.
"""

from __future__ import annotations

import builtins
import json
import keyword
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from claimbridge.contract.outline.simple import INTEGERS
from claimbridge.contract.outline.types import Attribute, Element, Type, shared_names
from claimbridge.contract.outline.wording import comment, facet_words, packed, wrapped
from claimbridge.contract.study.compare import ElementPlace, places
from claimbridge.contract.study.generation import Generation
from claimbridge.errors import ContractError

MANY_KINDS: Final = 25
"""More types than these in one place are left to the caller to choose from."""

_STRICT: Final = {
    "boolean": "bool",
    "decimal": "Decimal | int",
    "double": "Decimal | int",
    "float": "Decimal | int",
    "date": "date",
    "dateTime": "datetime",
}
_TYPING: Final = ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict")
_TAKEN: Final = frozenset(
    {"Decimal", "Nil", "Sourced", "date", "datetime", *_TYPING, *dir(builtins), *keyword.kwlist}
)


def types_module(
    generation: Generation,
    operations: Sequence[str],
    *,
    kinds: Iterable[str] = (),
    sourced: bool = False,
) -> str:
    """Return the source of a module with a TypedDict for the request of each operation.

    ``kinds`` chooses, by local name, among the types that may stand in a place of more than
    ``MANY_KINDS``, such as NetSuite's records. With ``sourced`` each value may be a
    ``claimbridge.profiles.Sourced`` too. Raises ContractError CB-216 for an unknown operation.
    """
    module = _Module(generation, frozenset(kinds), sourced=sourced)
    for operation in operations:
        module.request(operation)
    return module.text(operations)


class _Field(NamedTuple):
    """One key: its type, whether it may be left out, its limits, and what is said about it."""

    key: str
    type: str
    optional: bool
    limits: Sequence[str] = ()
    told: Sequence[str] = ()


class _Module:
    """Writes the types that are asked for, and then those that they ask for."""

    def __init__(self, generation: Generation, kinds: frozenset[str], *, sourced: bool) -> None:
        self._generation = generation
        self._kinds = kinds
        self._sourced = sourced
        self._names: dict[int, str] = {}
        self._used: set[str] = set(_TAKEN)
        self._held: list[Type] = []
        self._waiting: list[Type] = []
        self._is_encoded = False
        self._plain: set[int] = set()
        """Types that stand somewhere as they are declared, so that ``@xsi:type`` is not needed."""
        self._bodies: list[str] = []
        self._requests: list[str] = []
        self._needs: set[str] = {"TypeAlias", "TypedDict"}

    def request(self, operation: str) -> None:
        """Write what stands in the Body's child of ``operation``."""
        found = self._generation.operations.get(operation)
        root = self._generation.root(found.input) if found else None
        if root is None:
            offered = ", ".join(sorted(self._generation.operations)[:10])
            raise ContractError(
                f"the contract has no operation {operation}; it offers {offered}", code="CB-216"
            )
        self._is_encoded = operation in self._generation.encoded
        name = self._named(root.type, root.local)
        self._plain.add(id(root.type))
        self._follow()
        alias = self._free(operation, "_Request")
        self._requests.append(f"{alias}: TypeAlias = {name}\n{_DOC}What {operation} takes.{_DOC}")

    def text(self, operations: Sequence[str]) -> str:
        """Return the module."""
        said = wrapped(f"Requests as the contract has them: {', '.join(operations)}.", 96)
        head = [
            f"{_DOC}{said[0]}",
            *said[1:],
            "",
            "Written by ``claimbridge contract types``; do not edit. Names are the contract's.",
            _DOC,
            "# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100",
            "# fmt: off",
            "",
            "from __future__ import annotations",
            "",
            *self._imports(),
        ]
        if "Nil" in self._needs:
            self._bodies.insert(0, 'Nil = TypedDict("Nil", {"@xsi:nil": "Literal[True]"})')
        return (
            "\n".join(head)
            + "\n\n\n".join(["", *self._bodies, *self._requests]).removeprefix("\n")
            + "\n"
        )

    def _imports(self) -> Iterator[str]:
        body = "\n".join(self._bodies)
        days = [name for name in ("date", "datetime") if name in self._needs]
        if days:
            yield f"from datetime import {', '.join(days)}"
        if "Decimal" in self._needs:
            yield "from decimal import Decimal"
        listed = "Literal" in self._needs or "Nil" in self._needs
        typing = [
            name
            for name in _TYPING
            if name in self._needs
            or (name == "Literal" and listed)
            or (name == "NotRequired" and "NotRequired[" in body)
        ]
        yield f"from typing import {', '.join(typing)}"
        if self._sourced:
            yield ""
            yield "from claimbridge.profiles.kit.sourced import Sourced"
        yield ""

    def _follow(self) -> None:
        while self._waiting:
            kind = self._waiting.pop(0)
            self._bodies.append(self._written(kind))

    def _named(self, kind: Type, owner: str) -> str:
        """Return the name that a type has in the module; it is written when its turn comes."""
        if id(kind) not in self._names:
            self._held.append(kind)  # a number counts only while the type lives
            self._names[id(kind)] = self._free(kind.local or owner, "_")
            self._waiting.append(kind)
        return self._names[id(kind)]

    def _free(self, wanted: str, suffix: str) -> str:
        plain = "".join(each if each.isalnum() or each == "_" else "_" for each in wanted)
        plain = plain if plain.isidentifier() else f"_{plain}"
        name, number = plain, 2
        while name in self._used:
            name = f"{plain}{suffix}" if number == 2 else f"{plain}{suffix}{number}"
            number += 1
        self._used.add(name)
        return name

    def _written(self, kind: Type) -> str:
        name = self._names[id(kind)]
        if kind.content is None and not kind.attributes and kind.text and not kind.extended_by:
            return self._alias(name, kind)
        fields = [*self._fields(kind, name)]
        for field in fields:
            if field.optional:
                self._needs.add("NotRequired")
        said = [*wrapped(kind.note.documentation, 92)]
        if kind.open_attributes:
            said.append("Any further attribute may stand here.")
        if all(_is_plain(field.key) for field in fields):
            return _class(name, fields, said)
        return _functional(name, fields, said)

    def _alias(self, name: str, kind: Type) -> str:
        """Return a list of values, of which there may be hundreds."""
        self._needs.add("Literal")
        values = [f"{_literal(each)}," for each in dict.fromkeys(kind.facets.enumeration)]
        body = "\n".join(f"    {line}" for line in packed(values, 96))
        said = "".join(f"{line}\n" for line in comment(kind.note.documentation, "", 98))
        return f"{said}{name}: TypeAlias = Literal[\n{body}\n]"

    def _fields(self, kind: Type, name: str) -> Iterator[_Field]:
        if self._is_derived(kind) and not kind.array_of:
            self._needs.add("Literal")
            names = [f'"{kind.name}"']
            if self._generation.type(kind.local) is kind:
                names.insert(0, f'"{kind.local}"')
            yield _Field("@xsi:type", f"Literal[{', '.join(names)}]", id(kind) in self._plain)
        # What the encoding adds (id, href, arrayType) is the renderer's business.
        for attribute in () if self._is_encoded else kind.attributes:
            yield self._attribute(attribute, name)
        if kind.text and kind.content is None:
            yield _Field("#text", self._value(kind, name), False, facet_words(kind.facets))
        elif kind.mixed:
            yield _Field("#text", self._spelled("str"), True)
        shared = shared_names(self._generation.children(kind))
        for place in places(self._generation.content(kind)).values():
            yield self._element(place, name, shared)

    def _attribute(self, attribute: Attribute, owner: str) -> _Field:
        limits, told = facet_words(attribute.type.facets), [attribute.note.documentation]
        typed = self._value(attribute.type, f"{owner}_{attribute.local}")
        optional = not attribute.required
        none = " | None" if optional else ""
        return _Field(f"@{attribute.local}", f"{typed}{none}", optional, limits, told)

    def _element(self, place: ElementPlace, owner: str, shared: frozenset[str]) -> _Field:
        element = place.element
        typed = self._place(element, f"{owner}_{element.local}")
        kind = element.type
        limits = facet_words(kind.facets) if _is_value(kind) else []
        if place.max is None or place.max > 1:
            typed = f"list[{typed}]"
            if place.max is not None:
                limits.append(f"at most {place.max} times")
        if place.rivals:
            limits.append(f"not beside {', '.join(sorted(place.rivals)[:8])}")
        said = element.note.documentation or (kind.note.documentation if _is_value(kind) else "")
        told = [said, *(f"The ERP checks: {each}" for each in element.note.validations)]
        key = element.name if element.local in shared else element.local
        if place.min and not self._is_encoded:
            return _Field(key, typed, False, limits, told)
        return _Field(key, f"{typed} | None", True, limits, told)

    def _place(self, element: Element, owner: str) -> str:
        """Return the type of what may stand in an element's place."""
        kind = element.type
        choices = [*self._choices(kind, owner)]
        if element.nillable:
            self._needs |= {"Nil", "Literal"}
            choices.append("Nil")
        return " | ".join(dict.fromkeys(choices))

    def _choices(self, kind: Type, owner: str) -> Iterator[str]:
        if kind.text == "anyType" or kind.local == "anyType":
            self._needs.add("Any")
            yield "Any"
            return
        if _is_value(kind):
            yield self._value(kind, owner)
            if not kind.attributes:
                return
        if kind.content is None and not kind.text and not kind.attributes and not kind.extended_by:
            self._needs.add("Any")
            yield "dict[str, Any]"
            return
        if not kind.abstract:
            self._plain.add(id(kind))
            yield self._named(kind, owner)
        derived = [*self._generation.concrete(kind)]
        if len(derived) > MANY_KINDS:
            derived = [each for each in derived if each.local in self._kinds]
            if not derived:
                self._needs.add("Any")
                yield "dict[str, Any]"
        for each in derived:
            yield self._named(each, owner)

    def _is_derived(self, kind: Type) -> bool:
        """Whether the type may stand in the place of one that it is derived from."""
        if not kind.name or kind.local in {"", "anyType"}:
            return False
        base = self._generation.schemas.type(kind.base) if kind.base else None
        return base is not None and base.local != "anyType" and not (base.text and not base.content)

    def _value(self, kind: Type, owner: str) -> str:
        """Return the type of a text: what the renderer writes, and no more."""
        facets = kind.facets
        if facets.enumeration and kind.text not in _STRICT and kind.text not in INTEGERS:
            values = ", ".join(map(_literal, facets.enumeration))
            if len(values) <= 60:
                self._needs.add("Literal")
                return self._spelled(f"Literal[{values}]")
            simple = kind if kind.content is None and not kind.attributes else None
            return self._spelled(self._listed(simple or kind, owner))
        if kind.members and kind.derivation == "union":
            found = dict.fromkeys(self._value(each, owner) for each in kind.members)
            return " | ".join(dict.fromkeys(" | ".join(found).split(" | ")))
        plain = "int" if kind.text in INTEGERS else _STRICT.get(kind.text, "str")
        self._needs.update(each for each in plain.split(" | ") if each in _TAKEN)
        return self._spelled(plain)

    def _listed(self, kind: Type, owner: str) -> str:
        """Return the alias of a long list of values; simple content shares its text's list."""
        if kind.attributes or kind.extended_by:
            kind = Type(name="", text=kind.text, facets=kind.facets)
            return self._named(kind, f"{owner}_text")
        return self._named(kind, owner)

    def _spelled(self, plain: str) -> str:
        return f"{plain} | Sourced" if self._sourced else plain


_DOC: Final = '"""'


def _is_value(kind: Type) -> bool:
    """Whether a text alone may stand for the type."""
    return bool(
        kind.content is None and kind.text and not any(each.required for each in kind.attributes)
    )


def _is_plain(key: str) -> bool:
    # Python mangles names that begin with two underscores.
    return key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("__")


def _class(name: str, fields: Sequence[_Field], said: Sequence[str]) -> str:
    lines = [f"class {name}(TypedDict):"]
    if said:
        body = [each.replace("\\", "\\\\").replace('"', "'") for each in said]
        lines += [f"    {_DOC}{body[0]}", *(f"    {each}" for each in body[1:])]
        lines[-1] += f"{_DOC}" if len(body) == 1 else ""
        lines += [f"    {_DOC}"] if len(body) > 1 else []
        lines.append("")
    for field in fields:
        lines += _remarks(field, "    ")
        lines.append(f"    {field.key}: {_typed(field)}")
    if not fields and not said:
        lines.append("    pass")
    return "\n".join(lines)


def _functional(name: str, fields: Sequence[_Field], said: Sequence[str]) -> str:
    lines = [f"# {each}" for each in said]
    lines += [f"{name} = TypedDict(", f'    "{name}",', "    {"]
    for field in fields:
        lines += _remarks(field, "        ")
        # In quotes: what it names may stand further down, or be the type itself.
        lines.append(f"        {_literal(field.key)}: {_quoted(_typed(field))},")
    return "\n".join([*lines, "    },", ")"])


def _typed(field: _Field) -> str:
    return f"NotRequired[{field.type}]" if field.optional else field.type


def _quoted(typed: str) -> str:
    """Return an annotation as a string, which Python unescapes before it reads the values in it."""
    if '"' not in typed:
        return f'"{typed}"'
    escaped = typed.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _literal(text: str) -> str:
    """Return a text as Python writes it: JSON's escapes are among Python's."""
    return json.dumps(text, ensure_ascii=False)


def _remarks(field: _Field, indent: str) -> list[str]:
    lines = comment("; ".join(field.limits), indent, 98)
    for each in field.told:
        lines += comment(each, indent, 98)
    return lines


__all__ = ["MANY_KINDS", "types_module"]
