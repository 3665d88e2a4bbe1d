"""The question before a first sending: has another journal sent this already.

A journal that was restored, copied or lost knows less than the ERP. Where the ERP can be asked, it
is asked for the reference before anything is recorded or sent; what it holds is adopted as an
unexplained duplicate is. Two senders that share a journal may both ask: the compare-and-set of
``Begin`` lets one of them send. Where the ERP cannot be asked, and does not refuse duplicates, a
document of a time that the journal does not know is parked for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from claimbridge.journal import newest
from claimbridge.model import (
    Continuity,
    Gap,
    History,
    Outcome,
    OutcomeKind,
    State,
    Submission,
)
from claimbridge.submission.decisions.evidence import (
    EVIDENCE,
    UNBOUND,
    counts,
    differ,
    in_state,
    outcome_of_each,
)
from claimbridge.submission.decisions.port import Exchanger, Rules
from claimbridge.submission.decisions.unseen import (
    gap_of,
    question_about,
    questions_before,
    unknown_keys,
    unknown_revisions,
)
from claimbridge.submission.document.adoption import (
    GONE,
    adopt,
    decide_unasked,
    no_answer,
    park,
    refuse_earlier,
    wait_for_arrivals,
)
from claimbridge.submission.steps.steps import IsNew, Plan, ReadContinuity, Record

_K = OutcomeKind


_NOT_THERE: Final = frozenset({_K.ABSENT, _K.REJECTED})


def ask_first(history: History, flight: Submission, ledger: Exchanger) -> Plan[Outcome | None]:
    """Find out whether ``flight`` may be sent for the first time; None: it may.

    Otherwise nothing is sent. Where the outcome is evidence, or UNKNOWN, the journal was written
    and must be read anew; where it is NOT_DELIVERED or UNAVAILABLE, the ERP gave no answer, and
    nothing was recorded. Raises JournalError where the journal is not the newest (CB-235) or new
    (CB-236). Raises OutcomeUnknown: CB-432 where the ERP holds an earlier revision which the
    journal does not know, CB-423 where what is not there may still arrive.
    """
    if flight.attempt:
        return (yield from ask_earlier(history, flight, ledger))
    continuity = yield from ReadContinuity()
    yield from _check_guarded(continuity, flight, ledger.rules)
    gap = gap_of(continuity, history, flight)
    if gap is not None and not ledger.rules.capabilities.can_query:
        return (yield from decide_unasked(history, flight, gap, ledger.rules))
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
        wait_for_arrivals(flight, gap, ledger.rules)
    if is_refused:
        # What it remembers of another sending must not be taken for the answer to this one.
        again = in_state(flight, State.PENDING, ledger.rules, detail="")
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
            return [], (yield from park(history, flight, why, ledger.rules))
        unproven = gap is not None and answer.kind in _NOT_THERE and not counts(answer)
        if unproven or (answer.kind not in EVIDENCE and answer.kind is not _K.ABSENT):
            return [], no_answer(question, answer)
        if question.key != flight.key:
            refuse_earlier(question, answer, flight)
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
            return [], (yield from park(history, question, why, ledger.rules))
        elif answer.kind not in _NOT_THERE:
            return [], (yield from adopt(history, flight, answer, ledger.rules))
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
        if outcome_of_each((question,), outcomes)[0].kind not in GONE:
            break
    return answers


def _is_replayable(answer: Outcome, gap: Gap | None, rules: Rules) -> bool:
    """Whether only an answer that anybody could repeat says that nothing was sent in a gap."""
    unproven = gap is not None and answer.kind in _NOT_THERE and not counts(answer)
    return unproven and not rules.can_bind and not rules.capabilities.unique_reference


def check_guarded(flight: Submission, rules: Rules, *, doing: str = "submit") -> Plan[None]:
    """Raise JournalError where what another journal has sent could be sent again by this one.

    CB-235: the journal is not the newest; CB-236: it is new. ``doing`` is the command that would
    say that nothing was sent before.
    """
    yield from _check_guarded((yield from ReadContinuity()), flight, rules, doing=doing)


def _check_guarded(
    continuity: Continuity, flight: Submission, rules: Rules, *, doing: str = "submit"
) -> Plan[None]:
    refusal = newest.refusal(continuity)
    if refusal is None and (yield from is_unguarded((flight,), rules)):
        refusal = newest.new_here(continuity, doing=doing)
    if refusal is not None:
        refusal.claim_id = flight.key.claim_id
        raise refusal


def check_newest(claim_id: str | None = None) -> Plan[None]:
    """Raise JournalError CB-235 or CB-236 where plans would rest on an older journal.

    ``claim_id`` None means that they are about no claim in particular.
    """
    refusal = newest.refusal((yield from ReadContinuity()))
    if refusal is not None:
        refusal.claim_id = claim_id
        raise refusal


def is_unguarded(flights: Iterable[Submission], rules: Rules) -> Plan[bool]:
    """Say whether nothing would stop what another journal has posted to their book.

    A later revision is no duplicate: who cannot be asked for the earlier one takes both.
    """
    can = rules.capabilities
    several = list(flights)
    first = all(flight.key.revision == 1 for flight in several)
    if rules.asks_first or (can.unique_reference and (first or can.can_query)):
        return False
    return (yield from IsNew(several[0].key.book))
