"""Rows of cash flows: what an account of cash paid, for which entry, in two currencies."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.profiles.test_kingdee_eas import CONTRACT, DAY, posting, submission

from claimbridge.contract import Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.model import JournalEntry, Side, Submission
from claimbridge.profiles.kingdee.eas import KingdeeEas

PROFILE = KingdeeEas(credit=-1)
BANK: dict[str, Any] = {"account": "1002.01", "dimensions": {"cash_flow": "CI04"}}


def paid(*debits: str, currency: str = "CNY", **changes: Any) -> Submission:
    """A claim of these debits that the bank pays at once."""
    total = sum(map(Decimal, debits), Decimal(0))
    lines = [posting(Side.DEBIT, one, currency=currency, **changes) for one in debits]
    bank = posting(Side.CREDIT, str(total), currency=currency, **BANK)
    return submission(*lines, bank)


def cash_rows(profile: KingdeeEas, sent: Submission) -> list[dict[str, Any]]:
    rows = profile.submit([sent]).body["col"]["item"]
    return [row for row in rows if row["itemFlag"] == 1]


def test_a_cash_flow_is_a_row_between_the_two_entries() -> None:
    """With the voucher's head; the entries themselves carry no cash flow."""
    body = PROFILE.submit([paid("100.00", "6.00")]).body
    assert body["isCashflow"] == 1
    entries, flows = body["col"]["item"][:3], body["col"]["item"][3:]
    assert [row["itemFlag"] for row in entries] == [0, 0, 0]
    assert not any("asstActType1" in row for row in entries)
    seen = [
        (row["entrySeq"], row["oppAccountSeq"], row["primaryItem"], row["cashflowAmountOriginal"])
        for row in flows
    ]
    assert seen == [(3, 1, "CI04", "100.00"), (3, 2, "CI04", "6.00")]
    for row in flows:
        assert row["cashflowAmountLocal"] == row["cashflowAmountRpt"]
        assert (row["itemFlag"], row["primaryCoef"], row["supplyCoef"]) == (1, 1, 0)
        assert (row["voucherNumber"], row["companyNumber"]) == ("EXP-1", "CN01")
        assert not {"debitAmount", "creditAmount", "entryDC"} & row.keys()


def test_a_debt_has_no_cash_flow() -> None:
    """The ordinary claim: the flag stays down."""
    body = PROFILE.submit([submission()]).body
    assert body["isCashflow"] == 0
    assert len(body["col"]["item"]) == 2


def test_an_item_of_its_own_goes_before_the_account_s() -> None:
    """And is no assistant account."""
    own = posting(Side.DEBIT, "6.00", dimensions={"cash_flow": "CI05"})
    sent = submission(posting(Side.DEBIT, "100.00"), own, posting(Side.CREDIT, "106.00", **BANK))
    assert [row["primaryItem"] for row in cash_rows(PROFILE, sent)] == ["CI04", "CI05"]


def test_in_a_foreign_currency_the_parts_add_up_to_the_entry() -> None:
    """Each part has the amount of the entry that it paid for."""
    profile = KingdeeEas(credit=-1, currencies={"USD": "BB02"}, rates={"USD": Decimal("7.4")})
    sent = paid("0.01", "0.01", "0.01", currency="USD")
    *lines, bank = profile.submit([sent]).body["col"]["item"][:4]
    flows = cash_rows(profile, sent)
    assert [row["cashflowAmountOriginal"] for row in flows] == ["0.01"] * 3
    assert [row["cashflowAmountLocal"] for row in flows] == ["0.08", "0.07", "0.07"]
    assert [row["debitAmount"] for row in lines] == ["0.08", "0.07", "0.07"]
    assert bank["creditAmount"] == "0.22"


def test_a_red_voucher_takes_its_cash_flows_back() -> None:
    """The same rows with negative amounts."""
    sent = paid("100.00")
    red = msgspec.structs.replace(
        sent, voucher=sent.voucher.reversal(JournalEntry("记-3-0001"), posting_date=DAY)
    )
    (row,) = [one for one in PROFILE.reverse(red).body["col"]["item"] if one["itemFlag"] == 1]
    assert (row["entrySeq"], row["oppAccountSeq"]) == (2, 1)
    assert row["cashflowAmountLocal"] == row["cashflowAmountOriginal"] == "-100.00"


def test_rows_of_cash_flows_are_valid_by_our_contract_and_kingdee_s(
    shared: Callable[[str], Path],
) -> None:
    """In the real contract's order of fields."""
    facade = Contract.load(shared("contracts/kingdee-eas/WSGLWebServiceFacade.wsdl"))
    request = PROFILE.submit([paid("100.00", "6.00")])
    for contract in (CONTRACT, facade):
        body = contract.render(request.operation, request.body, sources=request.sources)
        assert contract.check(body, sources=request.sources) == ()


@pytest.mark.parametrize(("facade", "name"), [("rows", "isImpCashflow"), ("json", "params")])
def test_the_older_service_is_told_of_cash_flows_too(facade: Any, name: str) -> None:
    """As a number, or as a word in JSON."""
    body = KingdeeEas(credit=-1, facade=facade).submit([paid("100.00")]).body
    told = body[name] if facade == "rows" else json.loads(body[name])["isImpCashflow"]
    assert told == (1 if facade == "rows" else "true")
    if facade == "json":
        names, *lines = json.loads(body["rows"])
        assert dict(zip(names, lines[-1], strict=True))["primaryItem"] == "CI04"


def test_a_lookup_does_not_count_the_rows_of_cash_flows() -> None:
    """The debits' sum is that of the entries."""
    asking = KingdeeEas(credit=-1, listing=["reference", "number", "debit"])
    sent = paid("100.00", "6.00")
    talk = asking.converse(asking.submit([sent]))
    next(talk)
    talk.send(Fault("Server", "session is invalid"))
    question: Any = talk.send(None)
    assert question.expected == {"EXP-1": (Decimal("106.00"), {})}
