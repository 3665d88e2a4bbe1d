"""What must be true once everything is healed and every caller has had the last word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from claimbridge.model import LIVE, OutcomeKind, Purpose, State, Submission
from claimbridge.submission import reference_for

if TYPE_CHECKING:
    from tests.drills.simulated.erp import Document
    from tests.drills.simulated.world import Claim, Episode

OPEN = frozenset({State.SENDING, State.IN_DOUBT, State.REVERSING, State.PARKED})


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
    for claim in episode.claims.values():
        found += _ledger_flaws(episode, claim)
        if not episode.careless:
            found += _journal_flaws(episode, claim)
    return list(dict.fromkeys(found))


def disagreements(episode: Episode) -> Iterator[Flaw]:
    """Yield where the journal says something for certain that is not so in the ERP."""
    for claim_id in episode.claims:
        for one in episode.journal.history("SIM", claim_id).submissions:
            text = "" if one.state in OPEN else _disagreement(episode, one)
            if text:
                yield Flaw("disagrees", claim_id, f"{one.key} is {one.state}; the ERP: {text}")


def _ledger_flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    erp = episode.erp
    live = {revision: erp.live(draft.reference) for revision, draft in claim.drafts.items()}
    standing = [one for documents in live.values() for one in documents]
    due = _due(episode, claim, live)
    if len(standing) > 1:
        yield Flaw("duplicated", claim.id, f"{len(standing)} entries live")
    if due is not None and not live[due]:
        yield Flaw("lost", claim.id, f"revision {due} is not in the ledger")
    if due is None and standing:
        yield Flaw("duplicated", claim.id, f"{standing[0].reference} lives, nothing should")
    if due is not None and standing and not live[due]:
        yield Flaw("wrong amounts", claim.id, f"{standing[0].reference} lives, not revision {due}")
    if due is not None and live[due]:
        expected = claim.drafts[due].voucher.totals
        if live[due][0].totals != expected:
            yield Flaw("wrong amounts", claim.id, f"{live[due][0].totals}, expected {expected}")
    for revision, draft in claim.drafts.items():
        for document in erp.by_reference.get(draft.reference, ()):
            yield from _reversal_flaws(claim, revision, document)


def _due(episode: Episode, claim: Claim, live: dict[int, list[Document]]) -> int | None:
    """Return the revision that must live; None when none may."""
    refusals = episode.erp.refusals
    capabilities = episode.traits.capabilities

    def fixed(revision: int) -> bool:
        key = msgspec.structs.replace(claim.drafts[revision].key, purpose=Purpose.REVERSE)
        refusal = refusals.get(reference_for(key, capabilities))
        return refusal is not None and refusal.for_ever

    for revision in sorted(live):
        if revision < claim.highest and live[revision] and fixed(revision):
            return revision  # the ERP does not let go of it, so nothing may follow it
    refusal = refusals.get(claim.drafts[claim.highest].reference)
    if refusal is not None and refusal.for_ever:
        return None
    if claim.highest in claim.by_person:
        return None
    if claim.highest in claim.reversals and not fixed(claim.highest):
        return None
    return claim.highest


def _reversal_flaws(claim: Claim, revision: int, document: Document) -> Iterator[Flaw]:
    ours = [one for one in document.reversals if one]
    if len(document.reversals) > 1:
        yield Flaw("duplicated", claim.id, f"{document.reference} was reversed twice")
    later = any(asked > revision for asked in claim.asked)
    if ours and not later and revision not in claim.reversals:
        yield Flaw("lost", claim.id, f"{document.reference} was reversed, and nobody wanted it")


def _journal_flaws(episode: Episode, claim: Claim) -> Iterator[Flaw]:
    history = episode.journal.history("SIM", claim.id)
    known = {one.reference: one for one in history.submissions}
    for one in history.submissions:
        if one.state in OPEN:
            yield Flaw("stuck", claim.id, f"{one.key} is {one.state}: {one.detail}")
    for draft in claim.drafts.values():
        if draft.reference in episode.erp.by_reference and draft.reference not in known:
            yield Flaw("disagrees", claim.id, f"{draft.reference} is not in the journal")


def _disagreement(episode: Episode, one: Submission) -> str:
    held = episode.erp.by_reference.get(one.reference, [])
    if one.state in LIVE:
        if not [doc for doc in held if not doc.reversals]:
            return "nothing lives"
        if one.journal_entry is not None and one.journal_entry != held[-1].entry:
            return f"it is {held[-1].entry}, not {one.journal_entry}"
    elif one.state is State.REVERSED:
        # One that was given up before the ERP took it is reversed too, and was never there.
        if held[-1].kind is not OutcomeKind.REVERSED if held else one.journal_entry is not None:
            return "it was not reversed"
    elif held:
        return f"it holds {held[-1].entry}"
    return ""


__all__ = ["Flaw", "judge"]
