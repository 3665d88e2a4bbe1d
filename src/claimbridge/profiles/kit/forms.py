"""The form of what an ERP calls its documents: one check for all profiles, before anything counts.

A number is the evidence of success, so what stands in its place and is none must not pass for it:
``null``, ``N/A``, ``-``, ``true``, zeros, a word. A profile says the form of its own as
``Capabilities.entry``; ``judged`` is applied to every outcome of every profile, users' own too.
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
"""What is invisible and means nothing at an end: white space, marks, joiners, soft hyphens."""
_BROKEN: Final = re.compile(r"[\t\r\n]")
_NO_NUMBER: Final = re.compile(
    r"[-\u2010-\u2015\u2212][0-9.]+"
    r"|(?:error|exception|failed|failure|http|invalid|null|none|undefined|#?n/a)\b.*"
    r"|(?:失败|错误|异常|无效|出错).*",
    re.I,
)
"""What services answer in a number's place for an error: a negative number, a word and its code."""


class EntryForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal entry's key looks like in one ERP.

    ``number``, ``company`` and ``year`` are regular expressions that must match in full; "" takes
    whatever names something (a number and a year have a digit besides zero in them). ``filled``: a
    number of fewer digits lost its leading zeros, and gets them back.
    ``needs_company`` and ``needs_year``: without it the number is not one document's, so that it
    proves nothing.
    """

    number: str = ""
    filled: int = 0
    company: str = ""
    year: str = ""
    needs_company: bool = False
    needs_year: bool = False


_Fits = Callable[[str, str], bool]


def is_nothing(text: str) -> bool:
    """Tell whether a text only says that there is none: blank, a dash, zeros, ``null``, ``N/A``."""
    shown = plain(text).strip(_BRACKETS).casefold()
    return shown in _NOTHING or not any(one.isalnum() and one != "0" for one in shown)


def is_number(text: str, form: str = "") -> bool:
    """Tell whether a text can be a document's number: a digit besides zero, and nothing unseen."""
    if not is_code(text, form) or _NO_NUMBER.fullmatch(text):
        return False
    return any(unicodedata.digit(one, 0) for one in text)


def is_code(text: str, form: str = "") -> bool:
    """Tell whether a text names something, a company for one, and each character of it is seen."""
    if len(text) > _LONGEST or is_nothing(text) or hidden_in(text) or _BROKEN.search(text):
        return False
    return not form or re.fullmatch(form, text) is not None


def is_period(text: str) -> bool:
    """Tell whether a text can be a period of a year, of which ERPs have up to sixteen."""
    return re.fullmatch(r"0?[1-9]|1[0-6]", text) is not None


def judged(outcome: Outcome, form: EntryForm) -> Outcome:
    """Return an outcome whose journal entry has its ERP's form; else what it then says.

    What needs a number to count is UNKNOWN without one of the right form, or without a part of the
    key that this ERP needs. An acknowledgement stays one: there may be no number yet. A company or
    year that is none, and is not needed, is left out. What was written otherwise than it means is
    told in ``drift``.
    """
    entry = outcome.journal_entry
    if entry is None:
        return outcome
    told: list[str] = list(outcome.drift)
    number = _number(entry.number, form, told)
    company = _part(entry.company, "company", is_code, form.company, told)
    year = _part(entry.fiscal_year, "fiscal year", is_number, form.year, told)
    lacking = _lacking(number, company, year, form)
    if not lacking:
        whole = JournalEntry(number, company, year)
        if whole == entry and not told:
            return outcome
        return msgspec.structs.replace(outcome, journal_entry=whole, drift=tuple(told))
    if outcome.kind not in _NUMBERED:
        return msgspec.structs.replace(outcome, journal_entry=None, drift=tuple(told))
    text = (
        f"the reply says {outcome.kind}, and what it gives as the number "
        f"({_quoted(entry.number)}) {lacking}; look in the ERP by our reference"
    )
    return msgspec.structs.replace(
        unknown(text, reference=outcome.reference, item=outcome.item),
        bound=outcome.bound,
        job=outcome.job,
        drift=tuple(told),
    )


def _lacking(number: str, company: str, year: str, form: EntryForm) -> str:
    if not number:
        return "is not of this ERP's form"
    if form.needs_company and not company:
        return "has no company beside it, without which it is no key"
    if form.needs_year and not year:
        return "has no fiscal year beside it, without which it is no key"
    return ""


def _number(text: str, form: EntryForm, told: list[str]) -> str:
    """Return a number as it is kept; "" for what is none."""
    shown = as_written(text, "a document's number", told)
    if form.filled and re.fullmatch("[0-9]+", shown) and len(shown) < form.filled:
        if is_nothing(shown):
            return ""
        shown = shown.zfill(form.filled)
        told.append("a document's number lost its leading zeros; they are put back")
    return shown if is_number(shown, form.number) else ""


def _part(text: str, what: str, fits: _Fits, form: str, told: list[str]) -> str:
    """Return a company or a year as it is kept; "" for what is none."""
    shown = as_written(text, f"a document's {what}", told)
    if not shown or fits(shown, form):
        return shown
    told.append(f"a document's {what} is none")
    return ""


def as_written(text: str, what: str, told: list[str]) -> str:
    """Return a text without what nobody can see at its ends, and an ASCII code in half width.

    ``told`` gets a sentence about ``what`` for each. A name in Chinese stays as it is: an ERP may
    really write it in full width.
    """
    shown = text.strip(_ENDS)
    if shown and shown != text.strip():
        told.append(f"{what} has invisible characters at its ends")
    half = unicodedata.normalize("NFKC", shown)
    if half != shown and half.isascii():
        told.append(f"{what} is written in full-width characters")
        return half
    return shown


def _quoted(text: str) -> str:
    return ascii(text[:60])


__all__ = [
    "YEAR",
    "EntryForm",
    "as_written",
    "is_code",
    "is_nothing",
    "is_number",
    "is_period",
    "judged",
]
