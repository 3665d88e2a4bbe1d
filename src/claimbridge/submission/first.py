"""The question before a first sending: has another journal sent this already.

A journal that was restored, copied or lost knows less than the ERP. Where the ERP can be asked, it
is asked for the reference before anything is recorded or sent; what it holds is adopted as an
unexplained duplicate is. Two senders that share a journal may both ask: the compare-and-set of
``Begin`` lets one of them send. Where the ERP cannot be asked, and does not refuse duplicates, a
document of a time that the journal does not know is parked for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.errors import OutcomeUnknown
from claimbridge.model import (
    Gap,
    History,
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
    counts,
    differ,
    doubted,
    in_reversal,
    moved,
    outcome_of_each,
    with_original,
)
from claimbridge.submission.newness import check_guarded
from claimbridge.submission.port import Exchanger, Rules
from claimbridge.submission.references import reference_for
from claimbridge.submission.steps import Plan, ReadContinuity, Record
from claimbridge.submission.unseen import (
    gap_of,
    parts_asked_for,
    question_about,
    questions_before,
    unknown_keys,
    unknown_revisions,
)

_K = OutcomeKind


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
    continuity = yield from ReadContinuity()
    yield from check_guarded(continuity, flight, ledger.rules)
    gap = gap_of(continuity, history, flight)
    if gap is not None and not ledger.rules.capabilities.can_query:
        return (yield from _unasked(history, flight, gap, ledger.rules))
    questions = questions_before(history, flight, gap, ledger.rules)
    if not questions:
        return None
    is_refused = False
    while questions:
        questions, answer = yield from _ask_and_judge(history, flight, questions, gap, ledger)
        if answer is not None and answer.kind is not _K.REJECTED:
            return answer
        is_refused |= answer is not None
    # A second one is refused, but not the first beside an earlier revision that arrives later.
    unique = ledger.rules.capabilities.unique_reference
    alone = unique and not unknown_revisions(history, flight, gap)
    if gap is not None and not alone:
        _wait_for_arrivals(flight, gap, ledger.rules)
    if is_refused:
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
    gap = (yield from ReadContinuity()).gap
    if gap is None:
        return None
    keys = unknown_keys(history, flight, gap, ledger.rules)
    questions = [question_about(flight, key, key.part, ledger.rules) for key in keys]
    while questions:
        questions, answer = yield from _ask_and_judge(history, flight, questions, gap, ledger)
        if answer is not None:
            return answer
    return None


def _ask_and_judge(
    history: History,
    flight: Submission,
    questions: list[Submission],
    gap: Gap | None,
    ledger: Exchanger,
) -> Plan[tuple[list[Submission], Outcome | None]]:
    """Ask, and judge the answers; return what is to be asked further, and what ends the matter.

    REJECTED ends nothing: it says that the ERP remembers to have refused it.
    """
    further: list[Submission] = []
    refusal: Outcome | None = None
    for question, outcomes in (yield from _ask(questions, ledger)):
        (answer,) = outcome_of_each((question,), outcomes)
        contradicts = differ([one for one in outcomes if one.reference == question.reference])
        if contradicts or _is_replayable(answer, gap, ledger.rules):
            why = answer.text if contradicts else UNBOUND
            return [], (yield from _park(history, flight, why, ledger.rules))
        unproven = gap is not None and answer.kind in _NOT_THERE and not counts(answer)
        if unproven or (answer.kind not in EVIDENCE and answer.kind is not _K.ABSENT):
            return [], _no_answer(question, answer)
        if question.key != flight.key:
            _refuse_earlier(question, answer, flight)
            if answer.kind is _K.REVERSED and question.key.part:
                # A claim may have been taken back in part only.
                further.append(
                    question_about(flight, question.key, question.key.part + 1, ledger.rules)
                )
        elif question.reference != flight.reference and answer.kind not in _NOT_THERE:
            why = (
                f"the ERP holds {answer.journal_entry or 'a document'} as {question.reference}, as "
                "an earlier version of claimbridge would have called it; look whether it is this "
                "claim, then settle it by hand"
            )
            return [], (yield from _park(history, question, why, ledger.rules))
        elif answer.kind not in _NOT_THERE:
            return [], (yield from _adopt(history, flight, answer, ledger.rules))
        elif answer.kind is _K.REJECTED:
            refusal = answer
    return further, refusal


def _ask(
    questions: Sequence[Submission], ledger: Exchanger
) -> Plan[list[tuple[Submission, tuple[Outcome, ...]]]]:
    """Ask, in one request where the ERP takes so many; return what was said, question by question.

    Ends early where there is no answer, as the rest would have none either, and at what is there.
    """
    if len(questions) <= ledger.rules.capabilities.batch:
        outcomes = yield from ledger.exchange("query", tuple(questions))
        return [(question, outcomes) for question in questions]
    answers = []
    for question in questions:
        outcomes = yield from ledger.exchange("query", (question,))
        answers.append((question, outcomes))
        if outcome_of_each((question,), outcomes)[0].kind not in _GONE:
            break
    return answers


def _is_replayable(answer: Outcome, gap: Gap | None, rules: Rules) -> bool:
    """Whether only an answer that anybody could repeat says that nothing was sent in a gap."""
    unproven = gap is not None and answer.kind in _NOT_THERE and not counts(answer)
    return unproven and not rules.can_bind and not rules.capabilities.unique_reference


def _no_answer(question: Submission, answer: Outcome) -> Outcome:
    text = (
        f"asked first whether it holds {question.reference}, the ERP gave no answer "
        f"({answer.text or answer.kind}); nothing was sent"
    )
    kind = answer.kind if answer.kind is _K.UNAVAILABLE else _K.NOT_DELIVERED
    # Where the answer's signature is the reason, or what only a person can change, its code says.
    keeps = answer.code.startswith("CB-3") or answer.retry_is_useless or kind is _K.UNAVAILABLE
    return msgspec.structs.replace(
        answer, kind=kind, text=text, code=answer.code if keeps else "CB-436"
    )


def _refuse_earlier(earlier: Submission, answer: Outcome, flight: Submission) -> None:
    if answer.kind in _GONE:
        return
    raise OutcomeUnknown(
        f"the ERP holds revision {earlier.key.revision} of it as "
        f"{answer.journal_entry or earlier.reference}, and this journal does not know it: submit "
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
        for key in unknown_keys(history, flight, gap, rules)
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
        parts = " and further parts" if len(parts_asked_for(rules)) > 1 else ""
        why += (
            f", and for earlier revisions that this journal does not know ({', '.join(earlier)}"
            f"{parts}), which are to be reversed there if they are in effect"
        )
    why += "; then settle it by hand"
    return (yield from _park(history, flight, why, rules))


def into_doubt(history: History, flight: Submission, gap: Gap, rules: Rules) -> Plan[None]:
    """Put what another journal may have sent in doubt; the journal must be read anew."""
    if history.get(flight.key) is None:
        start = yield from Record(history, (moved(flight, State.PENDING, rules, detail=""),))
        if start is None:
            return
        history = start
    why = f"another journal was in use until {gap.until:%Y-%m-%d %H:%M:%S%z} and may have sent it"
    doubtful = doubted(moved(flight, State.IN_DOUBT, rules, detail=why), rules)
    doubtful = msgspec.structs.replace(doubtful, attempt=1)
    original = history.get(msgspec.structs.replace(flight.key, purpose=Purpose.POST))
    reverses = flight.key.purpose is Purpose.REVERSE and original is not None
    others = (in_reversal(original, rules),) if reverses and original is not None else ()
    yield from Record(history, (doubtful, *others))


def _park(history: History, flight: Submission, why: str, rules: Rules) -> Plan[Outcome]:
    parked = _for_a_person(flight, why, rules)
    yield from Record(history, _landing_changes(history, parked, rules))
    return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text=why)


def _for_a_person(flight: Submission, why: str, rules: Rules) -> Submission:
    """Return it as a person shall look at it: what that person says is not asked again.

    So it counts as sent, by whoever sent it.
    """
    return msgspec.structs.replace(moved(flight, State.PARKED, rules, detail=why), attempt=1)


def _adopt(history: History, flight: Submission, answer: Outcome, rules: Rules) -> Plan[Outcome]:
    """Take what the ERP holds for ours if the amounts agree; else a person looks."""
    entry = answer.journal_entry or "a document"
    if answer.totals:
        landing = after(flight, answer, rules)
    else:
        why = (
            f"the ERP already had {entry} under our reference before we sent it, and does not tell "
            "its amounts"
        )
        landing = _for_a_person(flight, why, rules)
    if landing.state is State.PARKED:
        landing = _for_a_person(landing, landing.detail, rules)
    if landing.state is not State.PARKED and history.get(flight.key) is None:
        why = f"asked before it was sent for the first time: the ERP holds {entry}"
        waiting = moved(flight, State.PENDING, rules, detail=why)
        start = yield from Record(history, (waiting,))
        if start is None:
            return answer
        history = start
    yield from Record(history, _landing_changes(history, landing, rules))
    return answer


def _landing_changes(history: History, landing: Submission, rules: Rules) -> tuple[Submission, ...]:
    """Return what to write; the original of a reversal that a person must look at is held."""
    if landing.state is State.PARKED and landing.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(landing.key, purpose=Purpose.POST))
        if original is not None:
            return landing, in_reversal(original, rules)
    return with_original(history, landing, rules)
