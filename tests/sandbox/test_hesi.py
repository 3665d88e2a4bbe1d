"""The sandbox's Hesi answers as the vendor's pages say, quirks included."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.sandbox.hesi_caller import HesiCaller

from claimbridge.clock import SYSTEM
from claimbridge.sandbox import Hesi, HookSettings, Node, Sandbox

EBOT = Node("FLOW:1", "ERP check", ebot=True)
CASHIER = Node("FLOW:2", "出纳支付")


@pytest.fixture
def hesi() -> Hesi:
    return Hesi(late=0.2)


@pytest.fixture
def sandbox(hesi: Hesi) -> Iterator[Sandbox]:
    with Sandbox(profiles=[], hesi=hesi) as served:
        yield served


@pytest.fixture
def caller(sandbox: Sandbox) -> HesiCaller:
    made = HesiCaller(sandbox)
    made.login()
    return made


def test_tokens(sandbox: Sandbox, hesi: Hesi) -> None:
    """A token is given for key and secret, renewed while it lives, and refused once it is dead."""
    caller = HesiCaller(sandbox)
    wrong = {"appKey": "sandbox-app-key", "appSecurity": "guess"}
    status, answer = caller.call("POST", "/api/openapi/v1/auth/getAccessToken", wrong)
    assert (status, answer["errorMessage"]) == (403, "密钥无效")
    issued = caller.login()
    hours = (issued["expireTime"] / 1000 - SYSTEM.now().timestamp()) / 3600
    assert 1.9 < hours <= 2
    assert caller.list()[0] == 200
    renewal = {"refreshToken": issued["refreshToken"], "powerCode": "219904"}
    status, answer = caller.call("POST", "/api/openapi/v2/auth/refreshToken", **renewal)
    renewed = answer["value"]
    assert renewed["expireTime"] > issued["expireTime"] + 30 * 24 * 3600 * 1000
    assert caller.list()[0] == 403, "the old token ends"
    caller.token = renewed["accessToken"]
    assert caller.list()[0] == 200
    caller.control("POST", "/tokens", {"premature": 1})
    assert [caller.list()[0], caller.list()[0]] == [403, 200]
    caller.control("POST", "/tokens", {"expire": True})
    assert caller.list()[0] == 403
    again = {"refreshToken": renewed["refreshToken"], "powerCode": "219904"}
    assert caller.call("POST", "/api/openapi/v2/auth/refreshToken", **again)[0] == 403


def test_lists_and_their_drifting_pages(caller: HesiCaller, hesi: Hesi) -> None:
    """Pages are cut from what is there now: a change between two of them repeats and hides."""
    for number in range(5):
        hesi.put(f"ID-{number}", state="paid")
        time.sleep(0.002)
    asked = {"orderBy": "updateTime", "orderByType": "asc", "state": "paid,archived"}
    first = caller.list(**asked, count=2)[1]
    assert (first["count"], [d["id"] for d in first["items"]]) == (5, ["ID-0", "ID-1"])
    hesi.put("ID-0", form={"title": "changed"})
    second = caller.list(**asked, start=2, count=2)[1]
    assert [d["id"] for d in second["items"]] == ["ID-3", "ID-4"], "ID-2 was never seen"
    assert caller.list(count=101)[0] == 400
    status, answer = caller.list(type="poem")
    assert (status, answer["errorMessage"]) == (400, "参数type无法识别")


def test_lists_by_state_and_time(caller: HesiCaller, hesi: Hesi) -> None:
    """PROCESSING is found under paying only; deleted ones with active; times are China's."""
    hesi.put("ID-P", state="PROCESSING", nodes=[CASHIER])
    hesi.put("ID-D", state="paid")
    hesi.delete("ID-D")
    assert caller.list(state="PROCESSING")[1] == {"count": 0, "items": []}
    assert [d["state"] for d in caller.list(state="paying")[1]["items"]] == ["PROCESSING"]
    assert [d["id"] for d in caller.list(active="true")[1]["items"]] == ["ID-P"]
    assert [d["id"] for d in caller.list(active="false")[1]["items"]] == ["ID-D"]
    assert caller.list()[1]["count"] == 2
    china = SYSTEM.now().astimezone(dt.timezone(dt.timedelta(hours=8)))
    later = (china + dt.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
    sooner = (china - dt.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
    by_update = {"orderBy": "updateTime"}
    assert caller.list(startDate=later, **by_update)[1]["count"] == 0
    assert caller.list(startDate=sooner, endDate=later, **by_update)[1]["count"] == 2


def test_details_and_stages(caller: HesiCaller, hesi: Hesi) -> None:
    """Details refuse what is gone with 412; stages come from a cache that lags."""
    hesi.put("ID-1", state="approving", nodes=[EBOT, CASHIER])
    time.sleep(0.25)
    assert caller.details("ID-1")[1]["value"]["state"] == "approving"
    assert caller.stages("ID-1", "ID-none") == {"ID-1": "ERP check"}
    hesi.put("ID-1", state="paid")
    assert caller.stages("ID-1") == {"ID-1": "ERP check"}, "not in the cache yet"
    time.sleep(0.25)
    assert caller.stages("ID-1") == {"ID-1": "完成"}
    hesi.delete("ID-1")
    time.sleep(0.25)
    assert caller.stages("ID-1") == {"ID-1": "已删除"}
    status, answer = caller.details("ID-1")
    assert (status, answer["errorMessage"]) == (412, "单据已删除")
    assert caller.details("ID-none")[1]["errorMessage"] == "单据不存在"


def test_voucher_numbers(caller: HesiCaller, hesi: Hesi) -> None:
    """Only a paid document takes a number; an empty one deletes it; one bad row refuses all."""
    hesi.put("ID-1", state="paid")
    hesi.put("ID-2", state="approving", nodes=[EBOT])
    row = {"flowId": "ID-1", "voucherNo": "000001", "voucherCreateTime": "1700000000000"}
    status, answer = caller.voucher(row, {**row, "flowId": "ID-2"})
    assert (status, "不是已支付状态" in answer["errorMessage"]) == (400, True)
    assert hesi.effects("ID-1") == []
    assert caller.voucher({**row, "flowId": "ID-none"})[0] == 412
    assert caller.voucher({**row, "fiscalPeriod": "2026-05"}) == (200, {"value": True})
    shown = hesi.documents()[0]
    assert (shown["voucherNo"], shown["fiscalPeriod"]) == ("000001", "2026-05")
    assert shown["voucherStatus"] == "已生成"
    caller.voucher({**row, "fiscalPeriod": "2026-05"})
    assert len(hesi.effects("ID-1")) == 1, "the same number again changes nothing"
    caller.voucher({**row, "voucherNo": ""})
    assert hesi.documents()[0]["voucherStatus"] == "未生成"


def test_the_approval_callback(caller: HesiCaller, hesi: Hesi) -> None:
    """Every no is an HTTP 200 with a code; a second call finds another node."""
    hesi.put("ID-1", state="approving", nodes=[EBOT, CASHIER])
    asked = {"flowId": "ID-1", "nodeId": "FLOW:1"}

    def code(**given: object) -> str:
        status, answer = caller.approval(**{**asked, **given})
        assert status == 200
        found: str = answer["value"]["code"]
        return found

    assert code(signKey="guess") == "401"
    assert code(nodeId="FLOW:9") == "412"
    assert code(action="shrug") == "400"
    assert hesi.effects("ID-1") == []
    assert code() == "204"
    assert hesi.documents()[0]["state"] == "paying"
    assert code() == "412"
    assert len(hesi.effects("ID-1")) == 1
    submitted, logged = hesi.details("ID-1")["logs"]
    assert submitted["attributes"]["nextId"] == "FLOW:1"
    assert (logged["action"], logged["attributes"]["nodeId"]) == ("freeflow.agree", "FLOW:1")
    hesi.put("ID-2", state="approving", nodes=[EBOT])
    assert code(flowId="ID-2", action="refuse", comment="no budget") == "204"
    assert hesi.details("ID-2")["state"] == "rejected"


def test_payment_results(caller: HesiCaller, hesi: Hesi) -> None:
    """Each item has its own code, R00000 to R00006."""
    for flow_id, state in (("P1", "PROCESSING"), ("P2", "PROCESSING"), ("OLD", "paid")):
        hesi.put(flow_id, state=state, nodes=[CASHIER])
    hesi.put("EARLY", state="paying", nodes=[CASHIER])
    hesi.put("OTHER", state="PROCESSING", nodes=[CASHIER], channel=False)
    asked = [
        ("P1", "P00001"), ("P2", "P00002"), ("none", "P00001"), ("OLD", "P00001"),
        ("EARLY", "P00001"), ("OTHER", "P00001"), ("P2", "YES"), ("", "P00001"),
    ]  # fmt: skip
    codes = caller.pay(*({"id": flow_id, "code": code} for flow_id, code in asked))
    assert codes == [
        "R00000", "R00000", "R00001", "R00002", "R00003", "R00004", "R00005", "R00006",
    ]  # fmt: skip
    assert caller.pay() == ["R00006"]
    assert [hesi.details(flow_id)["state"] for flow_id in ("P1", "P2")] == ["paid", "paying"]
    assert caller.pay({"id": "P1", "code": "P00001"}) == ["R00002"]
    assert len(hesi.effects("P1")) == 1


class Receiver(BaseHTTPRequestHandler):
    """Takes messages; answers with the statuses in ``answers``, 204 after them."""

    answers: list[int] = []  # noqa: RUF012 - set by each test
    seen: list[dict[str, object]] = []  # noqa: RUF012 - set by each test

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.seen.append(json.loads(self.rfile.read(length)))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.answers, Receiver.seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks"
    server.shutdown()
    thread.join()
    server.server_close()


def test_outbound_messages(caller: HesiCaller, hesi: Hesi, receiver: str) -> None:
    """A message is tried again as configured; what nobody took is in the log of failures."""
    caller.control("POST", "/hooks", {"url": receiver, "retries": 2})
    Receiver.answers = [500, 500, 204]
    hesi.put("ID-1", state="approving", nodes=[EBOT])
    hesi.flush()
    assert [message["flowId"] for message in Receiver.seen] == ["ID-1"] * 3
    assert Receiver.seen[0]["signKey"] == "sandbox-sign-key"
    assert Receiver.seen[0]["nodeId"] == "FLOW:1"
    assert hesi.failed_messages() == []
    Receiver.answers = [500, 500, 500]
    hesi.put("ID-2", state="approving", nodes=[EBOT])
    hesi.flush()
    now = int(SYSTEM.now().timestamp() * 1000)
    _, answer = caller.call(
        "GET", "/api/openapi/v1/outboundMessageLogs", startDate=now - 60_000, endDate=now + 1000
    )
    assert [(m["flowId"], m["nodeId"], m["state"]) for m in answer["items"]] == [
        ("ID-2", "FLOW:1", "FAILURE")
    ]
    assert "sandbox-sign-key" not in json.dumps(answer)
    assert "CB-274" in caller.control("POST", "/hooks", {"url": "http://198.51.100.1/"})[1]["error"]


def test_faults_strike_hesi_by_name_only(sandbox: Sandbox, caller: HesiCaller, hesi: Hesi) -> None:
    """commit-then-drop does the work and says nothing; orders for the ERP do not touch Hesi."""
    hesi.put("ID-1", state="paid")
    row = {"flowId": "ID-1", "voucherNo": "7", "voucherCreateTime": "1700000000000"}
    sandbox.set_faults("commit-then-drop@1")
    assert caller.voucher(row)[0] == 200
    sandbox.set_faults("hesi_voucher:commit-then-drop@1,write_back:html-200@2")
    with pytest.raises((OSError, http.client.HTTPException)):
        caller.voucher({**row, "voucherNo": "8"})
    assert hesi.documents()[0]["voucherNo"] == "8"
    with pytest.raises(json.JSONDecodeError):
        caller.voucher({**row, "voucherNo": "9"})
    assert hesi.documents()[0]["voucherNo"] == "8"
    assert sandbox.requests()["hesi_voucher"] == 3


def test_the_control_pages(caller: HesiCaller) -> None:
    """Documents are put in, changed and deleted over HTTP, too."""
    put = {"id": "ID-1", "form": {"code": "B1"}, "state": "approving",
           "nodes": [{"id": "FLOW:1", "name": "ERP check", "ebot": True}]}  # fmt: skip
    _, listed = caller.control("POST", "/documents", put)
    assert (listed[0]["code"], listed[0]["stage"]) == ("B1", "ERP check")
    caller.control("POST", "/documents", {"id": "ID-1", "state": "paid"})
    assert caller.control("GET", "/documents")[1][0]["stage"] == "完成"
    assert caller.control("DELETE", "/documents/ID-1")[1][0]["deleted"] is True
    assert caller.control("DELETE", "/documents/ID-1")[0] == 400
    assert "CB-274" in caller.control("POST", "/documents", {"id": "X", "state": "?"})[1]["error"]


def test_hook_settings_keep_to_the_limits() -> None:
    """Hesi tries three times more at most."""
    with pytest.raises(Exception, match="CB-274"):
        HookSettings(url="http://127.0.0.1:1/", retries=4)
