"""SAP's function modules in the sandbox: what is posted waits in its session for the commit."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from lxml import etree
from tests.sandbox.caller import MEDIA, contract, submission

from claimbridge.profiles.request import Request
from claimbridge.profiles.sap.bapi import SapBapi
from claimbridge.sandbox import Sandbox
from claimbridge.soap.envelope import Envelope, build, open_envelope

PROFILE = SapBapi()
COMMIT = Request(operation="TransactionCommit", body={"Wait": "X"})
ROLLBACK = Request(operation="TransactionRollback", body={})


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with Sandbox(profiles=["sap-bapi"]) as erp:
        yield erp


def call(erp: Sandbox, request: Request, cookie: str = "") -> tuple[Envelope, str]:
    """Make one call; return what the reply holds, and the cookie that it set or was sent."""
    ours = contract("sap-bapi")
    headers = {"Content-Type": MEDIA["1.1"]} | ({"Cookie": cookie} if cookie else {})
    body = build(ours.render(request.operation, request.body), version="1.1")
    connection = http.client.HTTPConnection("127.0.0.1", erp.port, timeout=10)
    try:
        connection.request("POST", "/sap-bapi", body, headers)
        reply = connection.getresponse()
        given = (reply.getheader("set-cookie") or cookie).partition(";")[0]
        return open_envelope(reply.read()), given
    finally:
        connection.close()


def posting(reference: str = "EXP-1", **changes: Any) -> Request:
    return PROFILE.submit([submission(reference, **changes)])


def found(envelope: Envelope, path: str) -> list[str]:
    assert isinstance(envelope.body, etree._Element)
    return [text.strip() for text in map(str, envelope.body.xpath(f"{path}/text()"))]


def test_a_posting_counts_with_its_commit(erp: Sandbox) -> None:
    """The number is given at once, the document is there with the commit in its session."""
    said, cookie = call(erp, posting())
    assert found(said, "ObjKey") == ["0100000000CN012026"]
    assert cookie.startswith("sap-contextid=")
    assert erp.ledger() == []
    call(erp, COMMIT, cookie)
    assert [one.journal_entry for one in erp.ledger()] == ["0100000000 / CN01 / 2026"]
    call(erp, COMMIT, cookie)
    assert len(erp.ledger()) == 1


def test_the_commit_of_another_session_commits_nothing(erp: Sandbox) -> None:
    """It succeeds all the same: that is the trap of a stateless service."""
    call(erp, posting())
    _, other = call(erp, posting("EXP-2"))
    for cookie in ("", "sap-contextid=strange"):
        said, _ = call(erp, COMMIT, cookie)
        assert said.fault is None
    assert erp.ledger() == []
    call(erp, COMMIT, other)
    assert [one.reference for one in erp.ledger()] == ["EXP-2"]


def test_a_rollback_forgets_and_its_number_is_lost(erp: Sandbox) -> None:
    """Nothing is left to commit; the next document has the next number."""
    _, cookie = call(erp, posting())
    call(erp, ROLLBACK, cookie)
    call(erp, COMMIT, cookie)
    assert erp.ledger() == []
    said, _ = call(erp, posting())
    assert found(said, "ObjKey") == ["0100000001CN012026"]


def test_two_postings_of_a_session_are_one_unit_of_work(erp: Sandbox) -> None:
    """Both, or none; a reference may come twice."""
    _, cookie = call(erp, posting())
    call(erp, posting(), cookie)
    call(erp, COMMIT, cookie)
    assert [one.reference for one in erp.ledger()] == ["EXP-1", "EXP-1"]


def test_a_refusal_names_what_is_wrong(erp: Sandbox) -> None:
    """A normal reply, with "$" for the key, messages of type E, and no session."""
    said, cookie = call(erp, posting(account="999901"))
    assert found(said, "ObjKey") == ["$"]
    assert found(said, "Return/item/Type") == ["E", "E"]
    assert found(said, "Return/item/Number") == ["609", "004"]
    assert found(said, "Return/item/Parameter") == ["ACCOUNTGL[1]/Account"]
    assert cookie == ""


def test_an_item_without_its_amount_is_refused(erp: Sandbox) -> None:
    """CURRENCYAMOUNT belongs to the item of its number."""
    request = posting()
    body: dict[str, Any] = {**request.body}
    body["Currencyamount"] = {"item": body["Currencyamount"]["item"][:1]}
    said, _ = call(erp, Request(operation=request.operation, body=body))
    assert "An item has no amount" in found(said, "Return/item/Message")


def table(name: str, where: str, *columns: str) -> Request:
    body: Mapping[str, Any] = {
        "Delimiter": "|",
        "Fields": {"item": [{"Fieldname": column} for column in columns]},
        "Options": {"item": [{"Text": where}]},
        "QueryTable": name,
        "Rowcount": 0,
    }
    return Request(operation="RfcReadTable", body=body)


def test_tables_are_read_as_text(erp: Sandbox) -> None:
    """Cells are padded, between the delimiters that were asked for."""
    _, cookie = call(erp, posting())
    call(erp, COMMIT, cookie)
    said, _ = call(erp, table("BKPF", "XBLNR EQ 'EXP-1'", "BELNR", "GJAHR", "STBLG"))
    assert found(said, "Data/item/Wa") == ["0100000000|2026|"]
    where = "( BELNR EQ '0100000000' AND BUKRS EQ 'CN01' AND GJAHR EQ '2026' )"
    said, _ = call(erp, table("BSEG", where, "SHKZG", "WRBTR"))
    assert [row.replace(" ", "") for row in found(said, "Data/item/Wa")] == ["S|100.00", "H|100.00"]
    said, _ = call(erp, table("BKPF", "XBLNR EQ 'EXP-2'", "BELNR"))
    assert found(said, "Data/item/Wa") == []


def test_an_unknown_table_is_a_fault(erp: Sandbox) -> None:
    """An ABAP exception has no RETURN."""
    said, _ = call(erp, table("USR02", "BNAME EQ 'X'", "BCODE"))
    assert said.fault is not None
    assert "USR02" in said.fault.reason
