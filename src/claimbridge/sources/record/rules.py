"""What the record holds to, decided without I/O: what comes of an arrival, and its steps.

Each function that returns an arrival returns it as it shall be kept; None where it stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from claimbridge.model import Claim
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import WRITE_BACK_MOVES, WriteBack, WriteBackState
from claimbridge.sources.record.arrivals import ArrivalState, StoredArrival

MAX_REASON: Final = 4000
"""Characters of a reason that are kept."""

_WAITING: Final = frozenset({ArrivalState.READ, ArrivalState.PARKED})
"""Where something is in no ledger, and may yet come into one."""
RELATIVES: Final = (ArrivalState.READ, ArrivalState.PARKED, ArrivalState.ACCEPTED)
"""States of a claim's other arrivals that say whether a new one is the latest."""

_SUPERSEDED: Final = "CB-533"


class Reception(msgspec.Struct, frozen=True):
    """What comes of an arrival: the row to add or to write anew, and the rows that step back."""

    row: StoredArrival
    is_new: bool
    superseded: tuple[StoredArrival, ...] = ()


def storable(text: str, limit: int | None = None) -> str:
    """Return a text that a database can hold: file names may have bytes that are no text."""
    return text[:limit].encode("utf-8", "backslashreplace").decode()


def receive(
    source: str,
    arrival: Arrival,
    *,
    versions: Sequence[StoredArrival],
    relatives: Sequence[StoredArrival],
    now: dt.datetime,
) -> Reception | None:
    """Return what comes of an arrival; None where its version is kept already, and stays so.

    ``versions`` are all of its document, oldest first; ``relatives`` the arrivals of its claim that
    are in ``RELATIVES``. A version that was no claim, and is read as one now that what reads it was
    fixed, is written anew. Whatever waits of the document, or of an earlier revision of the claim,
    steps back.
    """
    row = _row(source, arrival, versions, relatives, now)
    twin = next((one for one in versions if one.version == row.version), None)
    if twin is not None:
        if arrival.claim is None or not _was_no_claim(twin):
            return None
        row = _now_a_claim(twin, row)
    if row.withdrawn or row.state is ArrivalState.SUPERSEDED:
        return Reception(row, is_new=twin is None)
    others = {one.number: one for one in (*versions, *relatives)}.values()
    superseded = tuple(_step_back(one, row) for one in others if _gives_way(one, row, twin))
    return Reception(row, is_new=twin is None, superseded=superseded)


def begin(entry: StoredArrival, now: dt.datetime) -> StoredArrival | None:
    """Return an arrival with one more attempt; None where it is not to be submitted any more."""
    if entry.state is not ArrivalState.READ:
        return None
    return msgspec.structs.replace(entry, attempt=entry.attempt + 1, updated_at=now)


def accept(entry: StoredArrival, now: dt.datetime) -> StoredArrival:
    """Return an arrival that the ledger accepted, whatever was recorded of it before."""
    return _close(entry, ArrivalState.ACCEPTED, "", "", now)


def give_way(
    accepted: StoredArrival, relatives: Iterable[StoredArrival], now: dt.datetime
) -> Iterable[StoredArrival]:
    """Return what was parked of a claim before it was accepted, closed: another has fixed it."""
    reason = f"the claim was accepted as {accepted.key}"
    for one in relatives:
        is_older = one.number < accepted.number and one.revision <= accepted.revision
        if one.state is ArrivalState.PARKED and not one.withdrawn and is_older:
            yield _close(one, ArrivalState.SUPERSEDED, _SUPERSEDED, reason, now)


def end(
    entry: StoredArrival, state: ArrivalState, *, code: str, reason: str, now: dt.datetime
) -> StoredArrival | None:
    """Return an arrival with another end; None where it has ended otherwise meanwhile."""
    return _close(entry, state, code, reason, now) if entry.state in _WAITING else None


def delay(entry: StoredArrival, *, code: str, reason: str) -> StoredArrival | None:
    """Return an arrival with why it is not further; None where it has ended meanwhile."""
    if entry.state is not ArrivalState.READ:
        return None
    return msgspec.structs.replace(entry, code=code, reason=storable(reason, MAX_REASON))


def retry(entry: StoredArrival, now: dt.datetime) -> StoredArrival | None:
    """Return a parked arrival to go on with; None where it is not parked, or never was a claim."""
    if entry.state is not ArrivalState.PARKED or not (entry.content or entry.withdrawn):
        return None
    return msgspec.structs.replace(entry, state=ArrivalState.READ, reported=True, updated_at=now)


def report(entry: StoredArrival, state: ArrivalState) -> StoredArrival | None:
    """Return an arrival whose source took note of its end; None where that is another by now."""
    return msgspec.structs.replace(entry, reported=True) if entry.state is state else None


def answer(entry: StoredArrival, state: str) -> StoredArrival:
    """Return an arrival for which it was planned what goes back in this state of its submission."""
    return msgspec.structs.replace(entry, answered_state=state)


def plan_write_back(entry: WriteBack | None, planned: WriteBack) -> WriteBack | None:
    """Return a write-back to keep; None where it is planned already, and not superseded."""
    if entry is None:
        return msgspec.structs.replace(planned, reason=storable(planned.reason, MAX_REASON))
    if entry.state is not WriteBackState.SUPERSEDED:
        return None
    return msgspec.structs.replace(
        entry,
        content=planned.content,
        state=planned.state,
        reason=storable(planned.reason, MAX_REASON),
    )


def move_write_back(entry: WriteBack | None, changed: WriteBack) -> WriteBack | None:
    """Return ``changed`` to keep; None where that is no lawful step from what is kept.

    Only a step into ``sending`` counts an attempt, and it counts one. ``content`` stays.
    """
    if entry is None or changed.state not in WRITE_BACK_MOVES[entry.state]:
        return None
    if changed.attempt != entry.attempt + (changed.state is WriteBackState.SENDING):
        return None
    reason = storable(changed.reason, MAX_REASON)
    return msgspec.structs.replace(changed, content=entry.content, reason=reason)


def _row(
    source: str,
    arrival: Arrival,
    versions: Sequence[StoredArrival],
    relatives: Sequence[StoredArrival],
    now: dt.datetime,
) -> StoredArrival:
    claim, error = arrival.claim, arrival.error
    last = versions[-1].claim_id if versions else ""
    row = StoredArrival(
        number=0,
        source=source,
        key=storable(arrival.key),
        version=storable(arrival.version),
        state=ArrivalState.READ,
        label=storable(arrival.label, 1000),
        claim_id=claim.id if claim else storable((error and error.claim_id) or last, 64),
        revision=claim.revision if claim else 0,
        withdrawn=arrival.withdrawn,
        content=claim.to_json().decode() if claim else "",
        ignored=tuple(storable(name) for name in arrival.ignored),
        occasion=arrival.occasion,
        read_at=now,
        updated_at=now,
    )
    if claim is not None:
        return _unless_late(row, claim, relatives)
    if error is None:
        return row
    reason = storable(error.message, MAX_REASON)
    return msgspec.structs.replace(row, state=ArrivalState.PARKED, code=error.code, reason=reason)


def _unless_late(
    row: StoredArrival, claim: Claim, relatives: Sequence[StoredArrival]
) -> StoredArrival:
    later = max((one.revision for one in relatives if one.revision > claim.revision), default=None)
    if later is None:
        return row
    reason = f"revision {claim.revision} came after revision {later} of the same claim"
    return msgspec.structs.replace(
        row, state=ArrivalState.SUPERSEDED, code=_SUPERSEDED, reason=reason
    )


def _was_no_claim(entry: StoredArrival) -> bool:
    return entry.state is ArrivalState.PARKED and not entry.content and not entry.withdrawn


def _now_a_claim(entry: StoredArrival, row: StoredArrival) -> StoredArrival:
    """Return a version that was no claim, as the claim that it is read as now."""
    return msgspec.structs.replace(
        entry,
        state=row.state,
        claim_id=row.claim_id,
        revision=row.revision,
        content=row.content,
        code=row.code,
        reason=row.reason,
        reported=False,
        updated_at=row.updated_at,
    )


def _gives_way(one: StoredArrival, row: StoredArrival, twin: StoredArrival | None) -> bool:
    if one.state not in _WAITING or one.withdrawn or (twin and one.number == twin.number):
        return False
    is_earlier = one.claim_id == row.claim_id != "" and one.revision < row.revision
    return _is_of_document(one, row) or is_earlier


def _step_back(one: StoredArrival, row: StoredArrival) -> StoredArrival:
    reason = "a later version of it came before it was in a ledger"
    ended = _close(one, ArrivalState.SUPERSEDED, _SUPERSEDED, reason, row.updated_at)
    # The document itself lives on in its new version: there is nothing to report to its source.
    return msgspec.structs.replace(ended, reported=_is_of_document(one, row))


def _is_of_document(one: StoredArrival, row: StoredArrival) -> bool:
    return (one.source, one.key) == (row.source, row.key)


def _close(
    entry: StoredArrival, state: ArrivalState, code: str, reason: str, now: dt.datetime
) -> StoredArrival:
    return msgspec.structs.replace(
        entry,
        state=state,
        code=code,
        reason=storable(reason, MAX_REASON),
        reported=False,
        updated_at=now,
    )


__all__ = [
    "RELATIVES",
    "Reception",
    "accept",
    "answer",
    "begin",
    "delay",
    "end",
    "give_way",
    "move_write_back",
    "plan_write_back",
    "receive",
    "report",
    "retry",
    "storable",
]
