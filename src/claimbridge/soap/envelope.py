"""SOAP envelopes, 1.1 and 1.2: a body's bytes put in unchanged, and a reply's taken out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract import Contract, Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.encoded.multiref import is_independent
from claimbridge.errors import DocumentError
from claimbridge.soap.faults import SoapFault, fault_from

SOAP11: Final = "1.1"
SOAP12: Final = "1.2"

NAMESPACES: Final = {
    SOAP11: "http://schemas.xmlsoap.org/soap/envelope/",
    SOAP12: "http://www.w3.org/2003/05/soap-envelope",
}
_VERSIONS: Final = {namespace: version for version, namespace in NAMESPACES.items()}


class Envelope(msgspec.Struct, frozen=True, eq=False):
    """An opened envelope; exactly one of ``body`` and ``fault`` is None.

    ``version`` is what the envelope itself says, which need not be what was asked in.
    ``headers`` are the Header's children; empty when there is no Header.
    """

    version: str
    headers: tuple[etree._Element, ...]
    body: etree._Element | None
    fault: SoapFault | None


class SoapReply(msgspec.Struct, frozen=True, eq=False):
    """An opened reply, its signature judged where one is demanded; nothing in it was read yet.

    ``bound`` False: the reply is signed, and yet nothing signed says that it answers this very
    request. It may be the true answer to an earlier one. ``seal`` is what the reply is known by if
    it comes again before ``until``; "" where a repeat does not matter. ``drift`` says, a sentence
    each, what was wrong with how the reply was written or sent.
    """

    envelope: Envelope
    drift: tuple[str, ...] = ()
    bound: bool = True
    seal: str = ""
    until: datetime | None = None

    def content(self, contract: Contract) -> Reply | Fault:
        """Return what the reply says, by what a contract has where.

        Raises DocumentError where its references lead nowhere.
        """
        if self.envelope.fault is not None:
            return self.envelope.fault.neutral(contract)
        assert self.envelope.body is not None  # an envelope has a fault or a body
        return contract.reply(self.envelope.body)


def build(body: bytes, *, version: str, headers: Sequence[bytes] = ()) -> bytes:
    """Return an envelope around ``body``, an element's bytes that stand in it unchanged.

    ``headers`` are elements too; without any there is no Header. Each must bring all its own
    namespace declarations, as exclusive canonical XML does. Raises DocumentError (CB-157) for
    bytes that begin with anything but an element: an XML declaration has no place inside.
    """
    for part in (body, *headers):
        if not part.startswith(b"<") or part.startswith((b"<?", b"<!", b"</")):
            raise DocumentError(
                "only an element can be put into an envelope; leave out the XML declaration",
                code="CB-157",
            )
    header = (b"<soap:Header>", *headers, b"</soap:Header>") if headers else ()
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="',
            NAMESPACES[version].encode("ascii"),
            b'">',
            *header,
            b"<soap:Body>",
            body,
            b"</soap:Body></soap:Envelope>",
        )
    )


def open_envelope(data: bytes) -> Envelope:
    """Return the parts of a SOAP message of either version.

    Comments and processing instructions are passed over, and so are foreign elements after the
    Body (SOAP 1.1 §4 allows them), and what stands after the message only to be referred to
    (``multiRef``). A second Body, a Body with several messages, or a Fault with a sibling is
    refused: which of them counts would be a guess.

    Raises DocumentError: CB-15x when it is no readable XML, CB-158 when it is no envelope, CB-159
    when Header or Body are not as SOAP says.
    """
    root = xmlio.parse(data, what="the reply")
    version = _VERSIONS.get(xmlio.namespace(root))
    if version is None or xmlio.local_name(root) != "Envelope":
        raise DocumentError(
            f"the reply is no SOAP envelope but {root.tag!s:.120}; check the endpoint",
            code="CB-158",
        )
    header, body = _parts(root, NAMESPACES[version])
    return _envelope_of(version, () if header is None else tuple(_children(header)), body)


def open_body(data: bytes) -> Envelope:
    """Return the parts of a message of which only the Body is to be read: its signed bytes.

    There are no ``headers``. Raises DocumentError as ``open_envelope`` does.
    """
    root = xmlio.parse(data, what="the reply's Body")
    version = _VERSIONS.get(xmlio.namespace(root))
    if version is None or xmlio.local_name(root) != "Body":
        raise _unusable("what is signed is no Body")
    return _envelope_of(version, (), root)


def _envelope_of(
    version: str, headers: tuple[etree._Element, ...], body: etree._Element
) -> Envelope:
    content = _children(body)
    # SOAP 1.1 §5.6: Axis puts values that are referred to beside the message, with an id each.
    messages = [
        each for number, each in enumerate(content) if not number or not _is_referred_to(each)
    ]
    if len(messages) != 1:
        raise _unusable(f"its Body holds {len(content)} elements instead of one")
    only = messages[0]
    if _is_fault(only):
        return Envelope(version, headers, None, fault_from(only))
    return Envelope(version, headers, only, None)


def _parts(root: etree._Element, namespace: str) -> tuple[etree._Element | None, etree._Element]:
    """Return Header and Body, which come first, in this order, and once."""
    children = _children(root)
    header = None
    if children and children[0].tag == f"{{{namespace}}}Header":
        header = children.pop(0)
    if not children or children[0].tag != f"{{{namespace}}}Body":
        raise _unusable("it has no Body in its place")
    body = children.pop(0)
    if any(xmlio.namespace(child) in _VERSIONS for child in children):
        raise _unusable("it has more than one Header or Body")
    return header, body


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _is_referred_to(element: etree._Element) -> bool:
    return is_independent(element) and not _is_fault(element)


def _is_fault(element: etree._Element) -> bool:
    # The Fault of the other version is a Fault all the same: gateways wrap what they pass on.
    return xmlio.local_name(element) == "Fault" and xmlio.namespace(element) in _VERSIONS


def _unusable(why: str) -> DocumentError:
    return DocumentError(f"the reply is no usable SOAP envelope: {why}", code="CB-159")
