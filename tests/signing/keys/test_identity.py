"""Opening identities: what works, and what each failure says."""

from __future__ import annotations

import time
import traceback
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from tests.signing.issuing import AT, At, Holder, issue

from claimbridge.errors import DocumentError, KeyUnavailable
from claimbridge.signing import (
    Algorithm,
    CallbackKey,
    Identity,
    Policy,
    Signer,
    SoftwareKey,
    verify,
)
from claimbridge.signing.keys.throwaway import Throwaway

PASSWORD = b"correct horse"


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_pem_and_pkcs12_open_alike(kind, password, throwaways):
    """A PEM text and a PKCS#12 file give the same identity, whatever the kind of key."""
    made = throwaways[kind]
    from_pem = Identity.from_pem(made.pem(password), password)
    from_pkcs12 = Identity.from_pkcs12(made.pkcs12(password), password)
    assert from_pem.certificate == from_pkcs12.certificate == made.certificate
    assert from_pkcs12.chain == (made.authority,)
    expected = {
        "rsa": Algorithm.RSA_SHA256,
        "p256": Algorithm.ECDSA_SHA256,
        "p384": Algorithm.ECDSA_SHA384,
    }
    assert from_pem.algorithm is from_pkcs12.algorithm is expected[kind]


def test_order_of_a_pem_file_does_not_matter():
    """Issuers may stand before the certificate, and the key last."""
    root = issue("root", ca=True)
    middle = issue("middle", root, ca=True)
    leaf = issue("leaf", middle)
    shuffled = middle.pem + root.pem + leaf.pem + leaf.identity_pem()
    identity = Identity.from_pem(shuffled)
    assert identity.certificate == leaf.certificate
    assert set(identity.chain) == {middle.certificate, root.certificate}


@pytest.mark.parametrize("name", ["id.pem", "id.p12", "misnamed.pem"])
def test_a_file_is_opened_by_its_content(name, tmp_path, throwaway):
    """The name of the file decides nothing."""
    path = tmp_path / name
    path.write_bytes(throwaway.pem() if name == "id.pem" else throwaway.pkcs12(PASSWORD))
    password = None if name == "id.pem" else PASSWORD
    assert Identity.open(path, password).certificate == throwaway.certificate


def _older_formats(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_openssl_key_formats_open(kind, throwaways):
    """RSA PRIVATE KEY and EC PRIVATE KEY blocks open, also with a password nobody needs."""
    made = throwaways[kind]
    data = _older_formats(made.key) + made.pin
    assert Identity.from_pem(data, PASSWORD).certificate == made.certificate


def _weak() -> Holder:
    return issue("weak", key=rsa.generate_private_key(65537, 1024))


def _bad_pem(made: Throwaway) -> dict[str, tuple[bytes, bytes | None, str]]:
    key, _, certificate = made.pem().partition(b"-----BEGIN CERTIFICATE")
    certificate = b"-----BEGIN CERTIFICATE" + certificate
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    odd_curve = issue("odd", key=ec.generate_private_key(ec.SECP256K1()))
    no_signing = issue("server", signs=False)
    broken = key.replace(b"M", b"?", 1)
    return {
        "nothing": (b"", None, "CB-312"),
        "not PEM": (b"\x00\xff" * 50, None, "CB-312"),
        "no key": (certificate, None, "CB-312"),
        "no certificate": (key, None, "CB-313"),
        "two keys": (key + key + certificate, None, "CB-319"),
        "wrong password": (made.pem(PASSWORD), b"wrong", "CB-311"),
        "password not given": (made.pem(PASSWORD), None, "CB-311"),
        "other certificate": (key + issue("other").pem, None, "CB-314"),
        "RSA 1024": (_weak().identity_pem(), None, "CB-315"),
        "unknown curve": (odd_curve.identity_pem(), None, "CB-315"),
        "Ed25519": (edwards + certificate, None, "CB-315"),
        "not for signing": (no_signing.identity_pem(), None, "CB-318"),
        "damaged key": (broken + certificate, None, "CB-310"),
        "damaged certificate": (key + certificate.replace(b"M", b"Q", 3), None, "CB-310"),
    }


BAD_PEM = (
    "nothing",
    "not PEM",
    "no key",
    "no certificate",
    "two keys",
    "wrong password",
    "password not given",
    "other certificate",
    "RSA 1024",
    "unknown curve",
    "Ed25519",
    "not for signing",
    "damaged key",
    "damaged certificate",
)


@pytest.mark.parametrize("case", BAD_PEM)
def test_each_bad_pem_has_its_code(case, throwaway):
    """Each way in which an identity is unusable is told apart."""
    data, password, code = _bad_pem(throwaway)[case]
    with pytest.raises(KeyUnavailable) as caught:
        Identity.from_pem(data, password)
    assert caught.value.code == code


def _without_key(made: Throwaway) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"x", None, made.certificate, None, serialization.NoEncryption()
    )


@pytest.mark.parametrize("case", ["wrong", "not given", "no key", "truncated", "empty", "garbage"])
def test_each_bad_pkcs12_has_its_code(case, throwaway):
    """A wrong password is told from a damaged file, and from one without a key."""
    good = throwaway.pkcs12(PASSWORD)
    data, password, code = {
        "wrong": (good, b"wrong", "CB-311"),
        "not given": (good, None, "CB-311"),
        "no key": (_without_key(throwaway), None, "CB-312"),
        "truncated": (good[:-40], PASSWORD, "CB-310"),
        "empty": (b"", PASSWORD, "CB-310"),
        "garbage": (b"\x30\x82" * 99, PASSWORD, "CB-310"),
    }[case]
    with pytest.raises(KeyUnavailable) as caught:
        Identity.from_pkcs12(data, password)
    assert caught.value.code == code


def test_a_missing_file_is_named(tmp_path):
    """The error says which file, and why it cannot be read."""
    with pytest.raises(KeyUnavailable, match=r"CB-310 .*nowhere.p12 cannot be read: No such file"):
        Identity.open(tmp_path / "nowhere.p12")


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    """A directory in the file's place gives our error, not the system's."""
    with pytest.raises(KeyUnavailable, match="Is a directory"):
        Identity.open(tmp_path)


@pytest.mark.parametrize(
    ("moment", "code"),
    [(timedelta(days=-2), "CB-317"), (timedelta(days=400), "CB-316")],
)
def test_validity_is_judged_when_signing(moment, code):
    """An identity opens at any time, and signs only while its certificate is valid."""
    identity = Identity.from_pem(issue("signer").identity_pem())
    assert b"<ds:Signature " in Signer(identity, clock=At()).sign(b"<a/>")
    with pytest.raises(KeyUnavailable) as caught:
        Signer(identity, clock=At(AT + moment)).sign(b"<a/>")
    assert caught.value.code == code


def test_nothing_secret_is_shown(throwaway):
    """The repr names subject and expiry; no error of a wrong password shows either password."""
    identity = Identity.from_pem(throwaway.pem())
    until = throwaway.certificate.not_valid_after_utc
    assert repr(identity) == f"Identity('CN=signer', until {until:%Y-%m-%d})"
    assert repr(identity.key) == "SoftwareKey(ECDSA_SHA256)"
    for data, open_as in (
        (throwaway.pem(PASSWORD), Identity.from_pem),
        (throwaway.pkcs12(PASSWORD), Identity.from_pkcs12),
    ):
        with pytest.raises(KeyUnavailable) as caught:
            open_as(data, b"attempt-1")
        shown = "".join(traceback.format_exception(caught.value, limit=0))
        assert PASSWORD.decode() not in shown
        assert "attempt-1" not in shown


class Token:
    """A key that lives elsewhere: all the signer ever sees of it is this."""

    def __init__(self, holder: Holder) -> None:
        self._inner = Identity.from_pem(holder.identity_pem()).key
        self.calls: list[bytes] = []

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.ECDSA_SHA256

    def sign(self, data: bytes) -> bytes:
        self.calls.append(data)
        if len(self.calls) > 1:
            raise RuntimeError("CKR_PIN_INCORRECT pin=1234")
        return self._inner.sign(data)


def test_a_key_outside_this_process_signs():
    """The signer asks a key for one signature over SignedInfo, and turns its failure into ours."""
    holder = issue("token")
    token = Token(holder)
    signer = Signer(Identity(token, holder.certificate), clock=At())
    assert b"<ds:Signature " in signer.sign(b"<a/>")
    assert token.calls[0].startswith(b"<ds:SignedInfo ")
    with pytest.raises(KeyUnavailable) as caught:
        signer.sign(b"<a/>")
    assert caught.value.code == "CB-309"
    assert "1234" not in str(caught.value)


def test_a_token_and_its_certificate_must_be_of_one_kind():
    """A key that signs ECDSA cannot go with an RSA certificate."""
    holder = issue("rsa", key=rsa.generate_private_key(65537, 2048))
    with pytest.raises(KeyUnavailable) as caught:
        Identity(Token(issue("token")), holder.certificate)
    assert caught.value.code == "CB-314"


def test_a_callback_signs():
    """What a call returns goes into the document when it fits the certificate."""
    holder = issue("vault")
    inner = SoftwareKey(holder.key)
    identity = Identity(CallbackKey(inner.sign, algorithm=inner.algorithm), holder.certificate)
    signed = Signer(identity, clock=At()).sign(b"<a/>")
    assert verify(signed, Policy(pin=holder.pem, at=AT)).content == b"<a></a>"


@pytest.mark.parametrize("value", [b"", b"x" * 64, b"x" * 63, None, "text"])
def test_a_callback_that_returns_something_else_signs_nothing(value):
    """A value that does not fit the certificate never gets into a document."""
    key = CallbackKey(lambda data: value, algorithm=Algorithm.ECDSA_SHA256)
    signer = Signer(Identity(key, issue("vault").certificate), clock=At())
    with pytest.raises(KeyUnavailable) as caught:
        signer.sign(b"<a/>")
    assert caught.value.code == "CB-314"


def test_a_key_in_memory_must_be_the_certificates_own():
    """Another key of the same kind is refused when the identity is made."""
    with pytest.raises(KeyUnavailable, match="CB-314"):
        Identity(SoftwareKey(issue("a").key), issue("b").certificate)


def test_an_algorithm_of_another_kind_of_key_is_refused(throwaway):
    """An EC key cannot be told to sign RSA."""
    with pytest.raises(KeyUnavailable, match="CB-314 this key cannot sign RSA_PSS_SHA256"):
        Identity.from_pem(throwaway.pem(), algorithm=Algorithm.RSA_PSS_SHA256)


def test_two_identities_overlap_while_one_replaces_the_other():
    """The newer signs from the moment it is valid; who pins both accepts either throughout."""
    day = timedelta(days=1)
    old = issue("signer", start=AT - 30 * day, end=AT + 10 * day)
    new = issue("signer", start=AT, end=AT + 40 * day)
    both = [Identity.from_pem(each.identity_pem()) for each in (old, new)]
    for days, expected in ((-10, old), (-1, old), (0, new), (5, new), (20, new)):
        moment = AT + days * day
        chosen = Identity.current(both, moment)
        assert chosen.certificate == expected.certificate
        signed = Signer(chosen, clock=At(moment)).sign(b"<a/>")
        assert verify(signed, Policy(pin=old.pem + new.pem, at=moment)).content == b"<a></a>"
    for days, code in ((-40, "CB-317"), (50, "CB-316")):
        with pytest.raises(KeyUnavailable) as caught:
            Identity.current(both, AT + days * day)
        assert caught.value.code == code
    with pytest.raises(KeyUnavailable, match="CB-312"):
        Identity.current([], AT)


@pytest.mark.parametrize("way", ["sign", "sign_xades", "sign_envelope"])
def test_fifty_megabytes_are_refused_at_once(way, identity):
    """What is beyond the limit of the parser is refused in a moment, and nothing is signed."""
    document = b"<a>" + b"x" * 50_000_000 + b"</a>"
    start = time.process_time()
    with pytest.raises(DocumentError):
        getattr(Signer(identity), way)(document)
    assert time.process_time() - start < 2
