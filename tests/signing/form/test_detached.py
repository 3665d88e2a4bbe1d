"""Signatures beside what they cover: one over many, each checked alone."""

from __future__ import annotations

import subprocess

import pytest

from claimbridge.errors import ConfigurationError, SignatureInvalid, SignerUntrusted, SigningError
from claimbridge.signing import (
    CallbackKey,
    Identity,
    Policy,
    Signer,
    SoftwareKey,
    Verified,
    verify,
    verify_detached,
)
from claimbridge.signing.keys.throwaway import make

CONTENTS = {
    f"V-{number}.xml": f"<Voucher>差旅 {number}</Voucher>\r\n".encode() for number in range(100)
}


@pytest.fixture(scope="module")
def signature(identity):
    return Signer(identity).sign_detached(CONTENTS)


def test_every_voucher_of_a_batch_has_its_verdict(signature, throwaway):
    """What is right is returned as it was, what was altered or never signed says so, by name."""
    brought = {**CONTENTS, "V-7.xml": b"<Voucher>8</Voucher>", "V-999.xml": b"<Voucher/>"}
    verdicts = verify_detached(signature, brought, Policy(trust=throwaway.trust))
    assert list(verdicts) == list(brought)
    altered, unknown = verdicts.pop("V-7.xml"), verdicts.pop("V-999.xml")
    assert isinstance(altered, SignatureInvalid)
    assert isinstance(unknown, SignatureInvalid)
    assert (altered.code, unknown.code) == ("CB-328", "CB-325")
    for name, verdict in verdicts.items():
        assert isinstance(verdict, Verified)
        assert verdict.content == CONTENTS[name]


def test_one_of_a_batch_is_checked_alone(signature, throwaway):
    """The other contents need not be there."""
    one = {"V-3.xml": CONTENTS["V-3.xml"]}
    verdict = verify_detached(signature, one, Policy(trust=throwaway.trust))["V-3.xml"]
    assert isinstance(verdict, Verified)
    assert verdict.element().text == "差旅 3"


def test_contents_do_not_stand_in_for_each_other(signature, throwaway):
    """A signed content under the name of another is refused."""
    swapped = {"V-1.xml": CONTENTS["V-2.xml"]}
    verdict = verify_detached(signature, swapped, Policy(trust=throwaway.trust))["V-1.xml"]
    assert isinstance(verdict, SignatureInvalid)


def test_a_batch_is_one_operation_of_the_key(throwaway):
    """A hundred contents ask the key once."""
    calls: list[bytes] = []
    inner = SoftwareKey(throwaway.key)

    def sign(data: bytes) -> bytes:
        calls.append(data)
        return inner.sign(data)

    key = CallbackKey(sign, algorithm=inner.algorithm)
    Signer(Identity(key, throwaway.certificate)).sign_detached(CONTENTS)
    assert len(calls) == 1


def test_xmlsec1_accepts_it(signature, throwaway, peer, tmp_path):
    """xmlsec1 finds the contents by their names and the signature valid; altered, it does not."""
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "batch.xml").write_bytes(signature)
    (tmp_path / "ca.pem").write_bytes(throwaway.trust)
    command = [peer("xmlsec1"), "--verify", "--enabled-key-data", "x509"]
    command += ["--trusted-pem", "ca.pem", "batch.xml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30)
    assert run.returncode == 0, run.stderr
    (tmp_path / "V-50.xml").write_bytes(b"<Voucher/>")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30).returncode != 0


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "a&b", "x" * 129, "中"])
def test_a_name_that_could_be_read_otherwise_is_refused(name, identity):
    """No path, no escape, nothing two readers could take differently."""
    with pytest.raises(SigningError, match="CB-303"):
        Signer(identity).sign_detached({name: b""})


def test_nothing_to_sign_is_refused(identity):
    """An empty batch is a mistake."""
    with pytest.raises(SigningError, match="CB-302"):
        Signer(identity).sign_detached({})


def test_a_signature_that_does_not_count_signs_nothing(signature, throwaway):
    """A stranger, an altered list of names, and a repeated name refuse the whole."""
    with pytest.raises(SignerUntrusted):
        verify_detached(signature, CONTENTS, Policy(trust=make("other").trust))
    renamed = signature.replace(b'URI="V-1.xml"', b'URI="V-X.xml"')
    with pytest.raises(SignatureInvalid, match="CB-329"):
        verify_detached(renamed, CONTENTS, Policy(trust=throwaway.trust))
    with pytest.raises(SignatureInvalid, match="not a ds:Signature"):
        verify_detached(b"<a/>", CONTENTS, Policy(trust=throwaway.trust))
    with pytest.raises(ConfigurationError):
        verify_detached(signature, {}, Policy(trust=throwaway.trust, placement="soap"))


def test_an_enveloped_signature_is_not_taken_for_a_detached_one(identity, signature, throwaway):
    """Neither kind passes where the other is asked for."""
    policy = Policy(trust=throwaway.trust)
    enveloped = Signer(identity).sign(b"<a/>")
    alone = enveloped.removeprefix(b"<a>").removesuffix(b"</a>")
    with pytest.raises(SignatureInvalid):
        verify_detached(alone, {"": b"<a/>"}, policy)
    with pytest.raises(SignatureInvalid):
        verify(b"<a>" + signature + b"</a>", policy)
