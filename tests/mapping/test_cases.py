"""The cases of ``cases/``: a claim each, and the postings that an accountant would have written."""

from __future__ import annotations

import decimal
import json
from pathlib import Path
from typing import Any

import pytest

from claimbridge.errors import MappingError
from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim

CASES = Path(__file__).parent / "cases"
CHART = (CASES / "chart.toml").read_text()
ALL = sorted(CASES.glob("*.json"))
by_case = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
by_mapped_case = pytest.mark.parametrize(
    "path",
    [path for path in ALL if "error" not in json.loads(path.read_text())],
    ids=lambda path: path.stem,
)


def chart_for(case: dict[str, Any]) -> Chart:
    """Return the chart of the cases, with what the case changes in it."""
    text = CHART
    for old, new in case.get("chart", ()):
        assert old in text
        text = text.replace(old, new)
    return Chart.from_toml((text + case.get("chart_more", "")).encode())


def map_case(case: dict[str, Any]) -> Mapped:
    """Return the case's claim as mapped."""
    return chart_for(case).map(Claim.from_dict(case["claim"]))


@by_case
def test_a_case_gives_its_postings(path: Path) -> None:
    """Role, account, side, amount and books, in order; and whatever else the case writes out."""
    case = json.loads(path.read_text())
    if "error" in case:
        with pytest.raises(MappingError) as raised:
            map_case(case)
        code, words = case["error"]
        assert (raised.value.code, raised.value.claim_id) == (code, "EXP-1")
        assert words in raised.value.message
        return
    mapped = map_case(case)
    written = [_written(text) for text in case["postings"]]
    assert [_found(posting, keys) for posting, keys in _pairs(mapped, written)] == written
    assert len(mapped.voucher.postings) == len(written)
    rules = [one for one in mapped.explain if one.posting is not None]
    for number, words in case.get("why", {}).items():
        assert words in rules[int(number)].rule


def _written(text: str) -> dict[str, str]:
    role, account, side, amount, *others = text.split()
    stated = dict(other.split("=", 1) for other in others)
    return {
        "role": role, "account": account, "side": side, "amount": amount, "company": "", **stated
    }  # fmt: skip  # as it is written in a case


def _pairs(mapped: Mapped, written: list[dict[str, str]]) -> list[tuple[object, list[str]]]:
    keys = [list(one) for one in written]
    return list(zip(mapped.voucher.postings, keys, strict=False))


def _found(posting: object, keys: list[str]) -> dict[str, str]:
    return {key: str(getattr(posting, key)) for key in keys}


@by_mapped_case
def test_every_posting_of_a_case_is_explained(path: Path) -> None:
    """Each index appears once, in order, with the part of the chart that decided and a sentence."""
    case = json.loads(path.read_text())
    mapped = map_case(case)
    reasons = [one for one in mapped.explain if one.posting is not None]
    assert [one.posting for one in reasons] == list(range(len(mapped.voucher.postings)))
    for one, posting in zip(reasons, mapped.voucher.postings, strict=True):
        assert one.row
        assert one.rule
        assert one.source == posting.source


@by_mapped_case
def test_the_threads_decimal_context_does_not_matter(path: Path) -> None:
    """Three digits would do to nobody's money what they must not."""
    case = json.loads(path.read_text())
    chart, claim = chart_for(case), Claim.from_dict(case["claim"])
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_UP):
        coarse = chart.map(claim)
    assert coarse == chart.map(claim)


@by_mapped_case
def test_a_case_gives_the_same_bytes_again(path: Path) -> None:
    """The claim, through JSON and mapped again, becomes the same voucher."""
    case = json.loads(path.read_text())
    again = chart_for(case).map(Claim.from_json(Claim.from_dict(case["claim"]).to_json()))
    assert again == map_case(case)
