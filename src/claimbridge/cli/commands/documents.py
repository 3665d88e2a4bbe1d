"""Commands about documents: reply, validate, schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE, NOT_DELIVERED, UNKNOWN, worst
from claimbridge.cli.inputs import is_stdin, read_file
from claimbridge.cli.offline import offline_ledger
from claimbridge.cli.options import ContractPlace, Json, ProfileName, ProfileOptions
from claimbridge.cli.output import NO, YES, emit, say, write_document
from claimbridge.cli.records import plain_entry, plain_findings, plain_reasons
from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.ledger import Ledger
from claimbridge.model import Claim, Finding, Outcome, OutcomeKind
from claimbridge.soap.envelope import open_envelope

_EXIT_CODES: Final = {
    OutcomeKind.REJECTED: BUSINESS_NO,
    OutcomeKind.ABSENT: BUSINESS_NO,
    OutcomeKind.DUPLICATE: UNKNOWN,
    OutcomeKind.UNDER_WAY: UNKNOWN,
    OutcomeKind.UNKNOWN: UNKNOWN,
    OutcomeKind.UNAVAILABLE: NOT_DELIVERED,
    OutcomeKind.NOT_DELIVERED: NOT_DELIVERED,
}
"""What a reply alone proves of the ledger; every other kind is done.

A duplicate proves that the ERP holds a document with our reference, not that it is ours: its
amounts are compared before it is adopted.
"""


def reply(
    files: list[Path],
    /,
    *,
    profile: ProfileName = "reference",
    contract: ContractPlace = None,
    option: ProfileOptions = (),
    json: Json = False,
) -> int:
    """Read saved replies of an ERP as its profile would.

    Each document's outcome is printed by its own name. Exit codes: 0 the ledger holds it · 1 the
    ERP refused it, or has no such document · 3 the reply alone does not say (unknown, under way,
    duplicate) · 4 the ERP took nothing (not delivered, unavailable).

    Parameters
    ----------
    files
        SOAP envelopes; - is stdin.

    """
    ledger = offline_ledger(profile, contract, None, option, reads_only=True)
    codes = []
    for path in files:
        data = read_file(path)
        outcomes = ledger.read_bytes(data)
        drift = _drift(ledger, data)
        for outcome in outcomes:
            record = _outcome_record(path, outcome, drift)
            if len(outcomes) > 1:
                record["item"] = outcome.item
            codes.append(_EXIT_CODES.get(outcome.kind, DONE))
            if json:
                emit(record)
            else:
                _print_outcome(record)
    return worst(codes)


def _outcome_record(path: Path, outcome: Outcome, drift: tuple[str, ...]) -> dict[str, Any]:
    reasons = plain_reasons(outcome.reasons)
    if not reasons and outcome.text:
        reasons = [outcome.text]
    return {
        "file": str(path),
        "outcome": outcome.kind,
        "journal_entry": plain_entry(outcome.journal_entry),
        "reference": outcome.reference,
        "reasons": reasons,
        "drift": list(drift),
        "retry_is_useless": outcome.retry_is_useless,
    }


def _drift(ledger: Ledger, data: bytes) -> tuple[str, ...]:
    try:
        body = open_envelope(data).body
    except ClaimBridgeError:
        return ()
    return ledger.setup.contract.drift(body) if body is not None else ()


def _print_outcome(record: dict[str, Any]) -> None:
    entry = record["journal_entry"]
    kind = record["outcome"].replace("_", " ")
    useless = ", useless to repeat" if record["retry_is_useless"] else ""
    say(f"{record['file']}: ", (kind, "bold"), useless, f" {entry}" if entry else "")
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
    option: ProfileOptions = (),
    json: Json = False,
) -> int:
    """Check claims (.json) against the model, and requests (XML) against a contract.

    Parameters
    ----------
    files
        Claims in JSON; SOAP envelopes or the Body's child in XML; - is stdin, of either kind.

    """
    ledger = offline_ledger(profile, contract, None, option, reads_only=True)
    codes = []
    for path in files:
        findings = _findings(path, ledger)
        codes.append(BUSINESS_NO if findings else DONE)
        if json:
            emit({"file": str(path), "valid": not findings, "findings": plain_findings(findings)})
            continue
        say(NO if findings else YES, f" {path}: {'not valid' if findings else 'valid'}")
        for finding in findings:
            say("    " + ": ".join(part for part in (finding.path or finding.rule, finding.text)))
    return worst(codes)


def _findings(path: Path, ledger: Ledger) -> tuple[Finding, ...]:
    data = read_file(path)
    claim = path.suffix == ".json" or (is_stdin(path) and data.lstrip()[:1] in {b"{", b"["})
    return _claim_findings(data) if claim else _xml_findings(data, ledger)


def _claim_findings(data: bytes) -> tuple[Finding, ...]:
    try:
        Claim.from_json(data)
    except ClaimError as error:
        return (Finding(path="", rule=error.code, text=error.message),)
    return ()


def _xml_findings(data: bytes, ledger: Ledger) -> tuple[Finding, ...]:
    try:
        return ledger.check_document(data)
    except ClaimBridgeError as error:
        return (Finding(path="", rule=error.code, text=error.message),)


def schema(what: Literal["claim", "voucher"], /) -> int:
    """Print the JSON Schema of a claim or a voucher."""
    from claimbridge.model.schema import json_schema

    text = msgspec.json.format(msgspec.json.encode(json_schema(what)), indent=2)
    write_document(text + b"\n")
    return DONE
