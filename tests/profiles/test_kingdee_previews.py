"""What the page says that four claims become in Kingdee EAS, by preview."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Final

import pytest
from tests.profiles.four_claims import CHART, CLAIMS, previewed
from tests.site import SITE

from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimError
from claimbridge.ledger import Ledger, Preview
from claimbridge.mapping import Chart
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.xmlio import local_name, parse

PAGE: Final = (Path(__file__).parents[2] / "docs/kingdee-eas.md").read_text(encoding="utf-8")
OPTIONS: Final[dict[str, Any]] = {
    **SITE["kingdee-eas"],
    "currencies": {"CNY": "BB01", "USD": "BB02"},
    "rates": {"USD": "7.1"},
}
ROWS: Final = {
    "plain": [
        ("6602.03", "1", "23.00", "23.00", "成本中心 1200"),
        ("2241.01", "-1", "23.00", "23.00", "职员 E1024"),
    ],
    "taxed": [
        ("6602.02", "1", "1000.00", "1000.00", "成本中心 1200"),
        ("2221.01.01", "1", "60.00", "60.00", "none"),
        ("2241.01", "-1", "1060.00", "1060.00", "职员 E1024"),
    ],
    "foreign": [
        ("6602.03", "1", "100.00", "710.00", "成本中心 1200"),
        ("2241.01", "-1", "100.00", "710.00", "职员 E1024"),
    ],
}


def rows_of(preview: Preview) -> list[dict[str, str]]:
    assert preview.valid
    col = parse(preview.body)[0]
    return [{local_name(cell): cell.text or "" for cell in row} for row in col]


def shown(row: dict[str, str]) -> tuple[str, ...]:
    local = row.get("debitAmount") or row["creditAmount"]
    assistant = f"{row.get('asstActType1', '')} {row.get('asstActNumber1', '')}".strip() or "none"
    return row["accountNumber"], row["entryDC"], row["originalAmount"], local, assistant


@pytest.mark.parametrize("name", ROWS)
def test_a_claim_becomes_what_the_page_says(name: str) -> None:
    """Row by row, and so it stands on the page."""
    rows = rows_of(previewed("kingdee-eas", name, OPTIONS))
    assert [shown(row) for row in rows] == ROWS[name]
    told = next(line for line in PAGE.splitlines() if line.startswith(f"| {name}:"))
    for row in ROWS[name]:
        assert ", ".join(row) in told
    assert {row["localRate"] for row in rows} == {"7.1" if name == "foreign" else "1"}


def test_another_company_s_books_are_not_posted_in() -> None:
    """A voucher of EAS has one company."""
    with pytest.raises(ClaimError, match="CN02") as refused:
        previewed("kingdee-eas", "intercompany", OPTIONS)
    assert refused.value.code == "CB-189"
    assert "refused (CB-189)" in PAGE


def test_a_claim_that_is_paid_from_the_bank_has_a_cash_flow() -> None:
    """As the page says: one row more."""
    chart = CHART.replace(b'employee_payable = "2241.01"', b'employee_payable = "1002.01"')
    chart += b'[[cash_flow]]\naccount = "1002.01"\nitem = "CI04"\n'
    config = LedgerConfig(
        name="FIRST", profile="kingdee-eas", endpoint="http://127.0.0.1:1/x", options=OPTIONS
    )
    preview = Ledger(config, chart=Chart.from_toml(chart)).preview(CLAIMS["plain"])
    *entries, flow = rows_of(preview)
    assert [shown(row)[:2] for row in entries] == [("6602.03", "1"), ("1002.01", "-1")]
    assert (flow["entrySeq"], flow["oppAccountSeq"], flow["primaryItem"]) == ("2", "1", "CI04")
    assert flow["cashflowAmountLocal"] == "23.00"


def test_every_option_is_on_the_page() -> None:
    """In code, so that it can be searched for."""
    names = [one for one in inspect.signature(KingdeeEas).parameters if one != "submit"]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert "`submit = false`" in PAGE
