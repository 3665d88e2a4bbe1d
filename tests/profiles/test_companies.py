"""Postings in other companies' books: carried by the reference contract, refused by the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mapping.charts import CHART, claim, line
from tests.testing.record import OPTIONS

from claimbridge import Client, xmlio
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimError
from claimbridge.ledger import Ledger
from claimbridge.profiles import PROFILES
from claimbridge.profiles.reference.profile import voucher_from
from claimbridge.sandbox import Sandbox
from claimbridge.sandbox.erps.reference import entry_from
from claimbridge.sandbox.kit.rules import ErpRules

NOWHERE = "http://127.0.0.1/"
BETWEEN = """
[company.CN01.intercompany.CN02]
receivable = "1221.02"
[company.CN02.intercompany.CN01]
payable = "2241.81"
"""
OTHERS = sorted(PROFILES.keys() - {"reference"})
FOR_ANOTHER = claim(line("taxi", "20.00", company="CN02"))


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """A chart that knows the accounts between two companies."""
    path = tmp_path / "chart.toml"
    path.write_text(CHART + BETWEEN)
    return str(path)


@pytest.mark.parametrize("name", OTHERS)
def test_a_profile_of_one_companys_documents_refuses(name: str, chart: str) -> None:
    """Before anything is built: a company must not be lost on the way."""
    options = OPTIONS.get(name, {})
    ledger = Ledger(
        LedgerConfig(name="CN01", profile=name, endpoint=NOWHERE, chart=chart, options=options)
    )
    with pytest.raises(ClaimError) as refused:
        ledger.preview(FOR_ANOTHER)
    assert (refused.value.code, refused.value.claim_id) == ("CB-189", "EXP-1")
    assert "in the books of CN02" in refused.value.message
    assert ledger.preview(claim(line("taxi", "20.00"))).voucher.company == "CN01"


def test_the_reference_contract_carries_the_company_of_a_posting(chart: str) -> None:
    """It is in the voucher's bytes, and comes back from them."""
    ledger = Ledger(LedgerConfig(name="CN01", profile="reference", endpoint=NOWHERE, chart=chart))
    made = ledger.preview(FOR_ANOTHER)
    assert made.valid
    assert b"<Company>CN02</Company>" in made.body or b":Company>CN02<" in made.body
    assert voucher_from(xmlio.parse(made.body)[0]) == made.voucher


def test_the_sandbox_books_each_companys_postings(chart: str, tmp_path: Path) -> None:
    """Submitted, and found in the ledger with its companies."""
    with Sandbox() as erp:
        config = LedgerConfig(
            name="CN01",
            profile="reference",
            endpoint=erp.url("reference"),
            chart=chart,
            journal=f"sqlite:///{tmp_path / 'claims.db'}",
        )
        with Client(config) as client:
            assert client.submit(FOR_ANOTHER).journal_entry
        (document,) = erp.ledger()
    companies = [posting.get("company", "") for posting in document.postings]
    assert companies == ["CN02", "", "CN02", ""]


def test_a_voucher_must_balance_in_each_companys_books(chart: str) -> None:
    """The sandbox judges each company by itself, as a ledger would."""
    ledger = Ledger(LedgerConfig(name="CN01", profile="reference", endpoint=NOWHERE, chart=chart))
    body = ledger.preview(FOR_ANOTHER).body.replace(b">CN02<", b">CN03<", 1)
    objections = ErpRules().objections(entry_from(xmlio.parse(body)[0]))
    assert [one.text for one in objections] == [
        "debits and credits differ by 20.00 CNY in the books of CN02",
        "debits and credits differ by 20.00 CNY in the books of CN03",
    ]
