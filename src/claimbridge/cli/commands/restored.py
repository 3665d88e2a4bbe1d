"""The command ``journal restored``: a journal that is not the newest becomes it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from claimbridge.cli.book_names import book_of, missing_books
from claimbridge.cli.exit_codes import DONE
from claimbridge.cli.inputs import moment
from claimbridge.cli.options import Config, Json, LedgerName
from claimbridge.cli.output import WARN, YES, emit, say
from claimbridge.cli.records import submission_record
from claimbridge.config import LedgerConfig, ledgers_in, load_config
from claimbridge.errors import ConfigurationError
from claimbridge.journal import Journal, open_journal
from claimbridge.model import Gap, State, Submission
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Capabilities
from claimbridge.submission import Rules, bring_into_doubt, with_journal
from claimbridge.submission.claim.restored import MOVED_BY_COPIES

_NOTHING: Final = Capabilities(
    can_query=False, can_reverse=False, can_list_changes=False, unique_reference=False
)


def journal_restored(
    *,
    until: str,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Say until when a newer copy of the journal was in use; what it may have sent is doubted.

    Run it after a backup was restored, or a journal was lost: nothing is sent before. What may
    have been sent since is in doubt then (claimbridge reconcile), or parked where the ERP cannot
    be asked (claimbridge journal settle).

    Parameters
    ----------
    until
        When the lost journal was last in use (RFC 3339). Rather too late than too early.

    """
    ended = moment(until, what="--until")
    assert ended is not None  # it was given
    ledgers = _sharing(config, ledger)
    journal = open_journal(ledgers[0].journal_url)
    try:
        was_newest = journal.continuity().is_newest
        gap, is_new = journal.note_gap(ended)
        doubted: list[Submission] = []
        if gap is not None and (is_new or not was_newest):
            for book, rules in _books(journal, config, ledgers):
                doubted += _put_in_doubt(journal, book, gap, rules)
        journal.make_newest()
    finally:
        journal.close()
    _show(doubted, gap, json=json)
    return DONE


def _sharing(path: Path, name: str | None) -> list[LedgerConfig]:
    """Return the ledgers of one journal: that of ``name``, or the only one there is."""
    every = [load_config(path, ledger=each) for each in ledgers_in(path)]
    urls = {each.journal_url for each in every if name in (None, each.name)}
    if name is not None and not urls:
        load_config(path, ledger=name)  # raises: there is none of that name
    if len(urls) != 1:
        raise ConfigurationError(
            f"{path} names several journals ({', '.join(sorted(urls))}); name a ledger of the one "
            "that was restored",
            code="CB-252",
        )
    return [each for each in every if each.journal_url in urls]


def _books(
    journal: Journal, path: Path, ledgers: list[LedgerConfig]
) -> Iterator[tuple[str, Rules]]:
    """Yield each book of the journal, and what its ERP can be relied on for."""
    for ledger in ledgers:
        capabilities = load_profile(ledger.profile, ledger.options).capabilities
        yield book_of(journal, ledger), Rules(capabilities=capabilities)
    for book in missing_books(path, journal, ledgers[0].journal_url):
        yield book.id, Rules(capabilities=_NOTHING)  # no ledger of the configuration means it


def _put_in_doubt(journal: Journal, book: str, gap: Gap, rules: Rules) -> Iterator[Submission]:
    """Put in doubt what a book's claims may have become in the gap; yield each of them."""
    seen: set[str] = set()
    for submission in journal.select(book, MOVED_BY_COPIES):
        claim_id = submission.key.claim_id
        if claim_id not in seen:
            seen.add(claim_id)
            yield from with_journal(bring_into_doubt(book, claim_id, gap, rules), journal)


def _show(doubted: list[Submission], gap: Gap | None, *, json: bool) -> None:
    if json:
        for submission in doubted:
            emit(submission_record(submission))
        return
    for submission in doubted:
        name = f"{submission.key.claim_id}  {submission.key.purpose}"
        say(WARN, f" {name}  {submission.state}: {submission.detail}")
    if gap is None:
        say(YES, " this journal is the newest; it lacks nothing")
        return
    until = gap.until.astimezone(dt.UTC)
    say(YES, f" this journal is the newest; it knows nothing until {until:%Y-%m-%d %H:%M:%S}Z")
    waiting = {submission.state for submission in doubted}
    if State.IN_DOUBT in waiting:
        say("now: claimbridge reconcile")
    if State.PARKED in waiting:
        say("now: look in the ERP for what is parked, then claimbridge journal settle")
    say("now: submit again what was sent since; until then its invoices are not known here")
