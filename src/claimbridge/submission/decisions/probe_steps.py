"""The steps of a probe, and what people are told of each; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from claimbridge.model import JournalEntry, Submission
from claimbridge.submission.decisions.documents import settle_command
from claimbridge.submission.decisions.probe_claims import OVER

StepName = Literal["posted", "found", "reversed", "found_reversed"]


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a probe, when it is over.

    ``is_proven`` False: nothing but a person can see it, or it was left out; ``text`` says what the
    person does. ``claim_id`` is the probe's. ``reference`` and ``journal_entry`` are those of the
    voucher, or of its reversal; None: there is no number.
    """

    name: StepName
    is_proven: bool
    claim_id: str
    reference: str
    journal_entry: JournalEntry | None
    text: str


def step(
    name: StepName,
    document: Submission,
    text: str,
    *,
    is_proven: bool = True,
) -> ProbeStep:
    """Return a step about a document; ``text`` is what people are told of it."""
    return ProbeStep(
        name=name,
        is_proven=is_proven,
        claim_id=document.key.claim_id,
        reference=document.reference,
        journal_entry=document.journal_entry,
        text=text,
    )


def posted_step(document: Submission, *, instead_of: Submission) -> ProbeStep:
    """Return the step of a voucher that the ERP took in; ``instead_of`` is what was intended."""
    entry = document.journal_entry
    text = f"journal entry {entry}" if entry is not None else "accepted; it has no number yet"
    if document.key != instead_of.key:
        text += (
            f"; as {document.reference}: the ERP had another's document as {instead_of.reference}"
        )
    return step("posted", document, text)


def found_step(document: Submission, *, asked: bool) -> ProbeStep:
    """Return the step of a voucher that the ERP was asked for; not ``asked``: it cannot be."""
    if not asked:
        text = f"this ERP cannot be asked: look for {document.reference} there"
        return step("found", document, text, is_proven=False)
    text = f"the ERP has it under {document.reference}: {document.journal_entry}"
    return step("found", document, text)


def left_step(document: Submission, *, can_reverse: bool) -> ProbeStep:
    """Return the step of a voucher that stays in the books, and how it is taken out."""
    key, entry = document.key, document.journal_entry or document.reference
    text = f"left in the books, as you said; to take it back: `claimbridge reverse {key.claim_id}`"
    if not can_reverse:
        command = settle_command(key, "--reversed")
        text = f"left in the books: reverse or delete {entry} in the ERP, then {command}"
    return step("reversed", document, text, is_proven=False)


def reversed_step(reversal: Submission, document: Submission) -> ProbeStep:
    """Return the step of a voucher that was taken back by ``reversal``."""
    text = f"by journal entry {reversal.journal_entry}"
    if reversal.journal_entry is None or reversal.key == document.key:
        text = "the ERP has taken it back"
    return step("reversed", reversal, text)


def ended_detail(steps: Iterable[ProbeStep], *, can_ask: bool) -> str:
    """Return what the journal keeps of a probe that is over: what its last run has proven."""
    proven = [one.name.replace("_", " ") for one in steps if one.is_proven and one.name != "posted"]
    unasked = "" if can_ask else "; the ERP cannot be asked"
    return f"{OVER} {', '.join(proven)}{unasked}"
