"""Hesi's interface, call by call: reads that are tried again, and writes that are tried once.

The access token travels in the URL. It stands in no log, error, ``repr`` or traceback: what is
shown of an address is its path.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.sources.hesi_settings import HesiSettings

JsonObject = dict[str, Any]
"""A JSON object as Hesi sent it, its numbers with decimals as ``Decimal``, whole ones as int."""


class Page(msgspec.Struct, frozen=True):
    """One page of a list: ``documents`` as Hesi sent them, and how many the whole list has."""

    documents: tuple[JsonObject, ...]
    total: int


class ApprovalState(msgspec.Struct, frozen=True):
    """Where a document is in its approval: the node's name, 已删除 when deleted."""

    flow_id: str
    stage: str


class FailedMessage(msgspec.Struct, frozen=True):
    """An outbound message that reached no receiver; ``at`` is its update, in milliseconds."""

    flow_id: str
    node_id: str
    at: int
    content: JsonObject


class HesiClient:
    """Calls one Hesi; threads may share it. ``from_settings`` opens one.

    Every read raises NotDelivered, LedgerUnavailable (both: later) or DeliveryRefused (mend the
    set-up). Every write is one attempt: it returns when Hesi did it, and raises NotDelivered,
    LedgerUnavailable or DeliveryRefused when Hesi did not even read it, LedgerRejection with
    Hesi's own code and words in ``reasons`` when it said no (also within an HTTP 200), and
    OutcomeUnknown when it may have done it: look before trying again.
    """

    @classmethod
    def from_settings(cls, settings: HesiSettings, *, clock: Clock = SYSTEM) -> HesiClient:
        """Return a client; raises ConfigurationError or KeyUnavailable for what it needs."""
        raise NotImplementedError

    def documents(
        self,
        *,
        form: str = "expense",
        states: Sequence[str] = (),
        since: int | None = None,
        until: int | None = None,
        start: int = 0,
        count: int = 100,
        active: bool | None = True,
    ) -> Page:
        """Return one page of the documents of a form type, oldest update first.

        ``since`` and ``until`` bound the update time, in milliseconds; Hesi judges by the second.
        ``active`` True: those that are there; False: the deleted ones; None: both.
        """
        raise NotImplementedError

    def details(self, flow_id: str) -> JsonObject | None:
        """Return a document as it is now; None when Hesi has none.

        Of a deleted document only ``{"id": flow_id, "active": False}`` is known.
        """
        raise NotImplementedError

    def approval_states(self, flow_ids: Sequence[str]) -> tuple[ApprovalState, ...]:
        """Return where documents are in their approval; one that Hesi has not is left out."""
        raise NotImplementedError

    def failed_messages(
        self, *, since: int, until: int, kind: str = "flow"
    ) -> tuple[FailedMessage, ...]:
        """Return the outbound messages that failed between two moments, in milliseconds.

        ``kind`` is Hesi's message type: ``flow`` for EBot nodes, ``message`` for approval events.
        """
        raise NotImplementedError

    def put_voucher(
        self, flow_id: str, *, number: str, created: dt.datetime, period: str = ""
    ) -> None:
        """Write a voucher's number into a document in state ``paid``.

        An empty number, with which Hesi deletes what is there, raises ClaimError: nothing is sent.
        """
        raise NotImplementedError

    def answer_approval(
        self,
        flow_id: str,
        *,
        node_id: str,
        sign_key: str,
        action: Literal["accept", "refuse"],
        comment: str,
        reject_to: str = "",
        resubmit: Literal["", "FROM_START", "TO_REJECTOR"] = "",
    ) -> None:
        """Let the EBot node at which a document waits agree or refuse, with a comment."""
        raise NotImplementedError

    def report_payment(self, flow_id: str, *, paid: bool, message: str = "") -> None:
        """Tell that a document in state ``PROCESSING`` was paid, or was not and why.

        LedgerRejection carries Hesi's code: ``R00002`` is a document paid before.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give the connections back."""
        raise NotImplementedError
