"""Claims that are long, and messages that say where in a claim something is wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.mapping.charts import CHART, chart, claim, legs, line

from claimbridge.errors import ConfigurationError, MappingError
from claimbridge.model import Allocation, Item, Payee, Posting, Side


def signed(posting: Posting) -> Decimal:
    """Return the amount, debits positive."""
    return posting.amount if posting.side is Side.DEBIT else -posting.amount


def test_999_lines() -> None:
    """A posting or two for each, and one payable of the total."""
    lines = [line("travel", "1.06", tax="0.06") for _ in range(998)]
    mapped = chart().map(claim(*lines, line("taxi", "0.99")))
    assert len(mapped.voucher.postings) == 2 * 998 + 2
    assert legs(mapped)[-1] == ("employee_payable", "2241.01", "credit", "1058.87")
    assert mapped.voucher.postings[-2].source == "lines[998].amount"


def test_one_line_for_999_cost_centres() -> None:
    """No cent is lost or moved by more than one, however many parts there are."""
    shares = [*[Decimal("0.001")] * 998, Decimal("0.002")]
    parts = tuple(
        Allocation(share=share, cost_centre=f"C{place}") for place, share in enumerate(shares)
    )
    mapped = chart().map(claim(line("travel", "1234.57", tax="69.88", allocations=parts)))
    costs = mapped.voucher.postings[:-1]
    assert sum(map(signed, costs), Decimal(0)) == Decimal("1234.57")
    taxes = [one for one in costs if one.role == "input_tax"]
    assert sum(map(signed, taxes), Decimal(0)) == Decimal("69.88")
    for place in range(998):
        own = [one for one in costs if one.source == f"lines[0].allocations[{place}].share"]
        assert sum(map(signed, own), Decimal(0)) in {Decimal("1.23"), Decimal("1.24")}


@pytest.mark.parametrize(
    ("fields", "where", "code"),
    [
        (
            {
                "items": (
                    Item(type="taxi", amount=Decimal(1)),
                    Item(type="taxii", amount=Decimal(1)),
                )
            },
            'line 2, item 2 (type "taxii") has no expense row',
            "CB-111",
        ),
        (
            {
                "items": (Item(type="course", amount=Decimal(2)),),
                "allocations": (
                    Allocation(share=Decimal("0.5"), cost_centre="7"),
                    Allocation(share=Decimal("0.5")),
                ),
            },
            'line 2, item 1, allocation 2 (type "course") has no cost centre',
            "CB-114",
        ),
        (
            {"allocations": (Allocation(share=Decimal(1), company="CN02"),)},
            'line 2, allocation 1: chart "CN group" has no account "receivable" in '
            "[company.CN01.intercompany.CN02]",
            "CB-126",
        ),
    ],
)
def test_a_message_names_item_and_allocation(
    fields: dict[str, tuple[object, ...]], where: str, code: str
) -> None:
    """As people count them."""
    row = '[[expense]]\ntype = "course"\naccount = "1"\ncost_centre = "required"\n'
    with pytest.raises(MappingError) as raised:
        chart(more=row).map(claim(line("taxi", "1"), line("taxi", "2", **fields)))
    assert raised.value.message.startswith(where)
    assert (raised.value.code, raised.value.claim_id) == (code, "EXP-1")


ROW = '[[expense]]\ntype = "day"\naccount = "1"\n'
RULE = '[[invoice]]\nkind = "x"\n'


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (ROW + "tax_free_per_unit = 24\n", "CB-207", "need each other"),
        (ROW + 'taxable_account = "2"\n', "CB-207", "need each other"),
        (ROW + 'unit = "day"\n', "CB-207", '"unit" says nothing'),
        (ROW + "per_unit = -1\n", "CB-207", "per_unit"),
        (RULE + RULE, "CB-208", 'invoice rule 2: kind "x" has a rule already'),
        (RULE + 'tax = "none"\ndeductible = 1\n', "CB-207", 'where tax = "none"'),
        (RULE + "tax_rate = 9\n", "CB-207", "invoice rule 1: tax_rate 9 is out of range"),
        (RULE + "taxrate = 0.09\n", "CB-206", 'did you mean "tax_rate"'),
        ('[allocation]\nremainder = "smallest"\n', "CB-206", "[allocation]"),
        ('[intercompany]\nmode = "none"\n', "CB-206", "[intercompany]"),
        (
            '[company.CN01.intercompany.CN09]\nreceivable = "1"\n',
            "CB-207",
            'no other company "CN09"',
        ),
        (
            '[company.CN01.intercompany.CN01]\nreceivable = "1"\n',
            "CB-207",
            'no other company "CN01"',
        ),
    ],
)
def test_what_is_wrong_in_the_chart_is_said_when_it_is_loaded(
    more: str, code: str, words: str
) -> None:
    """The table or row is named, before any claim comes."""
    with pytest.raises(ConfigurationError) as raised:
        chart(CHART, more=more)
    assert raised.value.code == code
    assert words in raised.value.message


def test_what_a_division_gave_is_explained_in_json_where_there_is_something() -> None:
    """The remainder of each part, beside the rounding of its tax; no key where it came out even."""
    parts = tuple(Allocation(share=Decimal(one), cost_centre=one) for one in ("0.5", "0.3", "0.2"))
    mapped = chart().map(claim(line("travel", "1060.01", tax="60.01", allocations=parts)))
    told = [one.get("remainder", "-") for one in mapped.to_dict()["explain"]]
    # The posting date; net and tax of each part; the payable.
    assert told == ["-", "-", "0.005000", "-", "-0.003000", "-", "-0.002000", "-"]
    even = chart().map(claim(line("travel", "100.00", allocations=parts)))
    assert not any("remainder" in one for one in even.to_dict()["explain"])


def test_companies_and_payees_are_told_in_json_where_there_are_any() -> None:
    """The keys of a plain posting stay those that they always were."""
    paid = Payee(partner="V-1", amount=Decimal(1))
    mapped = chart().map(claim(line("taxi", "1"), payees=(paid,)))
    expense, payable = mapped.to_dict()["postings"]
    assert {*payable} - {*expense} == {"partner"}
    assert payable["partner"] == "V-1"
    own = chart().map(claim(line("taxi", "1"))).to_dict()["postings"]
    assert {*own[1]} == {*expense}
