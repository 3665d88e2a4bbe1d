"""``claimbridge sign`` and ``verify``: every kind of signature, and input that is no good."""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.cli.conftest import Folder, Run
from tests.signing.issuing import issue
from tests.signing.trust.test_ocsp import respond
from tests.signing.trust.test_revocation import revoke

from claimbridge.clock import SYSTEM
from claimbridge.sandbox import Sandbox
from claimbridge.signing.keys import throwaway

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPE = (
    f'<s:Envelope xmlns:s="{SOAP}"><s:Header><H xmlns="urn:h">7</H></s:Header>'
    '<s:Body><V xmlns="urn:v">1</V></s:Body></s:Envelope>'
).encode()
DAY = timedelta(days=1)


@pytest.fixture
def signer(folder: Folder) -> throwaway.Throwaway:
    """An identity in signer.pem, its anchor in ca.pem, and a document in v.xml."""
    made = throwaway.make()
    folder.write("signer.pem", made.pem())
    folder.write("ca.pem", made.trust)
    folder.write("v.xml", b'<V Id="V1">1</V>')
    return made


@pytest.mark.usefixtures("signer")
def test_xades_is_verified_as_a_document(run: Run, folder: Folder) -> None:
    """``--as xades`` signs the moment and the certificate too."""
    signed = run("sign", "--as", "xades", "--identity", "signer.pem", "v.xml")
    assert signed.code == 0
    assert "SigningCertificateV2" in signed.out
    folder.write("signed.xml", signed.out.encode())
    assert run("verify", "--trust", "ca.pem", "signed.xml").code == 0


@pytest.mark.usefixtures("signer")
def test_one_signature_beside_many_files(run: Run, folder: Folder) -> None:
    """``--as detached`` covers files by their names; each has its own verdict."""
    folder.write("w.bin", b"\xff\x00")
    signed = run("sign", "--as", "detached", "--identity", "signer.pem", "v.xml", "w.bin")
    folder.write("both.sig", signed.out.encode())
    folder.write("w.bin", b"\xff\x01")
    folder.write("x.xml", b"<x/>")
    ended = run(
        "verify", "--as", "detached", "--content", "v.xml", "--content", "w.bin",
        "--content", "x.xml", "--trust", "ca.pem", "--json", "both.sig",
    )  # fmt: skip
    found = [(Path(r["file"]).name, r["verdict"], r["code"]) for r in ended.records]
    assert ended.code == 1
    assert found == [
        ("v.xml", "accepted", None),
        ("w.bin", "refused", "CB-328"),
        ("x.xml", "refused", "CB-325"),
    ]
    other = run("verify", "--as", "detached", "--content", "v.xml", "--pin", "ca.pem", "both.sig")
    assert other.code == 1


@pytest.mark.usefixtures("signer")
def test_a_chosen_header_block_is_covered(run: Run, folder: Folder) -> None:
    """``--header`` signs a block beside Body and Timestamp; what is not there is an error."""
    folder.write("plain.xml", ENVELOPE)
    sign = ("sign", "--as", "soap", "--identity", "signer.pem", "plain.xml", "--header")
    signed = run(*sign, "{urn:h}H")
    folder.write("signed.xml", signed.out.encode())
    folder.write("altered.xml", signed.out.replace(">7<", ">8<").encode())
    verify = ("verify", "--as", "soap", "--trust", "ca.pem", "--json")
    ended = run(*verify, "signed.xml", "altered.xml")
    assert [record["code"] for record in ended.records] == [None, "CB-328"]
    lacking = run(*sign, "{urn:h}Elsewhere")
    assert (lacking.code, lacking.out) == (1, "")
    assert lacking.err.startswith("CB-302 ")


def test_the_algorithm_is_chosen_by_name(run: Run, folder: Folder) -> None:
    """``--algorithm`` takes the names of the documentation, and refuses what the key cannot do."""
    folder.write("rsa.pem", throwaway.make(kind="rsa").pem())
    folder.write("v.xml", b'<V Id="V1">1</V>')
    sign = ("sign", "--identity", "rsa.pem", "v.xml", "--algorithm")
    assert "rsa-sha512" in run(*sign, "rsa-sha512").out
    assert "sha384-rsa-MGF1" in run(*sign, "rsa-pss-sha384").out
    for name, code in (("ecdsa-sha256", "CB-314"), ("md5", "CB-251")):
        ended = run(*sign, name)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"{code} ")


def test_revocation_and_usage_are_judged(run: Run, folder: Folder) -> None:
    """``--crl``, ``--ocsp``, ``--revocation`` and ``--usage`` say what the policy says."""
    now = SYSTEM.now()
    root = issue("root", ca=True, start=now - DAY, end=now + DAY)
    holder = issue("signer", root, start=now - DAY, end=now + DAY)
    folder.write("signer.pem", holder.identity_pem())
    folder.write("ca.pem", root.pem)
    folder.write("v.xml", b"<V>1</V>")
    folder.write("signed.xml", run("sign", "--identity", "signer.pem", "v.xml").out.encode())
    hour = timedelta(hours=1)
    folder.write("good.der", respond(root, holder, root, issued=now - hour, until=now + hour))
    folder.write("bad.crl", revoke(root, holder, issued=now - hour, since=now - hour))
    verify = ("verify", "--trust", "ca.pem", "--json", "signed.xml")
    required = (*verify, "--revocation", "required")
    assert run(*required).record["code"] == "CB-349"
    assert run(*required, "--ocsp", "good.der").record["verdict"] == "accepted"
    assert run(*verify, "--crl", "bad.crl").record["code"] == "CB-348"
    assert run(*verify, "--usage", "1.3.6.1.5.5.7.3.36").record["code"] == "CB-336"
    assert run(*verify, "--crl", "v.xml").code == 2


def _bad_identities() -> dict[str, tuple[bytes, str]]:
    now = SYSTEM.now()
    right, other = throwaway.make(), throwaway.make()
    weak = rsa.generate_private_key(65537, 1024)
    late = issue("late", start=now - 3 * DAY, end=now - DAY)
    early = issue("early", start=now + DAY, end=now + 3 * DAY)
    key_alone = right.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "another key's certificate": (key_alone + other.pin, "CB-314"),
        "no certificate": (key_alone, "CB-313"),
        "no key": (right.pin, "CB-312"),
        "RSA-1024": (issue("weak", key=weak).identity_pem(), "CB-315"),
        "expired": (late.identity_pem(), "CB-316"),
        "not yet valid": (early.identity_pem(), "CB-317"),
        "rubbish": (b"\x30\x82\x00", "CB-31"),
        "empty": (b"", "CB-31"),
    }


@pytest.mark.parametrize("kind", ["document", "soap", "xades", "detached"])
@pytest.mark.parametrize(("what", "case"), _bad_identities().items())
def test_an_identity_that_cannot_sign(
    run: Run, folder: Folder, what: str, case: tuple[bytes, str], kind: str
) -> None:
    """Nothing half-signed is written, and one line says what is wrong with it."""
    identity, code = case
    folder.write("signer.pem", identity)
    folder.write("e.xml", ENVELOPE)
    ended = run("sign", "--as", kind, "--identity", "signer.pem", "e.xml")
    assert (ended.code, ended.out) == (2, ""), what
    assert ended.err.startswith(code)
    assert ended.err.count("\n") == 1


@pytest.mark.usefixtures("signer")
def test_a_document_that_cannot_be_signed_or_verified(run: Run, folder: Folder) -> None:
    """Signed already, signed twice, or over a part: one line each, and nothing written."""
    folder.write("signed.xml", run("sign", "--identity", "signer.pem", "v.xml").out.encode())
    for kind in ("document", "xades"):
        again = run("sign", "--as", kind, "--identity", "signer.pem", "signed.xml")
        assert (again.code, again.out) == (1, "")
        assert again.err.startswith("CB-301 ")
    signed = (folder.path / "signed.xml").read_bytes()
    start, end = signed.index(b"<ds:Signature"), signed.index(b"</V>")
    twice = folder.write("twice.xml", signed[:end] + signed[start:end] + signed[end:])
    part = folder.write("part.xml", b"<W><x>2</x>" + signed + b"</W>")
    ended = run("verify", "--trust", "ca.pem", "--json", twice, part)
    assert ended.code == 1
    assert all(record["verdict"] == "refused" for record in ended.records)
    assert all(record["signed"] is None for record in ended.records)


@pytest.mark.usefixtures("signer")
@pytest.mark.parametrize("kind", ["document", "soap", "xades", "detached"])
def test_fifty_megabytes_end_in_bounded_time(run: Run, folder: Folder, kind: str) -> None:
    """Signed or refused with one line, whichever kind it is; verified or refused likewise."""
    big = b"<V>" + b"<L>1234567890</L>" * 100_000 + b"<L>" + b"x" * 9_000_000 + b"</L></V>"
    body = ENVELOPE.replace(b">1<", b">" + big + b"<") if kind == "soap" else big
    folder.write("big.xml", body)
    folder.write("over.xml", b"<V>" + b"x" * 51_000_000 + b"</V>")
    began = time.monotonic()
    signed = run("sign", "--as", kind, "--identity", "signer.pem", "big.xml")
    assert signed.code == 0, signed.err
    folder.write("signed.xml", signed.out.encode())
    if kind == "detached":
        asked = ["--as", kind, "--content", "big.xml"]
    else:
        asked = ["--as", kind] if kind == "soap" else []
        over = run("sign", "--as", kind, "--identity", "signer.pem", "over.xml")
        assert (over.code, over.out, over.err[:7]) == (1, "", "CB-152 ")
    assert run("verify", "--trust", "ca.pem", *asked, "signed.xml").code == 0
    assert time.monotonic() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3_000_000  # KiB


def test_options_that_contradict_each_other(run: Run, folder: Folder) -> None:
    """Said before anything is read."""
    folder.write("v.xml", b"<V/>")
    for given in (
        ("sign", "--identity", "x.pem", "--header", "{urn:h}H", "v.xml"),
        ("verify", "--trust", "ca.pem", "--content", "v.xml", "v.xml"),
        ("verify", "--as", "detached", "--trust", "ca.pem", "v.xml"),
    ):
        ended = run(*given)
        assert ended.code == 2
        assert ended.err.startswith("CB-251 ")


def test_two_identities_overlap(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The newer one signs as soon as it is valid, and ``doctor`` names both."""
    now = SYSTEM.now()
    root = issue("root", ca=True, start=now - 9 * DAY, end=now + 900 * DAY)
    old = issue("old", root, start=now - 8 * DAY, end=now + 3 * DAY)
    new = issue("new", root, start=now - DAY, end=now + 90 * DAY)
    folder.write("old.pem", old.identity_pem())
    folder.write("new.pem", new.identity_pem())
    folder.configure(endpoint=sandbox.url(), identity="file:old.pem")
    found = {one["what"]: one for one in run("doctor", "--json").records}
    assert found["identity"]["verdict"] == "warning"
    assert "expires in" in found["identity"]["text"]
    folder.configure(endpoint=sandbox.url(), identity="file:old.pem", next_identity="file:new.pem")
    found = {one["what"]: one for one in run("doctor", "--json").records}
    assert found["identity"]["verdict"] == "ok"
    assert "CN=old" in found["identity"]["text"]
    assert "CN=new" in found["identity"]["text"]
    folder.configure(endpoint=sandbox.url(), identity="file:old.pem", next_identity="file:gone.pem")
    assert run("submit", folder.claim()).code == 2
