"""Envelopes: what goes in stands unchanged, what comes out is taken from its one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claimbridge import xmlio
from claimbridge.errors import DocumentError
from claimbridge.soap.envelope import NAMESPACES, SOAP11, SOAP12, build, open_envelope

BODIES = [
    b'<v:Voucher xmlns:v="urn:v"><v:Amount currency="CNY">1.50</v:Amount></v:Voucher>',
    b'<Voucher xmlns="urn:v"><Line xmlns="">x</Line></Voucher>',
    b"<Voucher><Text>\n  two\tlines &amp; a &lt;tag&gt;\n</Text></Voucher>",
    '<soap:Voucher xmlns:soap="urn:our-own-soap">钱 😀</soap:Voucher>'.encode(),
]


@pytest.mark.parametrize("version", [SOAP11, SOAP12])
@pytest.mark.parametrize("body", BODIES)
def test_the_body_stands_unchanged(version: str, body: bytes) -> None:
    """The validated, signed bytes are in the envelope as they are, and mean the same there."""
    message = build(body, version=version, headers=[b'<h:One xmlns:h="urn:h"/>', b"<Two/>"])
    assert body in message
    opened = open_envelope(message)
    assert opened.version == version
    assert [xmlio.local_name(header) for header in opened.headers] == ["One", "Two"]
    assert opened.fault is None
    assert opened.body is not None
    assert xmlio.canonical(opened.body) == body


def test_without_headers_there_is_no_header() -> None:
    """An envelope carries a Header only when it has something in it."""
    assert b"Header" not in build(b"<a/>", version=SOAP11)
    assert open_envelope(build(b"<a/>", version=SOAP11)).headers == ()


@pytest.mark.parametrize("part", [b"", b"text", b'<?xml version="1.0"?><a/>', b"<!-- c --><a/>"])
def test_only_elements_go_in(part: bytes) -> None:
    """An XML declaration in the middle of a message would make it unreadable."""
    with pytest.raises(DocumentError) as caught:
        build(part, version=SOAP11)
    assert caught.value.code == "CB-157"
    with pytest.raises(DocumentError):
        build(b"<a/>", version=SOAP12, headers=[part])


def soap(inside: str, version: str = SOAP11) -> bytes:
    return f'<s:Envelope xmlns:s="{NAMESPACES[version]}">{inside}</s:Envelope>'.encode()


OTHER = f'xmlns:o="{NAMESPACES[SOAP12]}"'


@pytest.mark.parametrize(
    "inside",
    [
        "<s:Body><a/></s:Body>",
        "\n<s:Header/>\n<!-- c --><?pi x?><s:Body>\n<!-- c --><?pi x?><a/>\n</s:Body>\n",
        "<s:Body><a/></s:Body><trailer xmlns='urn:t'/>",
    ],
)
def test_what_does_no_harm_is_passed_over(inside: str) -> None:
    """Comments, processing instructions, white space and foreign trailers change nothing."""
    for version in NAMESPACES:
        opened = open_envelope(b'<?xml version="1.0"?><?pi?>' + soap(inside, version))
        assert opened.body is not None
        assert opened.body.tag == "a"
        assert opened.version == version


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<s:Header/>",
        "<s:Body/>",
        "<s:Body>text</s:Body>",
        "<s:Body><a/><b/></s:Body>",
        "<s:Body><a/><s:Fault/></s:Body>",
        "<s:Body><s:Fault/><a/></s:Body>",
        "<s:Body><a/></s:Body><s:Body><a/></s:Body>",
        "<s:Body><a/></s:Body><s:Header/>",
        "<wrapper><s:Body><a/></s:Body></wrapper>",
        "<wrapper/><s:Body><a/></s:Body>",
        "<s:Header/><s:Header/><s:Body><a/></s:Body>",
        "<Body><a/></Body>",
        f"<o:Body {OTHER}><a/></o:Body>",
        f"<s:Body><a/></s:Body><o:Body {OTHER}><b/></o:Body>",
    ],
)
def test_a_doubtful_structure_is_refused(inside: str) -> None:
    """Where it is a guess which element is the answer, there is no answer."""
    with pytest.raises(DocumentError) as caught:
        open_envelope(soap(inside))
    assert caught.value.code == "CB-159"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<a/>", "CB-158"),
        (b"<Envelope><Body><a/></Body></Envelope>", "CB-158"),
        (b'<s:Message xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>', "CB-158"),
        (b"", "CB-150"),
        (soap("<s:Body><a/></s:Body>")[:-4], "CB-150"),
        (b"<!DOCTYPE a>" + soap("<s:Body><a/></s:Body>"), "CB-151"),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes, code: str) -> None:
    """A reply that is cut off, hostile or of another kind is never half read."""
    with pytest.raises(DocumentError) as caught:
        open_envelope(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "version"), [("reply-success-2024.xml", SOAP11), ("reply-error-2020.xml", SOAP12)]
)
def test_real_replies_open(shared: Callable[[str], Path], name: str, version: str) -> None:
    """SAP's own replies open in the version each was sent in."""
    opened = open_envelope(shared(f"contracts/sap-journal-entry/{name}").read_bytes())
    assert opened.version == version
    assert opened.body is not None
    assert xmlio.local_name(opened.body) == "JournalEntryBulkCreateConfirmation"
