"""What Workday's page says: what four claims become, by preview, and every option."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tests.profiles.four_claims import CHART, CLAIMS, previewed

from claimbridge.config import load_config
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimError
from claimbridge.ledger import Ledger
from claimbridge.profiles.workday.profile import Workday
from claimbridge.xmlio import parse

PAGE: Final = (Path(__file__).parents[2] / "docs/workday.md").read_text(encoding="utf-8")
PAID: Final = "Employee_ID E1024"
SPENT: Final = "Cost_Center_Reference_ID 1200"
LINES: Final = {
    "plain": [("6602.03", "debit", "23.00", SPENT), ("2241.01", "credit", "23.00", PAID)],
    "taxed": [
        ("6602.02", "debit", "1000.00", SPENT),
        ("2221.01.01", "debit", "60.00", "none"),
        ("2241.01", "credit", "1060.00", PAID),
    ],
    "foreign": [("6602.03", "debit", "100.00", SPENT), ("2241.01", "credit", "100.00", PAID)],
}


def shown(line: Reply) -> tuple[str, ...]:
    side = "debit" if line.text("Debit_Amount") else "credit"
    tags = [f"{one.text('@type')} {one.text()}" for one in line.all("Worktags_Reference", "ID")]
    amount = line.text(f"{side.capitalize()}_Amount")
    return line.text("Ledger_Account_Reference", "ID"), side, amount, ", ".join(tags) or "none"


@pytest.mark.parametrize("name", LINES)
def test_a_claim_becomes_what_the_page_says(name: str) -> None:
    """Line by line, and so it stands on the page."""
    preview = previewed("workday", name)
    assert preview.valid
    body = Reply(parse(preview.body))
    journal = body.find("Accounting_Journal_Data")
    assert journal is not None
    lines = [shown(one) for one in journal.all("Journal_Entry_Line_Replacement_Data")]
    assert lines == LINES[name]
    told = next(line for line in PAGE.splitlines() if line.startswith(f"| {name}:"))
    for line in lines:
        assert ", ".join(line) in told
    currency = journal.text("Currency_Reference", "ID")
    assert currency == ("USD" if name == "foreign" else "CNY")


def test_another_company_s_books_are_not_posted_in() -> None:
    """A journal of ours has one company."""
    with pytest.raises(ClaimError, match="CN02") as refused:
        previewed("workday", "intercompany")
    assert refused.value.code == "CB-189"
    assert "refused (CB-189)" in PAGE


@pytest.mark.parametrize("real", [False, True])
def test_the_fields_of_ones_own_on_the_page_are_sent(
    real: bool, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    """A worktag that an account requires, and, by a tenant's contract, a balancing worktag."""
    entries = re.search(r"```toml\n(\[\[ledger\.US01\.extra\]\].*?)```", PAGE, re.DOTALL)
    assert entries is not None
    (tmp_path / "chart.toml").write_bytes(CHART)
    place = shared("contracts/workday-financial-management-v30/Financial_Management.wsdl")
    contract = f'contract = "{place}"\n' if real else ""
    first, _, second = entries[1].partition("\n\n")
    assert "Balancing_Worktag_Reference" in second  # which our own contract does not have
    told = entries[1] if real else first
    (tmp_path / "claimbridge.toml").write_text(
        '[ledger.US01]\nprofile = "workday"\nendpoint = "http://127.0.0.1:1/x"\n'
        f'chart = "chart.toml"\n{contract}{told}',
        encoding="utf-8",
    )
    config = load_config(tmp_path / "claimbridge.toml", environ={})
    preview = Ledger(config).preview(CLAIMS["taxed"])
    assert preview.valid, preview.findings
    journal = Reply(parse(preview.body)).find("Accounting_Journal_Data")
    assert journal is not None
    lines = [shown(one) for one in journal.all("Journal_Entry_Line_Replacement_Data")]
    assert [line[3] for line in lines] == [
        f"{SPENT}, Custom_Organization_Reference_ID LOB-1",
        "none",
        PAID,
    ]
    tag = journal.text("Balancing_Worktag_Reference", "ID")
    assert tag == ("F-1" if real else "")


def test_every_option_is_on_the_page() -> None:
    """In code, so that it can be searched for."""
    assert [one for one in inspect.signature(Workday).parameters if f"`{one}`" not in PAGE] == []


def test_the_words_of_the_first_day_are_the_contracts(shared: Callable[[str], Path]) -> None:
    """What the page quotes of the contract stands there."""
    contract = shared("contracts/workday-financial-management-v30/Financial_Management.wsdl")
    text = contract.read_text(encoding="utf-8")
    for words in (
        "Journal Source must be an Accounting Journal Source.",
        "If the currency is specified, it must match the default currency for the company.",
        "The following worktag type(s) are required: ",
        "Only one worktag for each type is allowed for each document line.",
        "At least one of the ledger accounts entered is a control account.",
        "The ledger period status for the journal is not valid.",
        "The journal must be balanced by balancing worktag.",
        "The External Reference ID should not be specified",
    ):
        assert words in text
        assert words in PAGE
