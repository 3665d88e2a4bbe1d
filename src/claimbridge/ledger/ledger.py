"""What callers ask of a ledger, as plans for a client to perform."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from claimbridge import submission as plans
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.contract import Contract
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
from claimbridge.ledger.exchange import ExchangeRun
from claimbridge.ledger.nobodys import nobodys
from claimbridge.ledger.reading import Reader, not_built, of_question
from claimbridge.ledger.setup import Setup
from claimbridge.ledger.writing import Preview, Writer
from claimbridge.mapping import Chart
from claimbridge.model import (
    LIVE,
    Acknowledgement,
    Book,
    Change,
    Claim,
    Finding,
    History,
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    Standing,
    State,
    Submission,
)
from claimbridge.profiles.base import Page, Profile
from claimbridge.signing import Signer
from claimbridge.submission import Built, Draft, Pause, Plan, Probed, Recall

T = TypeVar("T")

log = logging.getLogger("claimbridge.ledger")


class Ledger:
    """One book in one ERP that vouchers are posted to; threads may share it.

    Each method named as one of ``Client`` plans what that does. ``setup`` is what the ledger works
    with, ``writer`` builds what it is sent, and ``reader`` reads what it answers.
    """

    def __init__(
        self,
        config: LedgerConfig,
        *,
        profile: Profile | None = None,
        contract: Contract | None = None,
        chart: Chart | None = None,
        signer: Signer | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open profile, contract, chart and identity; arguments replace what ``config`` names."""
        self.setup: Final = Setup(
            config, profile=profile, contract=contract, chart=chart, signer=signer, clock=clock
        )
        self.rules: Final = self.setup.rules
        self.writer: Final = Writer(self.setup)
        self.reader: Final = Reader(self.setup)

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; see ``Writer.preview``."""
        return self.writer.preview(claim)

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        return self.writer.previews(claim)

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply says; see ``Reader.read_bytes``."""
        return self.reader.read_bytes(data, asked=asked)

    def check_document(self, data: bytes) -> tuple[Finding, ...]:
        """Return what the contract finds wrong with a request; see ``Reader.check_document``."""
        return self.reader.check_document(data)

    def book(self) -> Plan[Book]:
        """Plan ``Client.book``: what every other plan here begins with.

        Raises ConfigurationError: CB-232 where the name stands for another book than before,
        CB-234 where a parallel ledger is the same book as another.
        """
        opened = yield from plans.open_book(self.setup.wanted, self.setup.clock)
        if opened.news:
            log.warning("%s", opened.news)
        return opened.book

    def agree_new(self) -> Plan[None]:
        """Plan what ``new_journal=True`` says: nothing was sent to the book before.

        A ledger whose book cannot be told is refused by whatever is asked of it next.
        """
        try:
            book = yield from self.book()
        except JournalError:
            raise
        except ConfigurationError:
            return
        yield from plans.AgreeNew(book.id)

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Plan one exchange: what is sent, and what the answers say of its documents."""
        try:
            built = built or self.writer.build(verb, submissions)
        except ClaimBridgeError as error:
            return (not_built(error),)
        book = submissions[0].key.book
        flights = () if verb == "query" else submissions
        answered = yield from self._run(book, flights).perform(built)
        outcomes = plans.recognised(submissions, answered, self.setup.profile.capabilities)
        return tuple(map(of_question, outcomes)) if verb == "query" else outcomes

    def page(self, book: str, cursor: str, limit: int) -> Plan[Page]:
        """Plan one page of changes after ``cursor`` in the book of that id.

        Raises ConfigurationError (CB-254) where the profile cannot list them; NotDelivered or
        LedgerUnavailable, and what the transport raises, when there is no page.
        """
        return self._run(book).page(cursor, limit)

    def _run(self, book: str, flights: tuple[Submission, ...] = ()) -> ExchangeRun:
        return ExchangeRun(self.setup, self.writer, self.reader, book=book, flights=flights)

    def submit(self, claim: Claim) -> Plan[Acknowledgement]:
        """Plan ``Client.submit``."""
        book = yield from self.book()
        return (yield from self._submit(claim, book.id))

    def _submit(self, claim: Claim, book: str) -> Plan[Acknowledgement]:
        plan = plans.submit_claim(
            Key(book, claim.id, claim.revision),
            claim.digest,
            lambda: self.writer.prepared(claim, book),
            self,
        )
        return acknowledgement((yield from plan))

    def submit_batch(
        self, claims: tuple[Claim, ...]
    ) -> Plan[list[Acknowledgement | ClaimBridgeError]]:
        """Plan one request of ``Client.submit_many``; a result or an error per claim, in order."""
        try:
            book = (yield from self.book()).id
        except ClaimBridgeError:  # each claim has an error of its own
            return (yield from self._one_by_one(claims))
        drafts, built = self._batch(claims, book)
        ended = yield from plans.submit_batch(list(drafts.values()), self, built=built)
        results: dict[int, Acknowledgement | ClaimBridgeError] = {
            index: end if isinstance(end, ClaimBridgeError) else acknowledgement((end,))
            for index, end in zip(drafts, ended, strict=True)
        }
        for index, claim in enumerate(claims):
            if index not in results:
                # Several documents; or it cannot be built now, but may have been posted when it
                # could.
                results[index] = yield from _caught(self._submit(claim, book), claim)
        return [results[index] for index in range(len(claims))]

    def _one_by_one(
        self, claims: tuple[Claim, ...]
    ) -> Plan[list[Acknowledgement | ClaimBridgeError]]:
        ends: list[Acknowledgement | ClaimBridgeError] = []
        for claim in claims:
            ends.append((yield from _caught(self.submit(claim), claim)))
        return ends

    def _batch(self, claims: tuple[Claim, ...], book: str) -> tuple[dict[int, Draft], Built | None]:
        """Return the drafts of the claims that are one document, by their place, and their request.

        Where the contract refuses the request as a whole, each is judged alone and the request is
        left to be built of what remains.
        """
        drafts: dict[int, Draft] = {}
        for index, claim in enumerate(claims):
            with contextlib.suppress(ClaimBridgeError):
                documents = self.writer.submissions(claim, book)
                if len(documents) == 1:
                    drafts[index] = Draft(documents[0][0])
        try:
            together = tuple(draft.submission for draft in drafts.values())
            return drafts, self.writer.build("submit", together) if together else None
        except ClaimBridgeError:
            return {i: draft for i, draft in drafts.items() if self._can_be_built(draft)}, None

    def _can_be_built(self, draft: Draft) -> bool:
        try:
            self.writer.build("submit", (draft.submission,))
        except ClaimBridgeError:
            return False
        return True

    def status(self, claim_id: str, *, ask: bool) -> Plan[Standing]:
        """Plan ``Client.status``."""
        statuses: list[Standing] = []
        documents = yield from self._documents_of(claim_id)
        for known in documents:
            if ask and known.state in LIVE:
                known = yield from plans.refresh(known, self)
            status = status_of(known)
            if known.state is State.REVERSED:
                by = yield from self._reversal_of(known)
                status = msgspec.structs.replace(status, reversed_by=by)
            statuses.append(status)
        return together(statuses, documents[0].voucher.documents)

    def _reversal_of(self, known: Submission) -> Plan[JournalEntry | None]:
        """Read the journal entry that reversed a submission; None where it has no number."""
        history = yield from Recall(known.key.book, known.key.claim_id)
        key = msgspec.structs.replace(known.key, purpose=Purpose.REVERSE)
        reversal = history.get(key)
        return reversal.journal_entry if reversal is not None else None

    def wait(self, claim_id: str, *, until: State, timeout: float) -> Plan[Standing]:
        """Plan ``Client.wait``."""
        if until not in LIVE:
            raise ConfigurationError(f"cannot wait until {until}; wait until posted or paid")
        deadline = self.setup.clock.monotonic() + timeout
        pause = 0.1
        while True:
            status = yield from self.status(claim_id, ask=True)
            if status.state in LIVE and _RANK[status.state] >= _RANK[until]:
                return status
            if status.state in _ENDED:
                raise _never(status, until)
            left = deadline - self.setup.clock.monotonic()
            if left <= 0:
                raise LedgerUnavailable(
                    f"still {status.state} after {timeout:g} s, not {until}; wait longer",
                    code="CB-441",
                    claim_id=claim_id,
                    reference=status.reference,
                    attempt=status.attempt,
                )
            yield from Pause(min(pause, left))
            pause = min(pause * 1.6, 15.0)

    def reverse(
        self, claim_id: str, *, revision: int | None, posting_date: dt.date | None, reason: str
    ) -> Plan[Acknowledgement]:
        """Plan ``Client.reverse``."""
        history = yield from Recall((yield from self.book()).id, claim_id)
        found = self._found(history, plans.standing(history) if revision is None else revision)
        first = found[0]
        date = posting_date or self.setup.today(first.voucher.company, claim_id=claim_id)
        plan = plans.reverse_claim(first.key, date, reason, self)
        return acknowledgement((yield from plan))

    def withdraw(
        self,
        claim_id: str,
        *,
        reason: str,
        revision: int = 1,
        approved_at: dt.datetime | None = None,
    ) -> Plan[Standing | None]:
        """Plan ``Client.withdraw``."""
        book = yield from self.book()
        found = yield from plans.withdraw(
            book.id, claim_id, reason, self.rules, revision=revision, approved_at=approved_at
        )
        return _status_of_all(found) if found else None

    def probe(self) -> Plan[Probed]:
        """Plan ``Client.probe``."""
        day = self.setup.clock.now().date()
        companies = self.setup.chart.companies if self.setup.has_chart else {}
        asked = nobodys(plans.id_of(self.setup.wanted.place), companies, self.rules, day=day)
        return (yield from plans.probe(asked, self))

    def reconcile(self, unfinished: Submission) -> Plan[Standing | None]:
        """Plan one claim of ``Client.reconcile``; None where another has finished it."""
        found = yield from plans.reconcile_claim(unfinished, self)
        return _status_of_all(found) if found else None

    def settle(
        self,
        claim_id: str,
        *,
        revision: int,
        part: int,
        posted: JournalEntry | None,
        reversed: bool,
        gone: bool,
        looked: dt.datetime | None,
        note: str,
    ) -> Plan[Standing]:
        """Plan ``Client.settle``."""
        key = Key((yield from self.book()).id, claim_id, revision, part=part)
        if gone:
            return status_of((yield from plans.settle_gone(key, note, self)))
        kind = OutcomeKind.NOT_DELIVERED if posted is None else OutcomeKind.POSTED
        outcome = Outcome(
            kind=OutcomeKind.REVERSED if reversed else kind, journal_entry=posted, text=note
        )
        settled = yield from plans.settle_by_hand(key, outcome, self.rules, looked=looked)
        return status_of(settled)

    def take_in(self, known: Submission | None, outcome: Outcome, cursor: str) -> Plan[Change]:
        """Plan what one change of ``Client.changes`` does to our record."""
        current = None
        if known is not None:
            current = status_of((yield from plans.absorb(known, outcome, self.rules)))
        return Change(
            reference=outcome.reference or "",
            outcome=outcome.kind,
            journal_entry=outcome.journal_entry,
            standing=current,
            cursor=cursor,
        )

    def _documents_of(self, claim_id: str) -> Plan[tuple[Submission, ...]]:
        """Read the documents of a claim's newest revision: one, or its parts.

        Raises ClaimError CB-132 when there is none.
        """
        history = yield from Recall((yield from self.book()).id, claim_id)
        return self._found(history, plans.current(history))

    def _found(self, history: History, revision: int) -> tuple[Submission, ...]:
        found = plans.documents(history, revision)
        if found:
            return found
        about = f"no revision {revision}" if history.submissions else "nothing"
        text = f"{about} was submitted for it to ledger {self.setup.config.name}"
        if history.withdrawn is not None:
            text += (
                f"; revision {history.withdrawn.revision} was withdrawn: {history.withdrawn.reason}"
            )
        raise ClaimError(text, code="CB-132", claim_id=history.claim_id)


_RANK = {State.ACKNOWLEDGED: 0, State.POSTED: 1, State.PAID: 2}
_ENDED = frozenset({State.REJECTED, State.PARKED, State.REVERSED, State.REVERSING})


def _never(status: Standing, until: State) -> DeliveryError:
    about: dict[str, Any] = {
        "claim_id": status.claim_id,
        "reference": status.reference,
        "attempt": status.attempt,
    }
    text = f"it is {status.state} and will not become {until}: {status.detail}"
    if status.state is State.REJECTED:
        return LedgerRejection(text, reasons=status.reasons, **about)
    return OutcomeUnknown(text, code="CB-429", **about)


def acknowledgement(done: Sequence[Submission]) -> Acknowledgement:
    """Return what a caller learns of a claim's accepted documents, most often one."""
    acks = [_acknowledged(one) for one in done]
    if not acks[0].document_number:
        return acks[0]
    least = min(acks, key=lambda ack: _ATTENTION.index(ack.state))
    return msgspec.structs.replace(
        acks[0], document_number=0, state=least.state, documents=tuple(acks)
    )


def _acknowledged(done: Submission) -> Acknowledgement:
    return Acknowledgement(
        claim_id=done.key.claim_id,
        revision=done.key.revision,
        reference=done.reference,
        state=done.state,
        journal_entry=done.journal_entry,
        document_number=done.key.part,
    )


def _caught(plan: Plan[T], claim: Claim) -> Plan[T | ClaimBridgeError]:
    """Run a plan of one claim among many: its error is its result."""
    try:
        return (yield from plan)
    except ClaimBridgeError as error:
        error.claim_id = error.claim_id or claim.id
        return error


def status_of(known: Submission) -> Standing:
    """Return what a caller learns of a submission's status."""
    return Standing(
        claim_id=known.key.claim_id,
        revision=known.key.revision,
        reference=known.reference,
        state=known.state,
        attempt=known.attempt,
        journal_entry=known.journal_entry,
        reasons=known.reasons,
        detail=known.detail,
        updated_at=known.updated_at,
        posting_date=known.voucher.posting_date,
        document_number=known.key.part,
    )


def _status_of_all(documents: Sequence[Submission]) -> Standing:
    return together([status_of(one) for one in documents], documents[0].voucher.documents)


def together(statuses: Sequence[Standing], parts: int) -> Standing:
    """Return where a claim stands: as the one of its documents that needs the most attention.

    ``parts`` is how many there are to be, 0 for one document.
    """
    if not statuses[0].document_number:
        return statuses[0]
    most = min(statuses, key=lambda status: _ATTENTION.index(status.state))
    there = sum(status.state in LIVE for status in statuses)
    waiting = parts - len(statuses) + sum(one.state is State.PENDING for one in statuses)
    state, detail = most.state, most.detail
    if state in LIVE and waiting:  # what is half posted is not posted
        state = State.PENDING
    if state is State.REVERSED and there:
        state = State.REVERSING
    if state is State.REVERSING:
        left = sum(one.state is not State.REVERSED for one in statuses)
        detail = f"{left} of {parts} parts are not reversed yet; reverse it again"
    elif waiting:
        told = f"{waiting} of {parts} parts were not sent yet"
        detail = "; ".join(filter(None, (detail, told)))
    return msgspec.structs.replace(
        most, state=state, document_number=0, detail=detail, documents=tuple(statuses)
    )


_ATTENTION: Final = (
    State.PARKED,
    State.IN_DOUBT,
    State.REJECTED,
    State.SENDING,
    State.PENDING,
    State.REVERSING,
    State.REVERSED,
    State.ACKNOWLEDGED,
    State.POSTED,
    State.PAID,
)
"""The states of a claim's documents by how much they need attention, the most first."""
