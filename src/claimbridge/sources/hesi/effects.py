"""What a document of Hesi's shows of a write-back: done, in the way of it, or nothing.

Decisions and payments are recognised by the document's own record of its approval (``logs``),
vouchers by the number. What somebody else did is never taken for ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from claimbridge.sources.hesi.forms.log import revision
from claimbridge.sources.writeback import WriteBack, WriteBackState

JsonObject = dict[str, Any]
"""A document as Hesi sent it."""
WAITING: Final = "approving"
"""The state of a document that waits at an EBot node."""
DRAFT: Final = "draft"
"""The state of a document that was not handed in, or was retracted."""
MARK: Final = "[claimbridge "
"""What the mark in the comment of each of our decisions begins with."""
_TAKES_NUMBERS: Final = frozenset({"paid", "archived"})
"""Hesi itself refuses ``archived`` today; what it says then is better than a guess of ours."""
_ON_THE_WAY: Final = frozenset(
    {"pending", "approving", "paying", "PROCESSING", "sending", "receiving"}
)
_PAID: Final = frozenset({"paid", "archived"})
_DECISIONS: Final = frozenset({"freeflow.agree", "freeflow.reject"})
_TAKES_BACK: Final = frozenset(
    {"freeflow.reject", "freeflow.retract", "freeflow.nullify", "freeflow.submit"}
)
"""The actions after which a document is at its beginning again, or nowhere."""
_SKEW: Final = dt.timedelta(minutes=1)
"""How far Hesi's clock and ours may be apart."""


class Shown(NamedTuple):
    """What a document shows: the state that follows from it, and why."""

    state: WriteBackState
    reason: str


def voucher(
    write_back: WriteBack, document: JsonObject | None, earlier: Sequence[WriteBack]
) -> Shown | None:
    """Return what a document shows of a voucher number; None when it may be written.

    A number that ``earlier`` ones of ours put there may be replaced, no other.
    """
    gone = _gone(document)
    if gone is not None or document is None:
        return gone
    if not write_back.content["number"].strip():
        return Shown(WriteBackState.PARKED, "CB-550 no number: an empty one deletes what is there")
    number = _text(_object(document, "form").get("voucherNo"))
    if number == write_back.content["number"]:
        return Shown(WriteBackState.DONE, "the number stands there")
    if number and number not in {other.content["number"] for other in earlier}:
        return Shown(
            WriteBackState.PARKED,
            f"CB-553 the document has another voucher number, {number}; settle by hand which of "
            "them is right",
        )
    return _by_state(document, _TAKES_NUMBERS, "a number")


def decision(write_back: WriteBack, document: JsonObject | None, node: str) -> Shown | None:
    """Return what a document shows of a decision at a node; None when it waits there for it."""
    gone = _gone(document)
    if gone is not None or document is None:
        return gone
    mark = write_back.content["mark"]
    if any(mark in comment for comment in _comments(document)):
        return Shown(WriteBackState.DONE, "the decision stands in the document's record")
    state = _text(document.get("state"))
    if state not in _ON_THE_WAY:
        return Shown(
            WriteBackState.PARKED,
            f"CB-554 the document is {state} and has no decision of ours; somebody else decided",
        )
    if not waiting_node(document, node):
        return Shown(WriteBackState.PENDING, f"it does not wait at {node}")
    about, now = write_back.content.get("revision"), str(revision(document))
    if about and about != now:
        return Shown(
            WriteBackState.PARKED,
            f"CB-554 the form was changed since: this is about its revision {about}, and {now} "
            "waits; that one gets a decision of its own",
        )
    return None


def waiting_node(document: JsonObject, name: str) -> str:
    """Return the id of the step called ``name`` if the document waits there; else ""."""
    for line in reversed(_log(document)):
        attributes = _object(line, "attributes")
        if attributes.get("nextId"):
            return _text(attributes["nextId"]) if attributes.get("nextName") == name else ""
    return ""


def came_and_went_back(document: JsonObject, name: str) -> bool:
    """Return whether a document came to the step called ``name``, and went back from there.

    One that is still on its way did so if its record says it, and not if that step agreed; one
    that is rejected, a draft, or deleted did whatever its record leaves out.
    """
    actions: list[str] | None = None
    for line in _log(document):
        if _object(line, "attributes").get("nextName") == name:
            actions = []
        elif actions is not None:
            actions.append(_text(line.get("action")))
    under_way = _text(document.get("state")) in _ON_THE_WAY and document.get("active") is not False
    if not under_way:
        decided = any(MARK in comment for comment in _comments(document))
        return actions is not None or decided
    agreed = False
    for action in actions or ():
        agreed = agreed or action == "freeflow.agree"
        # Between later steps a document may go to and fro.
        if action in _TAKES_BACK or (action == "freeflow.back" and not agreed):
            return True
    return False


def payment(
    write_back: WriteBack,
    document: JsonObject | None,
    *,
    attempted: bool,
    within: dt.timedelta,
) -> Shown | None:
    """Return what a document shows of a payment's result; None when it waits for one.

    ``attempted`` is whether an attempt of ours may have arrived: else what stands there is
    somebody else's, and so is what came later than ``within`` after the attempt.
    """
    gone = _gone(document)
    if gone is not None or document is None:
        return gone
    state, paid = _text(document.get("state")), write_back.content["paid"] == "yes"
    if attempted and _reported(write_back, document, paid=paid, within=within):
        return Shown(WriteBackState.DONE, "the result stands in the document's record")
    if state == "PROCESSING":
        return None
    if state in _PAID:
        return Shown(
            WriteBackState.PARKED,
            "CB-555 the document is paid already, and not by us; look who paid it, and how often",
        )
    if attempted and not paid:
        # Sent again, it would strike the next attempt at paying.
        return Shown(
            WriteBackState.PARKED,
            f"CB-555 the document is {state}; look whether the payment's failure is known there",
        )
    return _by_state(document, frozenset(), "a payment's result")


def _reported(
    write_back: WriteBack, document: JsonObject, *, paid: bool, within: dt.timedelta
) -> bool:
    """Return whether the document's record shows our result, while the last attempt could act."""
    if write_back.attempted_at is None:
        return False
    action = "freeflow.pay" if paid else "freeflow.paying"
    since = (write_back.attempted_at - _SKEW).timestamp() * 1000
    return any(
        line.get("action") == action
        and isinstance(line.get("time"), int)
        and since <= line["time"] <= since + (within + 2 * _SKEW).total_seconds() * 1000
        and (paid or write_back.content["message"] == _failure(line))
        for line in _log(document)
    )


def _failure(line: JsonObject) -> str:
    return _text(_object(line, "attributes").get("failureReason"))


def _gone(document: JsonObject | None) -> Shown | None:
    if document is None or document.get("active") is False:
        return Shown(WriteBackState.PARKED, "CB-556 the document is not there any more")
    return None


def _by_state(document: JsonObject, ready: frozenset[str], what: str) -> Shown | None:
    state = _text(document.get("state"))
    if state in ready:
        return None
    if state in _ON_THE_WAY:
        return Shown(WriteBackState.PENDING, f"the document is {state}: too early for {what}")
    return Shown(
        WriteBackState.PARKED, f"CB-557 the document is {state or 'in no state'}: not for {what}"
    )


def _comments(document: JsonObject) -> list[str]:
    """Return the comments of all decisions."""
    return [
        _text(_object(line, "attributes").get("comment"))
        for line in _log(document)
        if line.get("action") in _DECISIONS
    ]


def _log(document: JsonObject) -> list[JsonObject]:
    lines = document.get("logs")
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def _object(holder: JsonObject, name: str) -> JsonObject:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
