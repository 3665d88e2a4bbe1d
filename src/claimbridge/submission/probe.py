"""The first posting in a test client: one voucher of the smallest amount, there and back.

The voucher is posted, looked for by its reference, taken back, and looked for again. It is an
ordinary claim in the ledger's journal. So a lost answer is a doubt as of any other claim, and the
next probe goes on with the one that is unfinished before it posts another.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from claimbridge.errors import (
    ConfigurationError,
    ConflictingSubmission,
    OutcomeUnknown,
)
from claimbridge.journal.base import Journal
from claimbridge.model import (
    LIVE,
    Claim,
    Key,
    OutcomeKind,
    State,
    Submission,
)
from claimbridge.submission.claim.division import prepare, submit_claim
from claimbridge.submission.claim.recovery import reconcile_claim
from claimbridge.submission.claim.reversal import reverse_claim
from claimbridge.submission.decisions.evidence import refusal
from claimbridge.submission.decisions.port import LedgerPort
from claimbridge.submission.decisions.probe_checks import (
    check_can_reverse,
    check_place,
    check_reversal,
)
from claimbridge.submission.decisions.probe_claims import (
    BEING_REVERSED,
    LEFT,
    PREFIX,
    TITLE,
    ProbeChoice,
    is_foreign,
    new_id,
    probe_claim,
    unfinished,
    with_all_chosen,
)
from claimbridge.submission.decisions.probe_steps import (
    ProbeStep,
    ended_detail,
    found_step,
    left_step,
    posted_step,
    reversed_step,
    step,
)
from claimbridge.submission.document.first import check_guarded
from claimbridge.submission.document.question import (
    NO_LONGER_THERE,
    ask,
    findable_in,
    refresh,
)
from claimbridge.submission.plans import book
from claimbridge.submission.steps.driver import Emissions
from claimbridge.submission.steps.steps import Access, Emit, Pause, Plan, Recall, Record

_DRAWS: Final = 5
"""How often an id is drawn where the ERP has each of them already."""
_LONGEST_PAUSE: Final = 5.0


class ProbeIntention(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe is going to do; nothing was sent for it yet.

    ``document`` is the voucher with its reference. ``claim`` is what it was mapped from; None: the
    journal knows the document already, and the probe goes on with it. ``is_reversed``: it is taken
    back afterwards; so is always one whose reversal is under way.
    """

    document: Submission
    claim: Claim | None
    is_reversed: bool


class FindUnfinished(Access[Submission | None], frozen=True):
    """Look for the oldest probe of a book that is not over; None: there is none."""

    book: str

    def perform(self, journal: Journal) -> Submission | None:
        """Do it; of the book's other claims nothing is read."""
        ids = journal.claims(self.book, PREFIX)
        found = (unfinished(journal.history(self.book, claim_id)) for claim_id in ids)
        return min(filter(None, found), key=_age, default=None)


def _age(probed: Submission) -> float:
    made = probed.voucher.approved_at
    return made.timestamp() if made is not None else 0.0


def intend_probe(
    choice: ProbeChoice, ledger: LedgerPort, *, is_reversed: bool, in_production: bool
) -> Plan[ProbeIntention]:
    """Return what a probe would do: go on with one that is not over, or post a new voucher.

    Raises ConfigurationError: CB-277 for a ledger of production, CB-287 where the voucher could not
    be taken back, CB-279 for a choice that is left open. What is not over is gone on with, though
    it cannot be taken back. Raises ClaimError where the chart or the contract refuses the voucher,
    JournalError CB-235 or CB-236 where the journal is not the newest, or is new.
    """
    check_place(ledger, in_production=in_production)
    book_id = (yield from book(ledger)).id
    known = yield from FindUnfinished(book_id)
    if known is not None:
        can_reverse = ledger.rules.capabilities.can_reverse
        ends_so = (is_reversed and can_reverse) or known.state in BEING_REVERSED
        return ProbeIntention(document=known, claim=None, is_reversed=ends_so)
    if is_reversed:
        check_can_reverse(ledger)
    claim = yield from _new_claim(choice, book_id, ledger)
    document = ledger.documents(claim, book_id)[0]
    ledger.build("submit", (document,))
    if is_reversed:
        check_reversal(document, ledger)
    yield from check_guarded(document, ledger.rules, doing="probe")
    return ProbeIntention(document=document, claim=claim, is_reversed=is_reversed)


def _new_claim(choice: ProbeChoice, book_id: str, ledger: LedgerPort) -> Plan[Claim]:
    choice = with_all_chosen(choice, ledger)
    day = choice.posting_date or ledger.today(choice.company, claim_id="PROBE")
    return probe_claim(choice, (yield from _unused_id(book_id)), ledger, day)


def _unused_id(book_id: str) -> Plan[str]:
    """Draw an id that the journal does not know."""
    while True:
        claim_id = new_id()
        if not (yield from Recall(book_id, claim_id)).submissions:
            return claim_id


def probe(intention: ProbeIntention, ledger: LedgerPort, *, wait: float) -> Emissions[ProbeStep]:
    """Emit each step of a probe when it is over; ``wait`` is how long the ERP may take for one.

    Raises what ``submit``, ``status`` and ``reverse`` raise, and OutcomeUnknown CB-479 where the
    ERP does not show in ``wait`` seconds what it accepted. The next probe goes on from there.
    Raises ConfigurationError CB-251 for a ``wait`` that is no number of seconds up to a day.
    """
    check_wait(wait)
    return Emissions(_Probe(intention, ledger, wait).carry())


def check_wait(seconds: float) -> None:
    """Refuse a wait that would never end, or is none (CB-251)."""
    if not 0 <= seconds <= _DAY:
        raise ConfigurationError(f"wait {seconds:g}: give seconds, from 0 to {_DAY}", code="CB-251")


_DAY: Final = 86_400


class _Probe:
    """One probe under way."""

    def __init__(self, intention: ProbeIntention, ledger: LedgerPort, wait: float) -> None:
        self._intention = intention
        self._ledger = ledger
        self._wait = wait

    def carry(self) -> Plan[None]:
        """Post, find, reverse, find reversed."""
        document = yield from self._post()
        if is_foreign(document):
            raise _taken(document)
        told = [posted_step(document, instead_of=self._intention.document)]
        yield from Emit(told[-1])
        if document.state in LIVE:
            document = yield from self._find(document)
            told.append(found_step(document, asked=self._can_ask))
            yield from Emit(told[-1])
        if not self._intention.is_reversed and (yield from self._leave(document)):
            yield from Emit(left_step(document, can_reverse=self._can_reverse))
            return
        reversal = yield from self._reverse(document)
        told.append(reversed_step(reversal, document))
        yield from Emit(told[-1])
        told.append((yield from self._find_reversed(document, reversal)))
        yield from Emit(told[-1])
        yield from self._end(document, ended_detail(told, can_ask=self._can_ask))

    @property
    def _can_ask(self) -> bool:
        return self._ledger.rules.capabilities.can_query

    @property
    def _can_reverse(self) -> bool:
        return self._ledger.rules.capabilities.can_reverse

    def _post(self) -> Plan[Submission]:
        document, claim = self._intention.document, self._intention.claim
        key = document.key
        if claim is not None:
            claim, key = yield from self._untaken(claim, document)
            drafts = partial(prepare, claim, key.book, self._ledger)
            return (yield from submit_claim(key, claim.digest, drafts, self._ledger))[0]
        history = yield from Recall(key.book, key.claim_id)
        current = history.get(key) or document
        if current.state in _ACCEPTED:
            return current
        documents = yield from reconcile_claim(current, self._ledger)
        return documents[0] if documents else current

    def _untaken(self, claim: Claim, document: Submission) -> Plan[tuple[Claim, Key]]:
        """Return the claim under an id that the ERP has nothing of, as far as it can be asked.

        Another machine may have drawn the same one: its voucher would be taken for ours.
        """
        for _ in range(_DRAWS):
            if not self._can_ask:
                break
            if (yield from ask(document, self._ledger)).kind is OutcomeKind.ABSENT:
                break
            claim = msgspec.structs.replace(claim, id=(yield from _unused_id(document.key.book)))
            document = self._ledger.documents(claim, document.key.book)[0]
        else:
            raise _taken(self._intention.document)
        return claim, document.key

    def _find(self, document: Submission) -> Plan[Submission]:
        """Ask for the voucher until the ERP has posted it; as it is, where nobody can be asked."""
        patience = _Patience(self._ledger, self._wait, document)
        while True:
            seen = "does not find it by its reference"
            try:
                now = yield from refresh(document, self._ledger)
            except OutcomeUnknown as error:  # what it has just taken in may not be indexed yet
                gone = findable_in(document, self._ledger.rules) == 0
                if error.code != NO_LONGER_THERE or gone:
                    raise
            else:
                if now.state is State.REJECTED:
                    raise refusal(now)
                if now.state is not State.ACKNOWLEDGED or not self._can_ask:
                    return now
                seen = "has accepted it and not posted it; does somebody there have to approve it?"
            yield from patience.wait(seen)

    def _reverse(self, document: Submission) -> Plan[Submission]:
        day = document.voucher.posting_date  # its period is open
        return (yield from reverse_claim(document.key, day, TITLE, self._ledger))[0]

    def _leave(self, document: Submission) -> Plan[bool]:
        """Keep that the voucher stays; False: its reversal is under way or done."""
        key = document.key
        while True:
            history = yield from Recall(key.book, key.claim_id)
            current = history.get(key)
            if current is None or current.state not in LIVE:
                return False
            left = msgspec.structs.replace(current, detail=LEFT)
            if (yield from Record(history, (left,))) is not None:
                return True

    def _find_reversed(self, document: Submission, reversal: Submission) -> Plan[ProbeStep]:
        """Ask until the ERP calls the voucher reversed, or has posted the reversal."""
        entry = reversal.journal_entry
        if not self._can_ask:
            text = f"this ERP cannot be asked: look whether {document.journal_entry} is reversed"
            return step("found_reversed", reversal, text, is_proven=False)
        patience = _Patience(self._ledger, self._wait, reversal)
        while True:
            outcome = yield from ask(document, self._ledger)
            if outcome.kind is OutcomeKind.REVERSED:
                text = f"the ERP says that {document.reference} is reversed"
                return step("found_reversed", reversal, text)
            if reversal.key != document.key:
                outcome = yield from ask(reversal, self._ledger)
                if outcome.kind in (OutcomeKind.POSTED, OutcomeKind.PAID):
                    entry = outcome.journal_entry or entry
                    text = f"the ERP has the reversal under {reversal.reference}: {entry}"
                    return step("found_reversed", reversal, text)
            yield from patience.wait("does not show that it is reversed")

    def _end(self, document: Submission, detail: str) -> Plan[None]:
        """Keep that the probe is over: the next one posts a voucher of its own."""
        key = document.key
        while True:
            history = yield from Recall(key.book, key.claim_id)
            current = history.get(key)
            if current is None or current.state is not State.REVERSED:
                return
            ended = msgspec.structs.replace(current, detail=detail)
            if (yield from Record(history, (ended,))) is not None:
                return


def _taken(document: Submission) -> ConflictingSubmission:
    return ConflictingSubmission(
        f"the ERP has a document as {document.reference} that this probe did not send; it is left "
        "as it is, and nothing was sent; probe again, under another id",
        code="CB-458",
        claim_id=document.key.claim_id,
        reference=document.reference,
    )


class _Patience:
    """Waits between questions about a document, until the time for it is over."""

    def __init__(self, ledger: LedgerPort, seconds: float, document: Submission) -> None:
        self._clock = ledger.rules.clock
        self._seconds = seconds
        self._end = self._clock.monotonic() + seconds
        self._pause = 0.1
        self._document = document

    def wait(self, seen: str) -> Plan[None]:
        """Let some time pass; OutcomeUnknown CB-479 when it is over. ``seen``: the ERP does so."""
        left = self._end - self._clock.monotonic()
        if left <= 0 or not (yield from Pause(min(self._pause, left))):
            document = self._document
            raise OutcomeUnknown(
                f"the ERP took {document.reference} in, and after {self._seconds:g} s it {seen}; "
                "probe again to go on with it",
                code="CB-479",
                claim_id=document.key.claim_id,
                reference=document.reference,
                attempt=document.attempt,
            )
        self._pause = min(self._pause * 1.6, _LONGEST_PAUSE)


_ACCEPTED: Final = LIVE | BEING_REVERSED


__all__ = ["ProbeChoice", "ProbeIntention", "ProbeStep", "check_wait", "intend_probe", "probe"]
