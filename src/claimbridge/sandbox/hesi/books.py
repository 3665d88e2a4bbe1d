"""What the sandbox's Hesi holds: its documents, where each stands, and what was done to it.

The documents are in memory. Each change by a write-back is an effect, so that tests can count them.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ConfigurationError

JsonObject = dict[str, Any]
EBOT: Final = "ebot"
CORPORATION: Final = "sandbox-corp"
_PAYING_NODE: Final = "出纳支付"
_STAGES: Final = {
    "draft": "尚未提交",
    "pending": "尚未提交",
    "rejected": "拒绝",
    "paid": "完成",
    "archived": "完成",
}
"""The name of the stage by state; in every other state it is that of the node."""
STATES: Final = frozenset(
    {
        "draft", "nullify", "pending", "approving", "rejected", "paying", "PROCESSING", "paid",
        "archived", "sending", "receiving",
    }
)  # fmt: skip


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the approval; an ``ebot`` waits for a callback."""

    id: str
    name: str
    ebot: bool = False


class Effect(msgspec.Struct, frozen=True):
    """One change that a write-back made: voucher, approval or payment."""

    kind: str
    content: dict[str, str]


class Put(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST /sandbox/hesi/documents`` takes: a new document, or changes to one.

    The fields of ``form`` replace those of the existing form. ``owner`` submits a new document.
    ``nodes`` are the steps of the approval, and ``node`` is the step at which the document waits,
    the first when left out. ``channel`` False: its way of paying takes no results.
    """

    id: str
    form: JsonObject = {}
    owner: str = f"{CORPORATION}:employee"
    form_type: str = msgspec.field(default="expense", name="formType")
    state: str | None = None
    nodes: tuple[Node, ...] | None = None
    node: str | None = None
    channel: bool = True


class HesiDocument:
    """One document; ``body`` is what the details show. Used under the books' lock."""

    def __init__(self, body: JsonObject) -> None:
        self.body: JsonObject = body
        self.nodes: tuple[Node, ...] = ()
        self.waits_at: Node | None = None
        self.channel: bool = True
        self.effects: list[Effect] = []
        self.stages: list[tuple[float, str]] = []

    @property
    def id(self) -> str:
        """The flow id."""
        return str(self.body["id"])

    @property
    def form(self) -> JsonObject:
        """The form."""
        form: JsonObject = self.body["form"]
        return form

    @property
    def state(self) -> str:
        """The state, ``PROCESSING`` among them."""
        return str(self.body["state"])

    @property
    def is_deleted(self) -> bool:
        """Whether somebody has deleted the document."""
        return not self.body["active"]

    @property
    def stage(self) -> str:
        """The name of the stage at this moment."""
        if self.is_deleted:
            return "已删除"
        node = self.waits_at.name if self.waits_at else self.state
        return _STAGES.get(self.state, node)

    def after(self, node: Node | None) -> Node | None:
        """Return the step that follows ``node``; None at the end."""
        if node is None or node not in self.nodes:
            return None
        place = self.nodes.index(node) + 1
        return self.nodes[place] if place < len(self.nodes) else None


class HesiBooks:
    """The documents, by flow id. Safe between threads.

    ``on_change`` is called for every document that changed its state or its step, afterwards.
    """

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.clock: Clock = clock
        self.on_change: Callable[[JsonObject, Node | None], None] = lambda _body, _node: None
        self._documents: dict[str, HesiDocument] = {}

    def millis(self) -> int:
        """Return the present moment as Hesi writes times."""
        return int(self.clock.now().timestamp() * 1000)

    def get(self, flow_id: str) -> HesiDocument | None:
        """Return a document, even a deleted one; None when there never was one."""
        return self._documents.get(flow_id)

    def all(self) -> list[HesiDocument]:
        """Return every document, in the order in which they came."""
        return list(self._documents.values())

    def put(self, given: Put) -> None:
        """Add a document, or change one; raises ConfigurationError CB-274 for an unknown state."""
        if given.state is not None and given.state not in STATES:
            raise ConfigurationError(
                f"a document of Hesi's is never {given.state!r}; name one of "
                f"{', '.join(sorted(STATES))}",
                code="CB-274",
            )
        with self.lock:
            document = self._documents.get(given.id)
            if document is None:
                document = HesiDocument(self._blank(given))
                self._documents[given.id] = document
            document.form.update(copy.deepcopy(given.form))
            document.channel = given.channel
            if given.nodes is not None:
                document.nodes, document.waits_at = given.nodes, None
            named = [node for node in document.nodes if node.id == given.node]
            node = next(filter(None, (*named, document.waits_at, *document.nodes)), None)
            before = document.waits_at
            self.move(document, state=given.state or document.state, node=node)
            if document.waits_at not in (None, before):
                self.log(document, "freeflow.submit", node=None, following=node)

    def delete(self, flow_id: str) -> bool:
        """Delete a document; False when there is none."""
        with self.lock:
            document = self._documents.get(flow_id)
            if document is None or document.is_deleted:
                return False
            document.body["active"] = False
            self.move(document, state=document.state, node=document.waits_at)
        return True

    def move(self, document: HesiDocument, *, state: str, node: Node | None) -> None:
        """Set where a document stands, and call ``on_change``. Under the lock."""
        document.body["state"] = state
        document.waits_at = node if state not in _STAGES else None
        self.touch(document)
        document.stages.append((self.clock.monotonic(), document.stage))
        self.on_change(copy.deepcopy(document.body), document.waits_at)

    def touch(self, document: HesiDocument) -> None:
        """Note that a document was changed. Under the lock."""
        # Never twice the same, never backwards: a reader after a mark must see every change.
        document.body["updateTime"] = max(self.millis(), int(document.body["updateTime"]) + 1)
        document.body["version"] += 1

    def log(
        self,
        document: HesiDocument,
        action: str,
        *,
        node: Node | None,
        following: Node | None = None,
        by: str = "",
        **about: object,
    ) -> None:
        """Add a line to the record of the approval. Under the lock, after ``move``.

        ``node`` is the step that acted, None for the submission; ``following`` is the next one.
        ``by`` is the person, if that is not the employee.
        """
        if following is not None:
            about |= {"nextId": following.id, "nextName": following.name}
        document.body["logs"].append(
            {
                "action": action,
                "state": document.state,
                "operatorId": EBOT if node and node.ebot else by or document.body["ownerId"],
                "byDelegateId": None,
                "nextOperatorId": EBOT if following is not None and following.ebot else None,
                "nextOperatorIds": [],
                "time": self.millis(),
                "attributes": {"nodeId": node.id if node else "SUBMIT", **about},
                "modifyFlowLog": None,
                "attachments": [],
            }
        )

    def agree(self, document: HesiDocument, comment: str, *, by: str = "") -> None:
        """Let the step at which a document waits agree; ``by`` is who does. Under the lock."""
        node = document.waits_at
        following = document.after(node)
        if following is None:
            state = "paid"
        else:
            state = "paying" if following.name == _PAYING_NODE else "approving"
        self.move(document, state=state, node=following)
        self.log(
            document,
            "freeflow.agree",
            node=node,
            following=following,
            by=by,
            comment=comment,
            isEbotNode=bool(node and node.ebot),
        )

    def pay(self, document: HesiDocument, *, by: str = "", failure: str = "") -> None:
        """Let the cashier have paid, or have failed to. Under the lock."""
        node = document.waits_at
        self.move(document, state="paying" if failure else "paid", node=node)
        if not failure:
            document.form["payDate"] = self.millis()
        action = "freeflow.paying" if failure else "freeflow.pay"
        self.log(document, action, node=node, by=by, comment="", failureReason=failure)

    def refuse(self, document: HesiDocument, comment: str, *, resubmit: str) -> None:
        """Let the step at which a document waits send it back. Under the lock."""
        node = document.waits_at
        self.move(document, state="rejected", node=None)
        self.log(
            document,
            "freeflow.reject",
            node=node,
            comment=comment,
            resubmitMethod=resubmit or "FROM_START",
            isEbotNode=bool(node and node.ebot),
        )

    def stage_shown(self, document: HesiDocument, *, late: float) -> str:
        """Return the stage of ``late`` seconds ago, as from a cache."""
        upto = self.clock.monotonic() - late
        past = [stage for at, stage in document.stages if at <= upto]
        return past[-1] if past else document.stages[0][1]

    def rows(self) -> list[JsonObject]:
        """Return what ``GET /sandbox/hesi/documents`` shows."""
        with self.lock:
            return [_row(document) for document in self._documents.values()]

    def _blank(self, given: Put) -> JsonObject:
        now = self.millis()
        form: JsonObject = {
            "code": given.id,
            "title": "",
            "voucherNo": "",
            "voucherStatus": "未生成",
            "voucherCreateTime": 0,
            "submitDate": now,
        }
        return {
            "pipeline": 1,
            "grayver": "",
            "version": 0,
            "active": True,
            "createTime": now,
            "updateTime": 0,
            "corporationId": CORPORATION,
            "form": form,
            "ownerId": given.owner,
            "state": "draft",
            "flowType": "freeflow",
            "formType": given.form_type,
            "logs": [],
            "actions": {},
            "invoiceRemind": False,
            "id": given.id,
        }


def _row(document: HesiDocument) -> JsonObject:
    form = document.form
    return {
        "id": document.id,
        "code": form["code"],
        "state": document.state,
        "stage": document.stage,
        "deleted": document.is_deleted,
        "voucherNo": form["voucherNo"],
        "fiscalPeriod": form.get("fiscalPeriod", ""),
        "voucherStatus": form["voucherStatus"],
        "effects": msgspec.to_builtins(document.effects),
    }


def select(
    documents: Iterable[HesiDocument],
    *,
    form_type: str,
    states: Sequence[str],
    active: bool | None,
    owner: str,
    specifications: Sequence[str],
) -> list[HesiDocument]:
    """Return the documents that a list asks for.

    Nothing is ever found under ``PROCESSING``: those documents are found under ``paying``.
    """
    wanted = {*states, "PROCESSING"} if "paying" in states else {*states} - {"PROCESSING"}
    return [
        document
        for document in documents
        if document.body["formType"] == form_type
        and (not states or document.state in wanted)
        and active in (None, not document.is_deleted)
        and owner in ("", document.body["ownerId"])
        and (not specifications or _specification(document) in specifications)
    ]


def _specification(document: HesiDocument) -> str:
    return str(document.form.get("specificationId", "")).partition(":")[0]
