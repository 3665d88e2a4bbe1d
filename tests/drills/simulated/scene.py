"""How an episode is set: its ERP, its network, its claims, and what happens in it at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
from tests.drills.simulated.clock import SimClock
from tests.drills.simulated.erp import Erp, Refusals, Traits

from claimbridge.model import InvoiceUse, Key, Place, Purpose, State, Submission, Voucher
from claimbridge.model.digests import Digest
from claimbridge.profiles.base import Capabilities
from claimbridge.submission import digest_of, reference_for

HOME, RENAMED, OTHER = "SIM", "SIM-2", "OTHER"
"""Names of ledgers: the first two are one book, the last is another."""
PLACES = {
    HOME: Place("simulated", "https://erp.example/soap", "1000"),
    RENAMED: Place("simulated", "https://erp.example/soap", "1000"),
    OTHER: Place("simulated", "https://erp.example/soap", "2000"),
}
RECIPES = (
    "query, unique reference",
    "query, no unique reference",
    "no query, unique reference",
    "no query, no unique reference",
)
KINDS = (
    "clocks and reboots",
    "renamed ledger",
    "two books",
    "restored journal",
    "families",
    "withdrawals",
    "folded references",
    "late jobs",
    "gone entries",
    "shared invoices",
    "asked first",
)


class Claim(msgspec.Struct):
    """A claim of the episode: its documents by revision, and what people wanted of it."""

    id: str
    at: float
    """When it is submitted first."""
    drafts: dict[int, tuple[Submission, ...]] = msgspec.field(default_factory=dict)
    asked: set[int] = msgspec.field(default_factory=set)
    """Revisions that a caller has submitted."""
    reversals: set[int] = msgspec.field(default_factory=set)
    """Revisions that a caller has asked to reverse."""
    dropped: set[int] = msgspec.field(default_factory=set)
    """Revisions that may have waited when an earlier one was reversed, and are not sent then."""
    by_person: set[int] = msgspec.field(default_factory=set)
    """Revisions that a person has reversed in the ERP."""
    gone: dict[int, bool] = msgspec.field(default_factory=dict)
    """Revisions that the ERP has lost, and whether we had been told before that it had them."""
    taken_back: int = 0
    """Up to which revision its source has withdrawn it."""
    kept_out: int = 0
    """Up to which revision that withdrawal was confirmed before anything was sent."""
    afterwards: int = 0
    """A revision that is submitted after the withdrawal, in the end."""
    wanders: bool = False
    """It is given to another book too."""

    @property
    def highest(self) -> int:
        """The revision that must stand in the end."""
        return max(self.drafts)

    @property
    def is_divided(self) -> bool:
        """Whether one of its revisions is several documents."""
        return any(len(documents) > 1 for documents in self.drafts.values())

    @property
    def invoices(self) -> tuple[InvoiceUse, ...]:
        """The invoices that it uses."""
        return self.drafts[1][0].invoices

    def note(self, verb: str, revision: int) -> None:
        """Keep what a caller wants."""
        if verb == "reverse":
            self.reversals.add(revision)
            self.dropped |= {asked for asked in self.asked if asked > revision}
        elif verb == "withdraw":
            self.taken_back = max(self.taken_back, revision)
        else:
            self.asked.add(revision)

    def digest(self, revision: int) -> Digest:
        """Return the digest of a revision's content."""
        hashed = hashlib.sha256(f"{self.id}/{revision}".encode()).hexdigest()
        return Digest(hashed, lambda: ())

    def documents(self, revision: int, book: str) -> tuple[Submission, ...]:
        """Return the documents of a revision as they are submitted to a book."""
        return tuple(
            msgspec.structs.replace(one, key=msgspec.structs.replace(one.key, book=book))
            for one in self.drafts[revision]
        )


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """How likely each thing goes wrong, per step or exchange, in one episode."""

    crash: float = 0.0
    interrupt: float = 0.0
    stall: float = 0.0
    network: float = 0.0
    throttle: float = 0.0


def odds_of(rng: random.Random) -> Odds:
    """Return how bad an episode's world is."""
    bad = rng.choice((0.0, 0.1, 0.3, 1.0))
    return Odds(
        crash=0.04 * bad * rng.random(),
        interrupt=0.03 * bad * rng.random(),
        stall=0.02 * bad * rng.random(),
        network=0.6 * bad * rng.random(),
        throttle=0.3 * bad * rng.random(),
    )


def kinds_of(rng: random.Random, recipe: int) -> frozenset[str]:
    """Return what happens in an episode, of what does not happen in each."""
    can_query = recipe < 2
    found = {"asked first"} if recipe == 1 or (recipe == 0 and rng.random() < 0.3) else set()
    chances = {
        "renamed ledger": 0.3,
        "two books": 0.2,
        "restored journal": 0.25,
        "families": 0.3,
        "withdrawals": 0.25,
        "folded references": 0.3,
        "late jobs": 0.35 if can_query else 0.0,
        "gone entries": 0.2,
        "shared invoices": 0.25,
        "clocks and reboots": 0.4,
    }
    found |= {kind for kind, chance in chances.items() if rng.random() < chance}
    if "restored journal" in found:
        # Of what a lost journal alone knew, its ERP cannot tell: another book, an invoice, what was
        # deleted or taken back. And whoever says until when it was in use goes by the clock.
        found -= {"two books", "shared invoices", "gone entries", "withdrawals"}
        found.discard("clocks and reboots")
    if "late jobs" in found:
        found.discard("gone entries")  # what still waits would make a deleted entry anew
    return frozenset(found)


def traits_of(rng: random.Random, recipe: int, kinds: frozenset[str]) -> Traits:
    """Return how the ERP of an episode behaves."""
    can_query, unique = recipe < 2, recipe % 2 == 0
    jobs = rng.choice(("reference", "job") if unique else ("reference",))
    return Traits(
        capabilities=Capabilities(
            can_query=can_query,
            can_reverse=True,
            can_list_changes=rng.random() < 0.5,
            unique_reference=unique,
            batch=rng.choice((1, 8)),
            postings=4 if "families" in kinds else None,
            reference_case="upper" if "folded references" in kinds else "kept",
        ),
        acknowledges=rng.random() < 0.3 and can_query,
        tells_totals=rng.random() < 0.7,
        numbers_duplicates=rng.random() < 0.7,
        checks_business_first=rng.random() < 0.5,
        keeps_refused=rng.random() < 0.3,
        index_lag=rng.choice((0.0, 0.0, 1.0, 30.0)),
        jobs=jobs if "late jobs" in kinds else "",
    )


class Scene:
    """Makes the claims of an episode, and the refusals of its ERP."""

    def __init__(
        self,
        rng: random.Random,
        number: int,
        kinds: frozenset[str],
        traits: Traits,
        vouchers: Sequence[Voucher],
    ) -> None:
        self._rng = rng
        self._number = number
        self._kinds = kinds
        self._can = traits.capabilities
        self._vouchers = vouchers

    def claims(self) -> Iterator[Claim]:
        """Yield eight claims."""
        rng = self._rng
        for n in range(8):
            claim_id = f"E{self._number}-{n}"
            # After a gap an earlier version's reference is asked for, which the twin's now is.
            twins = self._kinds & {"folded references", "restored journal"}
            if n == 1 and twins == {"folded references"}:
                claim_id = f"e{self._number}-0"  # another claim than E…-0, to us
            wanders = "two books" in self._kinds and n in (2, 3)
            revisions = 1 if wanders else rng.choice((1, 1, 1, 2, 2, 3))
            claim = Claim(claim_id, self._begins(), wanders=wanders)
            invoices = self._invoices(n)
            for revision in range(1, revisions + 1):
                claim.drafts[revision] = self._documents(claim, revision, invoices)
            if "withdrawals" in self._kinds and n in (4, 5, 7) and rng.random() < 0.5:
                claim.afterwards = revisions + 1
                claim.drafts[revisions + 1] = self._documents(claim, revisions + 1, invoices)
            yield claim

    def _begins(self) -> float:
        rng = self._rng
        if "restored journal" in self._kinds and rng.random() < 0.4:
            return rng.uniform(0, 2500)
        return rng.uniform(0, 400) if rng.random() < 0.7 else rng.uniform(150, 900)

    def _invoices(self, n: int) -> tuple[InvoiceUse, ...]:
        """Return what a claim uses: 0 and 1 the same whole, 6 and 7 (and 5) parts of another."""
        if "shared invoices" not in self._kinds or n not in (0, 1, 5, 6, 7):
            return ()
        number = f"{self._number:08}"
        if n < 2:
            return (InvoiceUse(invoice=f"whole|{number}", line=1, number=number),)
        return (
            InvoiceUse(
                invoice=f"part|{number}",
                line=1,
                number=number,
                amount=Decimal(40),
                total=Decimal(100),
                currency="CNY",
            ),
        )

    def _documents(
        self, claim: Claim, revision: int, invoices: tuple[InvoiceUse, ...]
    ) -> tuple[Submission, ...]:
        rng = self._rng
        divides = "families" in self._kinds and not claim.wanders
        parts = rng.choice((0, 2, 2, 3)) if divides else 0
        approved = None
        if "restored journal" in self._kinds:
            approved = SimClock.EPOCH + dt.timedelta(seconds=claim.at - 1)
        made = []
        for part in range(1, parts + 1) if parts else (0,):
            key = Key(HOME, claim.id, revision, part=part)
            voucher = rng.choice(self._vouchers[(revision - 1) % 3 :: 3])
            if parts or approved:
                voucher = msgspec.structs.replace(
                    voucher, document_number=part, documents=parts, approved_at=approved
                )
            made.append(
                Submission(
                    key=key,
                    reference=self._reference(key),
                    digest=digest_of(claim.digest(revision), part, parts),
                    voucher=voucher,
                    state=State.PENDING,
                    invoices=invoices,
                )
            )
        return tuple(made)

    def _reference(self, key: Key) -> str:
        """Return its reference; where the ERP folds case, sometimes as earlier versions wrote."""
        reference = reference_for(key, self._can)
        if self._can.reference_case == "upper" and ".R" in reference and self._number % 3 == 0:
            return reference.replace(".R", ".r")
        return reference

    def refusals(self, claims: Sequence[Claim]) -> dict[str, Refusals]:
        """Return which documents the ERP refuses, by their references, and when."""
        rng = self._rng
        found = {}
        for claim in claims:
            for documents in claim.drafts.values():
                for draft in documents:
                    key = msgspec.structs.replace(draft.key, purpose=Purpose.REVERSE)
                    for reference in (draft.reference, reference_for(key, self._can)):
                        refusal = self._refusal(rng.random())
                        stays = refusal is not None and refusal.for_ever
                        if stays and "restored journal" in self._kinds:
                            # An earlier revision submitted again could not be taken back.
                            stays = reference == draft.reference
                            refusal = refusal if stays else None
                        if refusal is not None:
                            found[reference] = refusal
        return found

    def _refusal(self, luck: float) -> Refusals | None:
        rng = self._rng
        if luck < 0.05:
            return Refusals((), for_ever=True)
        if luck < 0.2:
            begin = rng.uniform(0, 1000)
            return Refusals(((begin, begin + rng.uniform(1, 1500)),), for_ever=False)
        return None


def reversal_is_refused(erp: Erp, draft: Submission) -> bool:
    """Whether an ERP never lets go of a document."""
    key = msgspec.structs.replace(draft.key, purpose=Purpose.REVERSE)
    return erp.is_refused_for_ever(reference_for(key, erp.traits.capabilities))


__all__ = [
    "HOME",
    "KINDS",
    "OTHER",
    "PLACES",
    "RECIPES",
    "RENAMED",
    "Claim",
    "Odds",
    "Scene",
    "kinds_of",
    "odds_of",
    "reversal_is_refused",
    "traits_of",
]
