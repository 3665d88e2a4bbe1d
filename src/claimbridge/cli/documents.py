"""Commands about documents: reply, validate, sign, verify, schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from claimbridge.cli.app import BUSINESS_NO, DONE, UNKNOWN, worst
from claimbridge.cli.claims import ContractPlace, Json, ProfileName, offline_ledger
from claimbridge.cli.output import (
    NO,
    YES,
    complain,
    emit,
    moment,
    plain_entry,
    plain_findings,
    plain_reasons,
    read_claim,
    read_file,
    say,
)
from claimbridge.config import LedgerConfig, read_password
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError, SigningError
from claimbridge.ledger import Ledger
from claimbridge.model import Finding, Outcome, OutcomeKind
from claimbridge.soap.envelope import open_envelope

Kind = Annotated[Literal["soap", "document"], Parameter(name="--as")]

# What the command calls the kinds: a paid document is posted, a duplicate names the posted one,
# and neither "absent" nor "reversed" says how a submission ended.
_SHOWN = {
    OutcomeKind.POSTED: "posted",
    OutcomeKind.PAID: "posted",
    OutcomeKind.DUPLICATE: "posted",
    OutcomeKind.ACKNOWLEDGED: "acknowledged",
    OutcomeKind.REJECTED: "rejected",
    OutcomeKind.UNAVAILABLE: "unavailable",
}


def reply(
    files: list[Path],
    /,
    *,
    profile: ProfileName = "reference",
    contract: ContractPlace = None,
    json: Json = False,
) -> int:
    """Read saved replies of an ERP as its profile would.

    Parameters
    ----------
    files
        SOAP envelopes.

    """
    ledger = offline_ledger(profile, contract, None)
    codes = []
    for path in files:
        data = read_file(path)
        outcomes = ledger.read_bytes(data)
        drift = _drift(ledger, data)
        for outcome in outcomes:
            record = _outcome_record(path, outcome, drift)
            if len(outcomes) > 1:
                record["item"] = outcome.item
            codes.append({"rejected": BUSINESS_NO, "unknown": UNKNOWN}.get(record["outcome"], DONE))
            if json:
                emit(record)
            else:
                _print_outcome(record)
    return worst(codes)


def _outcome_record(path: Path, outcome: Outcome, drift: tuple[str, ...]) -> dict[str, Any]:
    shown = _SHOWN.get(outcome.kind, "unknown")
    if outcome.kind is OutcomeKind.DUPLICATE and outcome.journal_entry is None:
        shown = "acknowledged"
    reasons = plain_reasons(outcome.reasons)
    if not reasons and outcome.text:
        reasons = [outcome.text]
    return {
        "file": str(path),
        "outcome": shown,
        "journal_entry": plain_entry(outcome.journal_entry),
        "reference": outcome.reference,
        "reasons": reasons,
        "drift": list(drift),
    }


def _drift(ledger: Ledger, data: bytes) -> tuple[str, ...]:
    try:
        body = open_envelope(data).body
    except ClaimBridgeError:
        return ()
    return ledger.contract.drift(body) if body is not None else ()


def _print_outcome(record: dict[str, Any]) -> None:
    entry = record["journal_entry"]
    say(f"{record['file']}: ", (record["outcome"], "bold"), f" {entry}" if entry else "")
    for reason in record["reasons"]:
        say(f"  {reason}")
    for difference in record["drift"]:
        say(f"  drift: {difference}")


def validate(
    files: list[Path],
    /,
    *,
    profile: ProfileName = "reference",
    contract: ContractPlace = None,
    json: Json = False,
) -> int:
    """Check claims (.json) against the model, and requests (XML) against a contract.

    Parameters
    ----------
    files
        Claims in JSON; SOAP envelopes or the Body's child in XML.

    """
    ledger = offline_ledger(profile, contract, None)
    codes = []
    for path in files:
        findings = _claim_findings(path) if path.suffix == ".json" else _xml_findings(ledger, path)
        codes.append(BUSINESS_NO if findings else DONE)
        if json:
            emit({"file": str(path), "valid": not findings, "findings": plain_findings(findings)})
            continue
        say(NO if findings else YES, f" {path}: {'not valid' if findings else 'valid'}")
        for finding in findings:
            say("    " + ": ".join(part for part in (finding.path or finding.rule, finding.text)))
    return worst(codes)


def _claim_findings(path: Path) -> tuple[Finding, ...]:
    try:
        read_claim(path)
    except ClaimError as error:
        return (Finding(path="", rule=error.code, text=error.message),)
    return ()


def _xml_findings(ledger: Ledger, path: Path) -> tuple[Finding, ...]:
    data = read_file(path)
    try:
        return ledger.check_document(data)
    except ClaimBridgeError as error:
        return (Finding(path="", rule=error.code, text=error.message),)


def sign(
    file: Path,
    /,
    *,
    identity: Path,
    identity_password: str | None = None,
    kind: Kind = "document",
) -> int:
    """Sign a document and write it to stdout.

    Parameters
    ----------
    identity
        A PKCS#12 or PEM file with the key and its certificate.
    identity_password
        A reference (env:NAME, file:PATH, keyring:SERVICE/USER), never the password itself.
    kind
        Sign a document by an enveloped signature, or a SOAP envelope's Body by WS-Security.

    """
    from claimbridge.signing import Identity, Signer

    signer = Signer(Identity.open(identity, _password(identity_password)))
    data = read_file(file)
    signed = signer.sign_envelope(data) if kind == "soap" else signer.sign(data)
    sys.stdout.buffer.write(signed)
    sys.stdout.buffer.flush()
    return DONE


def _password(reference: str | None) -> bytes | None:
    if reference is None:
        return None
    nowhere = LedgerConfig(endpoint="http://127.0.0.1/")
    return read_password(reference, nowhere, what="--identity-password").encode()


def verify(
    files: list[Path],
    /,
    *,
    kind: Kind = "document",
    trust: Path | None = None,
    pin: Path | None = None,
    subject: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006 - never changed
    at: str | None = None,
    max_age: float | None = None,
    json: Json = False,
) -> int:
    """Verify signed documents, and print what was signed.

    Parameters
    ----------
    kind
        A signed document, or a SOAP envelope whose one Body must be signed in its place.
    trust
        PEM file with the CA certificates that signers must chain to.
    pin
        PEM file with the one certificate that must have signed.
    subject
        A common name that may sign; may be repeated; any when left out.
    at
        Judge certificates at this moment (RFC 3339); now when left out.
    max_age
        The greatest age in seconds of a WS-Security Timestamp; not judged when left out.

    """
    from claimbridge.signing import Policy
    from claimbridge.signing import verify as verified

    if (trust is None) == (pin is None):
        raise ConfigurationError("give either --trust or --pin", code="CB-251")
    policy = Policy(
        trust=read_file(trust) if trust else b"",
        pin=read_file(pin) if pin else b"",
        subjects=tuple(subject),
        at=moment(at, what="--at"),
        max_age=max_age,
        placement=kind,
    )
    codes = []
    for path in files:
        record: dict[str, Any] = {"file": str(path), "verdict": "refused", "code": None}
        record["signed"] = None
        try:
            content = verified(read_file(path), policy).content
        except (SigningError, ClaimBridgeError) as error:
            if isinstance(error, ConfigurationError):
                raise
            record["code"] = error.code
            if not json:
                complain(f"{path}: {error}")
        else:
            record.update(verdict="accepted", signed=content.decode())
        codes.append(DONE if record["verdict"] == "accepted" else BUSINESS_NO)
        if json:
            emit(record)
        elif record["signed"] is not None:
            say(YES, f" {path}: accepted")
    return worst(codes)


def schema(what: Literal["claim", "voucher"], /) -> int:
    """Print the JSON Schema of a claim or a voucher."""
    from claimbridge.model.schema import json_schema

    text = msgspec.json.format(msgspec.json.encode(json_schema(what)), indent=2)
    sys.stdout.write(text.decode() + "\n")
    return DONE
