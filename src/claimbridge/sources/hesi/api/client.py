"""Hesi's interface, call by call: reads that are tried again, and writes that are tried once.

The access token travels in the URL. It stands in no log, error, ``repr`` or traceback: what is
shown of an address is its path.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import (
    ClaimError,
    LedgerUnavailable,
)
from claimbridge.sources.hesi.api.calls import HesiCalls
from claimbridge.sources.hesi.api.http import (
    HesiRequest,
    JsonObject,
    Secret,
    read_object,
    words_in,
)
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.api.token import HesiKeys

_LIST: Final = "/api/openapi/v1.1/docs/getApplyList"
_DETAILS: Final = "/api/openapi/v1.1/flowDetails"
_STATES: Final = "/api/openapi/v2/approveStates/"
_MESSAGES: Final = "/api/openapi/v1/outboundMessageLogs"
_VOUCHER: Final = "/api/openapi/v2.1/flow/data/erpVoucher"
_APPROVAL: Final = "/api/outbound/v1/approval"
_PAYMENT: Final = "/api/openapi/v1/paymentResults"

_DELETED: Final = "已删除"
_UNKNOWN: Final = "不存在"
_ID: Final = re.compile(r"[A-Za-z0-9_$:.+-]{1,100}")
_AT_ONCE: Final = 50
"""How many ids stand in one path: a URL has its limit."""


class HesiPage(msgspec.Struct, frozen=True):
    """One page of a list: ``documents`` as Hesi sent them, and how many the whole list has.

    What is no JSON object where a document should be stays in its place.
    """

    documents: tuple[object, ...]
    total: int


class ApprovalState(msgspec.Struct, frozen=True):
    """Where a document is in its approval: the node's name, 已删除 when deleted."""

    flow_id: str
    stage: str


class HesiClient:
    """Calls one Hesi; threads may share it. ``from_settings`` opens one.

    Every read raises NotDelivered, LedgerUnavailable (both: later) or DeliveryRefused (fix the
    set-up). Every write is one attempt, and returns when Hesi did it. A write raises:

    - NotDelivered, LedgerUnavailable or DeliveryRefused: Hesi did not even read it;
    - LedgerRejection: Hesi said no, also within an HTTP 200; ``reasons`` has its code and words;
    - OutcomeUnknown: Hesi may have done it; look before trying again.
    """

    def __init__(
        self,
        settings: HesiSettings,
        keys: HesiKeys,
        *,
        clock: Clock = SYSTEM,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._zone = settings.zone
        self._calls = HesiCalls(settings, keys, clock=clock, pause=pause)

    @classmethod
    def from_settings(cls, settings: HesiSettings, *, clock: Clock = SYSTEM) -> HesiClient:
        """Return a client; raises ConfigurationError or KeyUnavailable for what it needs."""
        key, secret = settings.secrets()
        return cls(settings, HesiKeys(Secret(key), Secret(secret)), clock=clock)

    def documents(
        self,
        *,
        form: str = "expense",
        states: Sequence[str] = (),
        since: int | None = None,
        start: int = 0,
        count: int = 100,
        active: bool | None = True,
    ) -> HesiPage:
        """Return one page of the documents of a form type, oldest update first.

        ``since`` bounds the update time, in milliseconds; Hesi judges by the second.
        ``active`` True: those that are there; False: the deleted ones; None: both.
        """
        query = [
            ("type", form),
            ("start", str(start)),
            ("count", str(count)),
            ("orderBy", "updateTime"),
            ("orderByType", "asc"),
        ]
        if states:
            query.append(("state", ",".join(states)))
        if since is not None:
            query.append(("startDate", _local(since, self._zone)))
        if active is not None:
            query.append(("active", "true" if active else "false"))
        answer = self._calls.read(HesiRequest("GET", _LIST, tuple(query)))
        total, documents = answer.get("count"), answer.get("items")
        if not isinstance(documents, list):
            raise _misshapen(_LIST)
        return HesiPage(tuple(documents), total if type(total) is int else 0)

    def details(self, flow_id: str) -> JsonObject | None:
        """Return a document as it is now; None when Hesi has none.

        Of a deleted document only ``{"id": flow_id, "active": False}`` is known.
        """
        request = HesiRequest("GET", _DETAILS, (("flowId", flow_id),))
        reply = self._calls.ask(request)
        if reply.status == 412 and reply.json is not None:
            if _DELETED in reply.words:
                return {"id": flow_id, "active": False}
            if _UNKNOWN in reply.words:
                return None
        value = read_object(reply, place=self._calls.place(request)).get("value")
        if not isinstance(value, dict) or value.get("id") != flow_id:
            raise _misshapen(_DETAILS)
        return value

    def approval_states(self, flow_ids: Sequence[str]) -> tuple[ApprovalState, ...]:
        """Return where documents are in their approval; one that Hesi has not is left out."""
        states: list[ApprovalState] = []
        # An id may be a stranger's word, from a hook: it must not reach into another path.
        flow_ids = [flow_id for flow_id in flow_ids if _ID.fullmatch(flow_id)]
        for first in range(0, len(flow_ids), _AT_ONCE):
            ids = ",".join(
                quote(flow_id, safe="") for flow_id in flow_ids[first : first + _AT_ONCE]
            )
            answer = self._calls.read(HesiRequest("GET", f"{_STATES}%5B{ids}%5D"))
            for item in _items(answer, _STATES):
                flow_id, stage = item.get("flowId"), item.get("stageName")
                if not isinstance(flow_id, str) or not isinstance(stage, str):
                    raise _misshapen(_STATES)
                states.append(ApprovalState(flow_id, stage))
        return tuple(states)

    def failed_messages(self, *, since: int, until: int, kind: str = "flow") -> tuple[str, ...]:
        """Return what the messages were about that failed between two moments, in milliseconds.

        Flow ids, one for each outbound message that reached no receiver.

        ``kind`` is Hesi's message type: ``flow`` for EBot nodes, ``message`` for approval events.
        """
        query = (("messageType", kind), ("startDate", str(since)), ("endDate", str(until)))
        failed = []
        for item in _items(self._calls.read(HesiRequest("GET", _MESSAGES, query)), _MESSAGES):
            flow_id = item.get("flowId")
            if item.get("state") != "FAILURE" or not isinstance(flow_id, str) or not flow_id:
                continue  # it went through, or is about something else than a document
            failed.append(flow_id)
        return tuple(failed)

    def put_voucher(
        self, flow_id: str, *, number: str, created: dt.datetime, period: str = ""
    ) -> None:
        """Write a voucher's number into a document in state ``paid``.

        An empty number, with which Hesi deletes what is there, raises ClaimError: nothing is sent.
        """
        if not number.strip():
            raise ClaimError(
                f"no voucher number for document {flow_id}: an empty one would delete the number "
                "that stands there",
                code="CB-523",
            )
        voucher = {
            "flowId": flow_id,
            "voucherNo": number,
            "voucherCreateTime": str(round(created.timestamp() * 1000)),
        }
        if period:
            voucher["fiscalPeriod"] = period
        request = HesiRequest("PUT", _VOUCHER, body={"voucher": [voucher]})
        answer = self._calls.write(request)
        if answer.get("value") is not True:
            raise self._calls.unclear(request)

    def answer_approval(
        self,
        flow_id: str,
        *,
        node_id: str,
        sign_key: str,
        action: Literal["accept", "refuse"],
        comment: str,
    ) -> None:
        """Let the EBot node at which a document waits agree or refuse, with a comment."""
        body = {
            "signKey": sign_key,
            "flowId": flow_id,
            "nodeId": node_id,
            "action": action,
            "comment": comment,
        }
        request = HesiRequest("POST", _APPROVAL, body=body)
        del body, sign_key  # an error's traceback holds this frame
        self._send_decision(request)

    def report_payment(self, flow_id: str, *, paid: bool, message: str = "") -> None:
        """Report that a document in state ``PROCESSING`` was paid, or was not and why.

        LedgerRejection carries Hesi's code: ``R00002`` is a document paid before.
        """
        item = {"id": flow_id, "code": "P00001" if paid else "P00002", "errorMsg": message or None}
        request = HesiRequest("POST", _PAYMENT, body={"items": [item]})
        items = self._calls.write(request).get("items")
        for result in items if isinstance(items, list) else ():
            if not isinstance(result, dict) or result.get("id") != flow_id:
                continue
            code = result.get("code")
            if code == "R00000":
                return
            if isinstance(code, str) and code.startswith("R"):
                raise self._calls.refusal(
                    request, code, words_in(result) or _PAYMENT_CODES.get(code, "")
                )
        raise self._calls.unclear(request)

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def _send_decision(self, request: HesiRequest) -> None:
        """Make an approval's call; its code stands inside an HTTP 200."""
        value = self._calls.write(request).get("value")
        code = value.get("code") if isinstance(value, dict) else None
        if str(code) == "204":
            return
        if str(code) in {"400", "401", "412"} and isinstance(value, dict):
            raise self._calls.refusal(request, str(code), words_in(value))
        raise self._calls.unclear(
            request
        )  # 500 too: the approval failed, nobody says how far it came


_PAYMENT_CODES: Final = {
    "R00001": "单据不存在",
    "R00002": "单据已支付",
    "R00003": "单据不在支付中",
    "R00004": "单据支付渠道不正确",
    "R00005": "支付结果代码错误",
    "R00006": "无效的请求",
}
"""What Hesi's codes mean; it sends no words with them."""


def _items(answer: JsonObject, path: str) -> tuple[JsonObject, ...]:
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _misshapen(path)
    return tuple(items)


def _misshapen(path: str) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"{path} answers with JSON of another shape than its documentation; try again later, and "
        "if it stays so check the address and report it",
        code="CB-514",
    )


def _local(milliseconds: int, zone: ZoneInfo) -> str:
    """Return a moment as Hesi takes it: ``yyyy-MM-dd HH:mm:ss`` in its own time zone."""
    moment = dt.datetime.fromtimestamp(milliseconds // 1000, zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


__all__ = ["ApprovalState", "HesiClient", "HesiKeys", "HesiPage", "JsonObject"]
