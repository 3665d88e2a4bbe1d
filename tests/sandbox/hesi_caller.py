"""A client of the sandbox's Hesi that is not claimbridge's own: sockets and JSON."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlencode

from claimbridge.sandbox import Sandbox


class HesiCaller:
    """Calls the interface with a token of its own."""

    def __init__(self, sandbox: Sandbox, *, timeout: float = 10) -> None:
        self._sandbox = sandbox
        self._timeout = timeout
        self.token = ""

    def login(self) -> dict[str, Any]:
        """Ask for a token, and use it from now on."""
        body = {"appKey": "sandbox-app-key", "appSecurity": "sandbox-secret"}
        status, answer = self.call("POST", "/api/openapi/v1/auth/getAccessToken", body)
        assert status == 200, answer
        self.token = answer["value"]["accessToken"]
        issued: dict[str, Any] = answer["value"]
        return issued

    def call(self, method: str, path: str, body: object = None, **query: object) -> tuple[int, Any]:
        """Return status and decoded answer."""
        if self.token:
            query = {"accessToken": self.token, **query}
        where = f"/hesi{quote(path, safe='/[],')}?{urlencode(query)}"
        return self.raw(method, where, body)

    def control(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call one of the pages that steer it."""
        return self.raw(method, f"/sandbox/hesi{path}", body)

    def raw(self, method: str, where: str, body: object) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._sandbox.port, timeout=self._timeout
        )
        try:
            connection.request(method, where, None if body is None else json.dumps(body))
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def details(self, flow_id: str) -> tuple[int, Any]:
        return self.call("GET", "/api/openapi/v1.1/flowDetails", flowId=flow_id)

    def list(self, **query: object) -> tuple[int, Any]:
        asked = {"type": "expense", "start": 0, "count": 100, **query}
        return self.call("GET", "/api/openapi/v1.1/docs/getApplyList", **asked)

    def voucher(self, *rows: dict[str, object]) -> tuple[int, Any]:
        return self.call("PUT", "/api/openapi/v2.1/flow/data/erpVoucher", {"voucher": list(rows)})

    def approval(self, **given: object) -> tuple[int, Any]:
        body = {"signKey": "sandbox-sign-key", "action": "accept", "comment": "ok", **given}
        return self.call("POST", "/api/outbound/v1/approval", body)

    def pay(self, *items: dict[str, object]) -> list[str]:
        status, answer = self.call("POST", "/api/openapi/v1/paymentResults", {"items": list(items)})
        assert status == 200
        return [item["code"] for item in answer["items"]]

    def stages(self, *flow_ids: str) -> dict[str, str]:
        status, answer = self.call("GET", f"/api/openapi/v2/approveStates/[{','.join(flow_ids)}]")
        assert status == 200
        return {item["flowId"]: item["stageName"] for item in answer["items"]}
