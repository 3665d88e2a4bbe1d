"""Which invoices a claim uses, told apart so that none is paid twice.

An invoice is known by what is printed on it, never by its kind, which two people may name
differently:

- a fully digital one 数电票 by its number of 20 digits alone, whatever stands beside it,
- a paper one by 发票代码 and number,
- any other by its seller and its number,
- what has no such number, as tickets have none, by the id that its source knows it by.

What has none of these is not judged. Nor is a line with a negative amount: it gives back what an
invoice had taken.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model.claim_lines import SupportingDocument
from claimbridge.model.invoice_numbers import (
    DIGITAL,
    PAPER_CODE,
    PAPER_NUMBER,
    InvoiceNumber,
    refill,
)
from claimbridge.model.money import EXACT
from claimbridge.model.text import plain

if TYPE_CHECKING:
    from claimbridge.model.claim import Claim
    from claimbridge.model.claim_lines import ClaimLine

_SHORT_CODE: Final = 10


class InvoiceUse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invoice on a claim: its identity, the first line that it stands on (from 1), its number.

    ``total`` is the whole invoice's in ``currency``, and ``amount`` the part of it that is claimed;
    both are None where the claim does not say: then the invoice is used whole.
    """

    invoice: str
    line: int
    number: str
    amount: Decimal | None = None
    total: Decimal | None = None
    currency: str = ""


def identity_of(document: SupportingDocument) -> str:
    """Return what tells this invoice from every other; "" where it is not judged."""
    number, code = InvoiceNumber(document.number), InvoiceNumber(document.code)
    if number.is_digital:
        return number.plain
    if number.plain and code.plain:
        return f"{refill(code.plain, PAPER_CODE)}:{refill(number.plain, PAPER_NUMBER)}"
    seller = plain(document.seller).casefold()
    if number.plain and seller:
        return f"{seller}|{number.plain}"
    known = plain(document.id)
    return f"id|{known}" if known else ""


def names_of(number: str) -> tuple[str, ...]:
    """Return what an invoice with this number, in any spelling, may be known by."""
    found = InvoiceNumber(number).plain
    code, _, rest = found.rpartition(":")
    whole = identity_of(SupportingDocument(kind="", number=rest, code=code)) if code else ""
    names = (found, refill(found, PAPER_NUMBER), plain(number), whole)
    return tuple(name for name in dict.fromkeys(names) if name)


def invoices_of(claim: Claim) -> tuple[InvoiceUse, ...]:
    """Return the invoices that the claim uses, each once.

    Raises ClaimError naming the line: CB-530 where one stands on it twice without saying which part
    each line claims, CB-566 or CB-567 where a number lost digits or may have, CB-569 where what is
    said of one contradicts itself.
    """
    found: dict[str, InvoiceUse] = {}
    try:
        for count, line in enumerate(claim.lines, start=1):
            for index, document in enumerate(line.documents if line.amount >= 0 else ()):
                _check_numbers(document, _place(line, count, index))
                use = _use(document, count, line.currency or claim.currency)
                if use is not None:
                    known = found.get(use.invoice)
                    found[use.invoice] = use if known is None else _add_up(known, use)
    except ClaimError as error:
        error.claim_id = claim.id
        raise
    return tuple(found.values())


def _place(line: ClaimLine, count: int, index: int) -> str:
    """Return where a document stands, as tables with one document a line call it."""
    name = "document" if len(line.documents) == 1 else f"documents[{index}]"
    return f"line {count}, {name}"


def _check_numbers(document: SupportingDocument, place: str) -> None:
    if document.number:
        lengths = (DIGITAL, PAPER_NUMBER) if document.code else (DIGITAL,)
        number = InvoiceNumber(document.number)
        number.check(f"{place}.number", *lengths, sure=bool(document.id))
    if document.code:
        InvoiceNumber(document.code).check(f"{place}.code", _SHORT_CODE, PAPER_CODE)


def _use(document: SupportingDocument, line: int, currency: str) -> InvoiceUse | None:
    invoice = identity_of(document)
    if not invoice:
        return None
    number = InvoiceNumber(document.number).plain
    if ":" in invoice:
        number = refill(number, PAPER_NUMBER)
    number = number or plain(document.id)
    if document.total is None:
        return InvoiceUse(invoice=invoice, line=line, number=number)
    return InvoiceUse(
        invoice=invoice,
        line=line,
        number=number,
        amount=document.amount,
        total=document.total,
        currency=currency,
    )


def _add_up(known: InvoiceUse, use: InvoiceUse) -> InvoiceUse:
    """Return the use of an invoice that stands on another line of the claim too."""
    if known.amount is None or use.amount is None or known.total is None:
        raise ClaimError(
            f"line {use.line}: invoice {use.number} stands on line {known.line} of this claim "
            "already; keep one of the two, or state on each the invoice's total, and as amount the "
            "part of it that the line claims",
            code="CB-530",
        )
    if (known.total, known.currency) != (use.total, use.currency):
        raise contradiction(use, known, f"line {known.line}")
    amount = EXACT.add(known.amount, use.amount)
    if amount > known.total:
        raise ClaimError(
            f"line {use.line}: {amount} {use.currency} of invoice {use.number} would be claimed, "
            f"whose total is {use.total}; correct the amounts",
            code="CB-568",
        )
    return msgspec.structs.replace(known, amount=amount)


def contradiction(use: InvoiceUse, other: InvoiceUse, whose: str) -> ClaimError:
    """Return the error for an invoice of which two claims, or lines, say different totals."""
    return ClaimError(
        f"line {use.line}: invoice {use.number} has a total of {use.total} {use.currency} here, "
        f"and of {other.total} {other.currency} on {whose}; look at the invoice and correct one",
        code="CB-569",
    )


__all__ = ["InvoiceUse", "contradiction", "identity_of", "invoices_of", "names_of"]
