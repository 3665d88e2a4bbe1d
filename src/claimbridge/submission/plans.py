"""What callers ask of a ledger, each as a plan; each is named as the method of ``Client``."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    DeliveryError,
    JournalError,
    LedgerRejection,
    LedgerUnavailable,
    OutcomeUnknown,
)
from claimbridge.model import (
    LIVE,
    Acknowledgement,
    Book,
    Change,
    Claim,
    History,
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Standing,
    State,
    Submission,
)
from claimbridge.results import Reconciled, Result
from claimbridge.submission import reachable
from claimbridge.submission.claim.batch import submit_together
from claimbridge.submission.claim.by_hand import settle_by_hand, settle_gone
from claimbridge.submission.claim.division import prepare, submit_claim
from claimbridge.submission.claim.recovery import SelectUnfinished, TakeNext, reconcile_claim
from claimbridge.submission.claim.reversal import reverse_claim
from claimbridge.submission.claim.withdrawal import withdraw_claim
from claimbridge.submission.decisions.books import open_book
from claimbridge.submission.decisions.documents import (
    Documents,
    current_revision,
    documents_of,
    standing_revision,
)
from claimbridge.submission.decisions.evidence import reversal_key
from claimbridge.submission.decisions.feed import Feed
from claimbridge.submission.decisions.port import LedgerPort
from claimbridge.submission.decisions.standings import (
    acknowledgement,
    standing_of,
    standing_of_all,
    standing_of_claim,
)
from claimbridge.submission.document.first import check_newest
from claimbridge.submission.document.news import absorb, submission_of
from claimbridge.submission.document.question import refresh
from claimbridge.submission.reachable import Reachability
from claimbridge.submission.steps.driver import Emissions
from claimbridge.submission.steps.steps import (
    AgreeNew,
    Emit,
    KeepCursor,
    Pause,
    Plan,
    ReadCursor,
    Recall,
)

log = logging.getLogger("claimbridge.ledger")


def book(ledger: LedgerPort) -> Plan[Book]:
    """Read which book a ledger means, and open it where it is new: every other plan begins so.

    Raises ConfigurationError: CB-232 where the name stands for another book than before, CB-234
    where a parallel ledger is the same book as another.
    """
    opening = yield from open_book(ledger.book_config, ledger.rules.clock)
    if opening.news:
        log.warning("%s", opening.news)
    return opening.book


def agree_new(ledger: LedgerPort) -> Plan[None]:
    """Keep what ``new_journal=True`` says: nothing was sent to the book before.

    A ledger whose book is not clear is refused by whatever is asked of it next.
    """
    try:
        own = yield from book(ledger)
    except JournalError:
        raise
    except ConfigurationError:
        return
    yield from AgreeNew(own.id)


# --- submitting -----------------------------------------------------------------------------


def submit(claim: Claim, ledger: LedgerPort) -> Plan[Acknowledgement]:
    """Carry a claim into the ledger, once."""
    return acknowledgement((yield from _submit(claim, ledger)))


def _submit(claim: Claim, ledger: LedgerPort) -> Plan[Documents]:
    book_id = (yield from book(ledger)).id
    key = Key(book_id, claim.id, claim.revision)
    plan = submit_claim(key, claim.digest, lambda: prepare(claim, book_id, ledger), ledger)
    return (yield from plan)


def submit_many(
    claims: Iterable[Claim], ledger: LedgerPort, *, batch: int
) -> Iterator[Plan[list[Result]]]:
    """Yield a plan for every ``batch`` claims, or fewer where the ERP says so; none raises."""
    size = min(batch, ledger.rules.capabilities.batch)
    rest = iter(claims)
    while chunk := list(islice(rest, size)):
        yield _submit_chunk(chunk, ledger)


def _submit_chunk(claims: Sequence[Claim], ledger: LedgerPort) -> Plan[list[Result]]:
    """Submit claims in one request where they go into one; a Result for each, in order."""
    try:
        book_id = (yield from book(ledger)).id if len(claims) > 1 else ""
    except ClaimBridgeError:  # each claim has an error of its own
        book_id = ""
    ends = (yield from submit_together(claims, book_id, ledger)) if book_id else {}
    results = []
    for index, claim in enumerate(claims):
        # What is left over: several documents; or it cannot be built now, but may have been posted
        # when it could.
        end = ends[index] if index in ends else (yield from _submit_or_error(claim, ledger))
        results.append(_result_of(claim, end))
    return results


def _submit_or_error(claim: Claim, ledger: LedgerPort) -> Plan[Documents | ClaimBridgeError]:
    try:
        return (yield from _submit(claim, ledger))
    except ClaimBridgeError as error:
        error.claim_id = error.claim_id or claim.id
        return error


def _result_of(claim: Claim, end: Documents | ClaimBridgeError) -> Result:
    if isinstance(end, ClaimBridgeError):
        return Result(claim.id, None, end)
    return Result(claim.id, acknowledgement(end), None)


# --- asking ---------------------------------------------------------------------------------


def status(claim_id: str, ledger: LedgerPort, *, ask: bool) -> Plan[Standing]:
    """Say where the newest revision of a claim stands; ``ask`` the ERP what it accepted."""
    history = yield from Recall((yield from book(ledger)).id, claim_id)
    documents = _documents(history, current_revision(history), ledger)
    standings: list[Standing] = []
    for one in documents:
        if ask and one.state in LIVE:
            one = yield from refresh(one, ledger)
        standing = standing_of(one)
        if one.state is State.REVERSED:
            by = yield from _reversal_of(one)
            standing = msgspec.structs.replace(standing, reversed_by=by)
        standings.append(standing)
    return standing_of_all(standings, documents[0].voucher.documents)


def _documents(history: History, revision: int, ledger: LedgerPort) -> Documents:
    """Return the documents of a revision; raises ClaimError CB-132 when there is none."""
    documents = documents_of(history, revision)
    if documents:
        return documents
    about = f"no revision {revision}" if history.submissions else "nothing"
    text = f"{about} was submitted for it to ledger {ledger.name}"
    if history.withdrawn is not None:
        text += f"; revision {history.withdrawn.revision} was withdrawn: {history.withdrawn.reason}"
    raise ClaimError(text, code="CB-132", claim_id=history.claim_id)


def _reversal_of(document: Submission) -> Plan[JournalEntry | None]:
    """Read the journal entry that reversed a document; None where it has no number."""
    history = yield from Recall(document.key.book, document.key.claim_id)
    reversal = history.get(reversal_key(document.key))
    return reversal.journal_entry if reversal is not None else None


def wait(claim_id: str, ledger: LedgerPort, *, until: State, timeout: float) -> Plan[Standing]:
    """Wait until the ERP has posted (or paid) a claim."""
    if until not in LIVE:
        raise ConfigurationError(f"cannot wait until {until}; wait until posted or paid")
    clock = ledger.rules.clock
    end = clock.monotonic() + timeout
    pause = 0.1
    while True:
        standing = yield from status(claim_id, ledger, ask=True)
        if standing.state in LIVE and _RANK[standing.state] >= _RANK[until]:
            return standing
        if standing.state in _ENDS:
            raise _never(standing, until)
        left = end - clock.monotonic()
        if left <= 0:
            raise LedgerUnavailable(
                f"still {standing.state} after {timeout:g} s, not {until}; wait longer",
                code="CB-441",
                claim_id=claim_id,
                reference=standing.reference,
                attempt=standing.attempt,
            )
        yield from Pause(min(pause, left))
        pause = min(pause * 1.6, 15.0)


_RANK: Final = {State.ACKNOWLEDGED: 0, State.POSTED: 1, State.PAID: 2}
_ENDS: Final = frozenset({State.REJECTED, State.PARKED, State.REVERSED, State.REVERSING})


def _never(standing: Standing, until: State) -> DeliveryError:
    about: dict[str, Any] = {
        "claim_id": standing.claim_id,
        "reference": standing.reference,
        "attempt": standing.attempt,
    }
    text = f"it is {standing.state} and will not become {until}: {standing.detail}"
    if standing.state is State.REJECTED:
        return LedgerRejection(text, reasons=standing.reasons, **about)
    return OutcomeUnknown(text, code="CB-429", **about)


def ask_for_nothing(ledger: LedgerPort) -> Plan[Reachability]:
    """Ask the ERP about a document that nobody sent, to see whether the way there works."""
    return reachable.ask_for_nothing(ledger)


def changes(ledger: LedgerPort, *, since: str | None, limit: int) -> Emissions[Change]:
    """Emit what changed in the ERP, oldest first, once it is in the journal."""
    return Emissions(_changes(ledger, since, limit))


def _changes(ledger: LedgerPort, since: str | None, limit: int) -> Plan[None]:
    book_id = (yield from book(ledger)).id
    feed = Feed((yield from ReadCursor(book_id)) if since is None else since)
    try:
        more = True
        while more:
            page = yield from ledger.page(book_id, feed.begin, feed.limit(limit))
            for outcome, cursor in feed.turn(page):
                yield from Emit((yield from _take_in(outcome, cursor, book_id, ledger)))
            yield from _keep(book_id, feed)
            more = page.more
    except GeneratorExit:
        raise  # nobody is left to perform a step
    except BaseException:
        yield from _keep(book_id, feed)
        raise


def _take_in(outcome: Outcome, cursor: str, book_id: str, ledger: LedgerPort) -> Plan[Change]:
    """Record what one change says of a document of ours."""
    standing = None
    document = yield from submission_of(book_id, outcome.reference or "", ledger.rules)
    if document is not None:
        standing = standing_of((yield from absorb(document, outcome, ledger.rules)))
    return Change(
        reference=outcome.reference or "",
        outcome=outcome.kind,
        journal_entry=outcome.journal_entry,
        standing=standing,
        cursor=cursor,
    )


def _keep(book_id: str, feed: Feed) -> Plan[None]:
    cursor = feed.to_keep()
    if cursor is not None:
        yield from KeepCursor(book_id, cursor)


# --- taking back ----------------------------------------------------------------------------


def reverse(
    claim_id: str,
    ledger: LedgerPort,
    *,
    revision: int | None,
    posting_date: dt.date | None,
    reason: str,
) -> Plan[Acknowledgement]:
    """Take a claim's journal entry back; None means the newest revision, and today."""
    history = yield from Recall((yield from book(ledger)).id, claim_id)
    revision = standing_revision(history) if revision is None else revision
    first = _documents(history, revision, ledger)[0]
    date = posting_date or ledger.today(first.voucher.company, claim_id=claim_id)
    return acknowledgement((yield from reverse_claim(first.key, date, reason, ledger)))


def withdraw(
    claim_id: str,
    ledger: LedgerPort,
    *,
    reason: str,
    revision: int,
    approved_at: dt.datetime | None,
) -> Plan[Standing | None]:
    """Keep a claim out of the ledger that was taken back where it came from; ask nobody."""
    own = yield from book(ledger)
    documents = yield from withdraw_claim(
        own.id, claim_id, reason, ledger.rules, revision=revision, approved_at=approved_at
    )
    return standing_of_claim(documents) if documents else None


# --- bringing to an end ---------------------------------------------------------------------


def reconcile(ledger: LedgerPort) -> Emissions[Reconciled]:
    """Emit what becomes of each unfinished submission; None for one that another has finished.

    After the last one, raises JournalError where the journal is not the newest.
    """
    return Emissions(_reconcile(ledger))


def _reconcile(ledger: LedgerPort) -> Plan[None]:
    rest = yield from SelectUnfinished((yield from book(ledger)).id)
    while (one := (yield from TakeNext(rest))) is not None:
        yield from Emit((yield from _reconcile_one(one, ledger)))
    # What the journal does not know is not unfinished to it: the end must not look like a good one.
    yield from check_newest()


def _reconcile_one(unfinished: Submission, ledger: LedgerPort) -> Plan[Reconciled | None]:
    claim_id = unfinished.key.claim_id
    try:
        documents = yield from reconcile_claim(unfinished, ledger)
    except ClaimBridgeError as error:
        return Reconciled(claim_id, None, error)
    return Reconciled(claim_id, standing_of_claim(documents), None) if documents else None


def settle(
    claim_id: str,
    ledger: LedgerPort,
    *,
    revision: int,
    part: int,
    posted: JournalEntry | None,
    reversed: bool,
    gone: bool,
    looked: dt.datetime | None,
    note: str,
) -> Plan[Standing]:
    """Record what a person found in the ERP about a parked submission."""
    key = Key((yield from book(ledger)).id, claim_id, revision, part=part)
    if gone:
        return standing_of((yield from settle_gone(key, note, ledger)))
    kind = OutcomeKind.NOT_DELIVERED if posted is None else OutcomeKind.POSTED
    outcome = Outcome(
        kind=OutcomeKind.REVERSED if reversed else kind, journal_entry=posted, text=note
    )
    return standing_of((yield from settle_by_hand(key, outcome, ledger.rules, looked=looked)))
