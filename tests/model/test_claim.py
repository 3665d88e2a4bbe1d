"""Claims: read exactly from JSON, refused with the field where they cannot exist."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import claims

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model import Claim, ClaimLine

LINE: dict[str, Any] = {"type": "taxi", "date": "2026-03-02", "amount": "55.00"}
CLAIM: dict[str, Any] = {
    "id": "EXP-1",
    "revision": 1,
    "company": "CN01",
    "employee": "E1",
    "currency": "CNY",
    "total": "55.00",
    "lines": [LINE],
}


def document(line: dict[str, Any] | None = None, **fields: object) -> bytes:
    """Return the JSON of a claim of one line, with these fields."""
    return json.dumps({**CLAIM, "lines": [{**LINE, **(line or {})}], **fields}).encode()


@pytest.mark.parametrize("number", ["55.00", "55", "55.0", "5.5e1", '"55.00"', '"55"'])
def test_numbers_and_strings_are_read_exactly(number: str) -> None:
    """A JSON number and a JSON string of the same amount are the same amount."""
    text = document().decode().replace('"55.00"', number)
    claim = Claim.from_json(text)
    assert (claim.total, str(claim.lines[0].amount)) == (Decimal("55.00"), "55.00")


def test_a_number_that_no_float_holds_keeps_its_last_digit() -> None:
    """123456789012345.67 is not rounded to the nearest float on its way in or out."""
    text = document().decode().replace('"55.00"', "123456789012345.67")
    claim = Claim.from_json(text)
    assert str(claim.total) == "123456789012345.67"
    assert b'"total":"123456789012345.67"' in claim.to_json()


@pytest.mark.parametrize(
    ("line", "fields", "code", "said"),
    [
        ({}, {"total": "55.01"}, "CB-108", "add up to 55.00 CNY, not to the total 55.01"),
        ({}, {"total": "1" * 30}, "CB-105", "total 111"),
        ({"amount": "0.001"}, {}, "CB-104", "lines[0].amount"),
        ({"amount": "NaN"}, {}, "CB-101", "lines[0].amount"),
        ({}, {"currency": "XXX"}, "CB-103", "'XXX'"),
        ({"currency": ""}, {}, "CB-103", "currency ''"),
        ({"currency": "JPY", "amount": "55"}, {}, "CB-142", "lines[0].rate is needed"),
        ({"rate": "7.1"}, {}, "CB-142", "lines[0].rate must be 1 or left out"),
        ({"tax": "-1.00"}, {}, "CB-143", "lines[0].tax -1.00"),
        ({"tax": "55.01"}, {}, "CB-143", "lines[0].tax 55.01"),
        ({"tax_rate": "1.06"}, {}, "CB-144", "lines[0].tax_rate"),
        ({"deductible": "-0.5"}, {}, "CB-144", "lines[0].deductible"),
        ({"text": "a\x00b"}, {}, "CB-109", "lines[0].text holds the control character U+0000"),
        ({"text": "x" * 4001}, {}, "CB-140", "lines[0].text has 4001 characters"),
        ({"type": " "}, {}, "CB-140", "lines[0].type is empty"),
        ({"type": ""}, {}, "CB-140", "lines[0].type is empty"),
        ({"type": 5}, {}, "CB-100", "lines[0].type"),
        ({"payment": "cash"}, {}, "CB-100", "lines[0].payment"),
        ({"date": "2026-02-30"}, {}, "CB-100", "lines[0].date"),
        ({"nonsense": 1}, {}, "CB-100", "unknown field `nonsense` - at `$.lines[0]`"),
        ({}, {"nonsense": 1}, "CB-100", "unknown field `nonsense`"),
        ({}, {"id": ""}, "CB-140", "id is empty"),
        ({}, {"title": "\x7f"}, "CB-109", "title holds the control character U+007F"),
        ({}, {"title": "\ufffe"}, "CB-109", "title holds the control character U+FFFE"),
        ({}, {"revision": 0}, "CB-145", "revision 0"),
        ({}, {"revision": 2**31}, "CB-145", "revision 2147483648"),
        ({}, {"revision": True}, "CB-100", "revision"),
        ({}, {"approved_at": "2026-03-01T10:00:00"}, "CB-107", "approved_at has no time zone"),
        ({}, {"lines": []}, "CB-141", "no lines"),
        ({}, {"dimensions": {"": "x"}}, "CB-140", "a name in dimensions is empty"),
        ({}, {"dimensions": {str(n): "" for n in range(51)}}, "CB-146", "dimensions"),
        ({"documents": [{"kind": ""}]}, {}, "CB-140", "lines[0].documents[0].kind is empty"),
        (
            {"documents": [{"kind": "receipt", "amount": "5.00", "tax": "-1"}]},
            {},
            "CB-143",
            "lines[0].documents[0].tax",
        ),
    ],
)
def test_a_claim_that_cannot_exist_names_its_field(
    line: dict[str, Any], fields: dict[str, Any], code: str, said: str
) -> None:
    """Every refusal has its code, the claim's id where it has one, and the field."""
    with pytest.raises(ClaimError) as caught:
        Claim.from_json(document(line, **fields))
    assert caught.value.code == code
    assert said in str(caught.value)
    assert caught.value.claim_id == (fields.get("id", "EXP-1") or None)


@pytest.mark.parametrize("missing", ["id", "revision", "company", "employee", "total", "lines"])
def test_a_missing_field_is_named(missing: str) -> None:
    """What the claim lacks stands in the message."""
    data = {name: value for name, value in CLAIM.items() if name != missing}
    with pytest.raises(ClaimError, match=f"missing required field `{missing}`"):
        Claim.from_json(json.dumps(data))


def test_json_truncated_anywhere_is_refused_and_keeps_the_claims_id() -> None:
    """No prefix of a claim is a claim, and a person still learns which one it was."""
    data = document()
    for length in range(len(data)):
        with pytest.raises(ClaimError) as caught:
            Claim.from_json(data[:length])
        assert caught.value.code == "CB-100"
    assert caught.value.claim_id == "EXP-1"


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"42", b"\xff\xfe{", b"[" * 100_000, b'{"a":' * 50_000, "\ud800"]
)
def test_what_is_no_json_object_is_refused(data: bytes | str) -> None:
    """Garbage of any kind is our error, in bounded time."""
    with pytest.raises(ClaimError) as caught:
        Claim.from_json(data)
    assert caught.value.code == "CB-100"


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60)))
def test_noise_never_raises_a_foreign_exception(data: bytes | str) -> None:
    """Whatever arrives, the caller need catch only our errors."""
    with pytest.raises(ClaimBridgeError):
        Claim.from_json(data)


def test_emoji_and_line_breaks_are_text() -> None:
    """Text of people, whatever its script, is kept as it is."""
    text = "打车 🚕\nzur Messe\t😀"
    claim = Claim.from_json(document({"text": text}))
    assert Claim.from_json(claim.to_json()).lines[0].text == text


def test_floats_are_refused_wherever_they_hide() -> None:
    """A dict with a float anywhere is refused with the float's place."""
    with pytest.raises(ClaimError, match=r"claim\.lines\[0\]\.documents\[0\]\.tax is a float") as e:
        Claim.from_dict(
            {**CLAIM, "lines": [{**LINE, "documents": [{"kind": "receipt", "tax": 6.32}]}]}
        )
    assert (e.value.code, e.value.claim_id) == ("CB-101", "EXP-1")
    with pytest.raises(ClaimError, match="total is a float") as e:
        Claim(**{**_fields(), "total": 55.0})
    assert (e.value.code, e.value.claim_id) == ("CB-101", "EXP-1")


def test_a_dict_that_holds_itself_is_refused() -> None:
    """Endless data is our error, not a RecursionError."""
    data: dict[str, Any] = {"id": "EXP-1"}
    data["lines"] = data
    with pytest.raises(ClaimError) as caught:
        Claim.from_dict(data)
    assert caught.value.code == "CB-100"


def _fields(**line: object) -> dict[str, Any]:
    made = ClaimLine(**{"type": "taxi", "date": dt.date(2026, 3, 2), "amount": Decimal(55), **line})  # type: ignore[arg-type]  # wrong types are the point
    return {**CLAIM, "total": Decimal(55), "lines": (made,)}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (_fields(date="2026-03-02"), "lines[0].date must be a date, not str"),
        (_fields(date=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)), "lines[0].date must be a date"),
        (_fields(payment="cash"), "lines[0].payment"),
        (_fields(text=None), "lines[0].text must be text, not NoneType"),
        (_fields(documents=("x",)), "lines[0].documents must hold SupportingDocument values"),
        ({**_fields(), "lines": "taxi"}, "lines must hold ClaimLine values"),
        ({**_fields(), "lines": None}, "lines must hold ClaimLine values"),
        ({**_fields(), "revision": 1.0}, "revision must be a whole number, not float"),
        ({**_fields(), "approved_at": "now"}, "approved_at must be a date and time"),
        ({**_fields(), "posting_date": "today"}, "posting_date must be a date"),
        ({**_fields(), "dimensions": []}, "dimensions must be a table"),
    ],
)
def test_a_claim_built_in_python_is_checked_too(fields: dict[str, Any], said: str) -> None:
    """Values cannot exist wrong, whichever way they are made."""
    with pytest.raises(ClaimError) as caught:
        Claim(**fields)
    assert said in str(caught.value)
    assert caught.value.code == "CB-146"


def test_a_time_zone_with_seconds_is_refused() -> None:
    """RFC 3339 cannot carry it: the approval would move by seconds on its way to the ERP."""
    odd = dt.timezone(dt.timedelta(hours=8, minutes=5, seconds=43))
    moment = dt.datetime(1900, 1, 1, tzinfo=odd)
    with pytest.raises(ClaimError) as caught:
        Claim(**{**_fields(), "approved_at": moment})
    assert caught.value.code == "CB-107"


def test_totals_of_foreign_lines_round_line_by_line() -> None:
    """Two lines of half a cent each make two cents, not one."""
    line = {"currency": "JPY", "amount": "1", "rate": "0.005"}
    claim = Claim.from_json(
        json.dumps({**CLAIM, "total": "0.02", "lines": [{**LINE, **line}, {**LINE, **line}]})
    )
    assert claim.total == Decimal("0.02")


def test_the_callers_decimal_context_does_not_reach_a_claim() -> None:
    """Three digits of precision in the calling thread change no total."""
    line = {"currency": "USD", "amount": "1234567.89", "rate": "7.12345678"}
    with decimal.localcontext(decimal.Context(prec=3)):
        claim = Claim.from_json(document(line, total="8794391.01"))
    assert str(claim.total) == "8794391.01"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tax_rate": "0.06"}, {"tax_rate": "0.060"}),
        ({"amount": "55"}, {"amount": "55.00"}),
        ({"rate": "1"}, {"rate": "1.000"}),
    ],
)
def test_equal_claims_have_equal_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A source that writes the same number otherwise does not make another claim of it."""
    first, second = Claim.from_json(document(one)), Claim.from_json(document(other))
    assert first == second
    assert first.digest == second.digest


def test_the_digest_knows_the_instant_not_its_time_zone() -> None:
    """10:00 in Shanghai and 02:00 in UTC are one approval; 10:01 is another."""
    at = [
        Claim.from_json(document(approved_at=text)).digest
        for text in (
            "2026-03-01T10:00:00+08:00",
            "2026-03-01T02:00:00Z",
            "2026-03-01T10:01:00+08:00",
        )
    ]
    assert at[0] == at[1] != at[2]


@pytest.mark.parametrize("change", [{"text": "x"}, {"amount": "54.99"}, {"cost_centre": "1"}])
def test_another_content_has_another_digest(change: dict[str, Any]) -> None:
    """Any change of a line shows in the digest."""
    total = change.get("amount", "55.00")
    assert (
        Claim.from_json(document(change, total=total)).digest != Claim.from_json(document()).digest
    )


@given(claims())
def test_claims_survive_json(claim: Claim) -> None:
    """Claim → JSON → claim → JSON changes nothing, to the last digit and the last byte."""
    written = claim.to_json()
    read = Claim.from_json(written)
    assert read == claim
    assert read.to_json() == written
    assert read.digest == claim.digest


@given(claims())
def test_claims_survive_pickling_and_dicts(claim: Claim) -> None:
    """A claim travels between processes, and through a dict of plain values."""
    assert pickle.loads(pickle.dumps(claim)) == claim
    assert Claim.from_dict(json.loads(claim.to_json())) == claim
