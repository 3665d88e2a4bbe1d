"""Calls in SOAP's section 5 encoding (rpc/encoded), as Axis 1 services take them.

A request is the same nested dict as everywhere: the parts by name, a struct's accessors by name,
an array's members as a list under ``item``. On the wire every element says its type
(``xsi:type``), and an array says what it holds (``soapenc:arrayType``).
Replies are read with their references resolved (``href`` to an ``id``, Axis's ``multiRef``). The
members of an array are called ``item``, whatever the server calls them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import (
    ITEM,
    SOAP_ENCODING,
    SOAP_ENVELOPE,
    WSDL,
    XSD,
    XSI,
    split_name,
)
from claimbridge.contract.base.operation import ENCODED, Operation
from claimbridge.contract.calls.gate import Gate
from claimbridge.contract.calls.render import render
from claimbridge.contract.calls.shapes import Leaf, Shape
from claimbridge.contract.encoded.multiref import resolved
from claimbridge.contract.encoded.schema import with_calls
from claimbridge.contract.encoded.types import Array, EncodedTypes, Simple, Struct, sequence
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.declarations import Declarations
from claimbridge.contract.outline.offer import MessagePart, OfferedOperation, read_offer
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.errors import DocumentError
from claimbridge.findings import Finding

_PREFIXES: Final = {"soapenc": SOAP_ENCODING, "soapenv": SOAP_ENVELOPE, "xsd": XSD, "xsi": XSI}
_TYPE: Final = f"{{{XSI}}}type"
_ARRAY_TYPE: Final = f"{{{SOAP_ENCODING}}}arrayType"
_LENGTH: Final = re.compile(r"\[(\d{1,9})\]\s*$")
_STYLE: Final = f"{{{SOAP_ENVELOPE}}}encodingStyle"


class _Call:
    """One signature of an operation: its parts by name, with their types."""

    def __init__(self, name: str, parts: Mapping[str, str], types: EncodedTypes) -> None:
        self.name = name
        self.parts = parts
        shape = sequence(tuple(types.leaf(key, kind, required=True) for key, kind in parts.items()))
        self.leaf = Leaf(split_name(name)[1], name, required=True, most=1, shape=lambda: shape)


class EncodedCalls:
    """The rpc/encoded operations of a contract; all methods may be called from any thread."""

    def __init__(self, documents: Documents, declarations: Declarations) -> None:
        self._types = EncodedTypes(declarations)
        offered = [
            each
            for each in read_offer(documents).operations()
            if (each.style, each.use) == ("rpc", "encoded") and _is_typed(each)
        ]
        # A WSDL may overload a name; the signature with the fewest parts comes first.
        offered.sort(key=lambda each: len(each.input.parts))
        self._calls: dict[str, list[_Call]] = {}
        self._answers: dict[str, _Call] = {}
        operations: dict[str, Operation] = {}
        for each in offered:
            self._calls.setdefault(each.name, []).append(self._call(each.call, each.input.parts))
            answer = self._call(each.answer, each.output.parts if each.output else ())
            self._answers.setdefault(answer.name, answer)
            operations.setdefault(each.name, _operation(each, answer.name if each.output else ""))
        self.operations: Final[Mapping[str, Operation]] = MappingProxyType(operations)
        self._by_input = {calls[0].name: calls for calls in self._calls.values()}
        self._gates: dict[int, Gate] = {}
        self._documents = documents

    @property
    def answers(self) -> dict[str, Leaf]:
        """What is known of each reply, by ``{namespace}name``."""
        return {name: call.leaf for name, call in self._answers.items()}

    def takes(self, element_name: str) -> bool:
        """Whether ``{namespace}name`` is the wrapper of an encoded call."""
        return element_name in self._by_input

    def render(self, operation: str, body: Mapping[str, Any]) -> bytes:
        """Return the call with all its types, in canonical XML; else as ``calls.render`` does.

        If the name is overloaded, the signature counts that has all the parts of ``body``.
        """
        call = _fitting(self._calls[operation], body.keys())
        literal = xmlio.parse(render(call.leaf, body, self), what=operation)
        return _Writer(self._types).written(call, literal)

    def request_of(self, operation: str, keys: Collection[str]) -> Leaf:
        """Return what a call may hold; of an overloaded name's signatures as ``render`` chooses."""
        return _fitting(self._calls[operation], keys).leaf

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return None: an encoded value's type is the declared one."""
        return None

    def check(self, body: bytes, sources: Mapping[str, str]) -> tuple[Finding, ...]:
        """Return what is wrong with the values of a call; empty when nothing is.

        Raises DocumentError for what is not XML, and for references that lead nowhere.
        """
        root = self.literal(xmlio.parse(body, what="the request's body"))
        calls = self._by_input[str(root.tag)]
        overload = calls.index(_fitting(calls, _parts(root)))
        return self._gate(overload).check(xmlio.canonical(root), sources)

    def literal(self, element: etree._Element) -> etree._Element:
        """Return a call in the literal form, which the gate judges, as ``read`` does a reply."""
        calls = self._by_input.get(str(element.tag))
        if calls is None:
            return element
        whole = resolved(element)
        self._normalise(whole, _fitting(calls, _parts(whole)).parts)
        return whole

    def read(self, element: etree._Element) -> etree._Element:
        """Return a reply with its references resolved and the members of arrays called ``item``.

        An element that does not answer an encoded call comes back as it is. Raises DocumentError
        CB-152 or CB-155 for references that lead nowhere, in a circle or without end, and for an
        array that has fewer members than it says.
        """
        call = self._answer(element)
        if call is None:
            return element
        whole = resolved(element)
        self._normalise(whole, call.parts)
        return whole

    def _answer(self, element: etree._Element) -> _Call | None:
        local = xmlio.local_name(element)
        exact = self._answers.get(str(element.tag))
        # Axis answers in the namespace of the request or of the service, whatever the WSDL says.
        return exact or next(
            (c for n, c in self._answers.items() if split_name(n)[1] == local), None
        )

    def _call(self, name: str, parts: Sequence[MessagePart]) -> _Call:
        return _Call(name, {part.name: part.type for part in parts}, self._types)

    def _gate(self, overload: int) -> Gate:
        """Return the gate for the ``overload``-th signature of each name, compiled once."""
        if overload not in self._gates:
            calls = {
                name: overloads[min(overload, len(overloads) - 1)]
                for name, overloads in self._by_input.items()
            }
            leaves = {name: call.leaf for name, call in calls.items()}
            parts = {name: call.parts for name, call in calls.items()}
            documents = with_calls(self._documents, self._types, parts)
            self._gates[overload] = Gate(documents, Schemas(documents), leaves.get)
        return self._gates[overload]

    def _normalise(self, element: etree._Element, accessors: Mapping[str, str]) -> None:
        """Remove what only the encoding adds, and call the members of arrays ``item``."""
        _strip(element)
        for child in element.iterchildren(etree.Element):
            name = accessors.get(xmlio.local_name(child))
            if name is None:
                # Not of this struct. Perhaps a later version has put a wrapper in between.
                self._normalise(child, accessors)
            else:
                self._normalise_typed(child, name)

    def _normalise_typed(self, element: etree._Element, name: str) -> None:
        type_ = self._types.of(name)
        if isinstance(type_, Struct):
            self._normalise(element, type_.accessors)
            return
        if isinstance(type_, Array):
            _check_length(element)
        _strip(element)
        if isinstance(type_, Array):
            for member in element.iterchildren(etree.Element):
                member.tag = ITEM
                self._normalise_typed(member, type_.member)


class _Writer:
    """Adds the types to one call; never shared."""

    def __init__(self, types: EncodedTypes) -> None:
        self._types = types
        self._prefixes = {uri: prefix for prefix, uri in _PREFIXES.items()}

    def written(self, call: _Call, literal: etree._Element) -> bytes:
        """Return the call in canonical XML; all prefixes are declared at its root."""
        parts = [self._part(child, call.parts) for child in literal.iterchildren(etree.Element)]
        self._prefixes.setdefault(split_name(call.name)[0], "call")
        spaces = {prefix: uri for uri, prefix in self._prefixes.items() if uri}
        root = etree.Element(str(literal.tag), {_STYLE: SOAP_ENCODING}, spaces)
        root.extend(parts)
        # Read afresh, since lxml drops the prefixes of a built tree that only values use.
        whole = xmlio.parse(etree.tostring(root), what=call.leaf.local)
        return xmlio.canonical(whole, inclusive_prefixes=tuple(spaces))

    def _part(self, element: etree._Element, accessors: Mapping[str, str]) -> etree._Element:
        name = xmlio.local_name(element)
        return self._element(name, accessors[name], element)

    def _element(self, name: str, type_: str, literal: etree._Element) -> etree._Element:
        encoded_type = self._types.of(type_)
        element = etree.Element(name, {str(k): str(v) for k, v in literal.attrib.items()})
        children = list(literal.iterchildren(etree.Element))
        if isinstance(encoded_type, Array):
            element.set(_TYPE, "soapenc:Array")
            element.set(
                _ARRAY_TYPE,
                f"{self._qname(encoded_type.name)}{encoded_type.dimensions}[{len(children)}]",
            )
            element.extend(self._element(name, encoded_type.member, child) for child in children)
            return element
        element.set(_TYPE, self._qname(type_))
        if isinstance(encoded_type, Simple):
            element.text = literal.text
        else:
            element.extend(self._part(child, encoded_type.accessors) for child in children)
        return element

    def _qname(self, name: str) -> str:
        uri, local = split_name(name)
        if not uri:
            return local
        prefix = self._prefixes.setdefault(uri, f"ns{len(self._prefixes) - len(_PREFIXES) + 1}")
        return f"{prefix}:{local}"


def _is_typed(offered: OfferedOperation) -> bool:
    parts = (*offered.input.parts, *(offered.output.parts if offered.output else ()))
    return all(part.type for part in parts)


def _operation(offered: OfferedOperation, output: str) -> Operation:
    return Operation(
        name=offered.name,
        soap_action=offered.soap_action,
        input=offered.call,
        output=output,
        style=ENCODED,
    )


def _fitting(calls: Sequence[_Call], parts: Any) -> _Call:
    names = {str(part) for part in parts}
    return next((call for call in calls if names <= call.parts.keys()), calls[-1])


def _parts(call: etree._Element) -> list[str]:
    return [xmlio.local_name(part) for part in call.iterchildren(etree.Element)]


def _check_length(array: etree._Element) -> None:
    """Refuse an array that lacks members: nobody knows what the missing ones say.

    An array may have more members than it says: a later version may have added some.
    """
    length = _LENGTH.search(array.get(_ARRAY_TYPE, ""))
    members = sum(1 for _ in array.iterchildren(etree.Element))
    if length is not None and members < int(length[1]):
        raise DocumentError(
            f"the array {xmlio.local_name(array)} says that it has {length[1]} members, and has "
            f"{members}; it cannot be relied on",
            code="CB-155",
        )


def _strip(element: etree._Element) -> None:
    for key in list(element.attrib):
        space = split_name(str(key))[0]
        if space in (SOAP_ENCODING, SOAP_ENVELOPE, WSDL) or key in (_TYPE, "id"):
            del element.attrib[key]


__all__ = ["EncodedCalls"]
