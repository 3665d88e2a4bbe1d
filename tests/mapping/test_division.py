"""A claim in several documents: what they have in common, and that their sums are the claim's."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from tests.mapping.charts import CHART, chart, claim, legs, line

from claimbridge.errors import ClaimError
from claimbridge.mapping import Chart, Mapped
from claimbridge.mapping.division import map_in_parts
from claimbridge.model import Allocation, Claim, Payee, SupportingDocument

RAIL = "[[invoice]]\nkind = 'rail_ticket'\ntax_rate = 0.06\n"
MONTHS = [dt.date(2026, month, 28) for month in (1, 2, 3, 4)]


def test_parts_have_the_dates_of_the_whole() -> None:
    """A claim is posted in one period, however many documents it becomes."""
    lines = [line("taxi", "10", date=day) for day in MONTHS]
    parts = map_in_parts(chart(more="[periods]\n"), claim(*lines), most=3)
    assert [(part.voucher.claim_id, part.voucher.document_number) for part in parts] == [
        ("EXP-1", 1),
        ("EXP-1", 2),
    ]
    assert {part.voucher.posting_date for part in parts} == {MONTHS[-1]}
    assert {part.voucher.document_date for part in parts} == {MONTHS[-1]}
    assert {part.period for part in parts} == {"2026-04"}


def test_parts_find_the_rows_that_the_whole_finds() -> None:
    """A row that begins in April answers for the lines of January too: by the posting date."""
    late = "[[expense]]\ntype = 'bus'\naccount = '6602.99'\nvalid_from = 2026-04-01\n"
    lines = [line("bus", "10", date=day) for day in MONTHS]
    parts = map_in_parts(chart(more=late), claim(*lines), most=3)
    assert {part.voucher.postings[0].account for part in parts} == {"6602.99"}


def test_an_invoice_may_stand_on_lines_of_several_parts() -> None:
    """Each line has the tax that is its own, whatever the invoice says of the whole."""
    bill = SupportingDocument(
        kind="vat_special", number="1", amount=Decimal(318), tax=Decimal("18.00")
    )
    lines = [line("travel", "106.00", tax="6.00", documents=(bill,)) for _ in range(3)]
    for part in map_in_parts(chart(CHART), claim(*lines), most=3):
        assert legs(part) == [
            ("expense", "6602.02", "debit", "100.00"),
            ("input_tax", "2221.01", "debit", "6.00"),
            ("employee_payable", "2241.01", "credit", "106.00"),
        ]


def test_a_ticket_on_lines_of_several_parts_has_the_tax_of_each_lines_amount() -> None:
    """The fare of the whole ticket is nobody's own."""
    ticket = SupportingDocument(kind="rail_ticket", number="1", amount=Decimal(212))
    lines = [line("travel", "106.00", documents=(ticket,)) for _ in range(2)]
    parts = map_in_parts(chart(more=RAIL), claim(*lines), most=3)
    assert [legs(part)[1][3] for part in parts] == ["6.00", "6.00"]


def test_a_line_that_is_too_long_by_itself_is_told_so() -> None:
    """The message says how many postings there are, and how many a document takes."""
    with pytest.raises(ClaimError, match=r"CB-164 .*4 postings, a document takes 2, and one line"):
        map_in_parts(chart(), claim(line("travel", "106", tax="6"), line("taxi", "1")), most=2)


def test_a_line_with_too_many_payees_is_told_so() -> None:
    """The payees count with the line that they are owed for."""
    payees = tuple(Payee(partner=f"V{number}", amount=Decimal(10)) for number in range(3))
    with pytest.raises(ClaimError, match=r"CB-164 .* takes 3, and one line has more with those"):
        map_in_parts(chart(), claim(line("taxi", "30"), payees=payees), most=3)


class Counted:
    """A chart that counts how many parts it was asked to map."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self.parts = 0

    def map(self, claim: Claim) -> Mapped:
        return self._chart.map(claim)

    def map_part(self, part: Claim, *, of: Claim) -> Mapped:
        self.parts += 1
        return self._chart.map_part(part, of=of)


def test_a_division_is_found_in_few_tries() -> None:
    """However the postings are spread over the lines, and at once where there is none."""
    shares = tuple(Allocation(share=Decimal("0.05"), cost_centre=f"C{n}") for n in range(20))
    short = [line("taxi", "10") for _ in range(400)]
    long = line("taxi", "100", allocations=shares)
    counted = Counted(chart())
    parts = map_in_parts(counted, claim(*short, *[long] * 20), most=30)
    assert max(len(part.voucher.postings) for part in parts) <= 30
    assert sum(len(part.voucher.postings) - 1 for part in parts) == 400 + 20 * 20
    assert counted.parts < 3000
    counted = Counted(chart())
    with pytest.raises(ClaimError, match=r"CB-164 .* one line has more"):
        map_in_parts(counted, claim(*short, long), most=19)
    assert counted.parts == 0
