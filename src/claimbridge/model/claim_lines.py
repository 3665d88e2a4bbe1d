"""What a claim is made of: lines, items, taxes, allocations, documents, advances, payees.

They are checked as parts of their claim: see ``claimbridge.model.line_checks``.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final, Literal

import msgspec

from claimbridge.model.money import EXACT, rounded

MAX_LINES: Final = 10_000
MAX_REVISION: Final = 2**31 - 1
MIN_RATE: Final = Decimal("0.000000001")
MAX_RATE: Final = Decimal(1_000_000_000)
MAX_QUANTITY: Final = Decimal(1_000_000_000)

REQUIRED_TEXT: Final = frozenset(
    {"id", "company", "employee", "type", "kind", "partner", "reference"}
)
CLAIM_TEXT: Final = {
    "id": 64,
    "company": 32,
    "employee": 64,
    "title": 1000,
    "employee_name": 200,
    "department": 64,
    "cost_centre": 64,
    "country": 3,
    "grade": 64,
    "approver": 200,
}
LINE_TEXT: Final = {
    "type": 64,
    "unit": 16,
    "company": 32,
    "cost_centre": 64,
    "department": 64,
    "project": 64,
    "text": 4000,
}
ITEM_TEXT: Final = {"type": 64, "unit": 16, "text": 4000}
ALLOCATION_TEXT: Final = {"company": 32, "cost_centre": 64, "department": 64, "project": 64}
TAX_TEXT: Final = {"kind": 64}
PAYEE_TEXT: Final = {"partner": 64, "name": 200}
ADVANCE_TEXT: Final = {"reference": 64}
DOCUMENT_ID: Final = 200
DOCUMENT_TEXT: Final = {"kind": 64, "number": 64, "code": 64, "seller": 300, "uri": 2000}
"""How long each text may be, in characters; ``REQUIRED_TEXT`` may not be blank either."""

IDENTIFIERS: Final = frozenset({"id", "reference"})
"""Texts of which each thing has exactly one spelling: see ``model.text.check_identifier``."""
FREE_TEXT: Final = frozenset(
    {"title", "text", "employee_name", "approver", "name", "seller", "uri"}
)
"""Texts that people write for people: see ``model.text.check_free_text``."""
PRINTED: Final = frozenset({"number", "code"})
"""What is printed on a document, in any spelling; ``model.invoices`` tells documents apart."""


class SupportingDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invoice 发票 or slip 附件 behind a claim line.

    ``kind`` is free (``vat_special``, ``vat_ordinary``, ``rail_ticket``, ``receipt`` …). ``code``
    is the 发票代码 of a paper invoice, empty for a fully digital one (数电票).

    ``amount`` is the gross amount in the line's currency, ``tax`` the tax in it. ``deductible_tax``
    is the part of the tax that the verification of the invoice found deductible. ``fare`` is the
    part of ``amount`` that a tax is computed from where the document states none: a flight without
    its airport levy and insurance. None means not stated.

    ``total`` is the whole invoice's gross amount where only a part of it is claimed. ``amount`` is
    then required, and the other figures are that part's. None: the line uses the whole invoice.

    ``id`` is the source's own id, unique for ever; it identifies a document without a number.
    """

    kind: str
    id: str = ""
    number: str = ""
    code: str = ""
    date: dt.date | None = None
    amount: Decimal | None = None
    tax: Decimal | None = None
    deductible_tax: Decimal | None = None
    fare: Decimal | None = None
    total: Decimal | None = None
    seller: str = ""
    uri: str = ""


class Tax(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several taxes in a line's amount.

    ``amount`` is in the line's currency, with the line's sign. ``rate`` is a fraction.
    ``deductible`` is the share that may be deducted; None: the chart decides. ``kind`` is free
    (``gst``, ``pst``) and may choose the tax's account.
    """

    amount: Decimal
    rate: Decimal | None = None
    deductible: Decimal | None = None
    kind: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of an itemised bill, such as the breakfast on a hotel's; in the line's currency.

    It has an expense type of its own, and states tax and quantity as a line does. ``personal``
    marks what the employee owes the company, on a line that the company's card paid.
    """

    type: str
    amount: Decimal
    tax: Decimal | None = None
    tax_rate: Decimal | None = None
    deductible: Decimal | None = None
    quantity: Decimal | None = None
    unit: str = ""
    personal: bool = False
    text: str = ""


class Allocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a line's cost that another cost centre, department, project or company bears.

    It has either ``share``, a fraction of the line, or ``amount``, gross, in the line's currency.
    Each empty field takes the line's value.
    """

    share: Decimal | None = None
    amount: Decimal | None = None
    company: str = ""
    cost_centre: str = ""
    department: str = ""
    project: str = ""
    dimensions: dict[str, str] = {}


class Payee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is paid a part of what the claim owes, in place of its employee.

    ``partner`` is the code of the employee or vendor in the ERP. The ERP knows the bank account; a
    claim never holds one. ``amount`` is in the claim's currency.
    """

    partner: str
    amount: Decimal
    name: str = ""


class Advance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An advance 借款 that the employee had, and what this claim does with it.

    ``reference`` is the advance's number in the source. ``settled`` is written off against what the
    claim owes the employee. ``returned`` is what the employee also hands back. Both are in the
    claim's currency and not negative.
    """

    reference: str
    settled: Decimal
    returned: Decimal = Decimal(0)


class ClaimLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expense of a claim.

    ``amount`` is gross (tax included), in ``currency`` (None: the claim's). ``rate`` converts one
    unit of ``currency`` into the claim's currency, and is required where the two differ.

    ``tax`` is the tax in ``amount`` as the invoice states it, ``tax_rate`` its rate as a fraction
    (0.06), ``deductible`` the share of it that may be deducted, from 0 to 1. None: the chart
    decides. ``taxes`` replace these three where there are several.

    ``payment`` says who paid: the employee, or the company by its card. ``personal`` marks what the
    employee bought with that card for himself, and owes. ``quantity`` is how much was used
    (kilometres, days), in ``unit``; None: not stated.

    ``items`` are those of an itemised bill; they add up to ``amount`` and state their own taxes.
    ``company`` bears the cost; empty: the claim's. ``allocations`` divide the cost and add up to
    the whole line. ``dimensions`` are further codes by name (``{"project": "P-7"}``), as the chart
    asks for them.
    """

    type: str
    date: dt.date
    amount: Decimal
    currency: str | None = None
    rate: Decimal | None = None
    tax: Decimal | None = None
    tax_rate: Decimal | None = None
    deductible: Decimal | None = None
    taxes: tuple[Tax, ...] = ()
    payment: Literal["employee", "company_card"] = "employee"
    personal: bool = False
    quantity: Decimal | None = None
    unit: str = ""
    company: str = ""
    cost_centre: str = ""
    department: str = ""
    project: str = ""
    text: str = ""
    dimensions: dict[str, str] = {}
    items: tuple[Item, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    documents: tuple[SupportingDocument, ...] = ()


def converted(line: ClaimLine, claim_currency: str) -> Decimal:
    """Return the line's amount in the claim's currency, rounded half up to its decimals."""
    if line.currency is None or line.currency == claim_currency:
        return line.amount
    assert line.rate is not None  # a claim without it cannot exist
    return rounded(EXACT.multiply(line.amount, line.rate), claim_currency)
