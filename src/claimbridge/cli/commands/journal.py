"""Commands about the journal: list, show, settle."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from claimbridge.cli.book_names import book_of
from claimbridge.cli.exit_codes import DONE, exit_code
from claimbridge.cli.inputs import moment
from claimbridge.cli.listing import Listing
from claimbridge.cli.options import Config, Json, LedgerName
from claimbridge.cli.output import YES, complain, emit, say
from claimbridge.cli.records import (
    part_record,
    standing_record,
    submission_record,
)
from claimbridge.client import Client
from claimbridge.config import load_config
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import open_journal
from claimbridge.model import JournalEntry, Key, Move, State, Submission


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
    listing = Listing(
        "claim", "rev", "purpose", "state", "journal entry", "attempt", numbers=("rev", "attempt")
    )
    try:
        for submission in journal.select(book_of(journal, loaded), state):
            if json:
                emit(submission_record(submission))
            else:
                listing.add(
                    _document_name(submission.key),
                    str(submission.key.revision),
                    submission.key.purpose,
                    submission.state,
                    str(submission.journal_entry or ""),
                    str(submission.attempt),
                    why=submission.detail,
                )
    finally:
        journal.close()
    if not json:
        listing.show()
    return DONE


def _document_name(key: Key) -> str:
    """Return what people call a document: the claim, and which part of it."""
    return f"{key.claim_id}  part {key.part}" if key.part else key.claim_id


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
    listing = Listing("at", "rev", "purpose", "from", "to", "attempt", numbers=("rev", "attempt"))
    try:
        book = book_of(journal, loaded)
        history = journal.history(book, claim)
        losses = map(
            _move_of_loss, (submission for submission in history.submissions if submission.missing)
        )
        for move in chain(journal.moves(book, claim), losses):
            if json:
                emit(
                    {
                        "claim": claim,
                        "revision": move.key.revision,
                        **part_record(move.key),
                        "purpose": move.key.purpose,
                        "at": move.at,
                        "from": move.before,
                        "to": move.after,
                        "attempt": move.attempt,
                        "detail": move.detail,
                    }
                )
            else:
                listing.add(
                    f"{move.at:%Y-%m-%d %H:%M:%S}",
                    str(move.key.revision) + (f" part {move.key.part}" if move.key.part else ""),
                    move.key.purpose,
                    move.before or "",
                    move.after,
                    str(move.attempt),
                    why=move.detail,
                )
    finally:
        journal.close()
    if not json:
        listing.show()
    return DONE


def _move_of_loss(missing: Submission) -> Move:
    """Return, as a line of what happened, that the ERP no longer has what it accepted."""
    assert missing.updated_at is not None  # the journal stamps what it keeps
    return Move(
        key=missing.key,
        at=missing.updated_at,
        before=missing.state,
        after=missing.state,
        attempt=missing.attempt,
        detail=missing.detail,
    )


def settle_submission(
    claim: str,
    /,
    *,
    revision: int,
    part: int = 0,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    posted: str | None = None,
    company: str = "",
    fiscal_year: str = "",
    not_posted: Annotated[bool, Parameter(negative=())] = False,
    reversed: Annotated[bool, Parameter(negative=())] = False,
    gone: Annotated[bool, Parameter(negative=())] = False,
    looked: str | None = None,
    note: str = "settled by hand",
    json: Json = False,
) -> int:
    """Record what you found in the ERP about a parked submission, or one that is gone from it.

    Parameters
    ----------
    part
        Which document of a claim that is several, as `journal list` shows it.
    posted
        The journal entry's number in the ERP.
    not_posted
        The ERP holds none: it may be submitted again.
    reversed
        People have reversed it in the ERP.
    gone
        The ERP accepted it and has it no more: it was deleted, or the ERP was restored.
    looked
        When you looked into the ERP (RFC 3339); just now when left out.

    """
    if sum((posted is not None or reversed, not_posted, gone)) != 1:
        complain("give one of --posted NUMBER, --not-posted, --reversed and --gone")
        return 2
    entry = None
    if posted is not None:
        entry = JournalEntry(number=posted, company=company, fiscal_year=fiscal_year)
    with Client.from_config(config, ledger=ledger) as client:
        try:
            standing = client.settle(
                claim,
                revision=revision,
                part=part,
                posted=entry,
                reversed=reversed,
                gone=gone,
                looked=moment(looked, what="--looked"),
                note=note,
            )
        except ClaimBridgeError as error:
            complain(str(error))
            return exit_code(error)
    if json:
        emit(standing_record(standing))
    else:
        document = f"{claim}  part {part}" if part else claim
        say(YES, f" {document}  {standing.state}  {standing.journal_entry or ''}")
    return DONE
