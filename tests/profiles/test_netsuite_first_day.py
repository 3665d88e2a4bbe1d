"""What four claims become in NetSuite, as its page says; and the sandbox's role that may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace
from tests.profiles.four_claims import CHART, CLAIMS, previewed

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.contract import Contract
from claimbridge.errors import ClaimError, NotDelivered
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import State
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.sandbox import Sandbox
from claimbridge.sandbox.erps.netsuite import NetSuiteResponder
from claimbridge.xmlio import parse

OPTIONS: dict[str, Any] = {"on_every_line": ["department"]}
REPORTS: dict[str, Any] = {**OPTIONS, "record": "expense-report"}


def local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def told(element: etree._Element) -> str:
    return element.text or element.get("externalId") or ""


def fields(element: etree._Element) -> dict[str, str]:
    return {local(one): told(one) for one in element if not len(one)}


def lines(
    profile_options: dict[str, Any], name: str
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The head and the lines of what a claim becomes."""
    preview = previewed("netsuite", name, profile_options)
    assert preview.valid, preview.findings
    (record,) = parse(preview.body)
    rows = [line for part in record if local(part).endswith("List") for line in part]
    return fields(record), [fields(line) for line in rows]


def shown(name: str) -> list[tuple[str, ...]]:
    """Account, debit, credit and department of each line of the journal entry."""
    wanted = ("account", "debit", "credit", "department")
    return [tuple(row.get(key, "") for key in wanted) for row in lines(OPTIONS, name)[1]]


def test_each_claim_becomes_the_journal_entry_of_the_page() -> None:
    """Every line has the department, taxes and what is owed too."""
    assert shown("plain") == [
        ("6602.03", "23.00", "", "1200"),
        ("2241.01", "", "23.00", "1200"),
    ]
    assert shown("taxed") == [
        ("6602.02", "1000.00", "", "1200"),
        ("2221.01.01", "60.00", "", "1200"),
        ("2241.01", "", "1060.00", "1200"),
    ]
    head, _ = lines(OPTIONS, "foreign")
    assert head["currency"] == "USD"
    assert "exchangeRate" not in head
    assert lines(OPTIONS, "plain")[1][1]["entity"] == "E1024"


def test_each_claim_becomes_the_report_of_the_page() -> None:
    """By category, with the tax on its line; the account of what is owed in the head."""
    head, (row,) = lines(REPORTS, "plain")
    assert (head["account"], row["category"], row["amount"]) == ("2241.01", "6602.03", "23.00")
    _, (row,) = lines(REPORTS, "taxed")
    found = [row[name] for name in ("amount", "taxCode", "tax1Amt", "grossAmt")]
    assert found == ["1000.00", "J6", "60.00", "1060.00"]
    head, (row,) = lines(REPORTS, "foreign")
    assert (head["expenseReportCurrency"], row["exchangeRate"]) == ("USD", "1")


@pytest.mark.parametrize("options", [OPTIONS, REPORTS])
def test_another_companys_books_are_refused(options: dict[str, Any]) -> None:
    """An entry stands in the books of one subsidiary."""
    with pytest.raises(ClaimError, match="CB-189"):
        previewed("netsuite", "intercompany", options)


IDS: dict[str, Any] = {
    "posting_period": {"2026-03": "103"},
    "account": {"6602.03": "211", "6602.02": "210", "2241.01": "204"},
}


@pytest.mark.parametrize("name", ["plain", "taxed", "foreign"])
@pytest.mark.parametrize("options", [OPTIONS, REPORTS])
def test_each_is_valid_by_netsuites_own_contract(
    options: dict[str, Any], name: str, shared: Callable[[str], Path]
) -> None:
    """With ids, period, head and every line: the names and their order are NetSuite's."""
    options = {**options, "posting_period": True, "in_head": ["department"], "internal_ids": IDS}
    preview = previewed("netsuite", name, options)
    assert preview.findings == ()
    assert b"postingPeriod" in preview.body
    profile = NetSuite()
    real = Contract.load(
        shared("contracts/netsuite-2023.2/netsuite.wsdl"),
        operations=profile.operations,
        types=(*profile.types, "ExpenseReport"),
    )
    assert real.check(preview.body) == ()


def test_a_role_that_may_not_approve_is_told_and_helped(tmp_path: Path) -> None:
    """Not delivered, useless to repeat, and nothing posted.

    With "site", or with the field left out, it waits for approval, and is not posted.
    """
    with Sandbox(profiles=[NetSuiteResponder(forbidden={"approved"})]) as erp:
        ways: list[tuple[str, Any, tuple[str, ...], State | None]] = [
            ("EXP-1", True, (), None),
            ("EXP-1", "site", (), State.ACKNOWLEDGED),
            ("EXP-5", True, ("record/approved",), State.ACKNOWLEDGED),
        ]
        for id_, approved, omit, state in ways:
            mine = replace(CLAIMS["plain"], id=id_)
            config = LedgerConfig(
                name="US01",
                profile="netsuite",
                endpoint=erp.url("netsuite"),
                journal=f"sqlite:///{tmp_path / 'claims.db'}",
                options={"approved": approved},
                omit=omit,
            )
            ledger = Ledger(config, chart=Chart.from_toml(CHART))
            with Client(config, ledger=ledger) as client:
                if state is None:
                    with pytest.raises(NotDelivered, match="INSUFFICIENT_PERMISSION") as refused:
                        client.submit(mine)
                    assert not refused.value.retryable
                    assert erp.requests()["upsert"] == 1
                    assert erp.ledger() == []
                else:
                    assert client.submit(mine).state is state
                    assert client.status(id_).state is state
        assert [one.state for one in erp.ledger()] == ["entered", "entered"]


@pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
def test_the_lists_of_a_lifelike_account_are_read(tmp_path: Path) -> None:
    """Names without a namespace, warnings beside success: the lists are the same."""
    found = []
    for lifelike in (False, True):
        with Sandbox(profiles=["netsuite"], lifelike=lifelike, seed=7) as erp:
            config = LedgerConfig(
                name="US01",
                profile="netsuite",
                endpoint=erp.url("netsuite"),
                journal="memory:",
                folder=str(tmp_path),
            )
            with Client(config) as client:
                kinds = ("account", "currency", "employee", "posting-period")
                found.append(json.dumps([len(client.list_records(one).records) for one in kinds]))
                assert client.list_records("account").records[0].names["number"] == "1221.01"
    assert found[0] == found[1] == "[139, 6, 67, 12]"
