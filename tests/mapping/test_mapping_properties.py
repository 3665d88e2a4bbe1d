"""Any claim by any chart: balanced, equal to its total, explained, and the same every time."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from random import Random

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.drills.mapped.charts import random_chart
from tests.drills.mapped.claims import random_claim
from tests.drills.mapping import Tally, judge
from tests.strategies import CURRENCIES, claims

from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim, ClaimLine, Posting, Role, Side, converted

TYPES = ("taxi", "travel", "hotel", "meals")
HEAD = """
[chart]
name = "random"
default_cost_centre = "1000"
[accounts]
employee_payable = "P"
card_payable = "C"
input_tax = "T"
rounding = "R"
fx_difference = "F"
"""
COSTS = (Role.EXPENSE, Role.NON_DEDUCTIBLE_TAX, Role.INPUT_TAX)


@st.composite
def charts(draw: st.DrawFn, company: str) -> Chart:
    """Charts with a row or more for every type, whatever else they say."""
    own = draw(st.sampled_from(CURRENCIES))
    text = HEAD
    if draw(st.booleans()):
        text = text.replace("[accounts]", '[accounts]\nnon_deductible_tax = "N"')
    text += f'[company."{company}"]\ncurrency = "{own}"\ntime_zone = "Asia/Shanghai"\n'
    text += f'[company."{company}".rates]\n'
    for currency in draw(st.sets(st.sampled_from(CURRENCIES))) - {own}:
        text += f"{currency} = {draw(st.integers(1, 10**6))}e-4\n"
    for place, type_ in enumerate(TYPES):
        if draw(st.booleans()):
            text += _row(draw, type_, f"X{place}") + 'country = ["CN"]\n'
        text += _row(draw, type_, f"E{place}")
    return Chart.from_toml(text.encode())


def _row(draw: st.DrawFn, type_: str, account: str) -> str:
    treatment = draw(st.sampled_from(["separate", "in_expense"]))
    return (
        f'[[expense]]\ntype = "{type_}"\naccount = "{account}"\n'
        f"tax_rate = {draw(st.integers(0, 100))}e-2\n"
        f"deductible = {draw(st.integers(0, 1000))}e-3\n"
        f'non_deductible_tax = "{treatment}"\n'
    )


@st.composite
def taxed(draw: st.DrawFn, line: ClaimLine) -> ClaimLine:
    """The line with a type of the chart, and a tax or a rate of its own now and then."""
    fields: dict[str, object] = {"type": draw(st.sampled_from(TYPES))}
    if draw(st.booleans()):
        digits = int(line.amount.scaleb(-int(line.amount.as_tuple().exponent)))
        tax = draw(st.integers(min(digits, 0), max(digits, 0)))
        fields["tax"] = Decimal(tax).scaleb(int(line.amount.as_tuple().exponent))
    if draw(st.booleans()):
        fields["tax_rate"] = Decimal(draw(st.integers(0, 10**6))).scaleb(-6)
    if draw(st.booleans()):
        fields["deductible"] = Decimal(draw(st.integers(0, 10**4))).scaleb(-4)
    return msgspec.structs.replace(line, **fields)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Chart, Claim]:
    """A claim and a chart that has an answer for it."""
    claim = draw(claims())
    lines = tuple(draw(taxed(line)) for line in claim.lines)
    claim = msgspec.structs.replace(claim, lines=lines)
    return draw(charts(claim.company)), claim


def signed(posting: Posting) -> Decimal:
    """Return the amount, debits positive."""
    return posting.amount if posting.side is Side.DEBIT else -posting.amount


def total(mapped: Mapped, *roles: Role) -> Decimal:
    """Return the signed sum of the postings in these roles."""
    postings = mapped.voucher.postings
    return sum((signed(posting) for posting in postings if posting.role in roles), Decimal(0))


bounded = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def maps(case: tuple[Chart, Claim]) -> Mapped | None:
    """Return the mapped claim; None for one of nothing but zeros, which cannot be posted."""
    chart, claim = case
    if not any(converted(line, claim.currency) for line in claim.lines):
        return None
    return chart.map(claim)


@bounded
@given(cases())
def test_totals_are_preserved_to_the_cent(case: tuple[Chart, Claim]) -> None:
    """What is owed is the total, employee and card apart; costs and differences equal it."""
    claim = case[1]
    mapped = maps(case)
    if mapped is None:
        return
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for line in claim.lines:
        owed[line.payment] += converted(line, claim.currency)
    assert total(mapped, Role.EMPLOYEE_PAYABLE) == -owed["employee"]
    assert total(mapped, Role.CARD_PAYABLE) == -owed["company_card"]
    assert total(mapped, *COSTS, Role.ROUNDING, Role.FX_DIFFERENCE) == claim.total
    assert {posting.currency for posting in mapped.voucher.postings} == {claim.currency}


@bounded
@given(cases())
def test_lines_in_the_claims_currency_are_preserved_one_by_one(case: tuple[Chart, Claim]) -> None:
    """Net, input tax and non-deductible tax of each make its gross amount, without rounding."""
    claim = case[1]
    mapped = maps(case)
    if mapped is None:
        return
    for index, line in enumerate(claim.lines):
        if line.currency in (None, claim.currency):
            parts = [
                signed(posting)
                for posting in mapped.voucher.postings
                if posting.source == f"lines[{index}].amount" and posting.role in COSTS
            ]
            assert sum(parts, Decimal(0)) == line.amount


@bounded
@given(cases())
def test_differences_stay_small(case: tuple[Chart, Claim]) -> None:
    """Rounding is a cent or two for each converted line, and nothing without one."""
    claim = case[1]
    mapped = maps(case)
    if mapped is None:
        return
    foreign = sum(line.currency not in (None, claim.currency) for line in claim.lines)
    smallest = Decimal(1).scaleb(int(claim.total.as_tuple().exponent))
    assert abs(total(mapped, Role.ROUNDING)) <= 2 * smallest * foreign
    if not foreign:
        assert total(mapped, Role.FX_DIFFERENCE) == 0


@bounded
@given(cases())
def test_the_same_claim_gives_the_same_bytes(case: tuple[Chart, Claim]) -> None:
    """Mapped again, and mapped after a journey through JSON, it is the same voucher."""
    chart, claim = case
    mapped = maps(case)
    if mapped is None:
        return
    again = chart.map(Claim.from_json(claim.to_json()))
    assert msgspec.json.encode(again.voucher) == msgspec.json.encode(mapped.voucher)
    assert again.to_dict() == mapped.to_dict()


@bounded
@given(cases())
def test_every_posting_is_explained_once(case: tuple[Chart, Claim]) -> None:
    """Each index appears once, in order, with its row and rule."""
    mapped = maps(case)
    if mapped is None:
        return
    reasons = [reason for reason in mapped.explain if reason.posting is not None]
    assert [reason.posting for reason in reasons] == list(range(len(mapped.voucher.postings)))
    assert all(reason.row and reason.rule for reason in reasons)


@bounded
@given(st.randoms(use_true_random=False))
def test_claims_with_everything_map_right(draw: Random) -> None:
    """Items, allocations, several taxes, advances, other companies …, by the oracle."""
    chart, recharges = random_chart(draw)
    tally = Tally()
    judge(tally, chart, random_claim(draw, 1), recharges=recharges)
    assert tally.bad == []
