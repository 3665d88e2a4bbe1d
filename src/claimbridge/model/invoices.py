"""Which invoices a claim uses, told apart so that none is paid twice.

An invoice is identified by what is printed on it. Its kind does not count: two people may name it
differently.

- a fully digital one 数电票 by its number of 20 digits alone, whatever stands beside it,
- a paper one by 发票代码 and number,
- any other by its seller and its number,
- a document without such a number, such as a ticket, by its id in the source.

A document with none of these is not judged. Nor is a line with a negative amount: it gives back
what an invoice had taken.
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

    ``total`` is the whole invoice's in ``currency``, and ``amount`` the part of it that is claimed.
    Both are None where the claim does not say: it then uses the whole invoice.
    """

    invoice: str
    line: int
    number: str
    amount: Decimal | None = None
    total: Decimal | None = None
    currency: str = ""


def identity_of(document: SupportingDocument) -> str:
    """Return what identifies this invoice; "" where it is not judged."""
    number, code = InvoiceNumber(document.number), InvoiceNumber(document.code)
    if number.is_digital:
        return number.plain
    if number.plain and code.plain:
        return f"{refill(code.plain, PAPER_CODE)}:{refill(number.plain, PAPER_NUMBER)}"
    seller = plain(document.seller).casefold()
    if number.plain and seller:
        return f"{seller}|{number.plain}"
    own_id = plain(document.id)
    return f"id|{own_id}" if own_id else ""


def names_of(number: str) -> tuple[str, ...]:
    """Return the identities that an invoice with this number, in any spelling, may have."""
    bare = InvoiceNumber(number).plain
    code, _, rest = bare.rpartition(":")
    whole = identity_of(SupportingDocument(kind="", number=rest, code=code)) if code else ""
    names = (bare, refill(bare, PAPER_NUMBER), plain(number), whole)
    return tuple(name for name in dict.fromkeys(names) if name)


def invoices_of(claim: Claim) -> tuple[InvoiceUse, ...]:
    """Return the invoices that the claim uses, each once.

    Raises ClaimError naming the line. CB-530: an invoice stands on the claim twice, without the
    part that each line claims. CB-566: a number lost digits. CB-567: it may have. CB-568: more than
    the invoice's total is claimed. CB-569: the lines state different totals.
    """
    uses: dict[str, InvoiceUse] = {}
    try:
        for count, line in enumerate(claim.lines, start=1):
            for index, document in enumerate(line.documents if line.amount >= 0 else ()):
                _check_numbers(document, _place(line, count, index))
                use = _use(document, count, line.currency or claim.currency)
                if use is not None:
                    earlier = uses.get(use.invoice)
                    uses[use.invoice] = use if earlier is None else _add_up(earlier, use)
    except ClaimError as error:
        error.claim_id = claim.id
        raise
    return tuple(uses.values())


def _place(line: ClaimLine, count: int, index: int) -> str:
    """Return where a document stands, in the words of tables with one document a line."""
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


def _add_up(earlier: InvoiceUse, use: InvoiceUse) -> InvoiceUse:
    """Return the use of an invoice that stands on another line of the claim too."""
    if earlier.amount is None or use.amount is None or earlier.total is None:
        raise ClaimError(
            f"line {use.line}: invoice {use.number} stands on line {earlier.line} of this claim "
            "already; keep one of the two, or state on each the invoice's total, and as amount the "
            "part that the line claims",
            code="CB-530",
        )
    if (earlier.total, earlier.currency) != (use.total, use.currency):
        raise contradiction(use, earlier, f"line {earlier.line}")
    amount = EXACT.add(earlier.amount, use.amount)
    if amount > earlier.total:
        raise ClaimError(
            f"line {use.line}: {amount} {use.currency} of invoice {use.number} would be claimed, "
            f"and its total is {use.total}; correct the amounts",
            code="CB-568",
        )
    return msgspec.structs.replace(earlier, amount=amount)


def contradiction(use: InvoiceUse, other: InvoiceUse, whose: str) -> ClaimError:
    """Return the error for an invoice of which two claims, or lines, state different totals."""
    return ClaimError(
        f"line {use.line}: invoice {use.number} has a total of {use.total} {use.currency} here, "
        f"and of {other.total} {other.currency} on {whose}; look at the invoice and correct one",
        code="CB-569",
    )


__all__ = ["InvoiceUse", "contradiction", "identity_of", "invoices_of", "names_of"]
