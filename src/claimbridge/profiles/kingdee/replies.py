"""What Kingdee EAS answers: one string for each voucher, its parts divided by ``||``.

``0000||记||2026||3||成功保存||0366``: result, voucher type, year, period, text, number, and after
some calls an id. The older service ``WSWSVoucher`` answers with a row of the same parts in another
order, our voucher's number before them; or with an object whose members name them. As EAS's own
code gives the results:

======== ======================================================================================
result   means
======== ======================================================================================
0000     saved, under the number given
3100     EAS is set to refuse repeats, and holds a voucher with this reference information
3101     a voucher with this reference information is being imported now, or was a moment ago
1111     an error that EAS did not foresee, perhaps after the voucher was saved
others   the voucher is wrong; it was not saved
======== ======================================================================================

A string may have a part more or less than known. Its parts are not shifted until they fit: if one
part does not have its form, the string has no number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason
from claimbridge.profiles.kit.forms import (
    YEAR,
    EntryForm,
    as_written,
    is_code,
    is_number,
    is_period,
)
from claimbridge.profiles.kit.reading import unknown

PARTED: Final = "||"
SAVED, REPEATED, REPEATING, UNFORESEEN = "0000", "3100", "3101", "1111"
_CODE: Final = re.compile(r"\d{4,6}")
_NUMBER: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}"
_ID: Final = re.compile(r"[A-Za-z0-9+/_-]{6,60}={0,2}")
"""The id of a voucher, as it stands after the number: EAS's are longer than any number."""
_WORDS: Final = re.compile(r"[^\W\d]")
FORM: Final = EntryForm(number=rf".{{1,40}}-[0-9]{{1,2}}-{_NUMBER}", year=YEAR, needs_year=True)
"""Type, period and year belong to a number; the company is the one that was asked for."""
_K = OutcomeKind


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """One string that was understood; ``number`` is "" where EAS gives none.

    ``id`` stands after the number. ``reference`` is ours, which only rows repeat. ``drift`` has a
    sentence for each correction.
    """

    code: str
    type: str
    year: str
    period: str
    text: str
    number: str
    id: str = ""
    reference: str = ""
    drift: tuple[str, ...] = ()

    def entry(self, company: str) -> JournalEntry | None:
        """Return the voucher's number in EAS, which counts by company, period and type.

        None if a part does not have its form: then other parts may stand in wrong places too.
        """
        whole = (
            is_code(self.type)
            and re.fullmatch(YEAR, self.year)
            and is_period(self.period)
            and (not self.text or _WORDS.search(self.text))
            and is_number(self.number, _NUMBER)
            and (not self.id or (_ID.fullmatch(self.id) and not self.id.isdigit()))
        )
        if not whole:
            return None
        return JournalEntry(f"{self.type}-{self.period}-{self.number}", company, self.year)


_STRING: Final = ("code", "type", "year", "period", "text", "number", "id")
_ROW: Final = ("reference", "type", "year", "period", "code", "text", "number", "id")
_OBJECT: Final[Mapping[str, str]] = {
    "number": "reference",
    "voucherType": "type",
    "year": "year",
    "period": "period",
    "message": "code",
    "exception": "text",
    "easNumber": "number",
}
"""The members of a ``WSWSRtnInfo``, with what each holds."""


def result(written: str) -> ImportResult | None:
    """Return what a string says; None for a string that is not a result."""
    parts = written.split(PARTED)
    return _of_parts(dict(zip(_STRING, parts, strict=False)), 5 <= len(parts) <= 7)


def row_result(cells: Sequence[str]) -> ImportResult | None:
    """Return what a row of ``WSWSVoucher`` says; None for one that is not a result."""
    return _of_parts(dict(zip(_ROW, cells, strict=False)), 7 <= len(cells) <= 8)


def object_result(members: Mapping[str, str]) -> ImportResult | None:
    """Return what a ``WSWSRtnInfo`` says; None for members that are not a result."""
    parts = {part: members.get(name, "") for name, part in _OBJECT.items()}
    return _of_parts(parts, "message" in members and "easNumber" in members)


def _of_parts(parts: Mapping[str, str], whole: bool) -> ImportResult | None:
    held = {name: _without_null(part.strip()) for name, part in parts.items()}
    if not whole or not _CODE.fullmatch(held["code"]):
        return None
    drift: list[str] = []
    return ImportResult(
        code=held["code"],
        type=held["type"],
        year=as_written(held["year"], "a voucher's year", drift),
        period=as_written(held["period"], "a voucher's period", drift),
        text=held["text"],
        number=as_written(held.get("number", ""), "a voucher's number", drift),
        id=held.get("id", ""),
        reference=held.get("reference", ""),
        drift=tuple(drift),
    )


def outcome(
    found: ImportResult, *, company: str = "", posted: bool = True, item: int = 1
) -> Outcome:
    """Return what one result says of the one voucher that it can be about.

    ``posted`` False: vouchers are saved as drafts, and a person submits them later.
    """
    entry, reference = found.entry(company), found.reference or None
    if found.code == SAVED and entry is not None:
        return Outcome(
            kind=_K.POSTED if posted else _K.ACKNOWLEDGED,
            reference=reference,
            journal_entry=entry,
            item=item,
            drift=found.drift,
        )
    if found.code == SAVED:
        said = f"EAS says that it saved the voucher, but gives no usable number: {found.text}"
        return unknown(said, reference=reference, item=item)
    reason = Reason(found.text, code=found.code)
    if found.code == REPEATED:
        return Outcome(
            kind=_K.DUPLICATE,
            reference=reference,
            journal_entry=entry,
            reasons=(reason,),
            item=item,
            drift=found.drift,
        )
    if found.code in (REPEATING, UNFORESEEN) or found.number:
        return unknown(f"EAS answers {reason}", reference=reference, item=item)
    return Outcome(kind=_K.REJECTED, reference=reference, reasons=(reason,), item=item)


class ListedVoucher(msgspec.Struct, frozen=True, kw_only=True):
    """One voucher of a period as ``findVoucher`` lists it; ``debit`` None: the amount is not."""

    reference: str
    entry: JournalEntry
    debit: Decimal | None


def read_listed_voucher(
    written: str, layout: Sequence[str], *, place: tuple[str, int, int], type_: str
) -> ListedVoucher | None:
    """Return the voucher that a string of ``findVoucher`` lists, its parts named by ``layout``.

    ``place`` is the company, year and period that were asked for. None if the string does not have
    that layout, or belongs to another period.
    """
    company, year, period = place
    parts = written.split(PARTED)
    if len(parts) != len(layout):
        return None
    held = {
        name: _without_null(part.strip()) for name, part in zip(layout, parts, strict=True) if name
    }
    try:
        of_period = (int(held.get("year", year)), int(held.get("period", period)))
        debit = Decimal(held["debit"]).copy_abs() if "debit" in held else None
    except (ValueError, InvalidOperation):
        return None
    if of_period != (year, period) or (debit and not debit.is_finite()):
        return None
    if not is_number(held["number"], _NUMBER) or not is_code(held.get("type", type_)):
        return None
    number = f"{held.get('type', type_)}-{period}-{held['number']}"
    return ListedVoucher(
        reference=held["reference"], entry=JournalEntry(number, company, str(year)), debit=debit
    )


def _without_null(part: str) -> str:
    # Java writes the word for a missing value.
    return "" if part == "null" else part


__all__ = [
    "FORM",
    "ImportResult",
    "ListedVoucher",
    "object_result",
    "outcome",
    "read_listed_voucher",
    "result",
    "row_result",
]
