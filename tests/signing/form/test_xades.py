"""XAdES-BES: accepted by others, alone and in an envelope, and checked on the way in."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier
from tests.signing.issuing import AT, At, issue

from claimbridge.errors import SignatureInvalid, SigningError
from claimbridge.signing import Identity, Policy, Signer, verify
from claimbridge.signing.form.xades import Properties, properties_to_sign
from claimbridge.signing.keys.keys import SoftwareKey

DOCUMENT = (
    '<v:Voucher xmlns:v="urn:claimbridge:voucher:1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Id="V-1"><v:Text>差旅</v:Text>'
    "</v:Voucher>"
).encode()
ENVELOPE = (
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:other" '
    b'xmlns:q="urn:q"><soap:Body>%s</soap:Body></soap:Envelope>'
)
HOLDER = issue("xades")


@pytest.fixture(scope="module")
def signed():
    return Signer(Identity.from_pem(HOLDER.identity_pem()), clock=At()).sign_xades(DOCUMENT)


@pytest.mark.parametrize("document", [DOCUMENT, DOCUMENT.replace(b' Id="V-1"', b"")])
def test_the_moment_of_signing_is_signed(document):
    """What verifies says when it was signed; a plain signature does not say."""
    signer = Signer(Identity.from_pem(HOLDER.identity_pem()), clock=At())
    policy = Policy(pin=HOLDER.pem, at=AT + timedelta(days=2))
    assert verify(signer.sign_xades(document), policy).signing_time == AT
    assert verify(signer.sign(document), policy).signing_time is None


@pytest.mark.parametrize("around", [b"%s", ENVELOPE], ids=["alone", "in an envelope"])
def test_signxml_accepts_it(around, signed):
    """Signxml's XAdES verifier accepts it, also where other namespaces are in scope."""
    results = XAdESVerifier().verify(
        around % signed,
        x509_cert=HOLDER.pem.decode(),
        expect_config=XAdESSignatureConfiguration(expect_references=2, location=".//"),
    )
    assert len(results) == 2


@pytest.mark.parametrize("around", [b"%s", ENVELOPE], ids=["alone", "in an envelope"])
def test_xmlsec1_accepts_it(around, signed, peer, tmp_path):
    """xmlsec1 finds the signature valid, also where other namespaces are in scope."""
    (tmp_path / "signed.xml").write_bytes(around % signed)
    (tmp_path / "signer.pem").write_bytes(HOLDER.pem)
    command = [peer("xmlsec1"), "--verify", "--pubkey-cert-pem", tmp_path / "signer.pem"]
    for name in ("urn:claimbridge:voucher:1:Voucher", f"{XADES}:SignedProperties"):
        command += ["--id-attr:Id", name]
    run = subprocess.run([*command, tmp_path / "signed.xml"], capture_output=True, timeout=30)
    assert run.returncode == 0, run.stderr


XADES = "http://uri.etsi.org/01903/v1.3.2#"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Z</xades:SigningTime>", b".5Z</xades:SigningTime>", "CB-328"),
        (b'Target="#', b'Target="#x', "CB-350"),
        (b"</xades:SignedProperties>", b"</xades:SignedProperties><a/>", "CB-350"),
        (b"<ds:Object>", b"<ds:Object/><ds:Object>", "CB-322"),
        ("差旅".encode(), b"x", "CB-328"),
    ],
)
def test_an_altered_one_is_refused(old, new, code, signed):
    """Nothing that is signed, and nothing beside it, can be changed."""
    assert old in signed
    with pytest.raises(SignatureInvalid) as caught:
        verify(signed.replace(old, new, 1), Policy(pin=HOLDER.pem, at=AT))
    assert caught.value.code == code


def _signed_saying(monkeypatch, change) -> bytes:
    """Sign as a signer would that states something else."""

    def altered(certificate, now) -> Properties:
        return change(certificate, now)

    monkeypatch.setattr("claimbridge.signing.sign.properties_to_sign", altered)
    return Signer(Identity(SoftwareKey(HOLDER.key), HOLDER.certificate), clock=At()).sign_xades(
        DOCUMENT
    )


@pytest.mark.parametrize(
    ("days", "code"), [(1, "CB-352"), (-3, "CB-352")], ids=["to come", "before the certificate"]
)
def test_a_moment_that_cannot_be_is_refused(days, code, monkeypatch):
    """A signing time in the future, or before the certificate was valid, does not count."""
    document = _signed_saying(
        monkeypatch, lambda cert, now: properties_to_sign(cert, now + timedelta(days=days))
    )
    with pytest.raises(SigningError) as caught:
        verify(document, Policy(pin=HOLDER.pem, at=AT))
    assert caught.value.code == code


def test_another_certificate_is_refused(monkeypatch):
    """The signature must name the certificate that it comes with."""
    other = issue("other").certificate
    document = _signed_saying(monkeypatch, lambda cert, now: properties_to_sign(other, now))
    with pytest.raises(SigningError) as caught:
        verify(document, Policy(pin=HOLDER.pem, at=AT))
    assert caught.value.code == "CB-351"
