"""Claims by small charts: tax, currency, cards, refunds, with every posting written out."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import pickle
from decimal import Decimal

import pytest
from tests.mapping.charts import CHART, chart, claim, legs, line

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, SupportingDocument


def test_a_plain_expense() -> None:
    """Expense against what the employee is owed, with the employee as partner."""
    mapped = chart().map(claim(line("taxi", "23.00", text="airport")))
    assert legs(mapped) == [
        ("expense", "6602.03", "debit", "23.00"),
        ("employee_payable", "2241.01", "credit", "23.00"),
    ]
    assert mapped.voucher.postings[1].partner == "E7"
    assert mapped.voucher.postings[0].source == "lines[0].amount"


def test_tax_that_is_half_deductible() -> None:
    """55.00 with 6.32 tax at 50 %: 48.68 + 3.16 + 3.16 against 55.00."""
    mapped = chart().map(claim(line("travel", "55.00", tax="6.32", deductible="0.5")))
    assert legs(mapped) == [
        ("expense", "6602.02", "debit", "48.68"),
        ("input_tax", "2221.01", "debit", "3.16"),
        ("non_deductible_tax", "6602.02", "debit", "3.16"),
        ("employee_payable", "2241.01", "credit", "55.00"),
    ]
    tax = mapped.voucher.postings[1]
    assert (tax.tax_code, tax.tax_base) == ("J6", Decimal("48.68"))


def test_an_odd_cent_of_tax_is_deducted() -> None:
    """Half of 0.03 rounds half up to 0.02; the rest is 0.01, and nothing is lost."""
    mapped = chart().map(claim(line("travel", "1.00", tax="0.03", deductible="0.5")))
    assert legs(mapped)[1:3] == [
        ("input_tax", "2221.01", "debit", "0.02"),
        ("non_deductible_tax", "6602.02", "debit", "0.01"),
    ]
    assert [str(reason.rounding) for reason in mapped.explain[2:4]] == ["0.005000", "-0.005000"]


def test_tax_is_not_deducted_unless_somebody_says_so() -> None:
    """A row without a share leaves the whole tax non-deductible, on its own posting."""
    mapped = chart().map(claim(line("taxi", "103.00", tax="3.00")))
    assert legs(mapped) == [
        ("expense", "6602.03", "debit", "100.00"),
        ("non_deductible_tax", "6602.03", "debit", "3.00"),
        ("employee_payable", "2241.01", "credit", "103.00"),
    ]


def test_non_deductible_tax_on_an_account_of_its_own() -> None:
    """Where the chart names one, it goes there."""
    own = CHART.replace("[accounts]", '[accounts]\nnon_deductible_tax = "6602.99"')
    mapped = chart(own).map(claim(line("taxi", "103.00", tax="3.00")))
    assert legs(mapped)[1] == ("non_deductible_tax", "6602.99", "debit", "3.00")


def test_non_deductible_tax_within_the_expense() -> None:
    """A row may keep it in the expense: one posting, of net and the part not deducted."""
    row = (
        '[[expense]]\ntype = "dinner"\naccount = "6602.05"\n'
        'deductible = 0.25\nnon_deductible_tax = "in_expense"\n'
    )
    mapped = chart(more=row).map(claim(line("dinner", "106.00", tax="6.00")))
    assert legs(mapped) == [
        ("expense", "6602.05", "debit", "104.50"),
        ("input_tax", "2221.01", "debit", "1.50"),
        ("employee_payable", "2241.01", "credit", "106.00"),
    ]


@pytest.mark.parametrize(
    ("given", "rate"), [({"tax_rate": "0.06"}, "0.06"), ({}, "0.09"), ({"tax_rate": "0"}, None)]
)
def test_tax_is_contained_in_the_amount_at_the_lines_rate_else_the_rows(
    given: dict[str, str], rate: str | None
) -> None:
    """Where no invoice states it: gross x rate / (1 + rate), rounded half up."""
    row = '[[expense]]\ntype = "rail"\naccount = "6602.02"\ntax_rate = 0.09\ndeductible = 1\n'
    mapped = chart(more=row).map(claim(line("rail", "553.00", **given)))
    taxes = {"0.06": "31.30", "0.09": "45.66", None: None}
    found = [amount for role, _, _, amount in legs(mapped) if role == "input_tax"]
    assert found == ([taxes[rate]] if rate else [])
    if rate:
        assert mapped.explain[2].tax_rate == Decimal(rate)
        assert f"contained at {int(Decimal(rate) * 100)} %" in mapped.explain[2].rule


def test_input_tax_by_rate() -> None:
    """Each rate has its account where the chart has a table of them."""
    by_rate = CHART.replace(
        'input_tax = "2221.01"', 'input_tax = { "0.06" = "2221.06", "0.13" = "2221.13" }'
    )
    mapped = chart(by_rate).map(
        claim(
            line("travel", "106.00", tax="6.00", tax_rate="0.06"),
            line("travel", "113.00", tax="13.00", tax_rate="0.130"),
        )
    )
    accounts = [account for role, account, _, _ in legs(mapped) if role == "input_tax"]
    assert accounts == ["2221.06", "2221.13"]


def test_a_line_that_is_all_tax_posts_no_expense() -> None:
    """An import VAT bill: the net is zero, and the explanation says so."""
    mapped = chart().map(claim(line("travel", "13.00", tax="13.00")))
    assert [leg[0] for leg in legs(mapped)] == ["input_tax", "employee_payable"]
    assert mapped.explain[1].posting is None
    assert mapped.explain[1].rule.endswith("zero, nothing to post")


def test_a_refund_flips_every_side() -> None:
    """The mirror of the expense, to the cent; amounts stay positive."""
    gross, tax = "55.00", "6.32"
    there = chart().map(claim(line("travel", gross, tax=tax, deductible="0.5")))
    back = chart().map(claim(line("travel", f"-{gross}", tax=f"-{tax}", deductible="0.5")))
    flip = {"debit": "credit", "credit": "debit"}
    assert legs(back) == [(r, account, flip[side], a) for r, account, side, a in legs(there)]
    assert back.voucher.postings[1].tax_base == Decimal("48.68")
    assert "a refund flips the side" in back.explain[1].rule


def test_the_company_card_is_owed_line_by_line_and_the_employee_once() -> None:
    """Card lines can be matched to the card's statement; the employee gets one payable."""
    mapped = chart().map(
        claim(
            line("taxi", "10.00"),
            line("travel", "318.00", tax="18.00", payment="company_card", text="hotel"),
            line("taxi", "12.00"),
            line("taxi", "-8.00", payment="company_card"),
        )
    )
    assert legs(mapped)[-3:] == [
        ("card_payable", "2241.02", "credit", "318.00"),
        ("card_payable", "2241.02", "debit", "8.00"),
        ("employee_payable", "2241.01", "credit", "22.00"),
    ]
    card = mapped.voucher.postings[-3]
    assert (card.source, card.partner, card.narration) == ("lines[1].amount", "", "travel hotel")


def test_a_claim_paid_by_card_alone_owes_the_employee_nothing() -> None:
    """There is no payable of zero."""
    mapped = chart().map(claim(line("taxi", "10.00", payment="company_card")))
    assert [leg[0] for leg in legs(mapped)] == ["expense", "card_payable"]


def test_expense_and_return_that_cancel_owe_nothing() -> None:
    """Both lines are posted; the payable of zero is explained instead."""
    mapped = chart().map(claim(line("taxi", "10.00"), line("travel", "-10.00")))
    assert legs(mapped) == [
        ("expense", "6602.03", "debit", "10.00"),
        ("expense", "6602.02", "credit", "10.00"),
    ]
    assert mapped.explain[-1].posting is None
    assert "cancels out" in mapped.explain[-1].rule


def test_a_foreign_line_is_converted_part_by_part_and_the_cent_posted() -> None:
    """640.03 EUR with 41.87 tax at 7.8215: the parts make a cent more than the gross amount."""
    foreign = line("taxi", "640.03", tax="41.87", currency="EUR", rate="7.8215")
    mapped = chart().map(claim(foreign))
    assert legs(mapped) == [
        ("expense", "6602.03", "debit", "4678.51"),
        ("non_deductible_tax", "6602.03", "debit", "327.49"),
        ("rounding", "6603.09", "credit", "0.01"),
        ("employee_payable", "2241.01", "credit", "5005.99"),
    ]
    expense = mapped.explain[1]
    assert expense.rate == Decimal("7.8215")
    assert expense.rule.endswith("598.16 EUR at 7.8215")
    assert str(expense.rounding) == "0.001560"
    assert mapped.explain[3].rule.startswith("line 1:")


def test_yen_are_converted_into_cents() -> None:
    """A currency without decimals into one with two."""
    mapped = chart().map(claim(line("taxi", "3400", currency="JPY", rate="0.0455")))
    assert legs(mapped)[0] == ("expense", "6602.03", "debit", "154.70")


def test_a_booking_rate_splits_off_the_exchange_difference() -> None:
    """Booked at the company's 7.80, owed at the claim's 7.8215: the rest is its own posting."""
    mapped = chart().map(
        claim(line("taxi", "100.00", currency="EUR", rate="7.8215"), company="CN02")
    )
    assert legs(mapped) == [
        ("expense", "6602.03", "debit", "780.00"),
        ("fx_difference", "6061.01", "debit", "2.15"),
        ("employee_payable", "2241.01", "credit", "782.15"),
    ]
    below = chart().map(claim(line("taxi", "100.00", currency="EUR", rate="7.7"), company="CN02"))
    assert legs(below)[1] == ("fx_difference", "6061.01", "credit", "10.00")


def test_a_claim_in_a_foreign_currency_is_posted_in_it() -> None:
    """The document currency is the claim's; the sentence names the company's own."""
    mapped = chart().map(claim(line("taxi", "20.00"), currency="USD"))
    assert {posting.currency for posting in mapped.voucher.postings} == {"USD"}
    assert mapped.voucher.currency == "USD"
    assert "converts it into CN01's CNY" in mapped.explain[-1].rule


def test_booking_rates_do_not_apply_to_a_claim_in_another_currency() -> None:
    """They convert into the company's currency only; here the line's own rate holds."""
    mapped = chart().map(
        claim(line("taxi", "100.00", currency="EUR", rate="1.08"), currency="USD", company="CN02")
    )
    assert legs(mapped)[0] == ("expense", "6602.03", "debit", "108.00")
    assert [leg[0] for leg in legs(mapped)] == ["expense", "employee_payable"]


@pytest.mark.parametrize(
    ("fields", "posting", "reason"),
    [
        ({"posting_date": dt.date(2026, 4, 1)}, "2026-04-01", "the claim's own"),
        (
            {"approved_at": dt.datetime.fromisoformat("2026-03-31T23:30:00+08:00")},
            "2026-03-31",
            "the day of the approval in Asia/Shanghai",
        ),
        ({}, "2026-03-05", "the day of the latest line"),
    ],
)
def test_where_the_posting_date_comes_from(
    fields: dict[str, dt.date], posting: str, reason: str
) -> None:
    """The claim's own, else the approval's day where it was given, else the latest line's."""
    mapped = chart().map(
        claim(
            line("taxi", "1.00"),
            line(
                "taxi",
                "1.00",
                date=dt.date(2026, 3, 5),
                documents=(SupportingDocument(kind="receipt", date=dt.date(2026, 3, 9)),),
            ),
            **fields,
        )
    )
    assert str(mapped.voucher.posting_date) == posting
    assert mapped.explain[0].rule == f"posting date {posting}: {reason}"
    assert str(mapped.voucher.document_date) == "2026-03-09"


def test_cost_centre_project_and_dimensions_stand_on_costs_only() -> None:
    """Expense and non-deductible tax carry them; balance sheet accounts do not."""
    row = (
        '[[expense]]\ntype = "course"\naccount = "6602.07"\ndeductible = 0.5\n'
        'dimensions = ["department", "trip"]\n'
    )
    mapped = chart(more=row).map(
        claim(
            line(
                "course", "106.00", tax="6.00", project="P-7", department="RD",
                dimensions={"trip": "T1", "other": "x"},
            ),
            cost_centre="1200",
            dimensions={"trip": "T0"},
        )
    )  # fmt: skip  # one line's fields stay together
    carried = [
        (posting.role.value, posting.cost_centre, posting.project, posting.dimensions)
        for posting in mapped.voucher.postings
    ]
    codes = {"department": "RD", "trip": "T1"}
    assert carried == [
        ("expense", "1200", "P-7", codes),
        ("input_tax", "", "", {}),
        ("non_deductible_tax", "1200", "P-7", codes),
        ("employee_payable", "", "", {}),
    ]


def test_the_cost_centre_is_the_lines_else_the_claims_else_the_charts() -> None:
    """The explanation says whose it is."""
    text = CHART.replace("[accounts]", 'default_cost_centre = "1000"\n[accounts]')
    row = '[[expense]]\ntype = "post"\naccount = "1"\ndefault_cost_centre = "1500"\n'
    subject = chart(text, more=row)
    cases = [
        (claim(line("post", "1", cost_centre="1300"), cost_centre="1200"), "1300", "line's"),
        (claim(line("post", "1"), cost_centre="1200"), "1200", "claim's"),
        (claim(line("post", "1")), "1500", "chart's default"),
        (claim(line("taxi", "1")), "1000", "chart's default"),
    ]
    for given, cost_centre, whose in cases:
        mapped = subject.map(given)
        assert mapped.voucher.postings[0].cost_centre == cost_centre
        assert mapped.explain[1].rule.endswith(f"cost centre {cost_centre} is the {whose}")


def test_the_first_row_that_fits_answers() -> None:
    """In the order of the chart, however many conditions; the line's department goes first."""
    rows = """
[[expense]]
type = "hotel"
account = "C"
department = ["RD"]
company = ["CN01"]
[[expense]]
type = "hotel"
account = "B"
department = ["RD", "QA"]
[[expense]]
type = "hotel"
account = "A"
"""
    subject = chart(more=rows)
    cases = [
        (claim(line("hotel", "1"), department="RD"), "C"),
        (claim(line("hotel", "1"), department="RD", company="CN02"), "B"),
        (claim(line("hotel", "1", department="QA"), department="RD"), "B"),
        (claim(line("hotel", "1"), department="SALES"), "A"),
        (claim(line("hotel", "1")), "A"),
    ]
    assert [legs(subject.map(given))[0][1] for given, _ in cases] == [a for _, a in cases]


def test_narrations_take_text_as_it_is() -> None:
    """Braces in an employee's text are no fields; line breaks become spaces."""
    mapped = chart().map(claim(line("taxi", "1", text="{employee}\n {0} {}")))
    assert mapped.voucher.postings[0].narration == "taxi {employee} {0} {}"


def test_to_dict_is_what_the_command_prints() -> None:
    """Plain values, amounts as strings, nothing that JSON would round."""
    given = claim(line("travel", "55.00", tax="6.32", tax_rate="0.13", deductible="0.5"))
    plain = json.loads(json.dumps(chart().map(given).to_dict()))
    assert set(plain) == {"claim", "postings", "explain"}
    assert plain["claim"] == "EXP-1"
    assert plain["postings"][1] == {
        "role": "input_tax",
        "account": "2221.01",
        "side": "debit",
        "currency": "CNY",
        "amount": "3.16",
        "cost_centre": "",
        "narration": "travel",
    }
    assert plain["explain"][2] == {
        "posting": 1,
        "source": "lines[0].amount",
        "row": "expense row 1 (travel)",
        "rule": "50 % of tax 6.32 as the invoice states it is deductible",
        "tax_rate": "0.13",
        "rate": None,
        "rounding": None,
    }


def test_the_largest_claim_maps() -> None:
    """999 lines make 999 expenses and one payable."""
    mapped = chart().map(claim(*[line("taxi", "1.01") for _ in range(999)]))
    assert len(mapped.voucher.postings) == 1000
    assert legs(mapped)[-1] == ("employee_payable", "2241.01", "credit", "1008.99")


def test_the_callers_decimal_context_changes_no_posting() -> None:
    """Three digits of precision in the calling thread leave the voucher as it is."""
    given = claim(line("taxi", "640.03", tax="41.87", currency="EUR", rate="7.8215"))
    expected = chart().map(given)
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_DOWN)):
        assert chart().map(given) == expected


def test_a_chart_pickles() -> None:
    """It travels to worker processes."""
    subject = chart()
    given = claim(line("travel", "106.00", tax="6.00"))
    assert pickle.loads(pickle.dumps(subject)).map(given) == subject.map(given)


def test_an_amount_that_becomes_absurd_names_the_claim() -> None:
    """A line may be beyond belief once converted, though the total is not."""
    big = {"currency": "USD", "rate": "1000000000"}
    given = claim(line("taxi", "9999999", **big), line("taxi", "-9999999", **big))
    with pytest.raises(ClaimError) as caught:
        chart().map(given)
    assert (caught.value.code, caught.value.claim_id) == ("CB-105", "EXP-1")


def test_mapping_reads_claims_as_json_gives_them() -> None:
    """The whole way: bytes in, postings out."""
    data = b"""{"id": "EXP-9", "revision": 1, "company": "CN01", "employee": "E1",
      "currency": "CNY", "total": 106, "lines": [
      {"type": "travel", "date": "2026-03-02", "amount": 106, "tax": 6}]}"""
    assert [leg[3] for leg in legs(chart().map(Claim.from_json(data)))] == [
        "100.00",
        "6.00",
        "106.00",
    ]
