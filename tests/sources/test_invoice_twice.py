"""One invoice in two spellings, as people and spreadsheets write them into CSV: one is posted."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from tests.sources.conftest import Inbox, plain

from claimbridge.sandbox import Sandbox

HEADER = [
    "id", "company", "employee", "currency", "total", "line.type", "line.date", "line.amount",
    "document.kind", "document.number", "document.code", "document.seller",
]  # fmt: skip
DIGITAL = "26312000000000777123"
CODE = "044001900222"

DUPLICATES = {
    "the same": DIGITAL,
    "a formula": f'="{DIGITAL}"',
    "an apostrophe": f"'{DIGITAL}",
    "full-width": "２６３１２０００００００００７７７１２３",
    "a zero-width space": f"{DIGITAL}\u200b",
    "a bidi override": f"\u202d{DIGITAL}\u202c",
    "a byte order mark": f"\ufeff{DIGITAL}",
    "a soft hyphen": f"{DIGITAL}\u00ad",
    "a word joiner": f"2631\u2060{DIGITAL[4:]}",
    "a tag": f"{DIGITAL}\U000e0041",
    "No.": f"No.{DIGITAL}",
    "a label": f"发票号码：{DIGITAL}",
    "a decimal point": f"{DIGITAL}.0",
    "a tab": f"\t{DIGITAL}",
    "groups": "2631 2000 0000 0077 7123",
    "quotes": f"“{DIGITAL}”",
    "a carriage return of a workbook": f"{DIGITAL}_x000D_",
}


def rows(*claims: tuple[str, str, str, str]) -> bytes:
    """Return a CSV of claims: id, number, code and seller of each one's invoice."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for id_, number, code, seller in claims:
        line = ("taxi", "2026-03-09", "23.00", "vat_ordinary", number, code, seller)
        writer.writerow((id_, "CN01", "E1024", "CNY", "23.00", *line))
    return text.getvalue().encode()


def ends(inbox: Inbox) -> dict[str, tuple[str, str, str]]:
    """Run a pass; return each claim's state, code and reason, as ``intake list`` tells them."""
    inbox.intake()
    listed = inbox.command("intake", "list")
    return {one["claim"]: (one["state"], one["code"] or "", one["reason"] or "") for one in listed}


@pytest.mark.parametrize("spelling", DUPLICATES.values(), ids=DUPLICATES)
def test_a_digital_one(inbox: Inbox, sandbox: Sandbox, spelling: str) -> None:
    """The second claim is parked, whichever of the two spellings came first; one is posted."""
    inbox.put("a.csv", rows(("A", DIGITAL, "", ""), ("B", spelling, "", "")))
    found = ends(inbox)
    assert found["A"][0] == "accepted"
    assert found["B"][:2] == ("parked", "CB-530")
    assert f"invoice {DIGITAL} is used by claim A already, on its line 1" in found["B"][2]
    inbox.put("c.csv", rows(("C", spelling, "", "whoever")))
    assert ends(inbox)["C"][:2] == ("parked", "CB-530")
    assert [one.reference for one in sandbox.ledger()] == ["A"]


@pytest.mark.parametrize(
    ("number", "code"),
    [("456789", "44001900222"), ("456789.0", CODE), ("='00456789'", f'="{CODE}"')],
)
def test_a_paper_one(inbox: Inbox, sandbox: Sandbox, number: str, code: str) -> None:
    """Lost zeros and decimals make no other invoice of a paper one."""
    inbox.put("a.csv", rows(("A", "00456789", CODE, ""), ("B", number, code, "")))
    found = ends(inbox)
    assert (found["A"][0], found["B"][:2]) == ("accepted", ("parked", "CB-530"))
    assert [one.reference for one in sandbox.ledger()] == ["A"]


@pytest.mark.parametrize(
    ("number", "code", "words", "error"),
    [
        ("2.6312E+19", "", "line 1, document.number: 2.6312E+19 has lost digits", "CB-566"),
        ("00456789", "4.40019E+10", "line 1, document.code: 4.40019E+10 has lost", "CB-566"),
        ("26312000000000700000", "", "document.number: 26312000000000700000 may have", "CB-567"),
        ("2631200000000077712O", "", "document.number: 2631200000000077712O has the", "CB-567"),
    ],
)
def test_what_lost_digits(
    inbox: Inbox, sandbox: Sandbox, number: str, code: str, words: str, error: str
) -> None:
    """It is parked by its column, and called nobody's duplicate; mended, it goes on."""
    inbox.put(
        "a.csv", rows(("A", DIGITAL, "", ""), ("B", number, code, ""), ("C", number, code, ""))
    )
    found = ends(inbox)
    assert found["A"][0] == "accepted"
    for one in ("B", "C"):
        assert found[one][:2] == ("parked", error)
        assert words in found[one][2]
    inbox.put("b.csv", rows(("B", "2631 2000 0000 0070 0000", "", "")))
    assert ends(inbox)["B"][0] == "accepted"
    assert [one.reference for one in sandbox.ledger()] == ["A", "B"]


def test_two_different_ones_that_look_alike(inbox: Inbox, sandbox: Sandbox) -> None:
    """Garbled alike, of one seller: neither is called the other."""
    garbled = "2.63121E+19"
    inbox.put("a.csv", rows(("A", garbled, "", "甲公司"), ("B", garbled, "", "甲公司")))
    assert {end[:2] for end in ends(inbox).values()} == {("parked", "CB-566")}
    assert sandbox.ledger() == []


def test_a_parked_one_goes_on_once_its_invoice_is_free(inbox: Inbox, sandbox: Sandbox) -> None:
    """Retried while the other has it, it is parked again; after a reversal it is posted."""
    inbox.put("a.csv", rows(("A", DIGITAL, "", ""), ("B", DIGITAL, "", "")))
    assert ends(inbox)["B"][1] == "CB-530"
    inbox.command("intake", "retry", "B")
    assert ends(inbox)["B"][1] == "CB-530"
    inbox.command("reverse", "A")
    inbox.command("intake", "retry", "B")
    assert ends(inbox)["B"][0] == "accepted"
    assert [one.reference for one in sandbox.ledger() if one.purpose == "post"] == ["A", "B"]


def test_parts_in_csv(inbox: Inbox, sandbox: Sandbox) -> None:
    """The columns document.amount and document.total say which part each claim has."""
    head = [*HEADER, "document.amount", "document.total"]
    lines = [
        [one, "CN01", "E1024", "CNY", part, "taxi", "2026-03-09", part, "a", DIGITAL, "", "", part,
         "100.00"]
        for one, part in (("A", "60.00"), ("B", "60.00"), ("C", "40.00"))
    ]  # fmt: skip
    inbox.put("a.csv", "\n".join(",".join(line) for line in (head, *lines)).encode())
    found = ends(inbox)
    assert [found[one][:2] for one in "ABC"] == [
        ("accepted", ""),
        ("parked", "CB-568"),
        ("accepted", ""),
    ]
    assert "40.00 of its total 100.00 is left by claim A" in found["B"][2]
    assert sorted(one.reference for one in sandbox.ledger()) == ["A", "C"]


def shown(inbox: Inbox, number: str) -> list[dict[str, Any]]:
    """Return what ``journal invoices`` shows."""
    found = inbox.command("journal", "invoices", number)
    assert inbox.code == 0
    return found


@pytest.mark.parametrize("spelling", [*DUPLICATES.values(), " 2631-2000-0000-0077-7123 "])
def test_who_uses_one(inbox: Inbox, spelling: str) -> None:
    """Any spelling of its number finds it: claim, line, book, state and amount."""
    document = {"kind": "vat_ordinary", "number": DIGITAL}
    inbox.put("a.json", plain("A", line={"documents": [document]}))
    inbox.intake()
    inbox.command("reverse", "A")
    part = {**document, "amount": "60.00", "total": "100.00"}
    inbox.put("b.json", plain("B", line={"documents": [part]}))
    inbox.intake()
    about = {"invoice": DIGITAL, "number": DIGITAL, "revision": 1, "line": 1, "ledger": "CN01"}
    assert shown(inbox, spelling) == [
        {**about, "claim": "A", "state": "reversed", "uses": False, "amount": None, "total": None,
         "currency": None},
        {**about, "claim": "B", "state": "posted", "uses": True, "amount": "60.00",
         "total": "100.00", "currency": "CNY"},
    ]  # fmt: skip
    assert shown(inbox, "26312000000000999999") == []


def test_paper_ones_and_tickets_are_found(inbox: Inbox) -> None:
    """By the number without its zeros, by code and number, and by the id of a ticket."""
    papers = [{"kind": "a", "number": "00456789", "code": CODE}, {"kind": "ticket", "id": "T-1"}]
    inbox.put("a.json", plain("A", line={"documents": papers}))
    inbox.intake()
    for name in ("00456789", "456789", f"{CODE}:00456789", "44001900222:456789"):
        assert [one["claim"] for one in shown(inbox, name)] == ["A"]
    assert [one["invoice"] for one in shown(inbox, "T-1")] == ["id|T-1"]
    inbox.put("b.json", plain("B", line={"documents": [papers[1]]}))
    assert ends(inbox)["B"][:2] == ("parked", "CB-530")
