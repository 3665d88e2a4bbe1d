"""Commands about claims: submit, status, preview, map, reverse, reconcile."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from claimbridge.cli.book_names import warn_of_missing
from claimbridge.cli.exit_codes import BUSINESS_NO, DONE, exit_code, worst
from claimbridge.cli.inputs import at_hand, read_claim
from claimbridge.cli.listing import Listing
from claimbridge.cli.options import (
    ChartFile,
    Config,
    Json,
    LedgerName,
    NewJournal,
)
from claimbridge.cli.output import NO, YES, complain, emit, progress, say
from claimbridge.cli.records import (
    finding_text,
    plain_entry,
    plain_reasons,
    standing_record,
)
from claimbridge.cli.vouchers import print_voucher
from claimbridge.client import Client
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConflictingSubmission,
    DeliveryError,
    LedgerRejection,
    OutcomeUnknown,
    SchemaViolation,
)
from claimbridge.mapping import Chart
from claimbridge.model import Acknowledgement, Claim, Standing, State
from claimbridge.results import Result


def submit(
    claims: list[Path],
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    new_journal: NewJournal = False,
    json: Json = False,
) -> int:
    """Carry approved claims into the ledger, each exactly once in effect.

    Parameters
    ----------
    claims
        Files with one claim each, in JSON; - is stdin.

    """
    codes: list[int] = []
    revisions: deque[int] = deque()

    def readable() -> Iterator[Claim]:
        for path in claims:
            try:
                claim = read_claim(path)
            except ClaimBridgeError as error:
                codes.append(_show_end(Result(error.claim_id or path.name, None, error), json))
                continue
            revisions.append(claim.revision)
            yield claim

    with Client.from_config(config, ledger=ledger, new_journal=new_journal) as client:
        warn_of_missing(config, client)
        results = client.submit_many(readable())
        for result in progress(results, total=len(claims), what="submitting"):
            revision = revisions.popleft()  # the results are in the order of the claims
            state = _state_now(client, result.claim_id, result.error, revision)
            codes.append(_show_end(result, json, state))
    return worst(codes)


def _show_end(result: Result, json: bool, state: State | None = None) -> int:
    """Print how a claim ended, and return its exit code; ``state`` is ours after an error."""
    ack, error = result.acknowledgement, result.error
    if json:
        emit(_end_record(result, state))
    elif ack is not None:
        entries = [
            str(document.journal_entry)
            for document in ack.documents or (ack,)
            if document.journal_entry
        ]
        entry = f"journal entry {', '.join(entries)}" if entries else "accepted"
        say(YES, f" {result.claim_id}  {ack.state}  {entry}")
    else:
        say(NO, f" {result.claim_id}  {error}")
        for finding in error.findings if isinstance(error, SchemaViolation) else ():
            say(f"    {finding_text(finding)}")
    return DONE if error is None else exit_code(error)


def _end_record(result: Result, state: State | None) -> dict[str, Any]:
    ack, error = result.acknowledgement, result.error
    if ack is not None:
        return {
            "claim": result.claim_id,
            "state": ack.state,
            "reference": ack.reference,
            "journal_entry": plain_entry(ack.journal_entry),
            "code": None,
            "reasons": [],
        } | _parts(ack)
    assert error is not None  # a result has one of the two
    return {
        "claim": result.claim_id,
        "state": state,
        "reference": error.reference if isinstance(error, DeliveryError) else None,
        "journal_entry": None,
        "code": error.code,
        "reasons": _reasons(error),
    }


def _parts(ack: Acknowledgement) -> dict[str, Any]:
    """Return the documents of a claim that had to be divided; nothing for one document."""
    if not ack.documents:
        return {}
    return {
        "parts": [
            {"reference": part.reference, "journal_entry": plain_entry(part.journal_entry)}
            for part in ack.documents
        ]
    }


def _state_now(
    client: Client, claim_id: str, error: ClaimBridgeError | None, revision: int | None = None
) -> State | None:
    """Return the journal's state of the submission that an error is about.

    None where nothing was begun, nothing went wrong, or the call contradicts what was begun.
    ``revision`` None means the newest.
    """
    if not isinstance(error, DeliveryError) or isinstance(error, ConflictingSubmission):
        return None
    try:
        # A reversal, and a document of several, have a reference and a state of their own.
        named = client.journal.find(client.book().id, error.reference) if error.reference else None
        if named is not None and revision in (None, named.key.revision):
            return named.state
        standing = client.status(claim_id, ask=False)
    except ClaimBridgeError:
        # Where the journal itself fails, the error is all that is known.
        return State.IN_DOUBT if isinstance(error, OutcomeUnknown) else None
    return standing.state if revision in (None, standing.revision) else None


def _reasons(error: ClaimBridgeError) -> list[str]:
    if isinstance(error, LedgerRejection) and error.reasons:
        return plain_reasons(error.reasons)
    if isinstance(error, SchemaViolation) and error.findings:
        return [finding_text(finding) for finding in error.findings]
    return [error.message]


def status(
    claims: list[str],
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    ask: bool = True,
    json: Json = False,
) -> int:
    """Report where claims stand, by their ids.

    Parameters
    ----------
    claims
        Ids of claims.
    ask
        Ask the ERP about what it accepted; --no-ask reads the journal alone.

    """
    codes = []
    standings: list[Standing] = []
    with Client.from_config(config, ledger=ledger) as client:
        for claim_id in claims:
            try:
                standing = client.status(claim_id, ask=ask)
            except ClaimBridgeError as error:
                codes.append(exit_code(error))
                _show_error(claim_id, error, json, _state_now(client, claim_id, error))
                continue
            codes.append(DONE)
            standings.append(standing)
            if json:
                emit(standing_record(standing))
    if standings and not json:
        _print_standings(standings)
    return worst(codes)


def _print_standings(standings: list[Standing]) -> None:
    listing = Listing("claim", "rev", "state", "journal entry", "reference", numbers=("rev",))
    for standing in standings:
        listing.add(
            standing.claim_id,
            str(standing.revision),
            standing.state,
            str(standing.journal_entry or ""),
            standing.reference,
            why=standing.detail,
        )
    listing.show()


def _show_error(
    claim_id: str, error: ClaimBridgeError, json: bool, state: State | None = None
) -> None:
    if json:
        emit(_end_record(Result(claim_id, None, error), state))
    else:
        complain(str(error))


def map_claims(
    claims: list[Path],
    /,
    *,
    chart: ChartFile,
    explain: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Show the postings of claims, and why each is there.

    Parameters
    ----------
    claims
        Files with one claim each, in JSON; - is stdin.
    explain
        Say under each voucher which row and rule made each posting.

    """
    with at_hand(chart, suffix=".toml") as file:
        loaded = Chart.load(file)
    codes = []
    for path in claims:
        try:
            mapped = loaded.map(read_claim(path))
        except ClaimError as error:
            codes.append(BUSINESS_NO)
            _show_unmapped(error, path, json)
            continue
        codes.append(DONE)
        if json:
            emit(mapped.to_dict())
        else:
            print_voucher(mapped, explain=explain)
    return worst(codes)


def _show_unmapped(error: ClaimError, path: Path, json: bool) -> None:
    if not json:
        complain(str(error))
        return
    emit(
        {
            "claim": error.claim_id or path.name,
            "postings": [],
            "explain": [],
            "code": error.code,
            "error": error.message,
        }
    )


def reverse(
    claim: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    revision: int | None = None,
    date: dt.date | None = None,
    reason: str = "",
    json: Json = False,
) -> int:
    """Take a claim's journal entry back by a reversal.

    Parameters
    ----------
    claim
        Its id.
    revision
        Which revision; the newest when left out.
    date
        The reversal's posting date; when left out, today in the company's time zone.
    reason
        Goes into the reversal's text.

    """
    with Client.from_config(config, ledger=ledger) as client:
        warn_of_missing(config, client)
        try:
            ack = client.reverse(claim, revision=revision, posting_date=date, reason=reason)
        except ClaimBridgeError as error:
            _show_error(claim, error, json, _state_now(client, claim, error, revision))
            return exit_code(error)
    return _show_end(Result(claim, ack, None), json)


def reconcile(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Bring every unfinished submission to an end: ask the ERP, adopt, or send."""
    codes = []
    with Client.from_config(config, ledger=ledger) as client:
        warn_of_missing(config, client)
        for end in client.reconcile():
            if end.standing is not None:
                codes.append(DONE)
                if json:
                    emit(standing_record(end.standing))
                else:
                    entry = end.standing.journal_entry or ""
                    say(YES, f" {end.claim_id}  {end.standing.state}  {entry}")
            elif end.error is not None:
                codes.append(exit_code(end.error))
                state = _state_now(client, end.claim_id, end.error)
                _show_error(end.claim_id, end.error, json, state)
    if not codes and not json:
        say("nothing is unfinished")
    return worst(codes)
