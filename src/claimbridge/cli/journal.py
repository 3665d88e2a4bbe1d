"""Commands about the journal: list, show, settle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from claimbridge.cli.app import DONE, exit_code
from claimbridge.cli.claims import Config, Json, LedgerName, status_record
from claimbridge.cli.output import (
    YES,
    complain,
    emit,
    moment,
    plain_entry,
    plain_reasons,
    row,
    say,
    show,
    table,
)
from claimbridge.client import Client
from claimbridge.config import load_config
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import open_journal
from claimbridge.model import JournalEntry, State, Submission


def list_submissions(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    state: Annotated[list[State], Parameter(negative=(), name_transform=str.lower)] = [],  # noqa: B006 - never changed
    json: Json = False,
) -> int:
    """List submissions, oldest first.

    Parameters
    ----------
    state
        Only these states; may be repeated; all when left out.

    """
    loaded = load_config(config, ledger=ledger)
    journal = open_journal(loaded.journal_url)
    made = table(
        "claim", "rev", "purpose", "state", "journal entry", "attempt", "why",
        numbers=("rev", "attempt"), texts=("why",),
    )  # fmt: skip
    try:
        for found in journal.select(loaded.name, state):
            if json:
                emit(submission_record(found))
            else:
                row(
                    made,
                    found.key.claim_id,
                    str(found.key.revision),
                    found.key.purpose,
                    found.state,
                    str(found.journal_entry or ""),
                    str(found.attempt),
                    found.detail,
                )
    finally:
        journal.close()
    if not json:
        show(made)
    return DONE


def submission_record(found: Submission) -> dict[str, Any]:
    """Return a submission, for JSON."""
    return {
        "claim": found.key.claim_id,
        "revision": found.key.revision,
        "purpose": found.key.purpose,
        "state": found.state,
        "reference": found.reference,
        "journal_entry": plain_entry(found.journal_entry),
        "attempt": found.attempt,
        "reasons": plain_reasons(found.reasons),
        "detail": found.detail,
        "updated_at": found.updated_at,
    }


def show_submissions(
    claim: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Show every move of a claim's submissions, oldest first."""
    loaded = load_config(config, ledger=ledger)
    journal = open_journal(loaded.journal_url)
    made = table(
        "at", "rev", "purpose", "from", "to", "attempt", "why",
        numbers=("rev", "attempt"), texts=("why",),
    )  # fmt: skip
    try:
        moves = journal.moves(loaded.name, claim)
    finally:
        journal.close()
    for move in moves:
        if json:
            emit(
                {
                    "claim": claim,
                    "revision": move.key.revision,
                    "purpose": move.key.purpose,
                    "at": move.at,
                    "from": move.before,
                    "to": move.after,
                    "attempt": move.attempt,
                    "detail": move.detail,
                }
            )
        else:
            row(
                made,
                f"{move.at:%Y-%m-%d %H:%M:%S}",
                str(move.key.revision),
                move.key.purpose,
                move.before or "",
                move.after,
                str(move.attempt),
                move.detail,
            )
    if not json:
        show(made)
    return DONE


def settle_submission(
    claim: str,
    /,
    *,
    revision: int,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    posted: str | None = None,
    company: str = "",
    fiscal_year: str = "",
    not_posted: Annotated[bool, Parameter(negative=())] = False,
    reversed: Annotated[bool, Parameter(negative=())] = False,
    looked: str | None = None,
    note: str = "settled by hand",
    json: Json = False,
) -> int:
    """Record what you found in the ERP about a parked submission.

    Parameters
    ----------
    posted
        The journal entry's number in the ERP.
    not_posted
        The ERP holds none: it may be submitted again.
    reversed
        People have reversed it in the ERP.
    looked
        When you looked into the ERP (RFC 3339); just now when left out.

    """
    if (posted is not None or reversed) == not_posted:
        complain("give one of --posted NUMBER, --not-posted and --reversed")
        return 2
    entry = None
    if posted is not None:
        entry = JournalEntry(number=posted, company=company, fiscal_year=fiscal_year)
    with Client.from_config(config, ledger=ledger) as client:
        try:
            status = client.settle(
                claim,
                revision=revision,
                posted=entry,
                reversed=reversed,
                looked=moment(looked, what="--looked"),
                note=note,
            )
        except ClaimBridgeError as error:
            complain(str(error))
            return exit_code(error)
    if json:
        emit(status_record(status))
    else:
        say(YES, f" {claim}  {status.state}  {status.journal_entry or ''}")
    return DONE
