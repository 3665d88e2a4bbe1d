"""What must be true once everything is healed and every caller has had the last word."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from tests.drills.simulated.scene import HOME, OTHER, reversal_is_refused

from claimbridge.model import LIVE, OutcomeKind, State, Submission

if TYPE_CHECKING:
    from tests.drills.simulated.erp import Document
    from tests.drills.simulated.scene import Claim
    from tests.drills.simulated.world import Episode

OPEN = frozenset({State.SENDING, State.IN_DOUBT, State.REVERSING, State.PARKED})
Live = dict[int, list[list["Document"]]]
"""What lives in the home book, by revision, for each of its documents."""


class Flaw(msgspec.Struct, frozen=True):
    """Something that must not be."""

    kind: str
    """``lost``, ``duplicated``, ``wrong amounts``, ``stuck``, ``disagrees``, ``unlawful``."""
    claim_id: str
    text: str


def judge(episode: Episode) -> list[Flaw]:
    """Return every flaw of an episode that has run; empty when all is as it must be."""
    found = [*episode.flaws]
    if not episode.careless:
        found += disagreements(episode)
    found += overdrawn(episode)
    for claim in episode.claims.values():
        found += _wandering_flaws(episode, claim) if claim.wanders else _flaws(episode, claim)
        found += _reversals_flaws(episode, claim)
        if not episode.careless:
            found += _journal_flaws(episode, claim)
    return list(dict.fromkeys(found))


# --- the ledger -----------------------------------------------------------------------------


def _live(episode: Episode, claim: Claim, ledger: str = HOME) -> Live:
    erp = episode.erp_at(ledger)
    return {
        revision: [erp.live(draft.reference) for draft in documents]
        for revision, documents in claim.drafts.items()
    }


def _flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    live = _live(episode, claim)
    there = [revision for revision, documents in live.items() if any(documents)]
    for documents in live.values():
        for found in documents:
            if len(found) > 1:
                yield Flaw("duplicated", claim.id, f"{len(found)} times {found[0].reference}")
    if len(there) > 1:
        yield Flaw("duplicated", claim.id, f"revisions {there} live")
    if any(_may_be_half(episode, claim, one) for one in {claim.highest, *there}):
        return
    due = _due(episode, claim, there)
    for revision in there:
        if revision != due and claim.gone.get(revision) is not False:
            yield Flaw("duplicated", claim.id, f"revision {revision} lives, {due or 'none'} should")
    if due is None:
        return
    missing = [n for n, found in enumerate(live[due], start=1) if not found]
    excused = due in claim.gone or due in claim.dropped or _is_blocked(episode, claim)
    if missing and not (excused and not any(live[due])):
        yield Flaw("lost", claim.id, f"revision {due} is not in the ledger (documents {missing})")
    for draft, found in zip(claim.drafts[due], live[due], strict=True):
        if found and found[0].totals != draft.voucher.totals:
            told = f"{found[0].totals}, expected {draft.voucher.totals}"
            yield Flaw("wrong amounts", claim.id, told)


def _due(episode: Episode, claim: Claim, there: list[int]) -> int | None:
    """Return the revision that must live; None when none may."""
    for revision in there:
        unwanted = revision < claim.highest or revision in claim.reversals
        if (unwanted or revision <= claim.taken_back) and _is_fixed(episode, claim, revision):
            return revision  # the ERP does not let go of it, so nothing may follow it
    highest = claim.highest
    if any(episode.erp.is_refused_for_ever(one.reference) for one in claim.drafts[highest]):
        return None
    if highest in claim.by_person or claim.gone.get(highest) or highest in claim.reversals:
        return None
    return None if highest <= claim.taken_back else highest


def _is_fixed(episode: Episode, claim: Claim, revision: int) -> bool:
    return any(reversal_is_refused(episode.erp, one) for one in claim.drafts[revision])


def _may_be_half(episode: Episode, claim: Claim, revision: int) -> bool:
    """Whether a revision of several documents may be in the ledger in part, as a person knows."""
    documents = claim.drafts[revision]
    if len(documents) == 1:
        return False
    refused = any(episode.erp.is_refused_for_ever(one.reference) for one in documents)
    touched = revision in claim.by_person or revision in claim.gone
    return refused or touched or _is_fixed(episode, claim, revision)


def _wandering_flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    """A claim that two books were given: one of them has it, once."""
    found = [_live(episode, claim, name)[1][0] for name in (HOME, OTHER)]
    if sum(map(len, found)) > 1:
        told = f"{len(found[0])} entries in its book, {len(found[1])} in the other"
        yield Flaw("duplicated", claim.id, told)
    if not any(found):
        yield Flaw("lost", claim.id, "neither of two books has it")


def _is_blocked(episode: Episode, claim: Claim) -> bool:
    """Whether the claims that live, or are there in part, leave nothing of its invoice."""
    rivals = [
        other
        for other in episode.claims.values()
        if other is not claim and any(_uses(other, use.invoice) for use in claim.invoices)
    ]
    if any(_may_be_half(episode, other, one) for other in rivals for one in other.drafts):
        return True
    return any(
        taken + (use.amount or Decimal(1)) > (use.total or Decimal(1))
        for use in claim.invoices
        for taken in [_taken(episode, use.invoice)]
    )


def overdrawn(episode: Episode) -> Iterator[Flaw]:
    """Yield the invoices of which more is in the ledger than their total."""
    totals = {
        use.invoice: use.total or Decimal(1)
        for claim in episode.claims.values()
        for use in claim.invoices
    }
    for invoice, total in totals.items():
        taken = _taken(episode, invoice)
        if taken > total:
            users = [one.id for one in episode.claims.values() if _uses(one, invoice)]
            yield Flaw("duplicated", users[0], f"{taken} of {invoice}, whose total is {total}")


def _uses(claim: Claim, invoice: str) -> bool:
    return any(use.invoice == invoice for use in claim.invoices)


def _taken(episode: Episode, invoice: str) -> Decimal:
    """Return how much of an invoice the claims that live use; a whole one is 1."""
    return sum(
        (
            use.amount or Decimal(1)
            for claim in episode.claims.values()
            if _uses(claim, invoice) and any(map(any, _live(episode, claim).values()))
            for use in claim.invoices
        ),
        Decimal(0),
    )


def _reversals_flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    for revision, documents in claim.drafts.items():
        wanted = revision in claim.reversals or revision <= claim.taken_back
        wanted |= any(asked > revision for asked in claim.asked)
        for draft in documents:
            for document in episode.erp.held(draft.reference):
                if len(document.reversals) > 1:
                    yield Flaw("duplicated", claim.id, f"{draft.reference} was reversed twice")
                if any(document.reversals) and not wanted:
                    told = f"{draft.reference} was reversed, and nobody wanted it"
                    yield Flaw("lost", claim.id, told)


# --- the journal ----------------------------------------------------------------------------


def disagreements(episode: Episode) -> Iterator[Flaw]:
    """Yield where the journal says something for certain that is not so in the ERP."""
    for claim in episode.claims.values():
        for history in episode.histories(claim.id):
            for one in history.submissions:
                text = "" if one.state in OPEN else _disagreement(episode, claim, one)
                if text:
                    told = f"{one.key} is {one.state}; the ERP: {text}"
                    yield Flaw("disagrees", claim.id, told)


def _disagreement(episode: Episode, claim: Claim, one: Submission) -> str:
    found = episode.erp_of(one.key.book).held(one.reference)
    held = [document for document in found if document.claim_id == claim.id]
    if "restored journal" in episode.kinds and not one.attempt:
        return ""  # it says only what this journal did: the ERP is asked before it is sent
    if one.state in LIVE:
        if not [doc for doc in held if not doc.reversals]:
            return "" if one.missing else "nothing lives"
        if one.journal_entry is not None and one.journal_entry != held[-1].entry:
            return f"it is {held[-1].entry}, not {one.journal_entry}"
    elif one.state is State.REVERSED:
        # One that was given up before the ERP took it is reversed too, and was never there.
        there = held or one.key.revision in claim.gone
        if held[-1].kind is not OutcomeKind.REVERSED if held else not there and one.journal_entry:
            return "it was not reversed"
    elif held:
        return f"it holds {held[-1].entry}"
    return ""


def halves(episode: Episode) -> Iterator[Flaw]:
    """Yield the claims of which some is in the ledger after ``reconcile``, and nobody was told."""
    for claim in episode.claims.values():
        for revision, documents in _live(episode, claim).items():
            known = any(documents) and not all(documents)
            if not known or claim.id in episode.told or "restored journal" in episode.kinds:
                continue
            if revision in claim.by_person or revision in claim.gone:
                continue
            histories = episode.histories(claim.id)
            if not any(one.state is State.PARKED for each in histories for one in each.submissions):
                told = f"revision {revision} is half in the ledger, and reconcile says nothing"
                yield Flaw("lost", claim.id, told)


def _journal_flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    known: set[str] = set()
    for history in episode.histories(claim.id):
        for one in history.submissions:
            known.add(one.reference)
            if one.state in OPEN and not _is_told_of(episode, claim, one):
                yield Flaw("stuck", claim.id, f"{one.key} is {one.state}: {one.detail}")
    for documents in claim.drafts.values():
        for draft in documents:
            found = episode.erp.held(draft.reference)
            if "restored journal" in episode.kinds:  # it need not know what is over
                found = episode.erp.live(draft.reference)
            if found and draft.reference not in known:
                yield Flaw("disagrees", claim.id, f"{draft.reference} is not in the journal")


def _is_told_of(episode: Episode, claim: Claim, one: Submission) -> bool:
    """Whether it stays as it is because the ERP does not let go of a part of its claim."""
    return len(claim.drafts[one.key.revision]) > 1 and _is_fixed(episode, claim, one.key.revision)


__all__ = ["Flaw", "disagreements", "halves", "judge", "overdrawn"]
