"""The JSON Schemas: true of what the model writes, and no laxer than they need be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from tests.strategies import claims, vouchers

from claimbridge.errors import ClaimError
from claimbridge.mapping import Chart
from claimbridge.model import Claim, Voucher
from claimbridge.model.schema import json_schema

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIMS = sorted((EXAMPLES / "claims").glob("*.json"))


def judge(name: str) -> jsonschema.Draft202012Validator:
    """Return a validator of the schema, formats included."""
    schema = json_schema(name)  # type: ignore[arg-type]  # one of the two names
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


CLAIM, VOUCHER = judge("claim"), judge("voucher")


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    """Every example claim, as written and as the model writes it, and its voucher are valid."""
    CLAIM.validate(json.loads(path.read_text("utf-8")))
    claim = Claim.from_json(path.read_bytes())
    CLAIM.validate(json.loads(claim.to_json()))
    voucher = Chart.load(EXAMPLES / "chart.toml").map(claim).voucher
    VOUCHER.validate(json.loads(msgspec.json.encode(voucher)))


@settings(max_examples=50)
@given(claims())
def test_whatever_the_model_writes_is_valid(claim: Claim) -> None:
    """No claim that can exist is refused by its own schema."""
    CLAIM.validate(json.loads(claim.to_json()))


@settings(max_examples=50)
@given(vouchers())
def test_whatever_voucher_can_exist_is_valid(voucher: Voucher) -> None:
    """No voucher that can exist is refused by its own schema."""
    VOUCHER.validate(json.loads(msgspec.json.encode(voucher)))


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ({}, {"total": "1" * 30}),
        ({}, {"total": 10**15}),
        ({}, {"total": "twelve"}),
        ({}, {"currency": "RMB"}),
        ({"currency": "XXX"}, {}),
        ({"deductible": "1.01"}, {}),
        ({"deductible": 1.5}, {}),
        ({"rate": "-1"}, {}),
        ({"type": ""}, {}),
        ({"type": "x" * 65}, {}),
        ({"payment": "cash"}, {}),
        ({"nonsense": 1}, {}),
        ({}, {"nonsense": 1}),
        ({}, {"lines": []}),
        ({}, {"revision": 0}),
        ({}, {"revision": 2**31}),
        ({}, {"dimensions": {"x": "y" * 201}}),
        ({}, {"dimensions": {"": "y"}}),
        ({"date": "2026-02-30"}, {}),
    ],
)
def test_what_the_schema_refuses_the_model_refuses(
    line: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Someone who checks by the schema alone is not surprised later."""
    data = json.loads((EXAMPLES / "claims" / "partly-deductible.json").read_text("utf-8"))
    data["lines"][0].update(line)
    data.update(fields)
    assert not CLAIM.is_valid(data)
    with pytest.raises(ClaimError):
        Claim.from_json(json.dumps(data))


def test_decimals_may_be_strings_or_numbers() -> None:
    """Either way is valid, for amounts, rates and shares."""
    data = json.loads((EXAMPLES / "claims" / "partly-deductible.json").read_text("utf-8"))
    for written in (55.0, 55, "55.00", "55"):
        data["total"] = data["lines"][0]["amount"] = written
        CLAIM.validate(data)


def test_every_field_is_described() -> None:
    """A reader of the schema needs no other page."""
    for name in ("claim", "voucher"):
        for definition in json_schema(name)["$defs"].values():  # type: ignore[arg-type]  # one of the two names
            assert definition["description"]
            for field in definition.get("properties", {}).values():
                assert field["description"]


def test_a_callers_change_stays_his() -> None:
    """Each call gives a schema of its own."""
    json_schema("claim")["$defs"]["Currency"]["enum"].clear()
    assert "CNY" in json_schema("claim")["$defs"]["Currency"]["enum"]
