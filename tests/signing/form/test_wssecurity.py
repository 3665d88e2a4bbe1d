"""WS-Security with more than the Body: header blocks are covered, a UsernameToken stays beside."""

from __future__ import annotations

import subprocess

import pytest

from claimbridge.clock import SYSTEM
from claimbridge.errors import SignatureInvalid, SigningError
from claimbridge.signing import Policy, Signer, verify
from claimbridge.signing.form.dsig import WSU
from claimbridge.soap.envelope import build
from claimbridge.soap.security import username_token

ACTION = b'<w:Action xmlns:w="urn:w">submit</w:Action>'
NAME = "{urn:w}Action"
OTHER = b'<w:Other xmlns:w="urn:w" xmlns:wsu="urn:not-wsu"/>'


@pytest.fixture(params=["1.1", "1.2"])
def envelope(request):
    token = username_token("user", "secret", digest=True, clock=SYSTEM)
    return build(b"<a>1</a>", version=request.param, headers=[token, ACTION, OTHER])


def test_a_chosen_header_cannot_be_altered(envelope, identity, throwaway):
    """A header block that was named is covered; one that was not may change."""
    signed = Signer(identity).sign_envelope(envelope, headers=[NAME])
    policy = Policy(trust=throwaway.trust, placement="soap")
    assert b"<a>1</a>" in verify(signed, policy).content
    verify(signed.replace(b"<w:Other ", b'<w:Other b="c" '), policy)
    with pytest.raises(SignatureInvalid, match="CB-328 Action was altered"):
        verify(signed.replace(b">submit<", b">reverse<"), policy)


def test_a_username_token_stays_beside_the_signature(envelope, identity):
    """There is one WS-Security header, with the UsernameToken as it was and the signature."""
    signed = Signer(identity).sign_envelope(envelope, headers=[NAME])
    start, end = envelope.index(b"<wsse:UsernameToken"), envelope.index(b"</wsse:UsernameToken>")
    assert envelope[start:end] in signed
    assert signed.count(b"</wsse:Security>") == 1
    assert signed.count(b"<ds:Reference ") == 3


def test_every_kind_of_prefix_gets_its_id(identity, throwaway):
    """A block in which wsu means something else is covered as well."""
    name = "{urn:w}Other"
    signed = Signer(identity).sign_envelope(
        build(b"<a/>", version="1.1", headers=[OTHER]), headers=[name]
    )
    verify(signed, Policy(trust=throwaway.trust, placement="soap"))
    with pytest.raises(SignatureInvalid, match="CB-328"):
        verify(
            signed.replace(b"<w:Other ", b'<w:Other b="c" '),
            Policy(trust=throwaway.trust, placement="soap"),
        )


@pytest.mark.parametrize("name", ["{urn:w}Missing", "Action", "{urn:w}Body"])
def test_a_header_that_is_not_there_is_refused(name, envelope, identity):
    """What is to be covered must be there."""
    with pytest.raises(SigningError, match="CB-302"):
        Signer(identity).sign_envelope(envelope, headers=[NAME, name])


def test_xmlsec1_accepts_it(envelope, identity, throwaway, peer, tmp_path):
    """xmlsec1 finds the signature over Body, Timestamp and header block valid."""
    (tmp_path / "signed.xml").write_bytes(Signer(identity).sign_envelope(envelope, headers=[NAME]))
    (tmp_path / "signer.pem").write_bytes(throwaway.pin)
    namespace = envelope.partition(b"Envelope xmlns:")[2].split(b'"')[1].decode()
    command = [peer("xmlsec1"), "--verify", "--pubkey-cert-pem", tmp_path / "signer.pem"]
    for each in (f"{namespace}:Body", f"{WSU}:Timestamp", "urn:w:Action"):
        command += ["--id-attr:Id", each]
    run = subprocess.run([*command, tmp_path / "signed.xml"], capture_output=True, timeout=30)
    assert run.returncode == 0, run.stderr
