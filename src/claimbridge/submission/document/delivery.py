"""One document: carried into the ledger once, whatever was done with it before."""

from __future__ import annotations

from collections.abc import Callable

from claimbridge.errors import LedgerRejection, OutcomeUnknown
from claimbridge.model import LIVE, History, Key, State, Submission
from claimbridge.submission.decisions.decisions import (
    Busy,
    Decision,
    Done,
    Fly,
    Refuse,
    Resolve,
    TakeBack,
    decide,
    not_reversible,
)
from claimbridge.submission.decisions.evidence import refusal, with_content_of
from claimbridge.submission.decisions.intentions import give_up_changes, posting_changes
from claimbridge.submission.decisions.port import Draft, Exchanger
from claimbridge.submission.document.doubt import Resend, resolve
from claimbridge.submission.document.first import ask_earlier, ask_first, check_newest
from claimbridge.submission.document.flight import Tries, fly
from claimbridge.submission.document.question import NO_LONGER_THERE, ask_again
from claimbridge.submission.document.reversal import take_back
from claimbridge.submission.steps.steps import Plan, Recall, Record


def submit_document(
    key: Key,
    digest: str,
    prepare: Callable[[], Draft],
    ledger: Exchanger,
    *,
    seen: History | None = None,
) -> Plan[Submission]:
    """Carry one voucher into the ledger; return its submission once the ERP accepted it.

    ``prepare`` is called at most once, before anything is written or sent. ``seen`` is the claim's
    history where it was just read. Raises the errors of DeliveryError, and whatever ``prepare``
    raises.
    """
    return _Delivery(key, digest, prepare, ledger).carry(seen)


def submit_draft(draft: Draft, ledger: Exchanger) -> Plan[Submission]:
    """Carry a document into the ledger that needs no more preparation."""
    target = draft.submission
    return submit_document(target.key, target.digest, lambda: draft, ledger)


class _Delivery:
    """One document on its way, until the ERP has accepted it or an error says why not."""

    def __init__(
        self, key: Key, digest: str, prepare: Callable[[], Draft], ledger: Exchanger
    ) -> None:
        self._key = key
        self._digest = digest
        self._prepare = prepare
        self._draft: Draft | None = None
        self._ledger = ledger
        self._tries = Tries(ledger.rules)

    def carry(self, seen: History | None) -> Plan[Submission]:
        """Look, decide and act, until it is there."""
        while True:
            history = seen or (yield from Recall(self._key.book, self._key.claim_id))
            seen = None
            decision = decide(history, self._key, self._digest)
            if isinstance(decision, Done):
                if decision.submission.missing:
                    return (yield from ask_again(decision.submission, self._ledger))
                return decision.submission
            ready = yield from self._act(history, decision)
            landing = None if ready is None else (yield from self._fly(history, ready))
            if landing is not None:
                return landing

    def _act(self, history: History, decision: Decision) -> Plan[Draft | None]:
        """Do what the decision says; return what may be sent now, None to look again."""
        if isinstance(decision, Refuse):
            raise decision.error
        if isinstance(decision, TakeBack) and not self._ledger.rules.capabilities.can_reverse:
            raise not_reversible(decision.submission)
        if isinstance(decision, Busy):
            yield from self._tries.wait_for_turn(self._key)
            return None
        if isinstance(decision, Resolve) and decision.submission.key == self._key:
            return (yield from self._resolve(history, decision.submission))
        # Prepared before anything is reversed for it: it may turn out not to be sendable.
        self._draft = self._draft or self._prepare()
        if isinstance(decision, Fly):
            return (yield from self._ask_first(history, decision, self._draft))
        yield from self._make_way(history, decision, self._draft.submission)
        return None

    def _resolve(self, history: History, doubtful: Submission) -> Plan[Draft | None]:
        """Find out what became of this very document; return it where it is to be sent again."""
        resolution = yield from resolve(history, doubtful, self._ledger, resend=True)
        if not isinstance(resolution, Resend):
            if resolution is not None and resolution.state is State.REJECTED:
                raise refusal(resolution)  # what it was sent for has been answered
            return None
        flight = resolution.submission  # what was sent once is sent again as it was
        answer = yield from ask_earlier(history, flight, self._ledger)
        if answer is not None:
            yield from self._tries.after_question(flight, answer)
            return None
        return Draft(flight)

    def _ask_first(self, history: History, decision: Fly, draft: Draft) -> Plan[Draft | None]:
        """Return what may be sent, once it is known that the ERP does not have it."""
        flight = with_content_of(decision.record or draft.submission, draft.submission)
        answer = yield from ask_first(history, flight, self._ledger)
        if answer is not None:
            yield from self._tries.after_question(flight, answer)
            return None
        same = flight.reference == draft.submission.reference
        return Draft(flight, draft.built if same else None)

    def _make_way(self, history: History, decision: Decision, target: Submission) -> Plan[None]:
        """Do what comes before ``target``: with a doubt, with what waits, with what stands."""
        if isinstance(decision, Resolve):
            yield from resolve(history, decision.submission, self._ledger, resend=False)
            return
        intention = posting_changes(history, (target,), self._ledger.rules)
        if intention:
            yield from check_newest(self._key.claim_id)
            yield from Record(history, intention)
            return
        assert isinstance(decision, TakeBack)  # what is closed is intended
        yield from _take_back_for(target, decision.submission.key, self._ledger)

    def _fly(self, history: History, ready: Draft) -> Plan[Submission | None]:
        """Send it once; return it where the ERP accepted it, None where it is to be tried again."""
        flight = (ready.submission,)
        end = yield from fly(history, flight, self._ledger, verb="submit", built=ready.built)
        if end is None:
            return None  # another writer was faster: look again
        landing, outcome = end
        if landing.state in LIVE:
            return landing
        yield from self._tries.after(landing, outcome)
        return None


def _take_back_for(target: Submission, earlier: Key, ledger: Exchanger) -> Plan[None]:
    """Take an earlier document back for ``target``; where the ERP does not, that one stands."""
    try:
        yield from take_back(earlier, target.voucher.posting_date, "", ledger)
    except (LedgerRejection, OutcomeUnknown) as refused:
        if isinstance(refused, OutcomeUnknown) and refused.code != NO_LONGER_THERE:
            raise
        why = f"not sent: revision {earlier.revision} stands ({refused.message})"
        while True:
            history = yield from Recall(earlier.book, earlier.claim_id)
            changes = give_up_changes(history, target.key.revision, ledger.rules, why)
            if not changes or (yield from Record(history, changes)) is not None:
                raise
