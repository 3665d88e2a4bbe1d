"""Texts that name things: one spelling each, and nothing that a reader cannot see."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbridge import Claim
from claimbridge.errors import ClaimError, MappingError, spelt
from claimbridge.model.text import hidden_in, plain

UNSEEN = [
    ("\u200b", "U+200B"),
    ("\u202d", "U+202D"),
    ("\u202c", "U+202C"),
    ("\u200e", "U+200E"),
    ("\u2066", "U+2066"),
    ("\ufeff", "U+FEFF"),
    ("\u00ad", "U+00AD"),
    ("\u2060", "U+2060"),
    ("\U000e0041", "U+E0041"),
    ("\ue000", "U+E000"),
    ("\u2028", "U+2028"),
    ("\u0085", "U+0085"),
    ("\u034f", "U+034F"),
    ("\ufe0f", "U+FE0F"),
    ("\u3164", "U+3164"),
    ("\u200d", "U+200D"),
]
"""Characters that nobody sees in an id, and what a message calls them."""

CODES = (
    ("id",),
    ("company",),
    ("employee",),
    ("department",),
    ("cost_centre",),
    ("country",),
    ("grade",),
    ("dimensions", "project"),
    ("lines", 0, "type"),
    ("lines", 0, "company"),
    ("lines", 0, "cost_centre"),
    ("lines", 0, "department"),
    ("lines", 0, "project"),
    ("lines", 0, "unit"),
    ("lines", 0, "dimensions", "fund"),
    ("lines", 0, "allocations", 0, "cost_centre"),
    ("lines", 0, "allocations", 0, "dimensions", "fund"),
    ("lines", 0, "documents", 0, "kind"),
    ("lines", 1, "items", 0, "type"),
    ("lines", 1, "items", 0, "unit"),
    ("advances", 0, "reference"),
    ("payees", 0, "partner"),
)


def fields() -> dict[str, Any]:
    """A claim that has every code there is."""
    return {
        "id": "ID-1",
        "revision": 1,
        "company": "C",
        "employee": "E",
        "department": "D",
        "cost_centre": "K",
        "country": "C",
        "grade": "P",
        "currency": "CNY",
        "total": "30.00",
        "dimensions": {"project": "P"},
        "lines": [
            {
                "type": "taxi",
                "date": "2026-03-09",
                "amount": "20.00",
                "company": "C",
                "cost_centre": "K",
                "department": "D",
                "project": "P",
                "unit": "km",
                "dimensions": {"fund": "F"},
                "allocations": [{"share": "1", "cost_centre": "K", "dimensions": {"fund": "F"}}],
                "documents": [{"kind": "receipt"}],
            },
            {
                "type": "hotel",
                "date": "2026-03-09",
                "amount": "10.00",
                "items": [{"type": "room", "amount": "10.00", "unit": "day"}],
            },
        ],
        "advances": [{"reference": "ADV", "settled": "10.00"}],
        "payees": [{"partner": "V", "amount": "20.00"}],
    }


def with_text(path: tuple[str | int, ...], change: str) -> dict[str, Any]:
    """The claim with ``change`` put behind one of its codes."""
    made = fields()
    part: Any = made
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = part[path[-1]] + change
    return made


@pytest.mark.parametrize("path", CODES, ids=lambda path: ".".join(map(str, path)))
def test_no_code_of_a_claim_holds_what_nobody_sees(path: tuple[str | int, ...]) -> None:
    """A zero width space in any code is refused, by its field, and shown."""
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict(with_text(path, "\u200b"))
    assert refused.value.code == "CB-127"
    assert "U+200B" in str(refused.value)
    assert "\u200b" not in str(refused.value)
    assert str(path[-1]) in str(refused.value)


@pytest.mark.parametrize("path", CODES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("space", [" ", "\u00a0", "\u3000", "\t", "\n"])
def test_no_code_of_a_claim_ends_in_white_space(path: tuple[str | int, ...], space: str) -> None:
    """White space at the end of any code, an id's too, is refused by its field."""
    if path == ("country",):
        pytest.skip("three letters at most")
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict(with_text(path, space))
    assert refused.value.code == "CB-128"


@pytest.mark.parametrize(("character", "name"), UNSEEN)
def test_an_id_shows_all_that_it_holds(character: str, name: str) -> None:
    """Each unseen character is refused in an id, whatever its category, in words that show it."""
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict({**fields(), "id": f"ID{character}-1"})
    assert refused.value.code == "CB-127"
    assert name in str(refused.value)
    assert character not in str(refused.value)


def test_lone_surrogates_and_controls_are_refused() -> None:
    """What XML cannot carry is refused as ever, by the doors of Python too."""
    whole = Claim.from_dict(fields())
    for character in ("\ud800", "\x00", "\x1b"):
        with pytest.raises(ClaimError) as refused:
            Claim(
                id=f"ID{character}",
                revision=1,
                company="C",
                employee="E",
                currency="CNY",
                total=whole.total,
                lines=whole.lines,
            )
        assert refused.value.code == "CB-109"


@pytest.mark.parametrize(
    ("id_", "spelling"),
    [
        ("ＩＤ－１", "ID-1"),
        (" ID-1", "ID-1"),
        ("ID-1 ", "ID-1"),
        ("ID  1", "ID 1"),
        ("ID\u00a01", "ID 1"),
        ("ID\u30001", "ID 1"),
        ("ID\t1", "ID 1"),
        ("报销（一）", "报销(一)"),
        ("ID-①", "ID-1"),
        ("\ufa10", "\u585a"),
    ],
)
def test_an_id_has_one_spelling(id_: str, spelling: str) -> None:
    """What another claim's id could be written as is refused, naming the one spelling."""
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict({**fields(), "id": id_})
    assert refused.value.code == "CB-128"
    assert repr(spelling) in str(refused.value)
    assert plain(id_) == spelling
    assert Claim.from_dict({**fields(), "id": spelling}).id == spelling


@pytest.mark.parametrize("code", ["研发部（上海）", "Ⅱ期", "春季：二期", "R&D 7", "Ä-1", "ｶﾅ"])
def test_a_code_may_be_called_as_the_erp_calls_it(code: str) -> None:
    """Full-width punctuation belongs to Chinese names: such a code reaches the ERP as it is."""
    claim = Claim.from_dict({**fields(), "department": code, "dimensions": {"项目": code}})
    assert claim.department == code
    assert claim.dimensions == {"项目": code}


@pytest.mark.parametrize("code", ["Ｅ１００", "６６０２．０３", "6602．03", "ＲＤ"])
def test_an_ascii_code_in_full_width_is_refused(code: str) -> None:
    """A code of letters and digits that was typed full-width never goes to the ERP as it is."""
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict({**fields(), "employee": code})
    assert refused.value.code == "CB-128"
    assert repr(plain(code)) in str(refused.value)


def test_texts_for_people_hold_what_people_write() -> None:
    """Emoji with joiners, Hebrew with its marks, line breaks and full-width text stay."""
    text = "👨\u200d👩\u200d👧 ❤\ufe0f 出租车（夜）\n\u200fשלום\u200e"
    claim = Claim.from_dict({**fields(), "title": text, "employee_name": text})
    assert claim.title == claim.employee_name == text


@pytest.mark.parametrize("character", ["\u202e", "\u202d", "\u2067", "\u2069", "\U000e0041"])
@pytest.mark.parametrize("field", ["title", "employee_name", "approver"])
def test_texts_for_people_show_what_they_hold(field: str, character: str) -> None:
    """What reorders a text, or hides in it as tags, is refused by its field."""
    with pytest.raises(ClaimError) as refused:
        Claim.from_dict({**fields(), field: f"taxi {character}001"})
    assert refused.value.code == "CB-133"
    assert f"U+{ord(character):04X}" in str(refused.value)


def test_messages_spell_what_nobody_sees() -> None:
    """A text that looks right to a reader shows in a message why it is not."""
    error = MappingError('company "CN01\u200b" has no [company] table', code="CB-116")
    assert '"CN01<U+200B>"' in str(error)
    assert spelt("👨\u200d👩 a\u202eb\n") == "👨\u200d👩 a<U+202E>b\n"
    assert spelt("CN\u200d01") == "CN<U+200D>01"


@given(st.text())
def test_a_plain_form_is_its_own(text: str) -> None:
    """The plain form of a plain form is itself; it hides nothing, and is NFKC."""
    once = plain(text)
    assert plain(once) == once
    assert hidden_in(once) is None
    assert unicodedata.is_normalized("NFKC", once)
    assert once == " ".join(once.split())
