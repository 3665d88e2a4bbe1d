"""Reading a claim again right before it is sent: it may have been taken back while it waited."""

from __future__ import annotations

from typing import Final

from claimbridge.errors import ClaimBridgeError, ConfigurationError, NotDelivered
from claimbridge.sources.base import RereadsBeforeSending, Source
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival

_IN_A_ROW: Final = 3
"""Documents that could not be read, one after the other, after which no more are in this pass."""


class Rereading:
    """Rereads the claims of a source that ``RereadsBeforeSending``; of any other it rereads none.

    Those with numbers above ``upto`` were read by this pass itself.
    """

    def __init__(self, source: Source, record: SourceRecord, *, upto: int) -> None:
        self._source = source
        self._record = record
        self._upto = upto
        self._rereads = isinstance(source, RereadsBeforeSending) and source.rereads
        self._failures = 0
        self._why: ClaimBridgeError | None = None

    def against(self, arrival: StoredArrival) -> ClaimBridgeError | None:
        """Return why a claim must not be sent now; None: send it as it was read.

        A new version of its document is recorded for the next pass. Raises JournalError.
        """
        if not self._rereads or arrival.number > self._upto:
            return None
        if self._failures >= _IN_A_ROW:
            return self._why
        try:
            document = self._source.reread(arrival.key)
        except Exception as error:  # noqa: BLE001 - a user's source may raise anything
            self._failures += 1
            self._why = (
                error if isinstance(error, ClaimBridgeError) else foreign(error, arrival.source)
            )
            return self._why
        self._failures = 0
        if document is not None and document.version != arrival.version:
            self._record.take_in(arrival.source, [document])
            return _not_now(arrival, "has changed there; the next pass goes on with what it is now")
        if document is None or document.claim is None:
            return _not_now(arrival, "is not approved there any more; every pass looks again")
        return None


def reread(source: Source, record: SourceRecord, arrival: StoredArrival) -> bool:
    """Read a document again that became no claim; return whether a pass can go on with it now.

    Raises what reading raises, as errors of ours, and JournalError.
    """
    try:
        document = source.reread(arrival.key)
    except ClaimBridgeError:
        raise
    except Exception as error:
        raise foreign(error, arrival.source) from error
    if document is None:
        return False
    (row,) = record.take_in(arrival.source, [document])
    now, before = document.error, row.error()
    if row.state is ArrivalState.PARKED and now is not None and str(now) != str(before):
        record.end(row, ArrivalState.PARKED, code=now.code, reason=now.message)
    return row.state is ArrivalState.READ


def foreign(error: Exception, source: str) -> ConfigurationError:
    """Return what a source raised as an error of ours."""
    wrapped = ConfigurationError(
        f"source {source} raised {type(error).__name__}: {error}; a source raises errors of "
        "claimbridge only",
        code="CB-541",
    )
    wrapped.__cause__ = error
    return wrapped


def _not_now(arrival: StoredArrival, why: str) -> NotDelivered:
    return NotDelivered(
        f"it was not sent: while it waited to be, its document in source {arrival.source} {why}",
        code="CB-545",
        claim_id=arrival.claim_id or None,
    )


__all__ = ["Rereading", "foreign", "reread"]
