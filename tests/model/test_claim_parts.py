"""Items, allocations, taxes, advances, payees: what may stand in a claim, and what is refused."""

from __future__ import annotations

import json
import pickle
import random
from typing import Any

import jsonschema
import pytest
from tests.drills.mapped.claims import random_claim

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, owed_to_employee
from claimbridge.model.schema import json_schema

PLAIN: dict[str, Any] = {
    "id": "C-1",
    "revision": 1,
    "company": "CN01",
    "employee": "E1",
    "currency": "CNY",
}


def claim(*lines: dict[str, Any], **more: Any) -> Claim:
    """A claim of these lines, in CNY, with the sum as its total."""
    told = [{"type": "taxi", "date": "2026-03-01", "amount": "100.00"} | line for line in lines]
    total = sum(float(line["amount"]) for line in told)
    return Claim.from_dict(PLAIN | {"total": f"{total:.2f}", "lines": told} | more)


CARD = {"payment": "company_card"}
HALVES = [{"share": "0.5", "cost_centre": "A"}, {"share": "0.5", "cost_centre": "B"}]
ITEMS = [{"type": "hotel", "amount": "80"}, {"type": "meals", "amount": "20"}]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ({"taxes": [{"amount": "5"}], "tax": "5"}, "CB-191", "both tax and taxes"),
        ({"taxes": [{"amount": "5"}], "deductible": "1"}, "CB-191", "both deductible and taxes"),
        ({"taxes": [{"amount": "60"}, {"amount": "50"}]}, "CB-143", r"lines\[0\].taxes 110.00"),
        ({"taxes": [{"amount": "-5"}]}, "CB-143", r"lines\[0\].taxes\[0\].amount -5.00"),
        ({"taxes": [{"amount": "5", "rate": "2"}]}, "CB-144", r"taxes\[0\].rate"),
        ({"taxes": [{"amount": "0.001"}]}, "CB-104", r"taxes\[0\].amount"),
        ({"personal": True}, "CB-191", "company's card"),
        ({"personal": True, "allocations": HALVES, **CARD}, "CB-191", "personal"),
        ({"personal": "yes"}, "CB-100", "bool"),
        ({"quantity": "-1"}, "CB-144", "quantity"),
        ({"quantity": 1.5}, "CB-101", "float"),
        ({"unit": "k" * 17}, "CB-140", "unit"),
        ({"items": ITEMS, "tax": "1"}, "CB-191", "its items have the tax"),
        ({"items": ITEMS, "quantity": "1"}, "CB-191", "its items have the quantity"),
        ({"items": ITEMS, "taxes": [{"amount": "1"}]}, "CB-191", "stand on its items"),
        ({"items": ITEMS[:1]}, "CB-192", "80.00 CNY, not to amount 100.00"),
        ({"items": [{"type": "", "amount": "100"}]}, "CB-140", r"items\[0\].type"),
        ({"items": [{"type": "x", "amount": "100", "tax": "101"}]}, "CB-143", r"items\[0\].tax"),
        ({"items": [{"type": "x", "amount": "100", "personal": True}]}, "CB-191", "card"),
        ({"allocations": HALVES[:1]}, "CB-193", "add up to 0.5, not to 1"),
        ({"allocations": [{"amount": "60"}, {"amount": "30"}]}, "CB-193", "not to amount 100.00"),
        ({"allocations": [{"amount": "60"}, {"share": "0.4"}]}, "CB-193", r"allocations\[1\]"),
        ({"allocations": [{"share": "1", "amount": "100"}]}, "CB-193", "a share or an amount"),
        ({"allocations": [{}]}, "CB-193", "a share or an amount"),
        ({"allocations": [{"amount": "150"}, {"amount": "-50"}]}, "CB-143", "amount 150.00"),
        ({"allocations": [{"share": "1.5"}, {"share": "-0.5"}]}, "CB-144", "share"),
        ({"items": ITEMS, "allocations": [{"amount": "100"}]}, "CB-193", "by share"),
        ({"documents": [{"kind": "k", "amount": "10", "fare": "11"}]}, "CB-143", "fare 11.00"),
        (
            {"documents": [{"kind": "k", "tax": "1", "deductible_tax": "2"}]},
            "CB-143",
            "deductible_tax 2.00",
        ),
    ],
)
def test_a_line_that_contradicts_itself_is_refused(
    line: dict[str, Any], code: str, words: str
) -> None:
    """By the field's path, and what to do about it."""
    with pytest.raises(ClaimError, match=words) as told:
        claim(line)
    assert (told.value.code, told.value.claim_id) == (code, "C-1")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"advances": [{"reference": "A", "settled": "101"}]}, "more than the claim owes"),
        (
            {
                "advances": [
                    {"reference": "A", "settled": "60"},
                    {"reference": "B", "settled": "41"},
                ]
            },
            r"advances\[1\].settled",
        ),
        ({"advances": [{"reference": "A", "settled": "-1"}]}, "is negative"),
        ({"advances": [{"reference": "A", "settled": "1", "returned": "-1"}]}, "returned"),
        ({"payees": [{"partner": "V", "amount": "99"}]}, "differ by 1.00 CNY"),
        ({"payees": [{"partner": "V", "amount": "0"}]}, "must be positive"),
        (
            {
                "payees": [{"partner": "V", "amount": "100"}],
                "advances": [{"reference": "A", "settled": "1"}],
            },
            "differ by 1.00",
        ),
    ],
)
def test_who_is_paid_fits_what_is_owed(more: dict[str, Any], words: str) -> None:
    """Advances and payees take no more than the employee is owed, and payees all of it."""
    with pytest.raises(ClaimError, match=words) as told:
        claim({}, **more)
    assert told.value.code == "CB-190"


def test_the_card_is_not_owed_to_the_employee() -> None:
    """What the company's card paid cannot be settled by an advance."""
    mixed = claim({}, {"amount": "30.00", **CARD}, {"amount": "-20.00"})
    assert str(owed_to_employee(mixed)) == "80.00"
    with pytest.raises(ClaimError, match="CB-190"):
        claim({}, {"amount": "30.00", **CARD}, advances=[{"reference": "A", "settled": "110"}])


def test_claims_with_everything_survive_their_json() -> None:
    """Two thousand random ones, unchanged, by the schema too, with digests of their own."""
    draw = random.Random(20)
    validator = jsonschema.Draft202012Validator(json_schema("claim"))
    digests = set()
    seen = set()
    for number in range(2000):
        made = Claim.from_dict(random_claim(draw, number))
        written = made.to_json()
        assert Claim.from_json(written) == made
        assert Claim.from_json(written).to_json() == written
        assert pickle.loads(pickle.dumps(made)) == made
        if number < 300:
            validator.validate(json.loads(written))
        digests.add(made.digest)
        seen |= {name for line in json.loads(written)["lines"] for name in line}
        seen |= json.loads(written).keys()
    assert len(digests) == 2000
    assert {"items", "allocations", "taxes", "personal", "quantity", "company", "advances"} <= seen


def test_what_says_nothing_changes_no_digest() -> None:
    """A default written out is the default; anything else is another claim."""
    plain = claim({})
    assert (
        claim({"items": [], "personal": False, "unit": "", "quantity": None}).digest == plain.digest
    )
    for line in ({"quantity": "0"}, {"unit": "km"}, {"company": "CN02"}, {"allocations": HALVES}):
        assert claim(line).digest != plain.digest
    assert claim({}, dimensions={"a": ""}).digest != plain.digest
