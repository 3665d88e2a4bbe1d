"""The baseline: a client as it is often written, which retries what did not succeed."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import msgspec
from tests.exchanger import OneMessage

from claimbridge.errors import LedgerRejection, NotDelivered
from claimbridge.model import JournalEntry, Key, Outcome, OutcomeKind, Submission
from claimbridge.submission import Pause, Rules, Step
from claimbridge.submission.decisions.evidence import outcome_of_each, reversal_of

SUCCESS = frozenset(
    {OutcomeKind.POSTED, OutcomeKind.ACKNOWLEDGED, OutcomeKind.DUPLICATE, OutcomeKind.PAID}
)
ATTEMPTS = 4


class Memory:
    """The naive client's table: what it was told was posted. It survives every crash."""

    def __init__(self) -> None:
        self.posted: dict[Key, Submission] = {}


def submit(wanted: Submission, memory: Memory, rules: Rules) -> Generator[Step[Any], Any, None]:
    """Send until it succeeds; reverse what it knows of an earlier revision first."""
    key = wanted.key
    if key in memory.posted:
        return
    for earlier in list(memory.posted.values()):
        if earlier.key.claim_id == key.claim_id and earlier.key.revision < key.revision:
            yield from reverse(earlier, memory, rules)
    outcome = yield from _until_it_succeeds("submit", wanted, rules)
    memory.posted[key] = msgspec.structs.replace(
        wanted, journal_entry=outcome.journal_entry or JournalEntry("?")
    )


def reverse(posted: Submission, memory: Memory, rules: Rules) -> Generator[Step[Any], Any, None]:
    """Send the reversal until it succeeds."""
    reversal = reversal_of(posted, None, posted.voucher.posting_date, "", rules)
    yield from _until_it_succeeds("reverse", reversal, rules)
    memory.posted.pop(posted.key, None)


def _until_it_succeeds(
    verb: str, wanted: Submission, rules: Rules
) -> Generator[Step[Any], Any, Outcome]:
    for attempt in range(ATTEMPTS):
        outcome = outcome_of_each(
            (wanted,), (yield from OneMessage(rules).exchange(verb, (wanted,)))
        )[0]
        if outcome.kind in SUCCESS:
            return outcome
        if outcome.kind is OutcomeKind.REJECTED:
            raise LedgerRejection("refused", claim_id=wanted.key.claim_id)
        yield from Pause(rules.backoff * 2**attempt)
    raise NotDelivered("no success", claim_id=wanted.key.claim_id)
