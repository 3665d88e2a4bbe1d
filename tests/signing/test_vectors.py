"""Documents with verdicts that others fixed: attacks, and samples of other libraries."""

from __future__ import annotations

import csv
import re
import textwrap
import warnings
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.utils import CryptographyDeprecationWarning
from tests.signing.issuing import AT, issue

from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    DocumentError,
    SigningError,
)
from claimbridge.signing import Policy, verify

CERTIFICATE = re.compile(rb"<(?:\w+:)?X509Certificate>([^<]+)</")
# Refusals that say "the cryptography does not come out": for a document that others call valid,
# each would be a defect of ours.
COMPUTED = ("CB-328", "CB-329", "CB-342")


def _own_certificate(document: bytes) -> bytes:
    """Return the certificate inside the document as PEM text; raises LookupError without one."""
    found = CERTIFICATE.search(document)
    if not found:
        raise LookupError
    lines = "\n".join(textwrap.wrap("".join(found[1].decode().split()), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def _policy(folder: Path, trust: str, document: bytes) -> Policy:
    general = Policy(
        placement="soap",
        trust=(folder / "ca.pem").read_bytes(),
        subjects=("signer", "ec"),
        at=AT,
    )
    if trust == "pin":
        pin = (folder / "signer.pem").read_bytes()
    elif trust == "pin-own-cert":
        pin = _own_certificate(document)
    else:
        return general
    return msgspec.structs.replace(general, trust=b"", subjects=(), pin=pin)


def _verdict(document: bytes, policy: Policy) -> str:
    """Return ``accept``, ``altered`` when what is accepted is not the original, or the code."""
    try:
        reply = verify(document, policy).element()
    except ClaimBridgeError as error:
        return error.code
    said = reply.findtext(".//{*}Payee"), reply.findtext(".//{*}Amount")
    return "accept" if said == ("ACME", "1000.00") else "altered"


def test_generated_attacks(shared):
    """Every attack is refused, every control accepted, and what is accepted is the original."""
    folder = shared("vectors/generated-attacks")
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    wrong = []
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t"):
            document = (folder / row["file"]).read_bytes()
            verdict = _verdict(document, _policy(folder, row["trust"], document))
            codes[row["class"]][verdict] += 1
            if (verdict == "accept") != (row["expected"] in ("accept", "same")):
                wrong.append((row["file"], row["expected"], verdict))
    for kind, counts in codes.items():
        verdicts = ", ".join(f"{verdict} × {number}" for verdict, number in counts.items())
        print(f"{kind:<14} {counts.total():>4}  {verdicts}")
    assert not wrong
    assert sum(counts.total() for counts in codes.values()) > 180
    assert not any(counts["altered"] for counts in codes.values())


def test_attacks_are_refused_without_the_pin_or_anchor_helping(shared):
    """The wrapping attacks fail on their own: they carry the right signer's certificate."""
    folder = shared("vectors/generated-attacks")
    pin = (folder / "signer.pem").read_bytes()
    for path in sorted(folder.glob("xsw-*.xml")):
        verdict = _verdict(path.read_bytes(), Policy(placement="soap", pin=pin, at=AT))
        assert verdict in ("CB-321", "CB-322", "CB-325", "CB-326", "CB-328"), path.name


def _refusal(document: bytes, anyone: bytes) -> str:
    try:
        policy = Policy(pin=_own_certificate(document), at=datetime(2013, 7, 1, tzinfo=UTC))
    except (LookupError, ConfigurationError):
        policy = Policy(pin=anyone, at=AT)
    try:
        verify(document, policy)
    except (SigningError, DocumentError) as error:
        return error.code
    return "accept"


def test_xml_crypto_samples(shared):
    """Each attack and invalid sample is refused; each valid one by a rule of ours, with its name.

    They use SHA-1, keys without certificates, several references or a signature that is not the
    last child, all of which the policy refuses before any cryptography.
    """
    codes = _refusals(shared("vectors/xml-crypto"))
    assert len(codes) > 35
    assert "accept" not in codes.values()
    assert not {name for name, code in codes.items() if code in COMPUTED}


def test_xmlsec_samples(shared):
    """No document of the xmlsec suite is refused for a digest or a value we got wrong."""
    for folder in ("xmlsec-aleksey-xmldsig-01", "xmlsec-xmldsig11-interop-2012"):
        codes = _refusals(shared(f"vectors/{folder}"))
        assert len(codes) > 30
        assert not {name for name, code in codes.items() if code in COMPUTED}


def _refusals(folder: Path) -> dict[str, str]:
    anyone = issue("anyone").pem
    with warnings.catch_warnings():
        # Old samples carry certificates with serial numbers that are not positive.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        codes = {
            str(path.relative_to(folder)): _refusal(path.read_bytes(), anyone)
            for path in sorted(folder.rglob("*.xml"))
        }
    for code, number in sorted(Counter(codes.values()).items()):
        print(f"{folder.name:<32} {code:<8} {number:>4}")
    return codes
