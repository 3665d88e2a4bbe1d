"""Makes room for a signature in a SOAP envelope: the WS-Security header and the Body's wsu:Id.

X.509 Certificate Token Profile 1.1: the certificate travels as a BinarySecurityToken, and the
signature's KeyInfo points at it. A Timestamp says when the message was made.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from lxml import etree

from claimbridge.errors import SignatureInvalid, SigningError
from claimbridge.signing.form.dsig import (
    BASE64_BINARY,
    SIGNATURE,
    WSSE,
    WSU,
    X509_V3,
    wsse,
)
from claimbridge.signing.form.place import split_envelope
from claimbridge.signing.form.splice import Edit, write
from claimbridge.signing.form.structure import own_id

LIFETIME = timedelta(minutes=5)
"""How long a message is valid, by its own Timestamp: the usual default of WS-Security receivers."""

_DECLARED = f'xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"'


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope ready to be signed, and the ids that its signature will point at."""

    document: bytes
    body: str
    blocks: tuple[str, ...]
    timestamp: str
    token: str

    @property
    def key_info(self) -> str:
        """The KeyInfo that points at the certificate."""
        return (
            f'<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference '
            f'URI="#{self.token}" ValueType="{X509_V3}"></wsse:Reference>'
            "</wsse:SecurityTokenReference></ds:KeyInfo>"
        )


def make_room(
    document: bytes,
    root: etree._Element,
    *,
    certificate: str,
    now: datetime,
    headers: Sequence[str] = (),
) -> Room:
    """Return the envelope with certificate (base64) and Timestamp in its WS-Security header.

    An existing WS-Security header (with a UsernameToken, say) is used; otherwise one is made.
    Header blocks named in ``headers`` get ids too. Raises SigningError CB-301 when something in the
    Header is signed already, CB-302 when a block is missing, CB-307 for another document than an
    envelope.
    """
    try:
        header, body = split_envelope(root)
    except SignatureInvalid as error:
        raise SigningError(f"cannot be signed: {error.message}", code="CB-307") from error
    if header is not None and next(header.iter(SIGNATURE), None) is not None:
        raise SigningError("the envelope's Header carries a signature already", code="CB-301")
    unique = uuid.uuid4().hex
    blocks = _blocks(header, headers)
    names = [own_id(block) or f"block-{n}-{unique}" for n, block in enumerate(blocks)]
    room = Room(
        document=document,
        body=own_id(body) or f"body-{unique}",
        blocks=tuple(names),
        timestamp=f"timestamp-{unique}",
        token=f"x509-{unique}",
    )
    numbers = {element: number for number, element in enumerate(root.iter(etree.Element))}
    edits = {numbers[body]: Edit(attributes=_id_attribute(body, room.body))}
    for block, name in zip(blocks, names, strict=True):
        edits[numbers[block]] = Edit(attributes=_id_attribute(block, name))
    security = None if header is None else header.find(wsse("Security"))
    content = _content(room, certificate, now)
    if header is not None and security is not None:
        edits[numbers[security]] = Edit(child=content)
    elif header is not None:
        edits[numbers[header]] = Edit(child=_security(root, content))
    else:
        edits[numbers[body]] = Edit(
            before=_header(root, content), attributes=edits[numbers[body]].attributes
        )
    return msgspec.structs.replace(room, document=write(document, edits))


def _blocks(header: etree._Element | None, names: Sequence[str]) -> list[etree._Element]:
    """Return the header blocks called ``names``, without the WS-Security header."""
    children = () if header is None else header.iterchildren(etree.Element)
    found = [block for block in children if block.tag in names and block.tag != wsse("Security")]
    absent = sorted(set(names) - {str(block.tag) for block in found})
    if absent:
        raise SigningError(f"there is no header block {absent[0]} to sign", code="CB-302")
    return found


def _id_attribute(element: etree._Element, name: str) -> bytes:
    if own_id(element):
        return b""
    # wsu may be declared already, or stand for something else: no tag declares a prefix twice.
    candidates = (f"wsu{number or ''}" for number in itertools.count())
    prefix = next(found for found in candidates if element.nsmap.get(found) in (None, WSU))
    declared = "" if prefix in element.nsmap else f' xmlns:{prefix}="{WSU}"'
    return f'{declared} {prefix}:Id="{name}"'.encode()


def _content(room: Room, certificate: str, now: datetime) -> bytes:
    created, expires = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now, now + LIFETIME))
    return (
        f'<wsse:BinarySecurityToken {_DECLARED} EncodingType="{BASE64_BINARY}" '
        f'ValueType="{X509_V3}" wsu:Id="{room.token}">{certificate}</wsse:BinarySecurityToken>'
        f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="{room.timestamp}"><wsu:Created>{created}'
        f"</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
    ).encode()


def _security(root: etree._Element, content: bytes) -> bytes:
    envelope = etree.QName(root).namespace
    start = f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:env="{envelope}" env:mustUnderstand="1">'
    return start.encode() + content + b"</wsse:Security>"


def _header(root: etree._Element, content: bytes) -> bytes:
    name = f"{root.prefix}:Header" if root.prefix else "Header"
    return f"<{name}>".encode() + _security(root, content) + f"</{name}>".encode()
