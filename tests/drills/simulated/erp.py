"""An ERP in a few dozen lines: what it holds, whom it refuses, how it answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Purpose, Reason, Submission
from claimbridge.profiles.base import Capabilities

_K = OutcomeKind
NEVER = math.inf


class Document:
    """A journal entry, or the one that takes it back."""

    __slots__ = (
        "claim_id",
        "entry",
        "kind",
        "reference",
        "reversals",
        "reverses",
        "totals",
        "visible_from",
    )

    def __init__(
        self,
        reference: str,
        entry: JournalEntry,
        totals: dict[str, Decimal],
        kind: OutcomeKind,
        claim_id: str,
    ) -> None:
        self.reference = reference
        self.claim_id = claim_id
        """What a person reads in it."""
        self.entry = entry
        self.totals = totals
        self.kind = kind
        """ACKNOWLEDGED, POSTED, PAID, REVERSED."""
        self.reverses: Document | None = None
        self.reversals: list[str] = []
        """References of the documents that took it back; "" for a person."""
        self.visible_from = 0.0


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """How one ERP behaves, within what its capabilities promise."""

    capabilities: Capabilities
    acknowledges: bool = False
    """It takes vouchers in and numbers them later."""
    tells_totals: bool = True
    numbers_duplicates: bool = True
    """Its refusal of a duplicate names the entry's number."""
    checks_business_first: bool = False
    """A business refusal comes before the check for duplicates: it proves nothing."""
    keeps_refused: bool = False
    """A refused document can be asked for."""
    index_lag: float = 0.0
    """Seconds until a new document can be found by its reference."""
    jobs: str = ""
    """It queues vouchers, and tells of a job by "reference", or by the "job" alone; "": it does
    not queue."""


class Refusals:
    """When one document is refused: spans of time, and whether for ever."""

    __slots__ = ("for_ever", "spans")

    def __init__(self, spans: Sequence[tuple[float, float]], *, for_ever: bool) -> None:
        self.spans = spans
        self.for_ever = for_ever

    def apply(self, now: float) -> bool:
        """Whether it is refused now."""
        return self.for_ever or any(begin <= now < end for begin, end in self.spans)


class Erp:
    """Holds documents by reference; a unique reference is refused the second time.

    An ERP that folds case keeps every reference in capitals, and answers so.
    """

    def __init__(self, traits: Traits, refusals: dict[str, Refusals]) -> None:
        self.traits = traits
        self.refusals = {self._kept(name): one for name, one in refusals.items()}
        self.by_reference: dict[str, list[Document]] = {}
        self.by_number: dict[str, Document] = {}
        self.refused: set[str] = set()
        self.changes: list[Outcome] = []
        self.queue: dict[str, Submission] = {}
        """What waits, by the name of its job."""
        self.prolonged: dict[str, float] = {}
        """For how many seconds more jobs will wait."""
        self._numbers = 0

    def _kept(self, reference: str) -> str:
        return self.traits.capabilities.fold(reference)

    def enqueue(self, submission: Submission) -> tuple[str, Outcome]:
        """Queue one voucher; return the name of its job, and the answer."""
        self._numbers += 1
        job = f"job {self._numbers}"
        self.queue[job] = submission
        return job, self._under_way(submission.reference, job)

    def run_job(self, job: str, now: float) -> Outcome:
        """Do what was queued."""
        submission = self.queue.pop(job)
        outcome = self.take("submit", submission, now)
        for document in self.held(submission.reference):
            # Who can be asked for a job knows of its document once it has ended.
            document.visible_from = min(document.visible_from, now)
        return outcome

    def _under_way(self, reference: str, job: str) -> Outcome:
        told = self._kept(reference)
        return Outcome(kind=_K.UNDER_WAY, reference=told, job=job, text="queued")

    def take(self, verb: str, submission: Submission, now: float) -> Outcome:
        """Post or reverse one voucher, and answer."""
        reference = self._kept(submission.reference)
        refusal = self.refusals.get(reference)
        refused = refusal is not None and refusal.apply(now)
        if refused and self.traits.checks_business_first:
            return self._refuse(reference, "period closed")
        held = self.by_reference.get(reference)
        if held and self.traits.capabilities.unique_reference:
            return self._duplicate(held[0])
        if refused:
            return self._refuse(reference, "period closed")
        if verb == "reverse":
            return self._reverse(submission, now)
        return self._answer(self._keep(submission, now))

    def _reverse(self, submission: Submission, now: float) -> Outcome:
        named = submission.voucher.reverses
        original = None if named is None else self.by_number.get(named.number)
        reference = self._kept(submission.reference)
        if original is None:
            return self._refuse(reference, "no such entry")
        # An ERP without unique references does not see that the same reversal comes twice.
        seen_before = self.traits.capabilities.unique_reference or (
            set(original.reversals) != {reference}
        )
        if original.reversals and seen_before:
            return self._refuse(reference, "already reversed")
        document = self._keep(submission, now)
        document.reverses = original
        original.reversals.append(reference)
        self.change(original, _K.REVERSED)
        return self._answer(document)

    def _keep(self, submission: Submission, now: float) -> Document:
        self._numbers += 1
        entry = JournalEntry(str(self._numbers))
        later = self.traits.acknowledges and submission.key.purpose is Purpose.POST
        document = Document(
            self._kept(submission.reference),
            entry,
            submission.voucher.totals,
            _K.ACKNOWLEDGED if later else _K.POSTED,
            submission.key.claim_id,
        )
        document.visible_from = now + self.traits.index_lag
        self.by_reference.setdefault(document.reference, []).append(document)
        self.by_number[entry.number] = document
        self.changes.append(self._answer(document))
        return document

    def _refuse(self, reference: str, text: str) -> Outcome:
        if self.traits.keeps_refused:
            self.refused.add(reference)
        return Outcome(kind=_K.REJECTED, reference=reference, reasons=(Reason(text),))

    def _duplicate(self, held: Document) -> Outcome:
        if held.kind is _K.REVERSED:
            return self._answer(held)
        told = self._answer(held)
        numbered = self.traits.numbers_duplicates
        return msgspec.structs.replace(
            told, kind=_K.DUPLICATE, journal_entry=told.journal_entry if numbered else None
        )

    def _answer(self, document: Document) -> Outcome:
        return Outcome(
            kind=document.kind,
            reference=document.reference,
            journal_entry=None if document.kind is _K.ACKNOWLEDGED else document.entry,
            totals=document.totals if self.traits.tells_totals else {},
        )

    def query(self, asked: Sequence[Submission], now: float) -> tuple[Outcome, ...]:
        """Answer what is held under each reference."""
        return tuple(answer for one in asked for answer in self._told(one, now))

    def _told(self, asked: Submission, now: float) -> tuple[Outcome, ...]:
        reference = self._kept(asked.reference)
        found = tuple(self._answer(one) for one in self.held(reference) if one.visible_from <= now)
        if found:
            return found
        for job, waiting in self.queue.items():
            by_reference = self.traits.jobs == "reference" or job == asked.job
            if by_reference and self._kept(waiting.reference) == reference:
                return (self._under_way(reference, job),)
        if reference in self.refused:
            return (Outcome(kind=_K.REJECTED, reference=reference, reasons=(Reason("refused"),)),)
        return (Outcome(kind=_K.ABSENT, reference=reference),)

    def change(self, document: Document, kind: OutcomeKind) -> None:
        """Move a document on (posted, paid, reversed), where it can see changes be listed."""
        document.kind = kind
        self.changes.append(self._answer(document))

    def reverse_by_person(self, document: Document) -> None:
        """Somebody takes an entry back inside the ERP."""
        document.reversals.append("")
        self.change(document, _K.REVERSED)

    def lose(self, document: Document) -> None:
        """Somebody deletes an entry, or the ERP is brought back to before it."""
        self.by_reference[document.reference].remove(document)
        del self.by_number[document.entry.number]

    def heal(self) -> None:
        """End every refusal that is not for ever."""
        for refusal in self.refusals.values():
            refusal.spans = ()

    def is_refused_for_ever(self, reference: str) -> bool:
        """Whether nothing under a reference is ever taken in."""
        refusal = self.refusals.get(self._kept(reference))
        return refusal is not None and refusal.for_ever

    def held(self, reference: str) -> list[Document]:
        """Return what is, or was, in effect under a reference."""
        return self.by_reference.get(self._kept(reference), [])

    def live(self, reference: str) -> list[Document]:
        """Return what counts under a reference."""
        return [one for one in self.held(reference) if not one.reversals]
