"""Explanations that say what is so: who decided a share, who owes whom."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.mapping.charts import CHART, chart, claim, line

from claimbridge.errors import MappingError
from claimbridge.mapping import Chart
from claimbridge.model import Item, SupportingDocument

INVOICES = """
[[invoice]]
kind = "vat_special"
deductible = 1
[[invoice]]
kind = "rail_ticket"
tax_rate = 0.09
"""


def with_share(share: str) -> Chart:
    """Return a chart whose row for travel has a share, with rules for documents."""
    return chart(CHART.replace("deductible = 1", share), more=INVOICES)


def rules_from_tables(subject: Chart, document: SupportingDocument) -> list[str]:
    """Return what is said of the taxes of one line."""
    mapped = subject.map(claim(line("travel", "106.00", documents=(document,))))
    return [one.rule for one in mapped.explain if " of tax " in one.rule and "net" not in one.rule]


SPECIAL = SupportingDocument(kind="vat_special", number="1", tax=Decimal("6.00"))


def test_the_rule_that_decided_the_share_is_named() -> None:
    """By the invoice rule where it decided, and at the place that it decided about."""
    assert rules_from_tables(with_share(""), SPECIAL) == [
        "100 % of tax 6.00 as the invoice states it is deductible by invoice rule 1 (vat_special)"
    ]
    low = chart(CHART, more=INVOICES.replace("deductible = 1", "deductible = 0.5"))
    assert rules_from_tables(low, SPECIAL)[1] == (
        "the rest of tax 6.00 as the invoice states it, 50 % being deductible by invoice rule 1 "
        "(vat_special), on the account of its expense"
    )


def test_a_rule_that_the_row_went_below_decided_nothing() -> None:
    """Entertainment stays what it is: its row is the one that says 50 %."""
    deducted, kept = rules_from_tables(with_share("deductible = 0.5"), SPECIAL)
    assert deducted == "50 % of tax 6.00 as the invoice states it is deductible"
    assert "invoice rule" not in kept


def test_a_rule_that_says_the_rate_alone_is_named_with_it() -> None:
    """A rule without a share decides none."""
    ticket = SupportingDocument(kind="rail_ticket", number="1")
    assert rules_from_tables(with_share("deductible = 1"), ticket) == [
        "100 % of tax 8.75 contained at 9 % by invoice rule 2 (rail_ticket) is deductible"
    ]


def test_a_refund_of_what_was_personal_is_owed_to_the_employee() -> None:
    """The sentences turn round with the sides."""
    subject = chart(CHART.replace("[accounts]", '[accounts]\ncard_clearing = "1221.09"'))
    mapped = subject.map(claim(line("taxi", "-100", payment="company_card", personal=True)))
    bought, _, taken, owed = (one.rule for one in mapped.explain[1:])
    assert bought.endswith("a refund, which the employee is owed")
    assert taken == "added to what the employee is owed"
    assert owed == "the sum of what the employee paid, and 100.00 personal on the company's card"


@pytest.mark.parametrize("itemised", [False, True])
def test_an_invoice_twice_on_one_line_is_deducted_once_or_not_at_all(*, itemised: bool) -> None:
    """Whoever attached it twice is told so; two tickets without numbers are two tickets."""
    items = (Item(type="travel", amount=Decimal(212), tax=Decimal(12)),) if itemised else ()
    twice = line("travel", "212.00", documents=(SPECIAL, SPECIAL), items=items)
    with pytest.raises(MappingError, match=r"CB-123.*line 1: document 1 stands on it twice"):
        with_share("").map(claim(twice))
    ticket = SupportingDocument(kind="rail_ticket", amount=Decimal(106))
    mapped = with_share("deductible = 1").map(
        claim(line("travel", "212.00", documents=(ticket, ticket)))
    )
    assert mapped.voucher.postings[1].amount == Decimal("17.50")
