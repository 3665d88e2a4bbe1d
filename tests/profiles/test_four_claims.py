"""The tables "What four claims become" of the pages of in-string and of the reference contract."""

from __future__ import annotations

from typing import Any

import pytest
from tests.profiles.four_claims import CLAIMS, previewed

from claimbridge.contract import Reply
from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import ClaimError
from claimbridge.xmlio import parse

POSTINGS = {
    "plain": [("23.00", "CNY"), ("23.00", "CNY")],
    "taxed": [("1000.00", "CNY"), ("60.00", "CNY"), ("1060.00", "CNY")],
    "foreign": [("100.00", "USD"), ("100.00", "USD")],
    "intercompany": [("23.00", "CNY")] * 4,
}


def sent(profile: str, name: str, options: dict[str, Any] | None = None) -> bytes:
    shown = previewed(profile, name, options)
    assert shown.findings == ()
    return shown.body


@pytest.mark.parametrize("name", CLAIMS)
def test_the_reference_contract_takes_all_four(name: str) -> None:
    """Two of the four intercompany postings stand in the other company's books."""
    postings = Reply(parse(sent("reference", name))).all("Voucher", "Posting")
    assert [(one.text("Amount"), one.text("Currency")) for one in postings] == POSTINGS[name]
    others = [one.text("Company") for one in postings if one.text("Company")]
    assert others == (["CN02", "CN02"] if name == "intercompany" else [])
    taxed = [one for one in postings if one.text("TaxCode")]
    assert [(one.text("TaxCode"), one.text("TaxBase")) for one in taxed] == (
        [("J6", "1000.00")] if name == "taxed" else []
    )


@pytest.mark.parametrize("name", ["plain", "taxed", "foreign"])
def test_a_document_in_a_string_has_the_same_postings(name: str) -> None:
    """Amounts and currency by the templates."""
    text = Reply(parse(sent("in-string", name))).text("document")
    postings = read_inner(text).all("posting")
    assert [(one.text("amount"), one.text("currency")) for one in postings] == POSTINGS[name]


def test_a_document_in_a_string_has_one_company() -> None:
    """Postings in another company's books are refused."""
    with pytest.raises(ClaimError, match="recharge") as caught:
        previewed("in-string", "intercompany")
    assert caught.value.code == "CB-189"
