"""Where each field of a voucher is shown: its element in the reference contract, and its word.

A field that is added to ``Voucher`` or ``Posting`` needs an entry here first. A test compares this
table with the reference contract, the words for accountants, the tests' strategies and the
conformance suite (``tests/model/test_voucher_fields.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Omission(NamedTuple):
    """Why a field has no element, or no word."""

    why: str


class FieldNames(NamedTuple):
    """A field's element in the reference contract, and what people call it."""

    element: str | Omission
    words: str | Omission


_ONE_DOCUMENT: Final = Omission(
    "a server of this contract takes a voucher of any length: none is divided for it"
)
_PREVIEW: Final = Omission(
    "the table is for accounts; claimbridge preview shows the whole document"
)
_CLAIM: Final = Omission("it is the claim's, which the reader already has")
_SIGN: Final = Omission("debit and credit have columns of their own")

VOUCHER: Final[Mapping[str, FieldNames]] = {
    "claim_id": FieldNames("ClaimId", _CLAIM),
    "revision": FieldNames("Revision", _CLAIM),
    "company": FieldNames("Company", "company"),
    "employee": FieldNames("Employee", _CLAIM),
    "currency": FieldNames("Currency", Omission("each posting has its own")),
    "document_date": FieldNames("DocumentDate", _PREVIEW),
    "posting_date": FieldNames("PostingDate", "posting date"),
    "postings": FieldNames("Posting", "#"),
    "purpose": FieldNames("Purpose", Omission("a mapped voucher always posts")),
    "text": FieldNames("Text", "text"),
    "employee_name": FieldNames("EmployeeName", _CLAIM),
    "approver": FieldNames("Approver", _CLAIM),
    "approved_at": FieldNames("ApprovedAt", _CLAIM),
    "reverses": FieldNames("Reverses", Omission("a mapped voucher reverses nothing")),
    "document_number": FieldNames(_ONE_DOCUMENT, "part"),
    "documents": FieldNames(_ONE_DOCUMENT, "of"),
}
POSTING: Final[Mapping[str, FieldNames]] = {
    "role": FieldNames("Role", "role"),
    "account": FieldNames("Account", "account"),
    "side": FieldNames("Side", _SIGN),
    "amount": FieldNames("Amount", "debit or credit"),
    "currency": FieldNames("Currency", "currency"),
    "cost_centre": FieldNames("CostCentre", "cost centre"),
    "project": FieldNames("Project", _PREVIEW),
    "partner": FieldNames("Partner", "partner"),
    "tax_code": FieldNames("TaxCode", _PREVIEW),
    "tax_base": FieldNames("TaxBase", _PREVIEW),
    "narration": FieldNames("Narration", "narration"),
    "dimensions": FieldNames("Dimension", _PREVIEW),
    "source": FieldNames("Source", Omission("the reasons below the table name it")),
    "company": FieldNames("Company", "company"),
}
