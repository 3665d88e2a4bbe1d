"""Keys in a token: SoftHSM signs, and each way in which a token fails is told apart."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.conftest import missing
from tests.signing.issuing import issue

from claimbridge.config import LedgerConfig
from claimbridge.errors import ConfigurationError, KeyUnavailable, MissingExtra
from claimbridge.ledger import open_identities
from claimbridge.signing import Algorithm, Policy, Signer, verify
from claimbridge.signing.keys.throwaway import PrivateKey
from claimbridge.signing.keys.tokens import open_token

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = b"1234"


@pytest.fixture(scope="session")
def token(peer, tmp_path_factory, throwaways):
    """A token with one key of each kind, one key without and one with another's certificate."""
    pkcs11 = pytest.importorskip("pkcs11")
    program, module = peer("softhsm2-util", "--version"), next(filter(os.path.exists, MODULES), "")
    if not module:
        missing("SoftHSM's module is not where Debian puts it")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    # The module reads it once per process, when it is loaded.
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")

    def run(*arguments: str | Path) -> None:
        command = [program, "--token", "cb", "--pin", PIN.decode(), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    run("--init-token", "--free", "--label", "cb", "--so-pin", "5678")
    keys: dict[str, PrivateKey] = {kind: made.key for kind, made in throwaways.items()}
    keys["bare"] = keys["other"] = throwaways["p256"].key
    for number, (name, key) in enumerate(keys.items(), start=1):
        path = folder / f"{name}.pem"
        path.write_bytes(_pkcs8(key))
        run("--import", path, "--label", name, "--id", f"{number:02}")
    certificates = {kind: made.certificate for kind, made in throwaways.items()}
    certificates["other"] = issue("other").certificate
    attribute = pkcs11.Attribute
    with pkcs11.lib(module).get_token(token_label="cb").open(user_pin="1234", rw=True) as session:
        for name, certificate in certificates.items():
            session.create_object(
                {
                    attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    attribute.TOKEN: True,
                    attribute.LABEL: name,
                    attribute.SUBJECT: certificate.subject.public_bytes(),
                    attribute.VALUE: certificate.public_bytes(serialization.Encoding.DER),
                }
            )
    return lambda name: f"pkcs11:token=cb;object={name}?module-path={module}"


def _pkcs8(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("rsa", None),
        ("rsa", Algorithm.RSA_SHA512),
        ("rsa", Algorithm.RSA_PSS_SHA256),
        ("p256", None),
        ("p384", None),
    ],
)
def test_a_token_signs(kind, algorithm, token, throwaways):
    """What a token signs verifies; the signer does not know where the key lives."""
    identity = open_token(token(kind), pin=PIN, algorithm=algorithm)
    signed = Signer(identity).sign(b"<a>1</a>")
    assert verify(signed, Policy(trust=throwaways[kind].trust)).content == b"<a>1</a>"
    assert repr(identity.key) == f"TokenKey({identity.algorithm.name})"


def test_threads_share_a_token(token, throwaways):
    """Threads take turns at the token's session."""
    signer = Signer(open_token(token("p256"), pin=PIN))
    policy = Policy(pin=throwaways["p256"].pin)
    with ThreadPoolExecutor(4) as pool:
        signed = pool.map(signer.sign, (f"<a>{n}</a>".encode() for n in range(40)))
    for number, document in enumerate(signed):
        assert verify(document, policy).content == f"<a>{number}</a>".encode()


def test_each_bad_token_has_its_code(token):
    """No such token, a wrong PIN, no PIN, no key and no certificate are told apart."""
    for uri, pin, code in (
        (token("nothing"), PIN, "CB-312"),
        (token("bare"), PIN, "CB-313"),
        (token("p256").replace("token=cb", "token=nowhere"), PIN, "CB-361"),
        (token("p256").partition("?")[0] + "?module-path=/nowhere.so", PIN, "CB-361"),
    ):
        with pytest.raises(KeyUnavailable) as caught:
            open_token(uri, pin=pin)
        assert caught.value.code == code, uri


@pytest.mark.parametrize(("pin", "code"), [(b"9999", "CB-311"), (None, "CB-312")])
def test_a_wrong_pin_is_told_from_none(pin, code, token):
    """A wrong PIN says so; without one the token shows no key.

    A process logs in to a token once, so each tries in one of its own.
    """
    script = (
        "from claimbridge.errors import KeyUnavailable\n"
        "from claimbridge.signing.keys.tokens import open_token\n"
        f"try: open_token({token('p256')!r}, pin={pin!r})\n"
        "except KeyUnavailable as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.stdout.startswith(code), run.stderr
    assert "9999" not in run.stdout


def test_another_keys_certificate_is_found_out(token):
    """A certificate that is not the key's never goes out with a signature."""
    signer = Signer(open_token(token("other"), pin=PIN))
    with pytest.raises(KeyUnavailable) as caught:
        signer.sign(b"<a/>")
    assert caught.value.code in ("CB-314", "CB-316", "CB-317")


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        "pkcs11:object=a",
        "pkcs11:token=a?module-path=/m.so",
        "pkcs11:object=a;type=cert?module-path=/m.so",
        "pkcs11:object=a;colour=red?module-path=/m.so",
        "pkcs11:object=a?module-path=/m.so&pin-value=1234",
    ],
)
def test_a_uri_that_names_no_key_is_refused(uri):
    """What is not understood is refused, and a PIN in it is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        open_token(uri)
    assert caught.value.code == "CB-360"
    assert "1234" not in str(caught.value)


def test_a_missing_library_names_what_to_install(monkeypatch):
    """Without python-pkcs11 the error names the extra."""
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(MissingExtra, match=r"pip install 'claimbridge\[pkcs11\]'"):
        open_token("pkcs11:object=a?module-path=/m.so")


def test_a_configuration_names_a_token(token, throwaways, monkeypatch):
    """``identity = "pkcs11:…"`` opens the token, with the PIN from ``identity_password``."""
    monkeypatch.setenv("TOKEN_PIN", PIN.decode())
    config = LedgerConfig(
        endpoint="http://127.0.0.1/", identity=token("p384"), identity_password="env:TOKEN_PIN"
    )
    (identity,) = open_identities(config)
    assert identity.certificate == throwaways["p384"].certificate
