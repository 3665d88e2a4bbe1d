"""The reference: our key in the ERP's own searchable field."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.model import Key, Outcome, Purpose, Submission
from claimbridge.profiles.base import Capabilities

_MARKED: Final = re.compile(r".*\.[prx]\d+", re.DOTALL)
_MARK: Final = re.compile(r"\.[RX]\d+$")


def reference_for(key: Key, capabilities: Capabilities, *, apart: str = "") -> str:
    """Return what the ERP will know the voucher by: stable, unique per key, searchable.

    The claim id itself where it fits the ERP's field (``.p2`` marks a part, ``.r2`` a later
    revision, ``.x1`` a reversal), else a base32 digest. Where the ERP folds case, the marks are in
    capitals, and so is all else: nothing of a reference changes on the way. Neither the ledger's
    name nor the book's id is in it, so that an empty journal leads to the same reference. ``apart``
    is that of ``Rules``: a parallel book may share an ERP with another that has the same claim, and
    its references are digests always.
    """
    part = f".p{key.part}" if key.part else ""
    if key.purpose is Purpose.REVERSE:
        mark = f".x{key.revision}"
    else:
        mark = "" if key.revision == 1 else f".r{key.revision}"
    folds = capabilities.reference_case == "upper"
    readable = key.claim_id + capabilities.fold(part + mark)
    fits = (
        not apart
        and len(readable) <= capabilities.reference_length
        and re.fullmatch(capabilities.reference_pattern, readable) is not None
        # Where case is folded, two ids that differ in it alone would be one reference.
        and capabilities.fold(readable) == readable
        # A claim id that itself looks marked could collide with another claim's reference.
        and not _MARKED.fullmatch(key.claim_id.lower() if folds else key.claim_id)
    )
    if fits:
        return readable
    key_bytes = msgspec.json.encode(
        (apart, key.claim_id, key.revision, key.purpose, *((key.part,) if key.part else ()))
    )
    digest = base64.b32encode(hashlib.sha256(key_bytes).digest()).decode().rstrip("=")
    return digest[: min(26, capabilities.reference_length)]


def earlier_references(key: Key, capabilities: Capabilities) -> tuple[str, ...]:
    """Return what an earlier version called the same document, where that was something else.

    It did not look at how an ERP takes capitals, and parts were claims of their own (``EXP-7/2``).
    Its digests held the ledger's name, which is the id of a book that it opened.
    """
    claim_id = f"{key.claim_id}/{key.part}" if key.part else key.claim_id
    if key.purpose is Purpose.REVERSE:
        mark = f".x{key.revision}"
    else:
        mark = "" if key.revision == 1 else f".r{key.revision}"
    earlier = claim_id + mark
    fits = (
        len(earlier) <= capabilities.reference_length
        and re.fullmatch(capabilities.reference_pattern, earlier) is not None
        and not _MARKED.fullmatch(claim_id)
    )
    if not fits:
        key_bytes = str(msgspec.structs.replace(key, claim_id=claim_id, part=0))
        digest = base64.b32encode(hashlib.sha256(key_bytes.encode()).digest()).decode().rstrip("=")
        earlier = digest[: min(26, capabilities.reference_length)]
    today = capabilities.fold(reference_for(key, capabilities))
    return () if capabilities.fold(earlier) == today else (earlier,)


def in_our_spelling(
    submissions: Sequence[Submission], outcomes: Sequence[Outcome], capabilities: Capabilities
) -> tuple[Outcome, ...]:
    """Return outcomes with our own spelling of a reference that the ERP gave back in capitals.

    A reference of an earlier version, or one kept in the journal, may hold lower case letters.
    """
    if capabilities.reference_case == "kept":
        return tuple(outcomes)
    ours: dict[str, list[str]] = {}
    for submission in submissions:
        ours.setdefault(capabilities.fold(submission.reference), []).append(submission.reference)
    return tuple(_ours(outcome, ours, capabilities) for outcome in outcomes)


def _ours(outcome: Outcome, ours: dict[str, list[str]], capabilities: Capabilities) -> Outcome:
    if outcome.reference is None:
        return outcome
    candidates = ours.get(capabilities.fold(outcome.reference), [])
    if outcome.reference in candidates or len(candidates) != 1:
        return outcome  # as it was sent; or nothing says which of two is meant
    return msgspec.structs.replace(outcome, reference=candidates[0])


def spellings(reference: str, capabilities: Capabilities) -> tuple[str, ...]:
    """Return what a reference that the ERP names may be called in the journal, likeliest first.

    Marks of revisions and reversals were in lower case once, also where the ERP folds them.
    """
    marked = _MARK.sub(lambda mark: mark[0].lower(), reference)
    if capabilities.reference_case == "kept" or marked == reference:
        return (reference,)
    return reference, marked
