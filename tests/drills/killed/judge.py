"""What the ledger must hold when all is over, and what it holds instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from tests.drills.killed.child import Work
from tests.withstand.scene import Held, book_of, held, marked

from claimbridge.journal import Journal
from claimbridge.model import LIVE, State
from claimbridge.sandbox import LedgerRow


class Flaw(msgspec.Struct, frozen=True):
    """A claim that is not in the ledger exactly once; ``what`` is ``lost``, ``duplicated`` …."""

    claim_id: str
    what: str
    told: str


def flaws(
    work: Work, ledger: Sequence[LedgerRow], profile: str, journal: Journal
) -> Iterator[Flaw]:
    """Yield what is wrong with one round's claims, in the ERP and in our journal."""
    for claim_id in work.claims:
        found = held(ledger, profile, claim_id)
        wanted = 0 if claim_id == work.taken_back else 1
        told = "; ".join(f"{one.reference} {one.purpose} {one.state}" for one in _all(found))
        if len(found.live) < wanted:
            yield Flaw(claim_id, "lost", told)
        if len(found.live) > wanted or _repeated(found):
            yield Flaw(claim_id, "duplicated", told)
        if claim_id == work.taken_back and not found.taken_back:
            yield Flaw(claim_id, "lost", f"not taken back: {told}")
        if len(found.reversals) != len(found.taken_back):
            yield Flaw(claim_id, "duplicated", f"reversals: {told}")
        correction = [marked(profile, claim_id, "r2")]
        if claim_id == work.corrected and [one.reference for one in found.live] != correction:
            yield Flaw(claim_id, "lost", f"the correction: {told}")
        yield from _about_journal(claim_id, found, journal)


def _all(found: Held) -> list[LedgerRow]:
    return [*found.posts, *found.reversals]


def _repeated(found: Held) -> bool:
    references = [one.reference for one in _all(found)]
    return len(references) != len(set(references))


def _about_journal(claim_id: str, found: Held, journal: Journal) -> Iterator[Flaw]:
    """Our journal must say the same, number by number."""
    ours, theirs = {}, {}
    for one in journal.history(book_of(journal), claim_id).submissions:
        if one.state in LIVE:
            ours[one.reference] = str(one.journal_entry)
        elif one.state not in {State.REVERSED, State.REJECTED}:
            yield Flaw(claim_id, "stuck", f"{one.key} is {one.state}: {one.detail}")
    for document in (*found.live, *found.reversals):
        theirs[document.reference] = str(document.journal_entry)
    if ours != theirs:
        yield Flaw(claim_id, "disagrees", f"our journal has {ours}, the ERP {theirs}")
