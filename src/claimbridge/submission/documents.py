"""The documents of a claim in its history: which stand for a revision; pure.

An ERP may take a claim as several documents only. They are submissions of one history, so that
whatever two processes do with revisions, divisions and reversals of a claim is decided on one
record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from claimbridge.model import LIVE, History, Key, Purpose, State, Submission
from claimbridge.model.digests import Digest, same_content


def digest_of(claim: Digest, part: int, parts: int) -> Digest:
    """Return the digest of a claim's document; any change to the claim or its division changes it.

    That of the claim, where ``parts`` is 0.
    """
    return claim.of_part(part, parts) if parts else claim


def posts(history: History) -> list[Submission]:
    """Return what was to be posted of a claim, in the order of the history."""
    return [one for one in history.submissions if one.key.purpose is Purpose.POST]


def documents(history: History, revision: int) -> tuple[Submission, ...]:
    """Return the documents that stand for a revision: one, or its parts in their order; () none.

    Where it was divided anew, those that had an effect.
    """
    divisions: dict[int, list[Submission]] = defaultdict(list)
    for one in posts(history):
        if one.key.revision == revision:
            divisions[one.voucher.documents].append(one)
    return tuple(max(divisions.values(), key=_weight)) if divisions else ()


def _weight(division: Iterable[Submission]) -> tuple[bool, bool, bool, int]:
    found = tuple(division)
    return (
        any(stands(one) for one in found),
        any(one.state is State.PENDING for one in found),
        any(was_taken(one) for one in found),
        len(found),
    )


def newest(history: History) -> int:
    """Return the newest revision that was to be posted; 0 for none."""
    return max((one.key.revision for one in posts(history)), default=0)


def current(history: History) -> int:
    """Return the revision that a claim's status is about: the newest; 0 for none.

    One that was given up before it was sent, because an earlier one stands, is not.
    """
    there = standing(history)
    begun = [
        one.key.revision
        for one in posts(history)
        if one.state is not State.REJECTED or one.attempt or one.key.revision <= there
    ]
    return max(begun, default=newest(history))


def standing(history: History) -> int:
    """Return the newest revision that is, or may be, in the ledger; else the newest."""
    found = (one.key.revision for one in posts(history) if stands(one))
    return max(found, default=newest(history))


def stands(one: Submission) -> bool:
    """Whether a document is in the ledger, or may be."""
    return one.state not in _WITHOUT_EFFECT


def was_taken(one: Submission) -> bool:
    """Whether a document is, may be or was in the ledger."""
    return stands(one) or (one.state is State.REVERSED and one.journal_entry is not None)


_WITHOUT_EFFECT: Final = frozenset({State.PENDING, State.REJECTED, State.REVERSED})


def accepted(found: Sequence[Submission], digest: Digest) -> bool:
    """Whether these are a claim's documents, by its digest, and the ERP holds them all."""
    return is_whole(found) and all(
        one.state in LIVE
        and not one.missing
        and same_content(one.digest, digest_of(digest, one.key.part, one.voucher.documents))
        for one in found
    )


def settling(key: Key, found: str) -> str:
    """Return the command by which a person says what became of a document: ``--gone`` …."""
    part = f" --part {key.part}" if key.part else ""
    command = f"claimbridge journal settle {key.claim_id} --revision {key.revision}{part}"
    return f"`{command} {found}`"


def is_whole(found: Sequence[Submission]) -> bool:
    """Whether no document of the division is missing."""
    return bool(found) and len(found) == max(1, found[0].voucher.documents)


def obsolete(history: History, revision: int, parts: int) -> list[Submission]:
    """Return what waits and is not to be sent any more once a revision is, divided so."""
    return [
        one
        for one in posts(history)
        if one.state is State.PENDING
        and (
            one.key.revision < revision
            or (one.key.revision == revision and one.voucher.documents != parts)
        )
    ]
