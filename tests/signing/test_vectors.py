"""Documents with verdicts that others fixed: attacks, and samples of other libraries."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import textwrap
import warnings
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from tests.signing.issuing import VECTORS_AT, issue

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
        at=VECTORS_AT,
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
        verdict = _verdict(path.read_bytes(), Policy(placement="soap", pin=pin, at=VECTORS_AT))
        assert verdict in ("CB-321", "CB-322", "CB-325", "CB-326", "CB-328"), path.name


def _refusal(document: bytes, anyone: bytes) -> str:
    try:
        policy = Policy(pin=_own_certificate(document), at=datetime(2013, 7, 1, tzinfo=UTC))
    except (LookupError, ConfigurationError):
        policy = Policy(pin=anyone, at=VECTORS_AT)
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


REASONS = {
    "CB-151": "a DOCTYPE",
    "CB-320": "no signature as a child of the root (enveloping and detached ones)",
    "CB-321": "the signature is not the root's last child",
    "CB-322": "more in the signature than we judge (Object, Manifest …)",
    "CB-323": "an algorithm that is too weak or unknown to us, or inclusive C14N",
    "CB-324": "a transform that is not enveloped-signature or exclusive C14N",
    "CB-325": "a Reference to something else than the root",
    "CB-326": "an id used twice",
    "CB-330": "a certificate that does not lead up to the trusted ones",
    "CB-331": "no certificate, or other key material beside it",
    "CB-333": "a certificate that has expired",
    "CB-335": "a certificate without the key usage digitalSignature",
    "CB-337": "a key that is too weak or of another kind",
}
"""Why our policy refuses what others accept; a refusal for another reason is a defect."""


def test_xmlsec_manifests(shared):
    """Each row is accepted, or refused by a rule of our policy with a name; none is judged wrong.

    A document that the suite accepts is judged with its own certificate pinned, while that was
    valid, so that no lack of trust hides another fault; one that it refuses, by its authorities.
    """
    folder = shared("vectors")
    authorities = b"".join(
        (folder / "xmlsec-keys" / "keys" / name).read_bytes()
        for name in ("cacert.pem", "ca2cert.pem")
    )
    counts: Counter[str] = Counter()
    wrong = []
    with (folder / "MANIFEST-xmlsec.tsv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t"):
            document = _xmlsec_document(folder, row)
            if document is None:
                counts["not stored here"] += 1
                continue
            code = _xmlsec_verdict(document, row["expected"], authorities)
            expected = row["expected"] == "accept"
            right = (code == "accept" and expected) or code in REASONS or not expected
            counts[code] += 1
            if not right or (code == "accept") > expected:
                wrong.append((row["file"], row["expected"], code))
    for code, number in sorted(counts.items()):
        print(f"{code:<16} {number:>4}  {REASONS.get(code, '')}")
    print(f"{'wrong':<16} {len(wrong):>4}")
    assert not wrong
    assert counts.total() == 192


def _xmlsec_document(folder: Path, row: dict[str, str]) -> bytes | None:
    name = "/".join(filter(None, (row["folder"], row["file"])))
    for ending in ("", ".xml"):
        path = folder / f"xmlsec-{name}{ending}"
        if path.is_file():
            return path.read_bytes()
    return None


def _xmlsec_verdict(document: bytes, expected: str, authorities: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        policy = Policy(trust=authorities, at=VECTORS_AT)
        if expected == "accept":
            try:
                pin = _own_certificate(document)
                begun = x509.load_pem_x509_certificate(pin).not_valid_before_utc
                policy = Policy(pin=pin, at=begun + timedelta(days=1))
            except (LookupError, ValueError, ConfigurationError):
                pass
        try:
            verify(document, policy)
        except (SigningError, DocumentError) as error:
            return error.code
    return "accept"


def test_generated_attacks_by_the_command(shared, tmp_path):
    """``claimbridge verify`` gives every attack and control the same verdict as the library."""
    folder = shared("vectors/generated-attacks")
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    general = ("--trust", str(folder / "ca.pem"), "--subject", "signer", "--subject", "ec")
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in rows:
        trust = general
        if row["trust"] == "pin":
            trust = ("--pin", str(folder / "signer.pem"))
        elif row["trust"] == "pin-own-cert":
            own = tmp_path / f"{row['file']}.pem"
            own.write_bytes(_own_certificate((folder / row["file"]).read_bytes()))
            trust = ("--pin", str(own))
        groups[trust].append(row["file"])
    verdicts: dict[str, tuple[str, str]] = {}
    for trust, files in groups.items():
        verdicts.update(_commanded(folder, trust, files))
    wrong = []
    for row in rows:
        verdict, signed = verdicts[row["file"]]
        wanted = "accepted" if row["expected"] in ("accept", "same") else "refused"
        original = verdict == "refused" or ("ACME" in signed and "1000.00" in signed)
        if verdict != wanted or not original:
            wrong.append((row["file"], row["expected"], verdict))
    assert not wrong
    assert Counter(row["expected"] for row in rows) == {"reject": 182, "accept": 4, "same": 5}


def _commanded(
    folder: Path, trust: tuple[str, ...], files: list[str]
) -> dict[str, tuple[str, str]]:
    command = [sys.executable, "-m", "claimbridge.cli", "verify", "--as", "soap", *trust]
    command += ["--at", "2026-11-24T12:00:00Z", "--json", *(str(folder / name) for name in files)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    records = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert len(records) == len(files), done.stderr.decode()
    return {Path(one["file"]).name: (one["verdict"], one["signed"] or "") for one in records}


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
