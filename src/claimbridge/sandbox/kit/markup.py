"""Reading requests, and writing replies: elements, envelopes and Faults of both SOAP versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from claimbridge.sandbox.kit.responder import ErpAnswer
from claimbridge.soap.envelope import NAMESPACES, SOAP11, SOAP12, build

MEDIA_TYPES: Final = {SOAP11: "text/xml", SOAP12: "application/soap+xml"}
_CODES: Final = {
    SOAP11: {"sender": "Client", "receiver": "Server"},
    SOAP12: {"sender": "Sender", "receiver": "Receiver"},
}


def element(tag: str, *content: etree._Element | str | None) -> etree._Element:
    """Return an element with children in order; texts are its text, None is left out."""
    made = etree.Element(tag)
    for part in content:
        if isinstance(part, str):
            made.text = (made.text or "") + part
        elif part is not None:
            made.append(part)
    return made


def optional(tag: str, text: str) -> etree._Element | None:
    """Return an element with ``text``, None for an empty one."""
    return element(tag, text) if text else None


def text_at(parent: etree._Element, path: str) -> str:
    """Return the text of the first element at ``path``, "" where there is none.

    White space around it is no part of the value, as for xs:token.
    """
    return parent.findtext(path, "").strip()


def render(root: etree._Element) -> bytes:
    """Return the bytes of a Body's child."""
    return etree.tostring(root, encoding="utf-8")


def envelope(answer: ErpAnswer, version: str, headers: Sequence[bytes] = ()) -> tuple[int, bytes]:
    """Return the HTTP status and the envelope of an answer, in the SOAP version of its request."""
    if not answer.fault:
        return 200, build(answer.content, version=version, headers=headers)
    code = _CODES[version][answer.fault]
    if answer.subcode and version == SOAP11:  # SOAP 1.1 §4.4.1: more after a dot
        code = f"{code}.{answer.subcode}"
    fault = _fault(version, code, answer.reason, answer.content)
    # SOAP 1.2 part 2, table 17: 400 for env:Sender. SOAP 1.1 §6.2: 500 for every Fault.
    status = 400 if version == SOAP12 and answer.fault == "sender" else 500
    return status, build(fault, version=version, headers=headers)


def _fault(version: str, code: str, reason: str, detail: bytes) -> bytes:
    said, space = escape(reason).encode(), NAMESPACES[version].encode()
    if version == SOAP11:
        # SOAP 1.1 §4.4: the detail is absent where the Body was not at fault.
        held = b"<detail>%b</detail>" % detail if detail else b""
        return (
            b'<soap:Fault xmlns:soap="%b"><faultcode>soap:%b</faultcode>'
            b"<faultstring>%b</faultstring>%b</soap:Fault>" % (space, code.encode(), said, held)
        )
    held = b"<env:Detail>%b</env:Detail>" % detail if detail else b""
    return (
        b'<env:Fault xmlns:env="%b"><env:Code><env:Value>env:%b</env:Value></env:Code>'
        b'<env:Reason><env:Text xml:lang="en">%b</env:Text></env:Reason>%b</env:Fault>'
        % (space, code.encode(), said, held)
    )
