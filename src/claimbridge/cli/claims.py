"""Commands about claims: submit, status, preview, map, reverse, reconcile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from claimbridge.cli.app import BUSINESS_NO, DONE, exit_code, worst
from claimbridge.cli.output import (
    amount,
    complain,
    console,
    emit,
    plain_entry,
    plain_findings,
    plain_reasons,
    progress,
    read_claim,
    table,
)
from claimbridge.client import Client, Result
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError, ClaimError, LedgerRejection, SchemaViolation
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim, Side, State, Status

Config = Annotated[Path, Parameter(name="--config")]
Json = Annotated[bool, Parameter(name="--json", negative=())]


def submit(
    claims: list[Path],
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: str | None = None,
    json: Json = False,
) -> int:
    """Carry approved claims into the ledger, each exactly once in effect.

    Example: `claimbridge submit --config claimbridge.toml claims/*.json`

    Parameters
    ----------
    claims
        Files with one claim each, in JSON.
    config
        The configuration.
    ledger
        Which ledger of the configuration; may be left out when it has one only.
    json
        One JSON object per claim on stdout.

    """
    codes: list[int] = []

    def readable() -> Iterator[Claim]:
        for path in claims:
            try:
                yield read_claim(path)
            except ClaimBridgeError as error:
                codes.append(_show_end(Result(error.claim_id or path.name, None, error), json))

    with Client.from_config(config, ledger=ledger) as client:
        results = client.submit_many(readable())
        for result in progress(results, total=len(claims), what="submitting"):
            codes.append(_show_end(result, json))
    return worst(codes)


def _show_end(result: Result, json: bool) -> int:
    ack, error = result.acknowledgement, result.error
    if json:
        emit(_end_record(result))
    elif ack is not None:
        entry = f"journal entry {ack.journal_entry}" if ack.journal_entry else "accepted"
        console().print(f"[green]✓[/] {result.claim_id}  {ack.state}  {entry}")
    else:
        console().print(f"[red]✗[/] {result.claim_id}  ", end="")
        console().print(str(error), markup=False)
    return DONE if error is None else exit_code(error)


def _end_record(result: Result) -> dict[str, Any]:
    ack, error = result.acknowledgement, result.error
    if ack is not None:
        return {
            "claim": result.claim_id,
            "state": ack.state,
            "reference": ack.reference,
            "journal_entry": plain_entry(ack.journal_entry),
            "code": None,
            "reasons": [],
        }
    assert error is not None  # a result has one of the two
    return {
        "claim": result.claim_id,
        "state": _state_after(error),
        "reference": getattr(error, "reference", None),
        "journal_entry": None,
        "code": error.code,
        "reasons": _reasons(error),
    }


_STATES = {
    "LedgerRejection": State.REJECTED,
    "OutcomeUnknown": State.IN_DOUBT,
    "NotDelivered": State.PENDING,
    "LedgerUnavailable": State.PENDING,
}


def _state_after(error: ClaimBridgeError) -> State | None:
    """Return our state of the submission that ended so; None when none was begun."""
    if error.code == "CB-421":
        return State.PARKED
    return _STATES.get(type(error).__name__)


def _reasons(error: ClaimBridgeError) -> list[dict[str, str]]:
    if isinstance(error, LedgerRejection) and error.reasons:
        return plain_reasons(error.reasons)
    if isinstance(error, SchemaViolation) and error.findings:
        return [
            {"text": f.text, "code": error.code, "field": f.claim_field or f.path}
            for f in error.findings
        ]
    return [{"text": error.message, "code": error.code, "field": ""}]


def status(
    claims: list[str],
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: str | None = None,
    ask: bool = True,
    json: Json = False,
) -> int:
    """Tell where claims stand, by their ids.

    Example: `claimbridge status EXP-2026-0042`

    Parameters
    ----------
    ask
        Ask the ERP about what it accepted; --no-ask reads the journal alone.

    """
    codes = []
    shown: list[Status] = []
    with Client.from_config(config, ledger=ledger) as client:
        for claim_id in claims:
            try:
                found = client.status(claim_id, ask=ask)
            except ClaimBridgeError as error:
                codes.append(exit_code(error))
                _show_error(claim_id, error, json)
                continue
            codes.append(DONE)
            shown.append(found)
            if json:
                emit(_status_record(found))
    if shown and not json:
        _print_statuses(shown)
    return worst(codes)


def _status_record(found: Status) -> dict[str, Any]:
    return {
        "claim": found.claim_id,
        "revision": found.revision,
        "state": found.state,
        "reference": found.reference,
        "journal_entry": plain_entry(found.journal_entry),
        "reasons": plain_reasons(found.reasons),
        "detail": found.detail,
        "attempt": found.attempt,
    }


def _print_statuses(statuses: list[Status]) -> None:
    made = table("claim", "rev", "state", "journal entry", "reference", "detail", numbers=("rev",))
    for found in statuses:
        made.add_row(
            found.claim_id,
            str(found.revision),
            found.state,
            str(found.journal_entry or ""),
            found.reference,
            found.detail,
        )
    console().print(made)


def _show_error(claim_id: str, error: ClaimBridgeError, json: bool) -> None:
    if json:
        emit(_end_record(Result(claim_id, None, error)))
    else:
        complain(str(error))


def preview(
    claims: list[Path],
    /,
    *,
    chart: Path,
    profile: str = "reference",
    contract: Path | None = None,
    json: Json = False,
) -> int:
    """Show what would be sent for claims, without journal and network.

    Example: `claimbridge preview --profile sap-journal-entry --chart chart.toml claim.json`

    Parameters
    ----------
    chart
        The chart of accounts.
    profile
        The ERP's profile.
    contract
        A locked bundle or a WSDL file; the profile's own when left out.
    json
        One JSON object per claim on stdout.

    """
    ledger = offline_ledger(profile, contract, chart)
    codes = []
    for path in claims:
        try:
            claim = read_claim(path)
            made = ledger.preview(claim)
        except ClaimError as error:
            codes.append(BUSINESS_NO)
            _show_unbuilt(error, path, json)
            continue
        codes.append(DONE if made.valid else BUSINESS_NO)
        record = {
            "claim": made.claim_id,
            "reference": made.reference,
            "operation": made.operation,
            "body": made.body.decode(),
            "valid": made.valid,
            "findings": plain_findings(made.findings),
        }
        if json:
            emit(record)
        else:
            _print_preview(record)
    return worst(codes)


def _show_unbuilt(error: ClaimError, path: Path, json: bool) -> None:
    if not json:
        complain(str(error))
        return
    emit(
        {
            "claim": error.claim_id or path.name,
            "reference": None,
            "operation": None,
            "body": None,
            "valid": False,
            "findings": [
                {"path": "", "rule": error.code, "text": error.message, "claim_field": ""}
            ],
        }
    )


def _print_preview(record: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{record['claim']}[/]  {record['operation']}  reference {record['reference']}")
    out.print(record["body"], markup=False, soft_wrap=True)
    for finding in record["findings"]:
        out.print(f"[red]✗[/] {finding['path']}: {finding['text']}")
    out.print("[green]valid[/]" if record["valid"] else "[red]not valid: it would not be sent[/]")


def offline_ledger(profile: str, contract: Path | None, chart: Path | None) -> Ledger:
    """Return a ledger that builds and reads, for commands that touch no network."""
    config = LedgerConfig(
        name="preview",
        profile=profile,
        endpoint="http://127.0.0.1/",
        contract=str(contract) if contract else None,
        chart=str(chart) if chart else None,
    )
    return Ledger(config)


def map_claims(
    claims: list[Path],
    /,
    *,
    chart: Path,
    explain: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Show the postings of claims, and why each is there.

    Example: `claimbridge map --chart chart.toml --explain claim.json`

    Parameters
    ----------
    chart
        The chart of accounts.
    explain
        Say under each voucher which row and rule made each posting.
    json
        One JSON object per claim on stdout.

    """
    opened = Chart.load(chart)
    codes = []
    for path in claims:
        try:
            claim = read_claim(path)
            mapped = opened.map(claim)
        except ClaimError as error:
            codes.append(BUSINESS_NO)
            complain(str(error))
            if json:
                claim_id = error.claim_id or path.name
                emit(
                    {
                        "claim": claim_id,
                        "postings": [],
                        "explain": [],
                        "code": error.code,
                        "error": error.message,
                    }
                )
            continue
        if json:
            emit(mapped.to_dict())
        else:
            print_voucher(mapped, explain=explain)
    return worst(codes)


def print_voucher(mapped: Mapped, *, explain: bool) -> None:
    """Print a voucher as an accountant reads it: debit and credit in columns of their own."""
    voucher = mapped.voucher
    made = table(
        "account",
        "role",
        "debit",
        "credit",
        "",
        "cost centre",
        "narration",
        title=f"{voucher.claim_id} · {voucher.company} · {voucher.posting_date} · {voucher.text}",
        numbers=("debit", "credit"),
    )
    for posting in voucher.postings:
        debit = posting.side is Side.DEBIT
        made.add_row(
            posting.account,
            posting.role,
            amount(posting.amount) if debit else "",
            "" if debit else amount(posting.amount),
            posting.currency,
            posting.cost_centre,
            posting.narration,
        )
    out = console()
    out.print(made)
    if explain:
        for line in mapped.to_dict()["explain"]:
            out.print(f"  {_sentence(line)}", markup=False)


def _sentence(line: Any) -> str:
    if isinstance(line, dict):
        return " · ".join(
            f"{name} {value}" for name, value in line.items() if value not in ("", None)
        )
    return str(line)


def reverse(
    claim: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: str | None = None,
    revision: int | None = None,
    date: dt.date | None = None,
    reason: str = "",
    json: Json = False,
) -> int:
    """Take a claim's journal entry back by a reversal.

    Example: `claimbridge reverse EXP-2026-0042 --reason "paid twice"`

    Parameters
    ----------
    revision
        Which revision; the newest when left out.
    date
        The reversal's posting date; today when left out.
    reason
        Goes into the reversal's text.

    """
    with Client.from_config(config, ledger=ledger) as client:
        try:
            ack = client.reverse(claim, revision=revision, posting_date=date, reason=reason)
        except ClaimBridgeError as error:
            _show_error(claim, error, json)
            return exit_code(error)
    return _show_end(Result(claim, ack, None), json)


def reconcile(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: str | None = None,
    json: Json = False,
) -> int:
    """Bring every unfinished submission to an end: ask the ERP, adopt, or send.

    Example: `claimbridge reconcile --config claimbridge.toml`
    """
    codes = []
    with Client.from_config(config, ledger=ledger) as client:
        for one in client.reconcile():
            if one.status is not None:
                codes.append(DONE)
                if json:
                    emit(_status_record(one.status))
                else:
                    console().print(
                        f"[green]✓[/] {one.claim_id}  {one.status.state}  "
                        f"{one.status.journal_entry or ''}"
                    )
            elif one.error is not None:
                codes.append(exit_code(one.error))
                _show_error(one.claim_id, one.error, json)
    if not codes and not json:
        console().print("nothing is unfinished")
    return worst(codes)
