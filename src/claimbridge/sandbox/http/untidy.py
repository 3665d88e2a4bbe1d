"""What servers and gateways do to any SOAP reply without changing what it says."""

from __future__ import annotations

from typing import Final

from lxml import etree

from claimbridge.contract.base.names import SOAP_ENCODING
from claimbridge.errors import DocumentError
from claimbridge.sandbox.kit.hand import Hand
from claimbridge.sandbox.kit.manner import Manner
from claimbridge.xmlio import local_name, namespace, parse

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_GATEWAY: Final = "{urn:gateway.invalid:trace}"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_TYPE: Final = f"{_XSI}type"
_SECURITY: Final = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
)


def untidy(envelope: bytes, manner: Manner, *, signs: bool = False) -> bytes:
    """Return an envelope as another server would write it; unchanged when ``manner`` is tidy.

    ``signs``: the envelope is signed afterwards, and gets no security header of another's. A
    document that holds a signature already, or that cannot be read, stays as it is.
    """
    if not manner.lifelike:
        return envelope
    try:
        root = parse(envelope, what="the sandbox's own reply")
    except DocumentError:
        return envelope
    if next(root.iter(_SIGNATURE), None) is not None:
        return envelope
    _refer(root, manner)
    _add_headers(root, manner, signs=signs)
    _add_attributes(root, manner)
    draw = manner.draw("hand")
    return (_DECLARATION + Hand.drawn(draw).write(root, draw)).encode()


def _refer(root: etree._Element, manner: Manner) -> None:
    """Put arrays of an rpc/encoded reply beside it, as Axis does (SOAP 1.1 §5.4.1)."""
    child = _message(root)
    style = f"{{{namespace(root)}}}encodingStyle"
    if child is None or not child.get(style) or not manner.happens("multi-ref", chance=0.4):
        return
    parts = [one for one in child.iterchildren(etree.Element) if len(one) and one.get(_TYPE)]
    for number, part in enumerate(parts):
        made = etree.Element("multiRef", part.attrib, nsmap=dict(part.nsmap))
        made[:] = list(part)
        made.set("id", f"id{number}")
        made.set(f"{{{SOAP_ENCODING}}}root", "0")
        made.set(style, SOAP_ENCODING)
        part.attrib.clear()
        part.text = None
        part.set("href", f"#id{number}")
        child.addnext(made)


def _message(root: etree._Element) -> etree._Element | None:
    body = root.find(f"{{{namespace(root)}}}Body")
    return None if body is None else next(body.iterchildren(etree.Element), None)


def _add_headers(root: etree._Element, manner: Manner, *, signs: bool) -> None:
    """Add header blocks beside those that are there; every one may be passed over."""
    space = f"{{{namespace(root)}}}"
    blocks = []
    if manner.happens("header-trace"):
        block = etree.Element(f"{_GATEWAY}Trace", {f"{space}mustUnderstand": "0"})
        block.text = f"{manner.turn:08x}"
        blocks.append(block)
    if not signs and manner.happens("header-security", chance=0.2):
        blocks.append(etree.Element(_SECURITY))
    if not blocks and not manner.happens("header-empty", chance=0.3):
        return
    header = root.find(f"{space}Header")
    if header is None:
        header = etree.Element(f"{space}Header")
        root.insert(0, header)
    header.extend(blocks)


def _add_attributes(root: etree._Element, manner: Manner) -> None:
    """Add what schema tools leave behind, to the Body's child."""
    child = _message(root)
    if child is None or local_name(child) == "Fault":
        return
    if manner.happens("schema-location", chance=0.2):
        child.set(f"{_XSI}schemaLocation", f"{namespace(child) or 'urn:x'} reply.xsd")
