"""Fields of a voucher that ERPs have no place for, each with the reason.

A profile lists such fields as ``no_place``. The conformance suite demands that every other field
reaches the request, or that the profile refuses the voucher.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BY_REFERENCE: Final = "the reference is made from it, and stands for it"
_OURS: Final = "it is our own reason for the posting; the ledger keeps accounts, and no reasons"
_OF_THE_CLAIM: Final = "who approved, and when, stays with the claim; the document has no field"

NAMED_BY_REFERENCE: Final[Mapping[str, str]] = {
    "claim_id": _BY_REFERENCE,
    "revision": _BY_REFERENCE,
    "document_number": _BY_REFERENCE,
    "documents": "each part is a document of its own; how many there are stays in the journal",
}
"""For ERPs whose documents have a field for our reference, but none for its parts."""

OF_THE_CLAIM: Final[Mapping[str, str]] = {
    **NAMED_BY_REFERENCE,
    "employee_name": "the partner's master record has the name",
    "approver": _OF_THE_CLAIM,
    "approved_at": _OF_THE_CLAIM,
    "posting.source": _OURS,
}
"""For all ERPs that we know: what only the claim itself keeps."""

EMPLOYEE: Final = "the partner of what is owed names the employee"
ROLE: Final = _OURS
ONE_DATE: Final = "the document has one date, the posting date"
NO_TAX: Final = "the document has no tax items; tax is posted on its account like any other amount"
