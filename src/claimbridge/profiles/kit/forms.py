"""The form of an ERP's document numbers: one check for all profiles, before anything counts.

A number is the evidence of success, so nothing else may pass for one: not ``null``, ``N/A``, ``-``,
``true``, zeros or a word. A profile describes its ERP's numbers as ``Capabilities.entry``.
``judge_entry`` is applied to every outcome of every profile, users' own too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import msgspec

from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.model.text import hidden_in, plain
from claimbridge.profiles.kit.reading import unknown

_LONGEST: Final = 120
"""Characters of a number; ERPs' own have 40 at most."""
_NOTHING: Final = frozenset(
    {
        *("null", "none", "nil", "nan", "n/a", "n.a.", "#n/a", "undefined", "unknown"),
        *("true", "false", "not assigned", "not available"),
        *("无", "空", "暂无", "未知", "没有", "不适用"),
    }
)
_BRACKETS: Final = " \"'<>()[]{}"
_NUMBERED: Final = frozenset(
    {OutcomeKind.POSTED, OutcomeKind.PAID, OutcomeKind.REVERSED, OutcomeKind.DUPLICATE}
)
YEAR: Final = r"(?:19|20|21)[0-9]{2}"
"""A fiscal year in four digits, of these centuries."""
_ENDS: Final = " \t\r\n\ufeff\u200b\u200c\u200d\u2060\u00ad"
"""Invisible characters that mean nothing at an end: white space, marks, joiners, soft hyphens."""
_BROKEN: Final = re.compile(r"[\t\r\n]")
_NO_NUMBER: Final = re.compile(
    r"[-\u2010-\u2015\u2212][0-9.]+"
    r"|(?:error|exception|failed|failure|http|invalid|null|none|undefined|#?n/a)\b.*"
    r"|(?:失败|错误|异常|无效|出错).*",
    re.I,
)
"""What services write in a number's place for an error: a negative number, a word and its code."""


class EntryForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal entry's key looks like in one ERP.

    ``number``, ``company`` and ``year`` are regular expressions that must match in full. "" takes
    every text that names something; a number and a year must have a digit besides zero.
    ``filled``: a number with fewer digits lost its leading zeros, and gets them back.
    ``needs_company`` and ``needs_year``: without the company or the year, the number may be that of
    several documents and proves nothing.
    """

    number: str = ""
    filled: int = 0
    company: str = ""
    year: str = ""
    needs_company: bool = False
    needs_year: bool = False


_Fits = Callable[[str, str], bool]


def is_nothing(text: str) -> bool:
    """Say whether a text only says that there is none: blank, a dash, zeros, ``null``, ``N/A``."""
    shown = plain(text).strip(_BRACKETS).casefold()
    return shown in _NOTHING or not any(one.isalnum() and one != "0" for one in shown)


def is_number(text: str, form: str = "") -> bool:
    """Say whether a text can be a document's number: a digit besides zero, nothing invisible."""
    if not is_code(text, form) or _NO_NUMBER.fullmatch(text):
        return False
    return any(unicodedata.digit(one, 0) for one in text)


def is_code(text: str, form: str = "") -> bool:
    """Say whether a text names something, such as a company, and has no invisible character."""
    if len(text) > _LONGEST or is_nothing(text) or hidden_in(text) or _BROKEN.search(text):
        return False
    return not form or re.fullmatch(form, text) is not None


def is_period(text: str) -> bool:
    """Say whether a text can be a period of a year; ERPs have up to sixteen."""
    return re.fullmatch(r"0?[1-9]|1[0-6]", text) is not None


def judge_entry(outcome: Outcome, form: EntryForm) -> Outcome:
    """Return the outcome, its journal entry in the ERP's form; or what it says without an entry.

    An outcome that needs a number is UNKNOWN if the number has another form, or if a part of the
    key that this ERP needs is missing. An acknowledgement stays one: there may be no number yet. A
    company or year of another form that is not needed is left out. ``drift`` reports every
    correction.
    """
    entry = outcome.journal_entry
    if entry is None:
        return outcome
    drift: list[str] = list(outcome.drift)
    number = _number(entry.number, form, drift)
    company = _part(entry.company, "company", is_code, form.company, drift)
    year = _part(entry.fiscal_year, "fiscal year", is_number, form.year, drift)
    lacking = _lacking(number, company, year, form)
    if not lacking:
        whole = JournalEntry(number, company, year)
        if whole == entry and not drift:
            return outcome
        return msgspec.structs.replace(outcome, journal_entry=whole, drift=tuple(drift))
    if outcome.kind not in _NUMBERED:
        return msgspec.structs.replace(outcome, journal_entry=None, drift=tuple(drift))
    text = (
        f"the reply says {outcome.kind}, but its number {_quote(entry.number)} {lacking}; "
        "look in the ERP by our reference"
    )
    return msgspec.structs.replace(
        unknown(text, reference=outcome.reference, item=outcome.item),
        bound=outcome.bound,
        job=outcome.job,
        drift=tuple(drift),
    )


def _lacking(number: str, company: str, year: str, form: EntryForm) -> str:
    if not number:
        return "does not have this ERP's form"
    if form.needs_company and not company:
        return "comes without the company that belongs to the key"
    if form.needs_year and not year:
        return "comes without the fiscal year that belongs to the key"
    return ""


def _number(text: str, form: EntryForm, drift: list[str]) -> str:
    """Return a number in the form that is stored; "" for a text that is not a number."""
    shown = as_written(text, "a document's number", drift)
    if form.filled and re.fullmatch("[0-9]+", shown) and len(shown) < form.filled:
        if is_nothing(shown):
            return ""
        shown = shown.zfill(form.filled)
        drift.append("a document's number lost its leading zeros; they are put back")
    return shown if is_number(shown, form.number) else ""


def _part(text: str, what: str, fits: _Fits, form: str, drift: list[str]) -> str:
    """Return a company or a year in the form that is stored; "" for a text that is neither."""
    shown = as_written(text, f"a document's {what}", drift)
    if not shown or fits(shown, form):
        return shown
    drift.append(f"a document's {what} does not have this ERP's form")
    return ""


def as_written(text: str, what: str, drift: list[str]) -> str:
    """Return a text without invisible characters at its ends, and an ASCII code in half width.

    ``drift`` gets a sentence about ``what`` for each correction. A name in Chinese stays as it is:
    an ERP may really write it in full width.
    """
    shown = text.strip(_ENDS)
    if shown and shown != text.strip():
        drift.append(f"{what} has invisible characters at its ends")
    half = unicodedata.normalize("NFKC", shown)
    if half != shown and half.isascii():
        drift.append(f"{what} is written in full-width characters")
        return half
    return shown


def _quote(text: str) -> str:
    return ascii(text[:60])


__all__ = [
    "YEAR",
    "EntryForm",
    "as_written",
    "is_code",
    "is_nothing",
    "is_number",
    "is_period",
    "judge_entry",
]
