"""Timestamps by an authority made with ``openssl ts``, verified offline."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.signing.issuing import Holder, huge, issue, named

from claimbridge.clock import SYSTEM
from claimbridge.errors import MissingExtra, SignatureInvalid, SignerUntrusted, SigningError
from claimbridge.signing.trust.timestamps import timestamp_request, verify_timestamp

CONTENT = "<Voucher>差旅</Voucher>".encode()
CONFIG = """[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def authority(peer, tmp_path_factory):
    """What answers requests, and the root it leads up to."""
    return _authority(peer("openssl", "version"), tmp_path_factory.mktemp("tsa"))


def _authority(program, folder, *, lasting=timedelta(days=9), more=None):
    now = SYSTEM.now()
    root = issue("root", ca=True, start=now - timedelta(days=1), end=now + timedelta(days=9))
    key = rsa.generate_private_key(65537, 2048)
    signer = _stamping("tsa", root, key, start=now - timedelta(days=1), end=now + lasting)
    (folder / "tsa.pem").write_bytes(signer.pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))

    def answer(request: bytes) -> bytes:
        (folder / "request").write_bytes(request)
        command = [program, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "request"]
        command += ["-inkey", "key.pem", "-signer", "tsa.pem", "-out", "reply"]
        if more is not None:
            (folder / "more.pem").write_bytes(more.pem)
            command += ["-chain", "more.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30)
        return (folder / "reply").read_bytes()

    return answer, root


def _stamping(name, by, key, **span):
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span["start"])
        .not_valid_after(span["end"])
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]),
            critical=True,  # RFC 3161 §2.3
        )
    )
    return Holder(key, builder.sign(by.key, hashes.SHA256()))


def test_an_archived_voucher_was_there_at_that_moment(authority):
    """The authority's reply, kept beside the bytes, verifies without any network."""
    answer, root = authority
    moment = verify_timestamp(CONTENT, answer(timestamp_request(CONTENT)), trust=root.pem)
    assert abs(SYSTEM.now() - moment) < timedelta(minutes=1)


def test_a_timestamp_outlives_its_authority(peer, tmp_path):
    """The certificate counts at the moment of the stamp: not now, and not for stamps made since."""
    answer, root = _authority(peer("openssl", "version"), tmp_path, lasting=timedelta(seconds=3))
    reply = answer(timestamp_request(CONTENT))
    time.sleep(4.2)  # certificates and stamps count whole seconds
    assert verify_timestamp(CONTENT, reply, trust=root.pem)
    with pytest.raises(SignerUntrusted, match="CB-371"):
        verify_timestamp(CONTENT, answer(timestamp_request(CONTENT)), trust=root.pem)


def test_other_bytes_are_refused(authority):
    """A timestamp of one voucher says nothing about another."""
    answer, root = authority
    reply = answer(timestamp_request(CONTENT))
    with pytest.raises(SignatureInvalid, match="CB-328"):
        verify_timestamp(CONTENT + b" ", reply, trust=root.pem)


def test_an_authority_that_nobody_trusts_is_refused(authority):
    """Another root, and an altered reply, do not count."""
    answer, _ = authority
    reply = answer(timestamp_request(CONTENT))
    with pytest.raises(SignerUntrusted, match="CB-371"):
        verify_timestamp(CONTENT, reply, trust=issue("root", ca=True).pem)


def test_no_damaged_reply_gives_another_moment(authority):
    """Whatever bit is changed or cut off: an error of ours, or the same moment, never another."""
    answer, root = authority
    reply = answer(timestamp_request(CONTENT))
    good = verify_timestamp(CONTENT, reply, trust=root.pem)
    for position in range(0, len(reply), 7):
        damaged = bytearray(reply)
        damaged[position] ^= 0x10
        for bad in (bytes(damaged), reply[:position]):
            with suppress(SigningError):
                assert verify_timestamp(CONTENT, bad, trust=root.pem) == good


@pytest.mark.parametrize(
    "rubbish", [b"", b"<html>502</html>", b"\x30\x80" * 9, b"\x30\x03\x02\x01\x02", b"0" * 200_000]
)
def test_an_authority_that_answers_rubbish_is_refused(rubbish, throwaway):
    """HTML, nothing, too much: no timestamp."""
    pytest.importorskip("rfc3161_client")
    with pytest.raises(SignatureInvalid, match="CB-370"):
        verify_timestamp(CONTENT, rubbish, trust=throwaway.trust)


def test_a_reply_with_a_huge_key_buys_no_time(peer, tmp_path):
    """In whatever certificate that comes along: it is refused before anything is computed."""
    answer, root = _authority(peer("openssl", "version"), tmp_path, more=huge("huge", issue("x")))
    with pytest.raises(SignerUntrusted, match=r"CB-337 .* RSA with 9001 bits"):
        verify_timestamp(CONTENT, answer(timestamp_request(CONTENT)), trust=root.pem)


def test_nothing_gets_no_timestamp():
    """Empty content is a mistake."""
    with pytest.raises(SigningError, match="CB-302"):
        timestamp_request(b"")


def test_a_missing_library_names_what_to_install(monkeypatch):
    """Without rfc3161-client the error names the extra."""
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(MissingExtra, match=r"pip install 'claimbridge\[tsa\]'"):
        timestamp_request(b"x")
