"""``mock-sap`` from PyPI: function modules over SOAP, by people who do not know claimbridge."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from claimbridge.profiles.kit.markup import element
from claimbridge.profiles.sap.tables import SapTables
from claimbridge.soap.envelope import build, open_envelope
from claimbridge.xmlio import canonical

NAMESPACE: Final = "urn:sap-com:document:sap:soap:functions:mc-style"
PATH: Final = "/sap/bc/srt/rfc/sap/accounting/100/accounting/binding"
TABLES: Final = SapTables(
    documents="A_JournalEntry",
    items="A_JournalEntryItem",
    number="AccountingDocument",
    company="CompanyCode",
    year="FiscalYear",
    reference="ReferenceDocument",
    currency="TransactionCurrency",
    status="",
    reversed_by="",
    reversal="",
    side="DebitCreditCode",
    amount="AmountInTransactionCurrency",
    shifted=False,
)
"""It has no BKPF and no BSEG; these are what it has in their place."""


class MockSap:
    """The server as its own people see it: what it holds, and what it is told to do wrong."""

    def __init__(self, port: int) -> None:
        self.port: int = port
        self._base = f"http://127.0.0.1:{port}"

    @classmethod
    @contextmanager
    def serving(cls, program: str, folder: Path) -> Iterator[Self]:
        """Serve on a port of its own choice; what it says goes to a file in ``folder``."""
        log = folder / "mock-sap.log"
        arguments = ["--port", "0", "--no-csrf", "--slow-ms", "1200", "--quiet"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [program, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            yield cls(_port(server, log))
        finally:
            server.kill()
            server.wait()

    def documents(self) -> list[dict[str, Any]]:
        """The journal entries that were posted since it started, in order."""
        found = self._rows("A_JournalEntry")
        return [
            row for row in found if row["ReferenceDocument"].startswith(("EXP-", "T-", "PROBE-"))
        ]

    def items(self, number: str) -> list[dict[str, Any]]:
        """The items of one journal entry."""
        found = self._rows("A_JournalEntryItem")
        return [row for row in found if row["AccountingDocument"] == number]

    def calls(self) -> list[str]:
        """The function modules that were called since the last reset, in order."""
        rows = self._control("GET", "rfc-log?limit=1000")["results"]
        return [row["function_name"] for row in reversed(rows)]

    def called(self, operation: str, body: Mapping[str, Any]) -> bytes:
        """Call an operation by hand, with whatever ``body``; return the Body's child."""
        message = build(element(f"{{{NAMESPACE}}}{operation}", _unqualified(body)), version="1.1")
        asked = urllib.request.Request(self._base + PATH, message)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            content = open_envelope(answer.read()).body
        assert content is not None
        return canonical(content)

    def reset(self) -> None:
        """Begin anew: nothing posted, nothing called, nothing ordered."""
        self._control("POST", "reset", {})

    def answer(self, function: str, kind: str, message: str, *, count: int = 1) -> None:
        """Have a function module answer with one RETURN row of a type."""
        rule = {"function": function, "type": kind, "message": message, "count": count}
        self._control("POST", "bapi-behaviour", rule | {"id": "F5", "number": "201"})

    def fail(self, **rule: Any) -> None:
        """Have the next request over HTTP fail, by ``status`` or ``scenario``."""
        self._control("POST", "faults", {"count": 1, "method": "POST", "match": "srt"} | rule)

    def _control(self, method: str, what: str, body: object = None) -> Any:
        return self._http(method, f"/_mock/{what}", body)

    def _rows(self, name: str) -> list[dict[str, Any]]:
        path = f"/sap/opu/odata/sap/API_JOURNALENTRY_SRV/{name}?$top=1000&$format=json"
        found: list[dict[str, Any]] = self._http("GET", path)["d"]["results"]
        return found

    def _http(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self._base + path, data, method=method)
        with urllib.request.urlopen(asked, timeout=10) as reply:
            return json.loads(reply.read())


def _unqualified(body: Any) -> Any:
    """Return a body whose elements are in no namespace, as SAP's are."""
    if isinstance(body, list):
        return [_unqualified(one) for one in body]
    if isinstance(body, Mapping):
        return {f"{{}}{name}": _unqualified(value) for name, value in body.items()}
    return body


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"mock-sap does not serve: {log.read_text()}")
