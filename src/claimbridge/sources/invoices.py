"""Which invoices a claim uses, told apart so that none is paid twice.

An invoice is known by what is printed on it, never by its kind, which two people may name
differently:

- a fully digital one 数电票 by its number of 20 digits alone, whatever stands beside it,
- a paper one by 发票代码 and number,
- any other by its seller and its number.

What has no number, or only a number that means nothing without its seller, is not judged. Nor is
a line with a negative amount: it gives back what an invoice had taken.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, SupportingDocument

_DIGITAL: Final = 20
_PAPER_NUMBER: Final = 8
_PAPER_CODE: Final = 12


class InvoiceUse(msgspec.Struct, frozen=True):
    """One invoice on a claim: its identity, the line that it stands on (from 1), its number."""

    invoice: str
    line: int
    number: str


def identity_of(document: SupportingDocument) -> str:
    """Return what tells this invoice from every other; "" where it is not judged."""
    number, code = _plain(document.number), _plain(document.code)
    if not number:
        return ""
    if number.isdecimal() and len(number) == _DIGITAL:
        return number
    if code:
        return f"{_refilled(code, _PAPER_CODE)}:{_refilled(number, _PAPER_NUMBER)}"
    seller = " ".join(unicodedata.normalize("NFKC", document.seller).casefold().split())
    return f"{seller}|{number}" if seller else ""


def invoices_of(claim: Claim) -> tuple[InvoiceUse, ...]:
    """Return the invoices that the claim uses, each once.

    Raises ClaimError CB-530 where one stands on it twice.
    """
    found: dict[str, InvoiceUse] = {}
    for count, line in enumerate(claim.lines, start=1):
        for document in line.documents if line.amount >= 0 else ():
            invoice = identity_of(document)
            if not invoice:
                continue
            if invoice in found:
                raise ClaimError(
                    f"line {count}: invoice {document.number} stands on line "
                    f"{found[invoice].line} of this claim already; keep one of the two, or make "
                    "one line of them and divide it into items",
                    code="CB-530",
                    claim_id=claim.id,
                )
            found[invoice] = InvoiceUse(invoice, count, document.number)
    return tuple(found.values())


def used_already(use: InvoiceUse, *, claim_id: str, holder: str, line: int) -> ClaimError:
    """Return the error for an invoice of ``claim_id`` that claim ``holder`` uses on ``line``."""
    return ClaimError(
        f"line {use.line}: invoice {use.number} is used by claim {holder} already, "
        f"on its line {line}; take it off this claim, or withdraw that one if it is the wrong one",
        code="CB-530",
        claim_id=claim_id,
    )


def _plain(text: str) -> str:
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()


def _refilled(digits: str, length: int) -> str:
    # Spreadsheets drop leading zeros. A paper number has 8 digits; a code has 10, or 12 of which
    # the first is a zero.
    if not digits.isdecimal() or (length == _PAPER_CODE and len(digits) != _PAPER_CODE - 1):
        return digits
    return digits.zfill(length)


__all__ = ["InvoiceUse", "identity_of", "invoices_of", "used_already"]
