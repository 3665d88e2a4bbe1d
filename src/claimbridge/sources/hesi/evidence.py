"""What a document of Hesi's shows of a write-back: done, in the way of it, or nothing.

Decisions and payments are recognised by the document's own log of its approval, vouchers by the
number. What somebody else did never counts as ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from claimbridge.sources.base import WriteBack, WriteBackState
from claimbridge.sources.hesi.api.http import JsonObject
from claimbridge.sources.hesi.forms.log import (
    ON_THE_WAY,
    decision_comments,
    log_entries,
    object_in,
    revision,
    text_of,
    waiting_node,
)

_TAKES_NUMBERS: Final = frozenset({"paid", "archived"})
"""Hesi itself refuses ``archived`` today; what it says then is better than a guess of ours."""
_PAID: Final = frozenset({"paid", "archived"})
_SKEW: Final = dt.timedelta(minutes=1)
"""How far Hesi's clock and ours may be apart."""


class DocumentEvidence(NamedTuple):
    """What a document shows: the state that follows from it, and why."""

    state: WriteBackState
    reason: str


def voucher_evidence(
    write_back: WriteBack, document: JsonObject | None, earlier: Sequence[WriteBack]
) -> DocumentEvidence | None:
    """Return what a document shows of a voucher number; None when it may be written.

    A number that ``earlier`` ones of ours put there may be replaced, no other.
    """
    absence = _absence(document)
    if absence is not None or document is None:
        return absence
    if not write_back.content["number"].strip():
        return DocumentEvidence(
            WriteBackState.PARKED, "CB-550 no number: an empty one deletes what is there"
        )
    number = text_of(object_in(document, "form").get("voucherNo"))
    if number == write_back.content["number"]:
        return DocumentEvidence(WriteBackState.DONE, "the number stands there")
    if number and number not in {other.content["number"] for other in earlier}:
        return DocumentEvidence(
            WriteBackState.PARKED,
            f"CB-553 the document has another voucher number, {number}; settle by hand which of "
            "them is right",
        )
    return _by_state(document, _TAKES_NUMBERS, "a number")


def decision_evidence(
    write_back: WriteBack, document: JsonObject | None, node: str
) -> DocumentEvidence | None:
    """Return what a document shows of a decision at a node; None when it waits there for it."""
    absence = _absence(document)
    if absence is not None or document is None:
        return absence
    mark = write_back.content["mark"]
    if any(mark in comment for comment in decision_comments(document)):
        return DocumentEvidence(WriteBackState.DONE, "the decision stands in the document's record")
    state = text_of(document.get("state"))
    if state not in ON_THE_WAY:
        return DocumentEvidence(
            WriteBackState.PARKED,
            f"CB-554 the document is {state} and has no decision of ours; somebody else decided",
        )
    if not waiting_node(document, node):
        return DocumentEvidence(WriteBackState.PENDING, f"it does not wait at {node}")
    about, now = write_back.content.get("revision"), str(revision(document))
    if about and about != now:
        return DocumentEvidence(
            WriteBackState.PARKED,
            f"CB-554 the form was changed since: this is about its revision {about}, and {now} "
            "waits; that one gets a decision of its own",
        )
    return None


def payment_evidence(
    write_back: WriteBack,
    document: JsonObject | None,
    *,
    attempted: bool,
    within: dt.timedelta,
) -> DocumentEvidence | None:
    """Return what a document shows of a payment's result; None when it waits for one.

    ``attempted`` is whether an attempt of ours may have arrived: else what stands there is
    somebody else's, and so is what came later than ``within`` after the attempt.
    """
    absence = _absence(document)
    if absence is not None or document is None:
        return absence
    state, paid = text_of(document.get("state")), write_back.content["paid"] == "yes"
    if attempted and _shows_result(write_back, document, paid=paid, within=within):
        return DocumentEvidence(WriteBackState.DONE, "the result stands in the document's record")
    if state == "PROCESSING":
        return None
    if state in _PAID:
        return DocumentEvidence(
            WriteBackState.PARKED,
            "CB-555 the document is paid already, and not by us; look who paid it, and how often",
        )
    if attempted and not paid:
        # Sent again, it would strike the next attempt at paying.
        return DocumentEvidence(
            WriteBackState.PARKED,
            f"CB-555 the document is {state}; look whether the payment's failure is known there",
        )
    return _by_state(document, frozenset(), "a payment's result")


def _shows_result(
    write_back: WriteBack, document: JsonObject, *, paid: bool, within: dt.timedelta
) -> bool:
    """Return whether the document's log shows our result, while the last attempt could act."""
    if write_back.attempted_at is None:
        return False
    action = "freeflow.pay" if paid else "freeflow.paying"
    since = (write_back.attempted_at - _SKEW).timestamp() * 1000
    until = since + (within + 2 * _SKEW).total_seconds() * 1000
    return any(
        entry.get("action") == action
        and isinstance(entry.get("time"), int)
        and since <= entry["time"] <= until
        and (paid or write_back.content["message"] == _failure(entry))
        for entry in log_entries(document)
    )


def _failure(entry: Mapping[str, Any]) -> str:
    return text_of(object_in(entry, "attributes").get("failureReason"))


def _absence(document: JsonObject | None) -> DocumentEvidence | None:
    if document is None or document.get("active") is False:
        return DocumentEvidence(WriteBackState.PARKED, "CB-556 the document is not there any more")
    return None


def _by_state(document: JsonObject, ready: frozenset[str], what: str) -> DocumentEvidence | None:
    state = text_of(document.get("state"))
    if state in ready:
        return None
    if state in ON_THE_WAY:
        return DocumentEvidence(
            WriteBackState.PENDING, f"the document is {state}: too early for {what}"
        )
    return DocumentEvidence(
        WriteBackState.PARKED, f"CB-557 the document is {state or 'in no state'}: not for {what}"
    )
