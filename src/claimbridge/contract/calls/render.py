"""A request as nested dicts in the contract's own names, written as canonical XML.

Names::

    "Amount"            an element
    "@currencyCode"     an attribute
    "#text"             the text beside attributes
    "@xsi:type"         the concrete type
    "@xsi:nil": True    an empty nillable element
    "{namespace}Name"   an element, where two elements of one type share a local name

An element that repeats is a list. ``None`` means "left out". Values are str, int, bool, Decimal,
date, and datetime with a zone.

Order and namespaces come from the contract. The renderer writes everything that is given and known,
even where the contract forbids it there: the gate judges. The renderer refuses a name that the
contract does not know, and a value that has no exact form.

Where a whole group repeats (``(A, B)*``), each name in it is given as a list with one entry per
repetition, ``None`` where a repetition lacks the name. The lists must be equally long. In a
repeated choice the members stand in schema order, one after the other.

The output is exclusive C14N 1.0, written in one pass; tests compare it with ``xmlio.canonical``.
One exception: ``@xsi:type`` may name a type in a namespace that no element around it uses. Its
prefix is then declared besides; a signature would call it InclusiveNamespaces.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from claimbridge.contract.base.names import XML, XSI, split_name
from claimbridge.contract.calls.shapes import Branch, Leaf, Part, Shape, Types
from claimbridge.errors import SchemaViolation
from claimbridge.findings import Finding
from claimbridge.xmlio import Canonical

_MAX_EXPONENT: Final = 60
_MAX_DEPTH: Final = 60
# XML 1.0 §2.2: what cannot stand in a document, even escaped.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TEXT: Final = re.compile("[&<>\r]")
_TEXT_FORMS: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_ATTRIBUTE: Final = re.compile('[&<"\t\n\r]')
_ATTRIBUTE_FORMS: Final = {
    "&": "&amp;",
    "<": "&lt;",
    '"': "&quot;",
    "\t": "&#x9;",
    "\n": "&#xA;",
    "\r": "&#xD;",
}

# Canonical XML 1.0 §1.3: a relative namespace URI has no canonical form, so only absolute ones.
_ATTRIBUTE_KEY: Final = re.compile(r"@(?:\{[A-Za-z][A-Za-z0-9+.\-]*:[^{}]*\})?[A-Za-z_][\w.\-]*")

Scope = frozenset[str]
"""The namespaces that an element above has declared."""


class RequestPath:
    """A place in the request, written out only for a finding."""

    __slots__ = ("above", "name", "number")

    def __init__(self, above: RequestPath | None, name: str, number: int = 0) -> None:
        self.above = above
        self.name = name
        self.number = number

    def __str__(self) -> str:
        name = f"{self.name}[{self.number}]" if self.number else self.name
        if self.above is None or self.above.above is None:
            return name
        return f"{self.above}/{name}"

    def at(self, name: str) -> str:
        """Return the path of ``name`` at this place."""
        return name if self.above is None else f"{self}/{name}"


def render(root: Leaf, body: Mapping[str, Any], types: Types) -> bytes:
    """Return ``body`` as the element ``root``, in exclusive C14N.

    The result is a ``Canonical`` unless an ``@xsi:type`` may have declared a prefix besides.

    Raises SchemaViolation CB-121 with a finding for every name that the contract does not know
    (rule ``unexpected``) and every value that cannot be written (rules ``type``, ``characters``,
    ``repetition``).
    """
    writer = _Writer(root, types)
    writer.element(root, body, RequestPath(None, root.local), frozenset())
    if writer.findings:
        raise _violation(root.local, writer.findings)
    written = "".join(writer.out).encode()
    return Canonical.written(written) if writer.exact else written


class _Writer:
    """Writes one request; never shared."""

    def __init__(self, root: Leaf, types: Types) -> None:
        self.out: list[str] = []
        self.findings: list[Finding] = []
        # False once a value has declared a prefix, which exclusive C14N would not do.
        self.exact = True
        self._types = types
        self._prefixes: dict[str, str] = {XSI: "xsi", XML: "xml"}
        self._depth = 0
        self._prefix(root.namespace)

    def element(self, leaf: Leaf, value: Any, place: RequestPath, scope: Scope) -> None:
        """Write one element with what it holds."""
        if type(value) is dict or isinstance(value, Mapping):
            self._element_with_children(leaf, value, place, scope)
            return
        if isinstance(value, (list, tuple)):
            self.refuse(str(place), "type", f"{leaf.local} holds a list inside a list")
            return
        text = self._text(value, place)
        name, declared, _ = self._open(leaf, scope)
        if leaf.shape.has_text or not text:
            self.out.append(f"<{name}{declared}>{text}</{name}>")
        else:
            self.refuse(str(place), "type", f"{leaf.local} holds elements, not a text")

    def _element_with_children(
        self, leaf: Leaf, value: Mapping[str, Any], place: RequestPath, scope: Scope
    ) -> None:
        if self._depth > _MAX_DEPTH:
            raise _violation(
                leaf.local, [Finding(str(place), "type", f"{leaf.local} is nested too deeply")]
            )
        shape, typed = self._concrete_shape(leaf.shape, value, place)
        self._refuse_unknown(shape, value, place)
        name, start, inner = self._start(leaf, shape, value, typed, place=place, scope=scope)
        self.out.append(start)
        text = value.get("#text")
        if text is not None:
            self.out.append(self._text(text, place))
        if shape.content is not None:
            self._depth += 1
            supply = {key: _items(value.get(key)) for key in shape.keys & value.keys()}
            _Content(self, shape, place, inner).write(shape.content, supply)
            self._depth -= 1
        self.out.append(f"</{name}>")

    def _concrete_shape(
        self, shape: Shape, value: Mapping[str, Any], place: RequestPath
    ) -> tuple[Shape, str]:
        """Return the shape that counts and the ``{namespace}name`` of its xsi:type, or ""."""
        name = value.get("@xsi:type")
        if name is None:
            return shape, ""
        concrete = self._types.named(str(name))
        if concrete is None:
            self.refuse(place.at("@xsi:type"), "unexpected", f"the contract has no type {name!r}")
            return shape, ""
        return concrete[1], concrete[0]

    def _refuse_unknown(self, shape: Shape, value: Mapping[str, Any], place: RequestPath) -> None:
        for key in value.keys() - shape.allowed:
            # The name is written as it stands, so it must be a name.
            if not (shape.open_attributes and _ATTRIBUTE_KEY.fullmatch(str(key))):
                self.refuse(place.at(str(key)), "unexpected", _unknown(key, shape, place.name))

    def _start(
        self,
        leaf: Leaf,
        shape: Shape,
        body: Mapping[str, Any],
        concrete: str,
        *,
        place: RequestPath,
        scope: Scope,
    ) -> tuple[str, str, Scope]:
        """Return the element's name, its start tag, and the scope inside."""
        keys = [key for key in body if isinstance(key, str) and key.startswith("@")]
        if not keys:
            name, declared, inner = self._open(leaf, scope)
            return name, f"<{name}{declared}>", inner
        attributes: list[tuple[str, str, str]] = []
        needed = {leaf.namespace} if leaf.namespace else set()
        for key in keys:
            value = body[key]
            if value is None:
                continue
            qualified = _attribute_name(key, shape)
            if qualified is None or (key == "@xsi:type" and not concrete):
                continue
            uri, local = split_name(qualified)
            if uri and uri != XML:
                needed.add(uri)
            form = self._text(value, place, attribute=key)
            if key == "@xsi:type":
                form = self._qname(concrete, needed)
            attributes.append((uri, local, form))
        new = sorted((self._prefix(uri), uri) for uri in needed - scope)
        name = self._qualified(leaf.namespace, leaf.local)
        parts = [f"<{name}", *(f' xmlns:{prefix}="{_attribute(uri)}"' for prefix, uri in new)]
        parts += [
            f' {self._qualified(uri, local)}="{form}"' for uri, local, form in sorted(attributes)
        ]
        return name, "".join(parts) + ">", scope | needed

    def _open(self, leaf: Leaf, scope: Scope) -> tuple[str, str, Scope]:
        if not leaf.namespace:
            return leaf.local, "", scope
        prefix = self._prefix(leaf.namespace)
        if leaf.namespace in scope:
            return f"{prefix}:{leaf.local}", "", scope
        declared = f' xmlns:{prefix}="{_attribute(leaf.namespace)}"'
        return f"{prefix}:{leaf.local}", declared, scope | {leaf.namespace}

    def _qname(self, name: str, needed: set[str]) -> str:
        uri, local = split_name(name)
        if uri:
            needed.add(uri)
            self.exact = False
        return self._qualified(uri, local)

    def _qualified(self, uri: str, local: str) -> str:
        return f"{self._prefix(uri)}:{local}" if uri else local

    def _prefix(self, uri: str) -> str:
        if uri and uri not in self._prefixes:
            self._prefixes[uri] = f"n{len(self._prefixes) - 2}"
        return self._prefixes.get(uri, "")

    def _text(self, value: Any, place: RequestPath, *, attribute: str = "") -> str:
        """Return the escaped lexical form of a value; "" after refusing it."""
        try:
            plain = lexical(value)
        except ValueError as error:
            path = place.at(attribute) if attribute else str(place)
            self.refuse(path, "type", f"{attribute.lstrip('@') or place.name}: {error}")
            return ""
        forbidden = _FORBIDDEN.search(plain)
        if forbidden:
            path = place.at(attribute) if attribute else str(place)
            self.refuse(
                path,
                "characters",
                f"{attribute.lstrip('@') or place.name} holds the character "
                f"U+{ord(forbidden[0]):04X}, which XML cannot carry; remove it from the claim",
            )
            return ""
        return _attribute(plain) if attribute else _escaped(plain)

    def refuse(self, path: str, rule: str, text: str) -> None:
        """Note that something cannot be written."""
        self.findings.append(Finding(path, rule, text))


class _Content:
    """Writes the children of one element in the order of its content model."""

    __slots__ = ("place", "scope", "shape", "writer")

    def __init__(self, writer: _Writer, shape: Shape, place: RequestPath, scope: Scope) -> None:
        self.writer = writer
        self.shape = shape
        self.place = place
        self.scope = scope

    def write(self, part: Part, supply: dict[str, list[Any]]) -> None:
        """Write what ``supply`` holds for ``part``, and take it out of ``supply``."""
        if isinstance(part, Leaf):
            self._leaves(part, supply)
        elif part.repeats:
            self._repeating(part, supply)
        else:
            self._once(part, supply)

    def _once(self, branch: Branch, supply: dict[str, list[Any]]) -> None:
        parts = branch.parts_for(supply)
        if branch.is_choice:
            # The branch with the most keys goes first. What is left breaks the contract; it is
            # written all the same, for the gate to name.
            parts.sort(key=lambda part: -len(part.keys & supply.keys()))
        for part in parts:
            self.write(part, supply)

    def _repeating(self, branch: Branch, supply: dict[str, list[Any]]) -> None:
        if branch.is_choice:
            for part in branch.parts_for(supply):
                if isinstance(part, Branch):
                    self._repetitions(part, supply)
                else:
                    self.write(part, supply)
            return
        self._repetitions(branch, supply)

    def _repetitions(self, branch: Branch, supply: dict[str, list[Any]]) -> None:
        own = {key: supply.pop(key) for key in branch.keys & supply.keys()}
        single = [leaf.key for leaf in branch.leaves() if not leaf.repeats]
        lengths = {len(own[key]) for key in single if key in own}
        count = max(lengths, default=1)
        if len(lengths) > 1 or (count > 1 and any(len(values) != count for values in own.values())):
            self.writer.refuse(
                self.place.at(sorted(own)[0]),
                "repetition",
                f"{', '.join(sorted(own))} repeat together: give each a list with one entry per "
                "repetition (None where one is lacking)",
            )
            return
        if count == 1:
            self._once(branch, own)
            return
        for number in range(count):
            turn = {key: _items(values[number]) for key, values in own.items()}
            self._once(branch, {key: values for key, values in turn.items() if values})

    def _leaves(self, leaf: Leaf, supply: dict[str, list[Any]]) -> None:
        values = supply.get(leaf.key)
        if not values:
            return
        if self.shape.last[leaf.key] is leaf or leaf.most is None:
            own = supply.pop(leaf.key)
        else:
            own, supply[leaf.key] = values[: leaf.most], values[leaf.most :]
            if not supply[leaf.key]:
                del supply[leaf.key]
        for number, value in enumerate(own, 1):
            if value is not None:
                place = RequestPath(self.place, leaf.local, number if len(own) > 1 else 0)
                self.writer.element(leaf, value, place, self.scope)


def lexical(value: object) -> str:
    """Return the XML form of a value; raises ValueError saying why it has none."""
    form = _LEXICAL.get(type(value))
    if form is None:
        form = next((made for kind, made in _LEXICAL.items() if isinstance(value, kind)), _no_form)
    return form(value)


def _decimal(value: Any) -> str:
    if not value.is_finite() or not -_MAX_EXPONENT < value.adjusted() < _MAX_EXPONENT:
        raise ValueError(f"{str(value)[:20]} is not an amount")
    return format(value if value else value.copy_abs(), "f")


def _datetime(value: Any) -> str:
    if value.tzinfo is None:
        raise ValueError("a date and time needs a time zone")
    form: str = value.isoformat()
    return f"{form[:-6]}Z" if form.endswith("+00:00") else form


def _no_form(value: object) -> str:
    if isinstance(value, float):
        raise ValueError("a float cannot hold an exact value; give a Decimal or a string")
    raise ValueError(f"{type(value).__name__} has no XML form; give a string")


# Exact types first, and in this order: bool is an int, and datetime a date, to Python.
_LEXICAL: Final[dict[type, Callable[[Any], str]]] = {
    str: str.__str__,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    Decimal: _decimal,
    datetime: _datetime,
    date: date.isoformat,
}


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _escaped(plain: str) -> str:
    return _TEXT.sub(lambda match: _TEXT_FORMS[match[0]], plain)


def _attribute(plain: str) -> str:
    return _ATTRIBUTE.sub(lambda match: _ATTRIBUTE_FORMS[match[0]], plain)


def _attribute_name(key: str, shape: Shape) -> str | None:
    if key in {"@xsi:type", "@xsi:nil"}:
        return f"{{{XSI}}}{key[5:]}"
    is_free = shape.open_attributes and _ATTRIBUTE_KEY.fullmatch(key)
    return shape.attributes.get(key) or (key[1:] if is_free else None)


def _unknown(key: object, shape: Shape, owner: str) -> str:
    names = sorted(shape.keys | shape.attributes.keys())
    near = difflib.get_close_matches(str(key), names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"the contract knows no {key} in {owner}{hint}"


def _violation(root: str, findings: Sequence[Finding]) -> SchemaViolation:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return SchemaViolation(
        f"{root} cannot be written: {findings[0].path}: {findings[0].text}{more}",
        findings=findings,
        code="CB-121",
    )


__all__ = ["lexical", "render"]
