"""The sandbox's Hesi at its desk: who may ask, what Hesi answers, and what it does to a document.

The desk follows the vendor's pages with their quirks. Errors of the approval callback come as HTTP
200 with a code. An empty voucher number deletes the existing one. A state is read from a cache.
"""

from __future__ import annotations

import copy
import datetime as dt
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.sandbox.hesi.books import Effect, HesiBooks, HesiDocument, select
from claimbridge.sandbox.hesi.replies import No, json_reply
from claimbridge.sandbox.hesi.tokens import HesiTokens
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.disturbances import OperationKind

_FORM_TYPES: Final = frozenset(
    {"expense", "loan", "payment", "requisition", "custom", "receipt", "permit"}
)
_ORDERS: Final = frozenset({"createTime", "updateTime", "submitDate", "payDate"})
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_MOST: Final = 100


class HesiCall(msgspec.Struct, frozen=True):
    """A request: the query's values, the body as it came, and the path's last part."""

    query: Mapping[str, str]
    body: bytes
    last: str


class HesiOperation(msgspec.Struct, frozen=True):
    """One call of the interface: its name in SPECs and counts, and who answers it."""

    name: str
    kind: OperationKind
    answer: Callable[[HesiDesk, HesiCall], object]
    open_to_all: bool = False


class HesiDesk:
    """Answers calls. ``late`` is how many seconds approval states lag behind.

    ``sign_key`` is what outbound messages carry and the approval callback must repeat.
    """

    def __init__(
        self, books: HesiBooks, *, app_key: str, app_secret: str, sign_key: str, late: float
    ) -> None:
        self.books: HesiBooks = books
        self.sign_key: str = sign_key
        self.late: float = late
        self.tokens: HesiTokens = HesiTokens(books.millis, app_key, app_secret)
        self.failed_messages: Callable[[], list[dict[str, Any]]] = list

    def token(self, call: HesiCall) -> object:
        """Issue a token for the account's key and secret."""
        given = _object(call)
        return self.tokens.issue(str(given.get("appKey", "")), str(given.get("appSecurity", "")))

    def refresh(self, call: HesiCall) -> object:
        """Issue a token for one that has not ended."""
        names = ("accessToken", "refreshToken", "powerCode")
        return self.tokens.refresh(*(call.query.get(name, "") for name in names))

    def answer(self, operation: HesiOperation, call: HesiCall) -> SandboxReply:
        """Do the work and return the reply."""
        with self.books.lock:
            try:
                if not operation.open_to_all:
                    self.tokens.admit(call.query.get("accessToken", ""))
                return json_reply(operation.answer(self, call))
            except No as no:
                return no.reply

    def documents(self, call: HesiCall) -> object:
        """List documents, page by page; the offsets count the documents of the moment."""
        query = call.query
        form_type = query.get("type", "")
        if form_type not in _FORM_TYPES:
            raise No(400, "参数type无法识别")
        start, count = _whole(query, "start"), _whole(query, "count")
        if not 0 < count <= _MOST or start < 0:
            raise No(400, "分页参数不正确")
        active = None if "active" not in query else query["active"] == "true"
        found = select(
            self.books.all(),
            form_type=form_type,
            states=_parts(query.get("state", "")),
            active=active,
            owner=query.get("uid", ""),
            specifications=_parts(query.get("specificationId", "")),
        )
        found = _between_dates(found, query)
        return {
            "count": len(found),
            "items": [copy.deepcopy(document.body) for document in found[start : start + count]],
        }

    def details(self, call: HesiCall) -> object:
        """Show a document."""
        document = self.books.get(call.query.get("flowId", ""))
        if document is None:
            raise No(412, "单据不存在")
        if document.is_deleted:
            raise No(412, "单据已删除")
        return {"value": copy.deepcopy(document.body)}

    def approve_states(self, call: HesiCall) -> object:
        """Name the stages of documents, from a cache; unknown documents are left out."""
        known = (self.books.get(flow_id) for flow_id in _parts(call.last.strip("[] ")))
        return {
            "items": [
                {
                    "flowId": document.id,
                    "stageName": self.books.stage_shown(document, late=self.late),
                    "operators": [],
                    "delegateData": [],
                }
                for document in known
                if document is not None
            ]
        }

    def message_log(self, call: HesiCall) -> object:
        """List the outbound messages that nobody took."""
        kind = call.query.get("messageType", "flow")
        since, until = _whole(call.query, "startDate"), _whole(call.query, "endDate")
        return {
            "items": [
                message
                for message in self.failed_messages()
                if message["messageType"] == kind and since <= message["createTime"] <= until
            ]
        }

    def voucher(self, call: HesiCall) -> object:
        """Write voucher numbers into paid documents; one wrong row refuses all rows."""
        rows = _object(call).get("voucher")
        if not isinstance(rows, list) or not rows:
            raise No(400, "voucher不能为空")
        todo = [(self._paid_document(row), row) for row in rows]
        for document, row in todo:
            self._write_voucher(document, row)
        return {"value": True}

    def _paid_document(self, row: object) -> HesiDocument:
        if not isinstance(row, dict) or not {"flowId", "voucherNo", "voucherCreateTime"} <= set(
            row
        ):
            raise No(400, "flowId、voucherNo、voucherCreateTime不能为空")
        if not str(row["voucherCreateTime"]).isdigit():
            raise No(400, "voucherCreateTime格式不正确")
        document = self.books.get(str(row["flowId"]))
        if document is None or document.is_deleted:
            raise No(412, f"不存在此单据[{row['flowId']}]")
        if document.state != "paid":
            raise No(400, f"单据Id:[[{document.id}]]的单据不是已支付状态，不能回写单据凭证，请检查")
        return document

    def _write_voucher(self, document: HesiDocument, row: Mapping[str, Any]) -> None:
        form, number = document.form, str(row["voucherNo"])
        before = (form["voucherNo"], form.get("fiscalPeriod", ""))
        form["voucherNo"] = number
        form["voucherStatus"] = "已生成" if number else "未生成"
        form["voucherCreateTime"] = int(row["voucherCreateTime"]) if number else 0
        if "fiscalPeriod" in row:
            form["fiscalPeriod"] = str(row["fiscalPeriod"] or "")
        self.books.touch(document)
        if before != (number, form.get("fiscalPeriod", "")):
            period = form.get("fiscalPeriod", "")
            document.effects.append(Effect("voucher", {"number": number, "period": period}))

    def approval(self, call: HesiCall) -> object:
        """Let an EBot node agree or refuse; every no is an HTTP 200 with a code."""
        given = _object(call)
        text = {name: str(value) for name, value in given.items() if value is not None}
        if not {"flowId", "nodeId", "action", "comment", "signKey"} <= text.keys():
            return _code("400", "请求参数错误")
        if not hmac.compare_digest(text["signKey"].encode(), self.sign_key.encode()):
            return _code("401", "签名秘钥错误企业")
        document = self.books.get(text["flowId"])
        if document is None or document.is_deleted:
            return _code("412", "单据不存在")
        node = document.waits_at
        if node is None or not node.ebot or node.id != text["nodeId"]:
            return _code("412", f"当前的审批节点不为:{text['nodeId']}，请检查")
        if text["action"] == "accept":
            self.books.agree(document, text["comment"])
        elif text["action"] == "refuse":
            self.books.refuse(document, text["comment"], resubmit=text.get("resubmitMethod", ""))
        else:
            return _code("400", "请求参数错误")
        content = {name: text[name] for name in ("nodeId", "action", "comment")}
        document.effects.append(Effect("approval", content))
        return _code("204", "EBot执行完成")

    def payment(self, call: HesiCall) -> object:
        """Take results of payments; each has a code of its own in the answer."""
        items = _object(call).get("items")
        if not isinstance(items, list) or not items:
            return {"items": [{"id": None, "code": "R00006", "errorMsg": "无效的请求"}]}
        return {"items": [self._pay(item) for item in items]}

    def _pay(self, item: object) -> object:
        given = item if isinstance(item, dict) else {}
        flow_id, code = str(given.get("id") or ""), str(given.get("code") or "")
        document = self.books.get(flow_id)
        if not flow_id:
            result = "R00006"
        elif code not in ("P00001", "P00002"):
            result = "R00005"
        elif document is None or document.is_deleted:
            result = "R00001"
        elif document.state in ("paid", "archived"):
            result = "R00002"
        elif document.state != "PROCESSING":
            result = "R00003"
        elif not document.channel:
            result = "R00004"
        else:
            result = "R00000"
            self._settle(document, code, str(given.get("errorMsg") or ""))
        return {"id": flow_id or None, "code": result, "errorMsg": _RESULTS[result]}

    def _settle(self, document: HesiDocument, code: str, message: str) -> None:
        self.books.pay(document, failure="" if code == "P00001" else message or code)
        document.effects.append(Effect("payment", {"code": code, "message": message}))


_RESULTS: Final = {
    "R00000": None,
    "R00001": "单据不存在",
    "R00002": "单据已支付",
    "R00003": "单据不在支付中",
    "R00004": "单据支付渠道不正确",
    "R00005": "支付结果代码错误",
    "R00006": "无效的请求",
}

_TABLE: Final = {
    ("POST", "/api/openapi/v1/auth/getAccessToken"): HesiOperation(
        "hesi_token", OperationKind.READ, HesiDesk.token, open_to_all=True
    ),
    ("POST", "/api/openapi/v2/auth/refreshToken"): HesiOperation(
        "hesi_refresh", OperationKind.READ, HesiDesk.refresh, open_to_all=True
    ),
    ("GET", "/api/openapi/v1.1/docs/getApplyList"): HesiOperation(
        "hesi_documents", OperationKind.READ, HesiDesk.documents
    ),
    ("GET", "/api/openapi/v1.1/flowDetails"): HesiOperation(
        "hesi_details", OperationKind.READ, HesiDesk.details
    ),
    ("GET", "/api/openapi/v2/approveStates"): HesiOperation(
        "hesi_states", OperationKind.READ, HesiDesk.approve_states
    ),
    ("GET", "/api/openapi/v1/outboundMessageLogs"): HesiOperation(
        "hesi_failed", OperationKind.READ, HesiDesk.message_log
    ),
    ("PUT", "/api/openapi/v2.1/flow/data/erpVoucher"): HesiOperation(
        "hesi_voucher", OperationKind.WRITE_BACK, HesiDesk.voucher
    ),
    ("POST", "/api/outbound/v1/approval"): HesiOperation(
        "hesi_approval", OperationKind.WRITE_BACK, HesiDesk.approval
    ),
    ("POST", "/api/openapi/v1/paymentResults"): HesiOperation(
        "hesi_payment", OperationKind.WRITE_BACK, HesiDesk.payment
    ),
}


def find_operation(method: str, path: str) -> tuple[HesiOperation, str] | None:
    """Return the operation at a path, and the path's last part where it is an argument."""
    found = _TABLE.get((method, path))
    if found is not None:
        return found, ""
    parent, _, last = path.rpartition("/")
    found = _TABLE.get((method, parent))
    return (found, last) if found is not None and found.name == "hesi_states" else None


def _code(code: str, words: str) -> object:
    return {"value": {"code": code, "message": words}}


def _object(call: HesiCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise No(400, "请求参数错误") from error


def _whole(query: Mapping[str, str], name: str) -> int:
    try:
        return int(query[name])
    except (KeyError, ValueError) as error:
        raise No(400, f"参数{name}不正确") from error


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _between_dates(found: list[HesiDocument], query: Mapping[str, str]) -> list[HesiDocument]:
    """Return the documents between two dates, by the field and in the order of the query."""
    field = query.get("orderBy", "createTime")
    if field not in _ORDERS:
        raise No(400, "参数orderBy无法识别")

    def when(document: HesiDocument) -> int:
        holder = document.body if field in document.body else document.form
        return int(holder.get(field) or 0)

    since, until = (_moment(query, name) for name in ("startDate", "endDate"))
    bounded = [
        document
        for document in found
        if (since is None or when(document) >= since)
        # A second has a thousand milliseconds: the last second counts in full.
        and (until is None or when(document) < until + 1000)
    ]
    return sorted(bounded, key=when, reverse=query.get("orderByType", "desc") != "asc")


def _moment(query: Mapping[str, str], name: str) -> int | None:
    if not query.get(name):
        return None
    try:
        moment = dt.datetime.strptime(query[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
    except ValueError as error:
        raise No(400, f"参数{name}格式不正确") from error
    return int(moment.timestamp() * 1000)
