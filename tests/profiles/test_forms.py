"""One form check for what ERPs call their documents: what is no number proves nothing."""

from __future__ import annotations

import warnings

import pytest
from tests.site import SITE

from claimbridge import ContractDriftWarning
from claimbridge.config import LedgerConfig
from claimbridge.ledger import Ledger
from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.profiles import PROFILES, EntryForm, load_profile
from claimbridge.profiles.kit.forms import YEAR, is_nothing, is_number, is_period, judge_entry

K = OutcomeKind
SAP = load_profile("sap-bapi").capabilities.entry
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NOTHING = [
    *("", " ", "-", "--", "0", "000", "0000000000", "null", "NULL", "(null)", "None", "nil", "N/A"),
    *("n/a", "#N/A", "NaN", "true", "False", "undefined", "\u200b", "\xa0", "０", "ＮＵＬＬ", "无"),
]


def posted(number: str, company: str = "", year: str = "", kind: K = K.POSTED) -> Outcome:
    return Outcome(kind=kind, reference="R", journal_entry=JournalEntry(number, company, year))


@pytest.mark.parametrize("text", NOTHING)
def test_what_says_nothing_is_no_number(text: str) -> None:
    """A word for nothing, a dash, zeros and what nobody sees are no number, in any profile."""
    assert is_nothing(text) or text == "true"
    assert not is_number(text)
    for name in PROFILES:
        form = load_profile(name, SITE.get(name, {})).capabilities.entry
        assert judge_entry(posted(text, "CN01", "2026"), form).kind is K.UNKNOWN


@pytest.mark.parametrize("kind", [K.POSTED, K.PAID, K.REVERSED, K.DUPLICATE])
def test_what_a_number_proves_needs_one(kind: K) -> None:
    """No end that a number proves is believed without one; it keeps whose answer it is."""
    found = judge_entry(posted("null", kind=kind), EntryForm())
    assert (found.kind, found.reference, found.journal_entry) == (K.UNKNOWN, "R", None)
    assert "'null'" in found.text


def test_an_acknowledgement_needs_no_number() -> None:
    """What will be posted later has no number yet: the word for none is left out."""
    found = judge_entry(posted("-", kind=K.ACKNOWLEDGED), EntryForm())
    assert (found.kind, found.journal_entry) == (K.ACKNOWLEDGED, None)


@pytest.mark.parametrize(
    "number", ["4711", "000123", "JE/2026-7", "记-3-0007", "A1 2", "第12号（调）", "0100000008"]
)
def test_a_number_stays_as_it_is(number: str) -> None:
    """Leading zeros, prefixes and Chinese are the ERP's own."""
    outcome = posted(number, "CN01", "2026")
    assert judge_entry(outcome, EntryForm()) is outcome


@pytest.mark.parametrize(
    "number",
    [
        *("成功保存", "ok", "-1", "12\n13", "1" * 200, "4\u200b7", "4\u202e7"),
        *("\u22121", "\u20131", "error 5", "Error: 17", "HTTP 500", "失败1", "NULL 1", "#N/A 5"),
    ],
)
def test_a_word_and_a_hidden_character_are_no_number(number: str) -> None:
    """A word, an error's -1, two lines, and what may hide another number prove nothing."""
    assert judge_entry(posted(number), EntryForm()).kind is K.UNKNOWN


@pytest.mark.parametrize(
    ("number", "kept", "told"),
    [
        ("１００", "100", "full-width"),
        ("\ufeff100", "100", "invisible"),
        ("100\u200b", "100", "invisible"),
    ],
)
def test_what_is_written_otherwise_is_told(number: str, kept: str, told: str) -> None:
    """Full-width digits and marks at an end are read, and told."""
    found = judge_entry(posted(number), EntryForm())
    assert found.journal_entry == JournalEntry(kept)
    assert told in " ".join(found.drift)


def test_saps_lost_zeros_come_back() -> None:
    """A number of SAP's without its leading zeros is filled up, as SAP does, and told."""
    found = judge_entry(posted("100000008", "CN01", "２０２６"), SAP)
    assert found.journal_entry == JournalEntry("0100000008", "CN01", "2026")
    assert len(found.drift) == 2


@pytest.mark.parametrize(
    ("number", "company", "year"),
    [
        ("0100000008", "", "2026"),
        ("0100000008", "CN01", ""),
        ("0100000008", "null", "2026"),
        ("0100000008", "CN01", "0000"),
        ("0100000008", "CN01", "N/A"),
        ("0100000008", "CN01", "26"),
        ("0100000008", "CN0001", "2026"),
        ("01000000081", "CN01", "2026"),
    ],
)
def test_an_incomplete_key_of_saps_is_none(number: str, company: str, year: str) -> None:
    """SAP's numbers are one document's by company and year; without either it is unknown."""
    assert judge_entry(posted(number, company, year), SAP).kind is K.UNKNOWN


def test_a_part_that_is_not_needed_is_left_out() -> None:
    """Where numbers are unique by themselves, ``null`` as the company is no company, and told."""
    found = judge_entry(posted("4711", "null", "0"), EntryForm())
    assert (found.kind, found.journal_entry) == (K.POSTED, JournalEntry("4711"))
    assert len(found.drift) == 2


def test_periods_and_years() -> None:
    """Sixteen periods at most, and years of these centuries."""
    assert all(map(is_period, ("1", "03", "12", "16")))
    assert not any(map(is_period, ("0", "17", "2026", "", "３", "x")))
    assert (
        judge_entry(posted("1", year="9026"), EntryForm(year=YEAR, needs_year=True)).kind
        is K.UNKNOWN
    )


def _reply(number: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><r:SubmitVoucherResponse '
        'xmlns:r="urn:claimbridge:voucher-service:1" xmlns:v="urn:claimbridge:voucher:1">'
        "<r:Document><v:Reference>R</v:Reference><v:Status>posted</v:Status><v:JournalEntry>"
        f"<v:Number>{number}</v:Number></v:JournalEntry><v:ChangedAt>2026-04-01T12:00:00Z"
        "</v:ChangedAt></r:Document></r:SubmitVoucherResponse></s:Body></s:Envelope>"
    ).encode()


def test_a_saved_reply_is_judged_too() -> None:
    """``claimbridge reply`` believes no more than a client does, and tells the same."""
    ledger = Ledger(LedgerConfig(name="N", endpoint="https://erp.example/a", profile="reference"))
    (nothing,) = ledger.read_bytes(_reply("N/A"))
    assert nothing.kind is K.UNKNOWN
    with pytest.warns(ContractDriftWarning, match="full-width"):
        (found,) = ledger.read_bytes(b"\n" + _reply("７７"))
    assert str(found.journal_entry) == "77"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # told once
        ledger.read_bytes(_reply("８８"))


@pytest.mark.parametrize("number", ["JV 2026/17", "1-2", "ERR17", "NONESUCH-1", "HTTPS1", "记-3-7"])
def test_a_number_may_have_words_and_dashes_in_it(number: str) -> None:
    """Only an error's own word in its first place makes a number none."""
    assert judge_entry(posted(number), EntryForm()).kind is K.POSTED
