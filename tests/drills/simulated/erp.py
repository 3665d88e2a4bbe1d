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

    __slots__ = ("entry", "kind", "reference", "reversals", "reverses", "totals", "visible_from")

    def __init__(
        self, reference: str, entry: JournalEntry, totals: dict[str, Decimal], kind: OutcomeKind
    ) -> None:
        self.reference = reference
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
    """Holds documents by reference; a unique reference is refused the second time."""

    def __init__(self, traits: Traits, refusals: dict[str, Refusals]) -> None:
        self.traits = traits
        self.refusals = refusals
        self.by_reference: dict[str, list[Document]] = {}
        self.by_number: dict[str, Document] = {}
        self.refused: set[str] = set()
        self.changes: list[Outcome] = []

    def take(self, verb: str, submission: Submission, now: float) -> Outcome:
        """Post or reverse one voucher, and answer."""
        reference = submission.reference
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
        if original is None:
            return self._refuse(submission.reference, "no such entry")
        # An ERP without unique references does not see that the same reversal comes twice.
        seen_before = self.traits.capabilities.unique_reference or (
            set(original.reversals) != {submission.reference}
        )
        if original.reversals and seen_before:
            return self._refuse(submission.reference, "already reversed")
        document = self._keep(submission, now)
        document.reverses = original
        original.reversals.append(submission.reference)
        self.change(original, _K.REVERSED)
        return self._answer(document)

    def _keep(self, submission: Submission, now: float) -> Document:
        entry = JournalEntry(str(len(self.by_number) + 1))
        later = self.traits.acknowledges and submission.key.purpose is Purpose.POST
        document = Document(
            submission.reference,
            entry,
            submission.voucher.totals,
            _K.ACKNOWLEDGED if later else _K.POSTED,
        )
        document.visible_from = now + self.traits.index_lag
        self.by_reference.setdefault(submission.reference, []).append(document)
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

    def query(self, reference: str, now: float) -> tuple[Outcome, ...]:
        """Answer what is held under a reference."""
        held = self.by_reference.get(reference, ())
        found = tuple(self._answer(one) for one in held if one.visible_from <= now)
        if found:
            return found
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

    def heal(self) -> None:
        """End every refusal that is not for ever."""
        for refusal in self.refusals.values():
            refusal.spans = ()

    def live(self, reference: str) -> list[Document]:
        """Return what counts under a reference."""
        return [one for one in self.by_reference.get(reference, ()) if not one.reversals]
