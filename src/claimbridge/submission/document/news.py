"""Taking in what the ERP says of a submission, asked for or not."""

from __future__ import annotations

import msgspec

from claimbridge.model import LIVE, MOVES, Outcome, OutcomeKind, State, Submission
from claimbridge.submission.decisions.decisions import quiet_left
from claimbridge.submission.decisions.evidence import EVIDENCE, after, counts, with_original
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.decisions.references import spellings
from claimbridge.submission.steps.steps import Find, Plan, Recall, Record


def submission_of(book: str, reference: str, rules: Rules) -> Plan[Submission | None]:
    """Look for the submission that the ERP names, however it spells our reference."""
    for spelling in spellings(reference, rules.capabilities):
        submission = yield from Find(book, spelling)
        if submission is not None:
            return submission
    return None


def absorb(submission: Submission, outcome: Outcome, rules: Rules) -> Plan[Submission]:
    """Take in news about a submission, asked for or not; late and repeated news do no harm."""
    while True:
        history = yield from Recall(submission.key.book, submission.key.claim_id)
        current = history.get(submission.key)
        if current is None or current.state is State.SENDING or outcome.kind not in EVIDENCE:
            return current or submission  # a flight is settled by the one who began it
        news = _progress(current, outcome, rules)
        if news is None:
            return current
        if (yield from Record(history, with_original(history, news, rules))) is not None:
            return news


def _progress(current: Submission, outcome: Outcome, rules: Rules) -> Submission | None:
    """Return the submission as the news leave it; None when they bring it no further."""
    if _is_of_another(current, outcome):
        return None
    if current.state is State.REVERSING and outcome.kind is not OutcomeKind.REVERSED:
        return _progress_underneath(current, outcome, rules)
    if outcome.kind is OutcomeKind.REJECTED and (may_be_old(current, rules) or not counts(outcome)):
        return None
    news = after(current, outcome, rules)
    if news.state is State.REVERSED:
        news = msgspec.structs.replace(news, returns_to=None)
    if news.state is current.state:
        numbered = current.state in LIVE and news.journal_entry != current.journal_entry
        return news if numbered or current.missing else None
    return news if news.state in MOVES[current.state] else None


def _is_of_another(current: Submission, outcome: Outcome) -> bool:
    """Say whether news name another entry than that of the last of several sendings.

    An earlier entry under the same reference may have gone since, and news of it come late. After
    one sending only, another number is a new number of the same entry.
    """
    known, named = current.journal_entry, outcome.journal_entry
    several = current.attempt > 1 and known is not None and named is not None
    return several and known != named


def may_be_old(current: Submission, rules: Rules) -> bool:
    """Say whether an answer that it was refused may speak of an earlier sending.

    The ERP may remember the one it refused, and not yet find the one it accepted since.
    """
    return current.attempt > 1 and quiet_left(current, rules) > 0


def _progress_underneath(current: Submission, outcome: Outcome, rules: Rules) -> Submission | None:
    """While its reversal is under way, news of a live entry change only what it returns to."""
    back = current.returns_to or State.POSTED
    news = _progress(msgspec.structs.replace(current, state=back), outcome, rules)
    if news is None or news.state not in LIVE:
        return None
    return msgspec.structs.replace(
        news, state=State.REVERSING, returns_to=news.state, detail=current.detail
    )
