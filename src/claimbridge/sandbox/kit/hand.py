"""A document in another hand: other prefixes, white space and escapes, and the same meaning.

Elements, their order, their attributes and their texts stay as they are. Comments and white space
come only where an element holds nothing but elements.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

import msgspec
from lxml import etree

from claimbridge.soap.envelope import NAMESPACES

_XML: Final = "http://www.w3.org/XML/1998/namespace"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_SOAP: Final = frozenset(NAMESPACES.values())
_QNAME: Final = re.compile(r"([A-Za-z_][\w.-]*):[A-Za-z_]")
_NAMED_BY: Final = re.compile(r"(?:faultcode|Value|\{[^}]*\}(?:Value|type|arrayType|itemType))")
"""Elements and attributes whose value is a qualified name."""
_SOAP_PREFIXES: Final = ("soapenv", "soap-env", "SOAP-ENV", "S", "env", "SOAP", "e1")
_LETTERS: Final = ("a", "b", "m", "tns", "wd2", "q1", "typ", "com", "urn", "n0", "x-1", "_p")
_REMARKS: Final = (" node-2 ", " generated ", " 1 row ", " cached: no ", "")
_Scope = dict[str, str]


class Hand(msgspec.Struct, frozen=True):
    """How a document is written.

    ``prefixes``: ``kept``; ``numbered`` (``ns1``); ``lettered``; ``default`` (``xmlns=`` wherever
    the namespace changes). ``everywhere``: prefixes are declared at each element that uses them.
    ``early``: all of them at the root. ``indent`` None: no white space between elements.
    ``escapes``: ``plain``, ``references`` (characters by number) or ``cdata``. ``remarks`` is how
    likely a comment stands before an element.
    """

    prefixes: str = "kept"
    soap: str = ""
    everywhere: bool = False
    early: bool = False
    indent: str | None = None
    quote: str = '"'
    hollow: str = "<{}/>"
    escapes: str = "plain"
    remarks: float = 0.0

    @classmethod
    def drawn(cls, draw: random.Random) -> Hand:
        """Return a hand by chance."""
        return cls(
            prefixes=draw.choice(("kept", "numbered", "lettered", "default")),
            soap=draw.choice(_SOAP_PREFIXES),
            everywhere=draw.random() < 0.3,
            early=draw.random() < 0.3,
            indent=draw.choice((None, None, "\n", "\n  ", "\r\n\t", " ")),
            quote=draw.choice("\"'"),
            hollow=draw.choice(("<{}/>", "<{} />", "<{}></{}>")),
            escapes=draw.choice(("plain", "plain", "references", "cdata")),
            remarks=draw.choice((0.0, 0.0, 0.15)),
        )

    def write(self, root: etree._Element, draw: random.Random) -> str:
        """Return the document without an XML declaration; ``draw`` decides the smaller things."""
        return _Writing(self, root, draw).document(root)


class _Writing:
    """One document under way."""

    def __init__(self, hand: Hand, root: etree._Element, draw: random.Random) -> None:
        self._hand, self._draw = hand, draw
        elements = list(root.iter(etree.Element))
        self._taken = {prefix for one in elements for prefix in one.nsmap if prefix}
        self._used = list(dict.fromkeys(_space(one) for one in elements))
        self._given: dict[str, str] = {_XML: "xml"}

    def document(self, root: etree._Element) -> str:
        parts = list(self._element(root, {"xml": _XML, "": ""}, 0))
        after = "\n" if self._hand.indent else ""
        return "".join(parts) + after + self._remark()

    def _element(self, one: etree._Element, scope: _Scope, depth: int) -> Iterator[str]:
        declared: _Scope = {}
        name = self._name(one, scope, declared)
        attributes = [
            (
                self._attribute(str(key), scope, declared),
                self._value(one, str(key), value, scope, declared),
            )
            for key, value in one.attrib.items()
        ]
        self._draw.shuffle(attributes)
        text = self._value(one, str(one.tag), one.text or "", scope, declared)
        if not depth and self._hand.early:
            self._declare_all(scope, declared)
        spaces = [
            (f"xmlns:{prefix}" if prefix else "xmlns", uri) for prefix, uri in declared.items()
        ]
        quote = self._hand.quote
        head = name + "".join(
            f" {key}={quote}{_quoted(value)}{quote}" for key, value in [*spaces, *attributes]
        )
        if not len(one) and not text:
            yield self._hand.hollow.format(head, name)
            return
        yield f"<{head}>"
        inner = {**scope, **self._lasting(declared)}
        yield from self._content(one, text, inner, depth)
        yield f"</{name}>"

    def _content(self, one: etree._Element, text: str, scope: _Scope, depth: int) -> Iterator[str]:
        loose = len(one) > 0 and not text.strip() and not any((c.tail or "").strip() for c in one)
        indent = self._hand.indent if loose else None
        if not loose:
            yield self._text(text)
        for child in one:
            if loose:
                yield self._remark()
            if indent is not None:
                yield indent + "  " * depth if len(indent) > 1 else indent
            yield from self._node(child, scope, depth + 1)
            if not loose:
                yield self._text(child.tail or "")
        if indent is not None:
            yield "\n"

    def _node(self, child: etree._Element, scope: _Scope, depth: int) -> Iterator[str]:
        if isinstance(child.tag, str):
            yield from self._element(child, scope, depth)
        else:
            yield etree.tostring(child, encoding="unicode", with_tail=False)

    def _lasting(self, declared: _Scope) -> _Scope:
        """Return what the children may rely on."""
        if not self._hand.everywhere:
            return declared
        return {p: uri for p, uri in declared.items() if not p or uri in _SOAP}

    def _declare_all(self, scope: _Scope, declared: _Scope) -> None:
        for uri in [*self._used, "http://www.w3.org/2001/XMLSchema"]:
            if uri:
                self._prefix(uri, scope, declared)

    def _name(self, one: etree._Element, scope: _Scope, declared: _Scope) -> str:
        uri, local = _space(one), etree.QName(one).localname
        prefix = ""
        if uri and uri not in _SOAP and self._hand.prefixes == "kept":
            prefix = one.prefix or ""
            _bind(prefix, uri, scope, declared)
        elif uri in _SOAP or (uri and self._hand.prefixes != "default"):
            prefix = self._prefix(uri, scope, declared)
        else:
            _bind("", uri, scope, declared)
        return f"{prefix}:{local}" if prefix else local

    def _attribute(self, key: str, scope: _Scope, declared: _Scope) -> str:
        name = etree.QName(key)
        if not name.namespace:
            return name.localname
        return f"{self._prefix(name.namespace, scope, declared)}:{name.localname}"

    def _value(
        self, one: etree._Element, place: str, value: str, scope: _Scope, declared: _Scope
    ) -> str:
        """Return a value; a prefix that it begins with is replaced, or stays declared."""
        found = _QNAME.match(value.strip())
        uri = one.nsmap.get(found[1]) if found else None
        if found is None or uri is None:
            return value
        if not _NAMED_BY.fullmatch(place):
            _bind(found[1], uri, scope, declared)
            return value
        return f"{self._prefix(uri, scope, declared)}{value.strip()[found.end(1) :]}"

    def _prefix(self, uri: str, scope: _Scope, declared: _Scope) -> str:
        """Return the prefix of a namespace, and declare it where it is not."""
        if uri not in self._given:
            free = (one for one in self._candidates(uri) if one not in self._taken)
            self._given[uri] = next(free)
            self._taken.add(self._given[uri])
        _bind(self._given[uri], uri, scope, declared)
        return self._given[uri]

    def _candidates(self, uri: str) -> Iterator[str]:
        if uri in _SOAP:
            yield from (self._hand.soap or "soapenv", *_SOAP_PREFIXES)
        if uri == _XSI:
            yield "xsi"
        if self._hand.prefixes == "lettered":
            yield from self._draw.sample(_LETTERS, len(_LETTERS))
        yield from (f"ns{number}" for number in range(1, 1000))

    def _remark(self) -> str:
        if self._draw.random() >= self._hand.remarks:
            return ""
        return f"<!--{self._draw.choice(_REMARKS)}-->"

    def _text(self, text: str) -> str:
        if self._hand.escapes == "cdata" and re.search("[<&]", text) and "\r" not in text:
            return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
        escaped = _escaped(text)
        if self._hand.escapes != "references":
            return escaped
        return "".join(one if one.isascii() else f"&#x{ord(one):X};" for one in escaped)


def _bind(prefix: str, uri: str, scope: _Scope, declared: _Scope) -> None:
    if {**scope, **declared}.get(prefix) != uri:
        declared[prefix] = uri


def _space(one: etree._Element) -> str:
    return etree.QName(one).namespace or ""


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _quoted(value: str) -> str:
    value = _escaped(value).replace('"', "&quot;").replace("'", "&apos;")
    return value.replace("\n", "&#10;").replace("\t", "&#9;")
