"""What people do in an episode: in the ERP, with what is parked, and with a lost journal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.drills.simulated.scene import Claim

from claimbridge.model import LIVE, Outcome, OutcomeKind, Purpose, State, Submission
from claimbridge.submission import bring_into_doubt, settle_by_hand, with_journal
from claimbridge.submission.claim.by_hand import settle_gone
from claimbridge.submission.claim.restored import MOVED_BY_COPIES
from claimbridge.submission.decisions.evidence import reversal_key

if TYPE_CHECKING:
    from tests.drills.simulated.world import Episode

    from claimbridge.journal.memory import Shelf

QUIET = 300.0
_K = OutcomeKind
_TOLD = LIVE | {State.REVERSING}


def reverse_in_erp(episode: Episode, claim: Claim) -> None:
    """Take a claim's journal entry back by hand."""
    for revision, documents in claim.drafts.items():
        for draft in documents:
            for document in episode.erp.live(draft.reference):
                if document.kind is not _K.ACKNOWLEDGED:
                    episode.count_fault("reversed by a person")
                    claim.by_person.add(revision)
                    episode.erp.reverse_by_person(document)
                    episode.tell(claim.id, f"a person reverses {document.entry}")
                    return


def delete_in_erp(episode: Episode, claim: Claim) -> None:
    """Let the ERP lose a claim's journal entry."""
    for revision, documents in claim.drafts.items():
        for draft in documents:
            for document in episode.erp.live(draft.reference):
                if document.visible_from + QUIET > episode.clock.t:
                    continue  # an earlier sending might make it anew
                episode.count_fault("entry deleted")
                told = _was_told(episode, draft)
                claim.gone[revision] = claim.gone.get(revision, False) or told
                episode.erp.lose(document)
                episode.tell(claim.id, f"entry {document.entry} is gone (told before: {told})")
                return


def _was_told(episode: Episode, draft: Submission) -> bool:
    """Whether our journal says at this moment that the ERP has accepted it."""
    return any(
        one.reference == draft.reference and one.state in _TOLD
        for history in episode.histories(draft.key.claim_id)
        for one in history.submissions
    )


def look(episode: Episode) -> None:
    """People look into the ERP for everything that is parked, or said to be gone."""
    if episode.careless:
        return
    for book in episode.journal.books():
        for one in list(episode.journal.select(book.id, (State.PARKED, *_TOLD))):
            if one.state is State.PARKED:
                episode.count_parked(one)
                reverse_what_is_named(episode, one)
                settle(episode, one)
            elif one.state is State.REVERSING:
                look_at_reversing(episode, one)
            elif one.missing or (
                is_gone(episode, one) and not episode.rules.capabilities.can_query
            ):
                episode.launch_for_person(one, settle_gone(one.key, "looked", episode.ledger))


def look_at_reversing(episode: Episode, one: Submission) -> None:
    """Say that what the ERP refused to reverse is gone, or that others have reversed it."""
    history = episode.journal.history(one.key.book, one.key.claim_id)
    reversal = history.get(reversal_key(one.key))
    if reversal is None or reversal.state is not State.REJECTED:
        return
    if is_gone(episode, one):
        episode.launch_for_person(one, settle_gone(one.key, "looked", episode.ledger))
    elif not episode.rules.capabilities.can_query and seen(episode, one).kind is _K.REVERSED:
        settle(episode, one)


def reverse_what_is_named(episode: Episode, parked: Submission) -> None:
    """Take back earlier revisions that the ERP has and the journal names as unknown to it."""
    claim = episode.claims[parked.key.claim_id]
    for revision, documents in claim.drafts.items():
        named = any(names(parked.detail, draft.reference) for draft in documents)
        if revision < parked.key.revision and named:
            for draft in documents:
                for document in episode.erp_of(parked.key.book).live(draft.reference):
                    claim.by_person.add(revision)
                    episode.erp_of(parked.key.book).reverse_by_person(document)
                    episode.tell(claim.id, f"a person reverses {document.entry}, named as unknown")


def names(text: str, reference: str) -> bool:
    """Whether a text names a reference, in whatever spelling."""
    words = re.split(r"[\s,;()]+", text.upper())
    return reference.upper() in words


def reverse_what_is_in_the_way(episode: Episode, claim: Claim, error: str) -> None:
    """Take back the revision that an error names as unknown to the journal."""
    for revision, documents in claim.drafts.items():
        if f"holds revision {revision} of it" in error:
            for draft in documents:
                for document in episode.erp.live(draft.reference):
                    claim.by_person.add(revision)
                    episode.erp.reverse_by_person(document)
                    episode.tell(claim.id, f"a person reverses {document.entry}, in the way")


def settle(episode: Episode, known: Submission) -> None:
    """Say what a person sees of a submission."""
    plan = settle_by_hand(known.key, seen(episode, known), episode.rules)
    episode.launch_for_person(known, plan)


def tell_number(episode: Episode, known: Submission) -> None:
    """Where the ERP cannot be asked, say its number, or that it was reversed."""
    found = seen(episode, known)
    if found.kind is _K.REVERSED or (known.journal_entry is None and found.journal_entry):
        settle(episode, known)


def is_gone(episode: Episode, known: Submission) -> bool:
    """Whether the ERP has nothing any more under a reference that it accepted."""
    return not episode.erp_of(known.key.book).held(known.reference)


def seen(episode: Episode, known: Submission) -> Outcome:
    """Return what a person sees in the ERP under our reference."""
    there = episode.erp_of(known.key.book).held(known.reference)
    held = [one for one in there if one.claim_id == known.key.claim_id]
    live = [one for one in held if not one.reversals]
    if live:
        return Outcome(kind=_K.POSTED, journal_entry=live[-1].entry, text="seen by a person")
    if held and known.key.purpose is Purpose.POST:
        return Outcome(kind=_K.REVERSED, journal_entry=held[-1].entry, text="seen by a person")
    return Outcome(kind=_K.NOT_DELIVERED, text="a person found nothing")


def bring_back(episode: Episode, backup: Shelf | None) -> None:
    """A backup of the journal takes its place, and every process is started anew."""
    episode.count_fault("journal restored" if backup is not None else "journal deleted")
    episode.tell("*", f"the journal is {'restored' if backup else 'deleted'}")
    for worker in episode.workers:
        episode.crash(worker, "as the journal is restored")
    episode.journal.bring_back(backup)
    for journal in (episode.journal, *(worker.journal for worker in episode.workers)):
        journal.abandon_flights()
    for claim in episode.claims.values():
        claim.kept_out = 0  # the journal may have forgotten
    continuity = episode.journal.continuity()
    if not continuity.is_newest:
        episode.waits_for_word = True
    episode.after(episode.rng.uniform(0, 600), say_restored, episode)


def say_restored(episode: Episode) -> None:
    """What ``claimbridge journal restored --until …`` does; then callers submit again."""
    journal, now = episode.journal, episode.clock.now()
    gap, _ = journal.note_gap(now)
    if gap is not None:
        for book in journal.books():
            claims = {one.key.claim_id: None for one in journal.select(book.id, MOVED_BY_COPIES)}
            for claim_id in claims:
                with_journal(
                    bring_into_doubt(book.id, claim_id, gap, episode.rules), episode.journal
                )
    journal.make_newest()
    episode.waits_for_word = False
    episode.tell("*", f"a person says: restored --until {now}")
    episode.submit_again()


__all__ = [
    "bring_back",
    "delete_in_erp",
    "is_gone",
    "look",
    "reverse_in_erp",
    "tell_number",
]
