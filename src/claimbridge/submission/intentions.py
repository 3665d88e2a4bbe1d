"""What is intended with a whole claim: what to write before its first document moves; pure.

Documents to be posted are ``pending``, documents to be taken back ``reversing``, all of them in one
write. A process that finds them needs nothing else to finish.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from claimbridge.model import LIVE, History, State, Submission
from claimbridge.submission.documents import documents, obsolete, posts, stands, was_taken
from claimbridge.submission.evidence import held, moved, renewed, reversal_of, reverse_key
from claimbridge.submission.port import Rules


def posting(history: History, wanted: Sequence[Submission], rules: Rules) -> tuple[Submission, ...]:
    """Return what to write so that the posting of ``wanted``, a claim's documents, is intended."""
    first = wanted[0]
    changed = closed(
        obsolete(history, first.key.revision, first.voucher.documents),
        rules,
        f"not sent: revision {first.key.revision}, or another division of it, took its place",
    )
    for one in wanted:
        known = history.get(one.key)
        if known is None:
            changed.append(moved(one, State.PENDING, rules, detail=""))
        elif known.state is State.REJECTED:
            again = moved(renewed(known, one), State.PENDING, rules, detail="submitted again")
            changed.append(msgspec.structs.replace(again, reasons=()))
        elif known.state is State.PENDING and renewed(known, one) != known:
            changed.append(renewed(known, one))
    return tuple(changed)


def reversing(
    history: History, found: Sequence[Submission], posting_date: dt.date, text: str, rules: Rules
) -> tuple[Submission, ...]:
    """Return what to write so that the reversal of a claim's documents is intended.

    Those that are live have a journal entry's number. What waits is not sent any more, nor is a
    later revision that waits for these to be reversed; one that is on its way goes on.
    """
    revision = found[0].key.revision
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
    changed = closed(waiting, rules, "not sent: the claim was reversed")
    for one in found:
        if one.state in LIVE:
            earlier = history.get(reverse_key(one.key))
            reversal = reversal_of(one, earlier, posting_date, text, rules)
            changed += [held(one, rules), moved(reversal, State.PENDING, rules, detail="")]
    return tuple(changed)


def closed(waiting: Iterable[Submission], rules: Rules, why: str) -> list[Submission]:
    """Return what waits as it is once it is certain that it will never be sent."""
    return [moved(one, State.REVERSED, rules, detail=why) for one in waiting]


def unsendable(history: History, revision: int, rules: Rules, why: str) -> tuple[Submission, ...]:
    """Return what to write where a revision cannot take the place of an earlier one.

    That one stands as it did; () where some of it has been taken back already, so that the
    intention stays.
    """
    before = [one for one in posts(history) if one.key.revision < revision and was_taken(one)]
    last = documents(history, max((one.key.revision for one in before), default=0))
    if not last or any(one.state not in LIVE for one in last):
        return ()
    return tuple(
        moved(one, State.REJECTED, rules, detail=why)
        for one in posts(history)
        if one.key.revision == revision and one.state is State.PENDING
    )
