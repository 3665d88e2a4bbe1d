"""Numbers of invoices and tickets as people and spreadsheets write them: one form for each.

What a spreadsheet wraps around a number is removed where only one number can be meant. A number
that lost digits there, or may have lost them, is refused: two different numbers may look alike.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from claimbridge.errors import ClaimError
from claimbridge.model.text import plain

DIGITAL: Final = 20
"""Digits of a fully digital invoice's number 数电票."""
PAPER_NUMBER: Final = 8
PAPER_CODE: Final = 12

_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
"""How a workbook's strings write characters (ECMA-376 part 1 §22.9.2.19): ``_x000D_``."""
_QUOTES: Final = "\"'`´′″“”„‟‘’‚‛«»‹›「」『』《》〈〉"
_SIGNS: Final = frozenset({"Pd", "Zs", "Zl", "Zp", "Cc"})
"""Unicode's categories of dashes and white space, which only group digits."""
_LABEL: Final = re.compile(
    "(?:增值税|专用|普通|电子|纸质|全电|数电|铁路|航空|出租车|火车|发票|票据|收据|车票|客票|机票"
    r"|行程单|号码|代码|编号|号)+\s*[.:#]*"
    r"|(?:INVOICE|FAPIAO|RECEIPT|TICKET)?\s*(?:NUMBER|NUM|NO|NR)?\s*[.:#]+"
)
"""A label before a number: one with a sign after it, or in words that no number has."""
_BARE_LABEL: Final = re.compile("(?:INVOICE|FAPIAO)?(?:NO|NR)?(?=(?:[0-9]{20}|[0-9]{8})$)")
_WHOLE: Final = re.compile(r"([0-9]+)\.0+")
_THOUSANDS: Final = re.compile("[0-9]{1,3}(?:,[0-9]{3})+")
_LOST: Final = re.compile(
    r"[0-9](?:[.,][0-9]+)?E\+[0-9]+|[0-9][.,][0-9]+E[0-9]+"
    r"|#+|#(?:N/A|REF!|VALUE!|NAME\?|NUM!|NULL!|DIV/0!)"
)
"""What a spreadsheet shows for a long number in a narrow column, or for an error."""
_ROUNDED: Final = re.compile("[0-9]{15}0{5}")
"""What a spreadsheet makes of 20 digits: its numbers have 15."""
_GROUPED: Final = re.compile("[0-9][ -][0-9]")
_ALIKE: Final = frozenset("OIL")
"""Capital letters that people mistake for digits."""


class InvoiceNumber:
    """One number, or code, as written, and its ``plain`` form; "" where nothing of it is left."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._seen = plain(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)).upper()
        self._is_grouped = bool(_GROUPED.search(self._seen))
        self.plain = _unwrap(self._seen)

    @property
    def is_digital(self) -> bool:
        """Whether it is that of a fully digital invoice, which needs no code beside it."""
        return len(self.plain) == DIGITAL and self.plain.isdecimal()

    def check(self, what: str, *lengths: int, sure: bool = False) -> None:
        """Refuse a number that lost digits (CB-566), or may have (CB-567).

        ``what`` names the field; ``lengths`` are the numbers of digits that such numbers have.
        ``sure``: the number was in no spreadsheet, so zeros at its end are its own. Groups of
        digits, which only a person writes, show the same. Raises ClaimError.
        """
        if _LOST.fullmatch(self._seen) or _LOST.fullmatch(self.plain):
            raise ClaimError(
                f"{what}: {self._seen} has lost digits in a spreadsheet; format the column as text "
                "and write it as it is printed",
                code="CB-566",
            )
        if _ROUNDED.fullmatch(self.plain) and not (sure or self._is_grouped):
            raise ClaimError(
                f"{what}: {self.plain} may have lost digits in a spreadsheet, which keeps 15 of "
                "them and writes zeros for the others; look at the invoice, and if its number "
                f"really ends so, write it in groups: {_in_groups(self.plain)}",
                code="CB-567",
            )
        letters = sorted(set(self.plain) & _ALIKE)
        if letters and len(self.plain) in lengths and self._is_nearly_digits():
            raise ClaimError(
                f"{what}: {self.plain} has the letter {' and '.join(letters)} among its digits, "
                "which no invoice number has; write the digit",
                code="CB-567",
            )

    def _is_nearly_digits(self) -> bool:
        digits = sum(character.isdecimal() for character in self.plain)
        letters = sum(character in _ALIKE for character in self.plain)
        return digits + letters == len(self.plain) and digits * 4 >= len(self.plain) * 3


def refill(digits: str, length: int) -> str:
    """Return a paper invoice's number or code with the leading zeros that spreadsheets drop.

    A number has 8 digits; a code has 10, or 12 of which the first is a zero.
    """
    if not digits.isdecimal() or (length == PAPER_CODE and len(digits) != PAPER_CODE - 1):
        return digits
    return digits.zfill(length)


def _unwrap(text: str) -> str:
    """Return the number inside labels, quotes, formulas, groups and a spreadsheet's decimals."""
    text = "".join(map(_digit, text))
    before = None
    while before != text:
        before = text
        text = text.strip().strip(_QUOTES).removeprefix("=").rstrip(",;.、。").strip()
        text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    text = "".join(c for c in text if unicodedata.category(c) not in _SIGNS and c != "−")
    text = _BARE_LABEL.sub("", text, count=1) if _BARE_LABEL.match(text) else text
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text.removesuffix("号")


def _digit(character: str) -> str:
    """Return the ASCII digit of any script's digit; other characters stay."""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _in_groups(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


__all__ = ["DIGITAL", "PAPER_CODE", "PAPER_NUMBER", "InvoiceNumber", "refill"]
