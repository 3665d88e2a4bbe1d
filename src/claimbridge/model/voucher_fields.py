"""What each place that tells of a voucher does with each of its fields: one table.

A field that is added to ``Voucher`` or ``Posting`` stands here before anything else works: the
reference contract, the words for accountants, the tests' strategies and the conformance suite are
held against this table (``tests/model/test_voucher_fields.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Untold(NamedTuple):
    """A place does not tell a field, and why it need not."""

    why: str


class Told(NamedTuple):
    """How a field is told: its element in the reference contract, and what people call it."""

    element: str | Untold
    words: str | Untold


_ONE_DOCUMENT: Final = Untold(
    "a server of this contract takes a voucher whole: none is divided for it"
)
_PREVIEW: Final = Untold("the table is for accounts; claimbridge preview shows the whole document")
_CLAIM: Final = Untold("it is the claim's, which the reader has before him")
_SIGN: Final = Untold("debit and credit have columns of their own")

VOUCHER: Final[Mapping[str, Told]] = {
    "claim_id": Told("ClaimId", _CLAIM),
    "revision": Told("Revision", _CLAIM),
    "company": Told("Company", "company"),
    "employee": Told("Employee", _CLAIM),
    "currency": Told("Currency", Untold("each posting tells its own")),
    "document_date": Told("DocumentDate", _PREVIEW),
    "posting_date": Told("PostingDate", "posting date"),
    "postings": Told("Posting", "#"),
    "purpose": Told("Purpose", Untold("what is mapped is posted; a reversal is told as one")),
    "text": Told("Text", "text"),
    "employee_name": Told("EmployeeName", _CLAIM),
    "approver": Told("Approver", _CLAIM),
    "approved_at": Told("ApprovedAt", _CLAIM),
    "reverses": Told("Reverses", Untold("what is mapped reverses nothing")),
    "document_number": Told(_ONE_DOCUMENT, "part"),
    "documents": Told(_ONE_DOCUMENT, "of"),
}
POSTING: Final[Mapping[str, Told]] = {
    "role": Told("Role", "role"),
    "account": Told("Account", "account"),
    "side": Told("Side", _SIGN),
    "amount": Told("Amount", "debit or credit"),
    "currency": Told("Currency", "currency"),
    "cost_centre": Told("CostCentre", "cost centre"),
    "project": Told("Project", _PREVIEW),
    "partner": Told("Partner", "partner"),
    "tax_code": Told("TaxCode", _PREVIEW),
    "tax_base": Told("TaxBase", _PREVIEW),
    "narration": Told("Narration", "narration"),
    "dimensions": Told("Dimension", _PREVIEW),
    "source": Told("Source", Untold("the reasons below tell it")),
    "company": Told("Company", "company"),
}
