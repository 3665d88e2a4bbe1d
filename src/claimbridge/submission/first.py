"""The question before a first sending: has another journal sent this already.

A journal that was restored, copied or lost knows less than the ERP. Where the ERP can be asked, it
is asked for the reference before anything is recorded or sent; what it holds is adopted as an
unexplained duplicate is. Two senders that share a journal may both ask: the compare-and-set of
``Begin`` lets one of them send. Where the ERP cannot be asked, and does not refuse duplicates, a
document of a time that the journal does not know is parked for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from claimbridge.errors import OutcomeUnknown
from claimbridge.journal import newest
from claimbridge.model import (
    Continuity,
    Gap,
    History,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Submission,
)
from claimbridge.submission.evidence import (
    EVIDENCE,
    UNBOUND,
    after,
    assigned,
    counts,
    differ,
    doubted,
    held,
    moved,
    with_original,
)
from claimbridge.submission.port import Exchanger, Rules
from claimbridge.submission.references import earlier_references, reference_for
from claimbridge.submission.steps import IsNew, Look, Plan, Record

_K = OutcomeKind
_EARLIER: Final = 9
"""How many earlier revisions that the journal does not know are asked for, the newest of them."""
_NOT_THERE: Final = frozenset({_K.ABSENT, _K.REJECTED})
_GONE: Final = frozenset({_K.ABSENT, _K.REJECTED, _K.REVERSED})
"""Answers for an earlier revision that mean that nothing of it counts in the ledger."""


def ask_first(history: History, flight: Submission, ledger: Exchanger) -> Plan[Outcome | None]:
    """Find out whether ``flight`` may be sent for the first time; None: it may.

    Otherwise nothing is sent. Where the outcome is evidence, or UNKNOWN, the journal was written
    and must be read anew; where it is NOT_DELIVERED or UNAVAILABLE, the ERP gave no answer, and
    nothing was recorded. Raises JournalError where the journal is not the newest (CB-235) or new
    (CB-236), and OutcomeUnknown: CB-432 where the ERP holds an earlier revision which the journal
    does not know, CB-423 where what is not there may still arrive.
    """
    if flight.attempt:
        return (yield from ask_earlier(history, flight, ledger))
    continuity = yield from Look()
    yield from _refuse(continuity, flight, ledger.rules)
    gap = _gap(continuity, history, flight)
    if gap is not None and not ledger.rules.capabilities.can_query:
        return (yield from _unasked(history, flight, gap, ledger.rules))
    wanted = _questions(history, flight, gap, ledger.rules)
    if not wanted:
        return None
    refused = False
    while wanted:
        wanted, told = yield from _judged(history, flight, wanted, gap, ledger)
        if told is not None and told.kind is not _K.REJECTED:
            return told
        refused |= told is not None
    # A second one is refused, but not the first beside an earlier revision that arrives later.
    unique = ledger.rules.capabilities.unique_reference
    alone = unique and not _unknown_revisions(history, flight, gap)
    if gap is not None and not alone:
        _wait_for_arrivals(flight, gap, ledger.rules)
    if refused:
        # What it remembers of another sending must not be taken for the answer to this one.
        again = moved(flight, State.PENDING, ledger.rules, detail="")
        yield from Record(history, (msgspec.structs.replace(again, attempt=1),))
        return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text="refused before")
    return None


def ask_earlier(history: History, flight: Submission, ledger: Exchanger) -> Plan[Outcome | None]:
    """Ask for earlier revisions that the journal does not know, where only another has sent this.

    None: none of them stands. Raises and returns as ``ask_first`` does.
    """
    if flight.attempted_at is not None or not ledger.rules.capabilities.can_query:
        return None
    gap = (yield from Look()).gap
    if gap is None:
        return None
    keys = _unknown_keys(history, flight, gap, ledger.rules)
    wanted = [_about(flight, key, key.part, ledger.rules) for key in keys]
    while wanted:
        wanted, told = yield from _judged(history, flight, wanted, gap, ledger)
        if told is not None:
            return told
    return None


def _judged(
    history: History,
    flight: Submission,
    wanted: list[Submission],
    gap: Gap | None,
    ledger: Exchanger,
) -> Plan[tuple[list[Submission], Outcome | None]]:
    """Ask, and judge the answers; return what is to be asked further, and what ends the matter.

    REJECTED ends nothing: it says that the ERP remembers to have refused it.
    """
    further: list[Submission] = []
    refused: Outcome | None = None
    for question, outcomes in (yield from _asked(wanted, ledger)):
        (said,) = assigned((question,), outcomes)
        contradicts = differ([one for one in outcomes if one.reference == question.reference])
        if contradicts or _is_replayable(said, gap, ledger.rules):
            why = said.text if contradicts else UNBOUND
            return [], (yield from _park(history, flight, why, ledger.rules))
        unproven = gap is not None and said.kind in _NOT_THERE and not counts(said)
        if unproven or (said.kind not in EVIDENCE and said.kind is not _K.ABSENT):
            return [], _no_answer(question, said)
        if question.key != flight.key:
            _refuse_earlier(question, said, flight)
            if said.kind is _K.REVERSED and question.key.part:
                # A claim may have been taken back in part only.
                further.append(_about(flight, question.key, question.key.part + 1, ledger.rules))
        elif question.reference != flight.reference and said.kind not in _NOT_THERE:
            why = (
                f"the ERP holds {said.journal_entry or 'a document'} as {question.reference}, as "
                "an earlier version of claimbridge would have called it; look whether it is this "
                "claim, then settle it by hand"
            )
            return [], (yield from _park(history, question, why, ledger.rules))
        elif said.kind not in _NOT_THERE:
            return [], (yield from _adopt(history, flight, said, ledger.rules))
        elif said.kind is _K.REJECTED:
            refused = said
    return further, refused


def told_of(continuity: Continuity, rules: Rules, *, new: bool) -> tuple[bool, str]:
    """Return whether something may be sent for the first time, and what is to be known of that.

    ``new``: nothing was sent to the book through this journal (``Journal.is_new``).
    """
    can = rules.capabilities
    refusal = newest.refusal(continuity)
    if refusal is None and new and not rules.asks_first and not can.unique_reference:
        refusal = newest.new_here(continuity)
    if refusal is not None:
        return False, f"{refusal.code} {refusal.message}"
    if rules.asks_first:
        why = "before a first sending the ERP is asked for it"
    elif can.unique_reference:
        why = "the ERP itself refuses a second document of the same reference"
    else:
        why = "nothing but this journal keeps a claim from being posted twice"
    found = [f"new here, which is harmless: {why}" if new else why]
    if continuity.gap is not None:
        found.append(f"it knows nothing of a time until {continuity.gap.until:%Y-%m-%d %H:%M:%S%z}")
    return True, "; ".join(found)


def forgets(continuity: Continuity, rules: Rules) -> str:
    """Return the warning for a journal that does not last, where nothing else helps; "" else."""
    guarded = rules.asks_first or rules.capabilities.unique_reference
    if continuity.lasting or guarded:
        return ""
    return (
        "the journal memory: ends with this process, and the ERP is not asked first and does not "
        "refuse duplicates: what is submitted again later is posted again; keep a journal in a file"
    )


def may_be_sent(
    ready: Mapping[int, tuple[History, Submission]], ledger: Exchanger
) -> Plan[list[int]]:
    """Return which of several may be sent at once; the others are for ``ask_first``, one by one."""
    firsts = {index: flight for index, (_, flight) in ready.items() if not flight.attempt}
    free = [index for index in ready if index not in firsts]
    if not firsts:
        return free
    continuity = yield from Look()
    if newest.refusal(continuity) or (yield from _unguarded(firsts.values(), ledger.rules)):
        return []
    asking: dict[int, Submission] = {}
    for index, flight in firsts.items():
        history = ready[index][0]
        gap = _gap(continuity, history, flight)
        wanted = _questions(history, flight, gap, ledger.rules)
        if not wanted and (gap is None or ledger.rules.capabilities.can_query):
            free.append(index)
        elif gap is None and [one.key for one in wanted] == [flight.key]:
            asking[index] = flight
    if asking:
        flights = tuple(asking.values())
        said = assigned(flights, (yield from ledger.exchange("query", flights)))
        free += [
            index for index, outcome in zip(asking, said, strict=True) if outcome.kind is _K.ABSENT
        ]
    return sorted(free)


def _refuse(continuity: Continuity, flight: Submission, rules: Rules) -> Plan[None]:
    refusal = newest.refusal(continuity)
    if refusal is None and (yield from _unguarded((flight,), rules)):
        refusal = newest.new_here(continuity)
    if refusal is not None:
        refusal.claim_id = flight.key.claim_id
        raise refusal


def check_newest(claim_id: str) -> Plan[None]:
    """Raise JournalError CB-235 or CB-236 where a claim's plans would rest on an older journal."""
    refusal = newest.refusal((yield from Look()))
    if refusal is not None:
        refusal.claim_id = claim_id
        raise refusal


def _unguarded(flights: Iterable[Submission], rules: Rules) -> Plan[bool]:
    """Say whether nothing would stop what another journal has posted to their book.

    A later revision is no duplicate: who cannot be asked for the earlier one takes both.
    """
    can = rules.capabilities
    several = list(flights)
    first = all(flight.key.revision == 1 for flight in several)
    if rules.asks_first or (can.unique_reference and (first or can.can_query)):
        return False
    return (yield from IsNew(several[0].key.book))


def _gap(continuity: Continuity, history: History, flight: Submission) -> Gap | None:
    """Return the gap in which another journal may have sent this; None: it cannot have been.

    What this journal had sent before was put in doubt when the gap was noted, and what a person has
    settled counts as sent (see ``_park``).
    """
    gap, known = continuity.gap, history.get(flight.key)
    if gap is None or (known is not None and known.attempt):
        return None
    if flight.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(flight.key, purpose=Purpose.POST))
        sent = None if original is None else original.attempted_at
        return gap if sent is None or sent <= gap.until else None
    approved = flight.voucher.approved_at
    is_later = approved is not None and approved > gap.until
    return None if is_later and not _unknown_revisions(history, flight, gap) else gap


def _unknown_revisions(history: History, flight: Submission, gap: Gap | None) -> list[int]:
    """Return the revisions before this one which the journal does not know, the newest first.

    After a gap it does not know either what it was given since, and closed before it was asked for.
    """
    if flight.key.purpose is Purpose.REVERSE:
        return []
    unasked = {one.key.revision for one in history.submissions if is_unasked(one, gap)}
    known = {one.key.revision for one in history.submissions} - unasked
    before = range(flight.key.revision - 1, 0, -1)
    return [revision for revision in before if revision not in known][:_EARLIER]


def is_unasked(one: Submission, gap: Gap | None) -> bool:
    """Whether another journal may have sent it in a gap, and the ERP was never asked for it."""
    if gap is None or one.attempt or one.key.purpose is Purpose.REVERSE:
        return False
    if one.voucher.approved_at is not None and one.voucher.approved_at > gap.until:
        return False
    return one.journal_entry is None and (one.updated_at is None or one.updated_at > gap.until)


def _questions(
    history: History, flight: Submission, gap: Gap | None, rules: Rules
) -> list[Submission]:
    """Return what the ERP is to be asked for before ``flight`` is sent.

    Its own reference; and those of earlier revisions that the journal does not know, wherever it
    can be asked: a second revision beside the first is no duplicate to an ERP. And in a gap, by
    whatever an earlier version called any of these.
    """
    if not rules.capabilities.can_query:
        return []
    wanted = [flight] if rules.asks_first or gap is not None else []
    keys = _unknown_keys(history, flight, gap, rules)
    if gap is not None and flight.key.purpose is Purpose.POST:
        others = (msgspec.structs.replace(flight.key, part=part) for part in _forms(rules))
        keys += [key for key in others if history.get(key) is None and key != flight.key]
    wanted += [_about(flight, key, key.part, rules) for key in keys]
    if gap is not None and not rules.apart:
        wanted += [
            msgspec.structs.replace(one, reference=earlier)
            for one in wanted
            for earlier in earlier_references(one.key, rules.capabilities)
        ]
    return wanted


def _about(flight: Submission, key: Key, part: int, rules: Rules) -> Submission:
    """Return the question for a part of what ``key`` names; it is in no journal."""
    key = msgspec.structs.replace(key, part=part)
    reference = reference_for(key, rules.capabilities, apart=rules.apart)
    return msgspec.structs.replace(flight, key=key, reference=reference)


def _unknown_keys(history: History, flight: Submission, gap: Gap | None, rules: Rules) -> list[Key]:
    """Return the keys of documents of earlier revisions which the journal does not know."""
    return [
        msgspec.structs.replace(flight.key, revision=revision, part=part)
        for revision in _unknown_revisions(history, flight, gap)
        for part in _forms(rules)
    ]


def _forms(rules: Rules) -> tuple[int, ...]:
    """Return which documents stand for a claim: the whole, or the first of its parts."""
    return (0,) if rules.capabilities.postings is None else (0, 1)


def _asked(
    wanted: Sequence[Submission], ledger: Exchanger
) -> Plan[list[tuple[Submission, tuple[Outcome, ...]]]]:
    """Ask, in one request where the ERP takes so many; return what was said, question by question.

    Ends early where there is no answer, as the rest would have none either, and at what is there.
    """
    if len(wanted) <= ledger.rules.capabilities.batch:
        outcomes = yield from ledger.exchange("query", tuple(wanted))
        return [(question, outcomes) for question in wanted]
    answered = []
    for question in wanted:
        outcomes = yield from ledger.exchange("query", (question,))
        answered.append((question, outcomes))
        if assigned((question,), outcomes)[0].kind not in _GONE:
            break
    return answered


def _is_replayable(said: Outcome, gap: Gap | None, rules: Rules) -> bool:
    """Whether only an answer that anybody could repeat says that nothing was sent in a gap."""
    unproven = gap is not None and said.kind in _NOT_THERE and not counts(said)
    return unproven and not rules.can_bind and not rules.capabilities.unique_reference


def _no_answer(question: Submission, said: Outcome) -> Outcome:
    text = (
        f"asked first whether it holds {question.reference}, the ERP gave no answer "
        f"({said.text or said.kind}); nothing was sent"
    )
    kind = said.kind if said.kind is _K.UNAVAILABLE else _K.NOT_DELIVERED
    # Where the answer's signature is the reason, or what only a person can change, its code says.
    keeps = said.code.startswith("CB-3") or said.useless or kind is _K.UNAVAILABLE
    return msgspec.structs.replace(
        said, kind=kind, text=text, code=said.code if keeps else "CB-436"
    )


def _refuse_earlier(earlier: Submission, said: Outcome, flight: Submission) -> None:
    if said.kind in _GONE:
        return
    raise OutcomeUnknown(
        f"the ERP holds revision {earlier.key.revision} of it as "
        f"{said.journal_entry or earlier.reference}, and this journal does not know it: submit "
        "that revision as it was, which adopts it, or reverse it in the ERP; then submit this one "
        "again. Nothing was sent",
        code="CB-432",
        claim_id=flight.key.claim_id,
        reference=earlier.reference,
    )


def _wait_for_arrivals(flight: Submission, gap: Gap, rules: Rules) -> None:
    now = rules.clock.uptime()
    # After a reboot: at least as long as this boot has been running.
    passed = now.since(gap.noted)
    passed = now.seconds if passed is None else passed
    if passed < rules.quiet_period:
        left = rules.quiet_period - passed
        raise OutcomeUnknown(
            f"the ERP does not have {flight.reference} yet, but what another journal sent may "
            f"still arrive for {left:.0f} s; try again after that. Nothing was sent",
            code="CB-423",
            claim_id=flight.key.claim_id,
            reference=flight.reference,
            retry_after=left,
        )


def _unasked(history: History, flight: Submission, gap: Gap, rules: Rules) -> Plan[Outcome | None]:
    """Decide about a document of a gap where the ERP cannot be asked."""
    earlier = [
        reference_for(key, rules.capabilities, apart=rules.apart)
        for key in _unknown_keys(history, flight, gap, rules)
    ]
    if rules.capabilities.unique_reference and not earlier:
        # A second one is refused; but what is not taken in, or refused for itself, says nothing.
        yield from into_doubt(history, flight, gap, rules)
        return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text="sent in doubt")
    why = (
        f"another journal, in use until {gap.until:%Y-%m-%d %H:%M:%S%z}, may have sent it, and "
        f"this ERP cannot be asked by reference; look for {flight.reference} in the ERP"
    )
    if earlier:
        why += (
            f", and for earlier revisions that this journal does not know ({', '.join(earlier)}"
            f"{' and further parts' if len(_forms(rules)) > 1 else ''}), which are to be reversed "
            "there if they are in effect"
        )
    why += "; then settle it by hand"
    return (yield from _park(history, flight, why, rules))


def into_doubt(history: History, flight: Submission, gap: Gap, rules: Rules) -> Plan[None]:
    """Put what another journal may have sent in doubt; the journal must be read anew."""
    if history.get(flight.key) is None:
        begun = yield from Record(history, (moved(flight, State.PENDING, rules, detail=""),))
        if begun is None:
            return
        history = begun
    why = f"another journal was in use until {gap.until:%Y-%m-%d %H:%M:%S%z} and may have sent it"
    doubtful = doubted(moved(flight, State.IN_DOUBT, rules, detail=why), rules)
    doubtful = msgspec.structs.replace(doubtful, attempt=1)
    original = history.get(msgspec.structs.replace(flight.key, purpose=Purpose.POST))
    reverses = flight.key.purpose is Purpose.REVERSE and original is not None
    others = (held(original, rules),) if reverses and original is not None else ()
    yield from Record(history, (doubtful, *others))


def _park(history: History, flight: Submission, why: str, rules: Rules) -> Plan[Outcome]:
    parked = _parked(flight, why, rules)
    yield from Record(history, _with_held(history, parked, rules))
    return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text=why)


def _parked(flight: Submission, why: str, rules: Rules) -> Submission:
    """Return it as a person shall look at it: what that person says is not asked again.

    So it counts as sent, by whoever sent it.
    """
    return msgspec.structs.replace(moved(flight, State.PARKED, rules, detail=why), attempt=1)


def _adopt(history: History, flight: Submission, said: Outcome, rules: Rules) -> Plan[Outcome]:
    """Take what the ERP holds for ours if the amounts agree; else a person looks."""
    found = said.journal_entry or "a document"
    if said.totals:
        landed = after(flight, said, rules)
    else:
        why = (
            f"the ERP already had {found} under our reference before we sent it, and does not tell "
            "its amounts"
        )
        landed = _parked(flight, why, rules)
    if landed.state is State.PARKED:
        landed = _parked(landed, landed.detail, rules)
    if landed.state is not State.PARKED and history.get(flight.key) is None:
        why = f"asked before it was sent for the first time: the ERP holds {found}"
        waiting = moved(flight, State.PENDING, rules, detail=why)
        begun = yield from Record(history, (waiting,))
        if begun is None:
            return said
        history = begun
    yield from Record(history, _with_held(history, landed, rules))
    return said


def _with_held(history: History, landed: Submission, rules: Rules) -> tuple[Submission, ...]:
    """Return what to write; the original of a reversal that a person must look at is held."""
    if landed.state is State.PARKED and landed.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(landed.key, purpose=Purpose.POST))
        if original is not None:
            return landed, held(original, rules)
    return with_original(history, landed, rules)


__all__ = [
    "ask_first",
    "check_newest",
    "forgets",
    "into_doubt",
    "is_unasked",
    "may_be_sent",
    "told_of",
]
