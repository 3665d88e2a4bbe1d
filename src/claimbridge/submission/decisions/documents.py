"""The documents of a claim in its history: which stand for a revision; pure.

An ERP may take a claim as several documents only. They are submissions of one history, so that
whatever two processes do with revisions, divisions and reversals of a claim is decided on one
record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import LIVE, History, Key, Purpose, State, Submission
from claimbridge.model.digests import Digest, same_content

Documents = tuple[Submission, ...]
"""The documents of one revision of a claim, in their order: most often one."""


def digest_of(claim: Digest, part: int, parts: int) -> Digest:
    """Return the digest of a claim's document; any change to the claim or its division changes it.

    That of the claim, where ``parts`` is 0.
    """
    return claim.of_part(part, parts) if parts else claim


def posts(history: History) -> list[Submission]:
    """Return what was to be posted of a claim, in the order of the history."""
    return [one for one in history.submissions if one.key.purpose is Purpose.POST]


def documents_of(history: History, revision: int) -> tuple[Submission, ...]:
    """Return the documents that stand for a revision: one, or its parts in their order; () none.

    Where it was divided anew, those that had an effect.
    """
    divisions: dict[int, list[Submission]] = defaultdict(list)
    for one in posts(history):
        if one.key.revision == revision:
            divisions[one.voucher.documents].append(one)
    return tuple(max(divisions.values(), key=_weight)) if divisions else ()


def _weight(division: Iterable[Submission]) -> tuple[bool, bool, bool, int]:
    documents = tuple(division)
    return (
        any(stands(one) for one in documents),
        any(one.state is State.PENDING for one in documents),
        any(was_taken(one) for one in documents),
        len(documents),
    )


def newest_revision(history: History) -> int:
    """Return the newest revision that was to be posted; 0 for none."""
    return max((one.key.revision for one in posts(history)), default=0)


def current_revision(history: History) -> int:
    """Return the revision that a claim's status is about: the newest; 0 for none.

    One that was given up before it was sent, because an earlier one stands, is not.
    """
    there = standing_revision(history)
    begun = [
        one.key.revision
        for one in posts(history)
        if one.state is not State.REJECTED or one.attempt or one.key.revision <= there
    ]
    return max(begun, default=newest_revision(history))


def standing_revision(history: History) -> int:
    """Return the newest revision that is, or may be, in the ledger; else the newest."""
    documents = (one.key.revision for one in posts(history) if stands(one))
    return max(documents, default=newest_revision(history))


def stands(one: Submission) -> bool:
    """Whether a document is in the ledger, or may be."""
    return one.state not in _WITHOUT_EFFECT


def was_taken(one: Submission) -> bool:
    """Whether a document is, may be or was in the ledger."""
    return stands(one) or (one.state is State.REVERSED and one.journal_entry is not None)


_WITHOUT_EFFECT: Final = frozenset({State.PENDING, State.REJECTED, State.REVERSED})


def are_accepted(documents: Sequence[Submission], digest: Digest) -> bool:
    """Whether these are a claim's documents, by its digest, and the ERP holds them all."""
    return is_whole(documents) and all(
        one.state in LIVE
        and not one.missing
        and same_content(one.digest, digest_of(digest, one.key.part, one.voucher.documents))
        for one in documents
    )


def settle_command(key: Key, option: str) -> str:
    """Return the command by which a person says what became of a document: ``--gone`` …."""
    part = f" --part {key.part}" if key.part else ""
    command = f"claimbridge journal settle {key.claim_id} --revision {key.revision}{part}"
    return f"`{command} {option}`"


def is_whole(documents: Sequence[Submission]) -> bool:
    """Whether no document of the division is missing."""
    return bool(documents) and len(documents) == max(1, documents[0].voucher.documents)


def obsolete_documents(history: History, revision: int, parts: int) -> list[Submission]:
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


def as_error_of_claim(
    error: ClaimBridgeError, part: Submission, done: Sequence[Submission]
) -> ClaimBridgeError:
    """Return the error of one part as that of its claim."""
    error.claim_id = part.key.claim_id
    if part.voucher.documents > 1:
        counted = (
            f"part {part.key.part} of {part.voucher.documents} ({len(done)} accepted before it)"
        )
        error.message = f"{counted}: {error.message}"
        error.args = (error.message,)
    return error
