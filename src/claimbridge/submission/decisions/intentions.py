"""What is intended with a whole claim: what to write before its first document moves; pure.

Documents to be posted are ``pending``, documents to be taken back ``reversing``, all of them in one
write. A process that finds them needs nothing else to finish.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from claimbridge.model import LIVE, History, State, Submission
from claimbridge.submission.decisions.documents import (
    documents_of,
    obsolete_documents,
    posts,
    stands,
    was_taken,
)
from claimbridge.submission.decisions.evidence import (
    in_reversal,
    in_state,
    reversal_key,
    reversal_of,
    with_content_of,
)
from claimbridge.submission.decisions.port import Rules


def posting_changes(
    history: History, targets: Sequence[Submission], rules: Rules
) -> tuple[Submission, ...]:
    """Return what to write so that the posting of ``targets``, a claim's documents, is intended."""
    first = targets[0]
    changed = as_never_sent(
        obsolete_documents(history, first.key.revision, first.voucher.documents),
        rules,
        f"not sent: revision {first.key.revision}, or another division of it, took its place",
    )
    for one in targets:
        record = history.get(one.key)
        if record is None:
            changed.append(in_state(one, State.PENDING, rules, detail=""))
        elif record.state is State.REJECTED:
            again = in_state(
                with_content_of(record, one), State.PENDING, rules, detail="submitted again"
            )
            changed.append(msgspec.structs.replace(again, reasons=()))
        elif record.state is State.PENDING and with_content_of(record, one) != record:
            changed.append(with_content_of(record, one))
    return tuple(changed)


def reversal_changes(
    history: History,
    documents: Sequence[Submission],
    posting_date: dt.date,
    text: str,
    rules: Rules,
) -> tuple[Submission, ...]:
    """Return what to write so that the reversal of a claim's documents is intended.

    Those that are live have a journal entry's number. What waits is not sent any more, nor is a
    later revision that waits for these to be reversed; one that is on its way goes on.
    """
    revision = documents[0].key.revision
    there = {one.key.revision for one in posts(history) if stands(one)} - {revision}
    newest = max(there, default=0)  # what waits after that waits for it, and not for these
    waiting = [
        one
        for one in posts(history)
        if one.state is State.PENDING
        and one.key.revision >= revision
        and one.key.revision not in there
        and not revision < newest < one.key.revision
    ]
    changed = as_never_sent(waiting, rules, "not sent: the claim was reversed")
    for one in documents:
        if one.state in LIVE:
            earlier = history.get(reversal_key(one.key))
            reversal = reversal_of(one, earlier, posting_date, text, rules)
            changed += [
                in_reversal(one, rules),
                in_state(reversal, State.PENDING, rules, detail=""),
            ]
    return tuple(changed)


def as_never_sent(waiting: Iterable[Submission], rules: Rules, why: str) -> list[Submission]:
    """Return what waits as it is once it is certain that it will never be sent."""
    return [in_state(one, State.REVERSED, rules, detail=why) for one in waiting]


def give_up_changes(
    history: History, revision: int, rules: Rules, why: str
) -> tuple[Submission, ...]:
    """Return what to write where a revision cannot take the place of an earlier one.

    That one stands as it did; () where some of it has been taken back already, so that the
    intention stays.
    """
    before = [one for one in posts(history) if one.key.revision < revision and was_taken(one)]
    last = documents_of(history, max((one.key.revision for one in before), default=0))
    if not last or any(one.state not in LIVE for one in last):
        return ()
    return tuple(
        in_state(one, State.REJECTED, rules, detail=why)
        for one in posts(history)
        if one.key.revision == revision and one.state is State.PENDING
    )
