"""The profile of the reference contract, ``voucher-service.wsdl``.

The contract obliges the server to keep references unique, to answer a repeat with the existing
document, and to answer queries from the same store. So a lost answer is always resolved by asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.errors import ClaimError, DocumentError, OutcomeUnknown
from claimbridge.model import (
    JournalEntry,
    Outcome,
    OutcomeKind,
    Reason,
    Submission,
    as_amount,
)
from claimbridge.profiles.base import Capabilities, Page
from claimbridge.profiles.kit.owners import of_document
from claimbridge.profiles.kit.reading import Read, legible, of_several, read_untyped, unknown
from claimbridge.profiles.reference.voucher_xml import (
    NAMESPACE,
    OMISSIONS,
    voucher_body,
    voucher_from,
)
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.reference import requests

__all__ = ["Reference", "voucher_from"]

_CAPABILITIES: Final = Capabilities(
    can_query=True,
    can_reverse=True,
    can_list_changes=True,
    unique_reference=True,
    batch=100,
    reference_length=36,
    reference_pattern=r"[A-Za-z0-9._/\-]+",
    document_signature=f"{{{NAMESPACE}}}Voucher",
    together=True,
    companies=True,
)
_K = OutcomeKind


class Reference:
    """The voucher service's way, without settings and state."""

    name: str = "reference"
    contract: str = "voucher-service.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = OMISSIONS
    kept: Mapping[str, str] = {
        "Voucher/@Id": "the name that signatures refer to",
        "Voucher/Purpose": "whether it posts or reverses",
        "Voucher/ClaimId": "the claim",
        "Voucher/Revision": "the claim's revision",
    }

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return ``SubmitVoucher`` for one submission, ``SubmitVouchers`` for more."""
        vouchers = [
            of_document(submission, voucher_body(submission, number=n))
            for n, submission in enumerate(submissions, start=1)
        ]
        if len(vouchers) == 1:
            one: requests.SubmitVoucher = {"Voucher": vouchers[0]}
            return as_request("SubmitVoucher", one)
        several: requests.SubmitVouchers = {"Voucher": vouchers}
        return as_request("SubmitVouchers", several)

    def reverse(self, submission: Submission) -> Request:
        """Return ``ReverseVoucher``: the reversal is a voucher with a reference of its own."""
        body: requests.ReverseVoucher = {
            "Voucher": of_document(submission, voucher_body(submission, number=1))
        }
        return as_request("ReverseVoucher", body)

    def query(self, references: Sequence[str]) -> Request:
        """Return ``QueryVouchers``."""
        body: requests.QueryVouchers = {"Reference": list(references)}
        return as_request("QueryVouchers", body)

    def changes(self, cursor: str, limit: int) -> Request:
        """Return ``ListChanges``."""
        body: requests.ListChanges = {"Cursor": cursor or None, "Limit": limit}
        return as_request("ListChanges", body)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return an outcome per document, as its status says; a status alone posts nothing."""
        if reply.local not in _REPLIES:
            return (unknown(f"the reply is a {reply.local}, which answers no question of ours"),)
        name, read = _REPLIES[reply.local]
        outcomes = [legible(read, part, n) for n, part in enumerate(reply.all(name), start=1)]
        return tuple(outcomes) or (unknown(f"the {reply.local} names no document"),)

    def read_changes(self, reply: Reply) -> Page:
        """Return a page of ``ListChanges``; raises OutcomeUnknown (CB-428) for another reply."""
        try:
            cursor, more = reply.text("Cursor"), _FLAGS.get(reply.text("More"))
        except DocumentError as error:
            raise _no_page(error.message) from error
        if reply.local != "ListChangesResponse" or not cursor or more is None:
            raise _no_page(f"it is a {reply.local} with the cursor {cursor!r}")
        documents = enumerate(reply.all("Document"), start=1)
        return Page(tuple(legible(_read_document, part, n) for n, part in documents), cursor, more)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a typed fault says; one without a known detail proves nothing."""
        read = _FAULTS.get(fault.detail.local) if fault.detail is not None else None
        if read is None or fault.detail is None:
            return read_untyped(fault, typed=True)
        return legible(read, fault.detail, 1)


_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def _no_page(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the reply to ListChanges is not a page of changes: {why}; ask again from the last cursor",
        code="CB-428",
    )


def _read_item(item: Reply, number: int) -> Outcome:
    """Read one Item of a batch or query, which holds one answer."""
    reference = item.text("Reference") or None
    answers = [(read, part) for name, read in _ANSWERS.items() for part in item.all(name)]
    if len(answers) != 1:
        text = f"the item holds {len(answers)} answers"
        return unknown(text, reference=reference, item=number)
    read, part = answers[0]
    outcome = read(part, number)
    if reference is None:  # which the contract demands
        (outcome,) = of_several((outcome,))
    if reference is not None and outcome.reference not in {None, reference}:
        text = f"the item for {reference} answers with {outcome.reference}"
        return unknown(text, reference=reference, item=number)
    return msgspec.structs.replace(outcome, reference=outcome.reference or reference)


def _read_document(document: Reply, number: int) -> Outcome:
    """Read one Document; it is UNKNOWN without the evidence that its status needs."""
    reference = document.text("Reference") or None
    status = document.text("Status")
    entry = _journal_entry(document)
    kind = _KIND_OF.get(status)
    if kind is None:
        text = f"the document has the status {status!r}, which the contract does not know"
        return unknown(text, reference=reference, item=number)
    if kind in _NUMBERED and entry is None:
        text = f"the document has the status {status}, but no number"
        return unknown(text, reference=reference, item=number)
    try:
        totals = _totals(document)
    except ClaimError as error:
        text = f"the document's totals cannot be read: {error.message}"
        return unknown(text, reference=reference, item=number)
    return Outcome(
        kind=kind,
        reference=reference,
        journal_entry=None if kind is _K.REJECTED else entry,
        reasons=_reasons(document) if kind is _K.REJECTED else (),
        totals=totals,
        item=number,
    )


_KIND_OF: Final = {
    "entered": _K.ACKNOWLEDGED,
    "posted": _K.POSTED,
    "paid": _K.PAID,
    "reversed": _K.REVERSED,
    "rejected": _K.REJECTED,
}
_NUMBERED: Final = frozenset({_K.POSTED, _K.PAID})


def _journal_entry(document: Reply) -> JournalEntry | None:
    number = document.text("JournalEntry", "Number")
    if not number:
        return None
    company = document.text("JournalEntry", "Company")
    return JournalEntry(number, company, document.text("JournalEntry", "FiscalYear"))


def _totals(document: Reply) -> dict[str, Decimal]:
    """Return the debit totals by currency; raises ClaimError when a total cannot be read."""
    totals: dict[str, Decimal] = {}
    for total in document.all("DebitTotal"):
        currency = total.text("Currency")
        if currency in totals:
            raise ClaimError(f"{currency} has two totals")
        totals[currency] = as_amount(total.text("Amount"), currency, what="a debit total")
    return totals


def _reasons(refusal: Reply) -> tuple[Reason, ...]:
    return tuple(
        Reason(reason.text("Text"), code=reason.text("Code"), field=reason.text("Field"))
        for reason in refusal.all("Reason")
    )


def _read_rejection(detail: Reply, number: int) -> Outcome:
    return Outcome(
        kind=_K.REJECTED,
        reference=detail.text("Reference") or None,
        reasons=_reasons(detail),
        text="" if detail.all("Reason") else "the ERP refused it without a reason",
        item=number,
    )


def _read_duplicate(detail: Reply, number: int) -> Outcome:
    """Read the ledger's document under the reference; a live document is a DUPLICATE.

    A reversed document is REVERSED: adopting it as posted would be wrong.
    """
    documents = detail.all("Document")
    if len(documents) != 1:
        return unknown(f"the ERP says duplicate, but shows {len(documents)} documents", item=number)
    known = _read_document(documents[0], number)
    if known.kind in {_K.ACKNOWLEDGED, _K.POSTED, _K.PAID}:
        return msgspec.structs.replace(known, kind=_K.DUPLICATE)
    if known.kind is _K.REJECTED:  # the contract: a rejected document does not hold its reference
        text = "the ERP says duplicate of a document that it rejected"
        return unknown(text, reference=known.reference, item=number)
    return known


def _read_throttle(detail: Reply, number: int) -> Outcome:
    seconds = detail.text("RetryAfterSeconds")
    return Outcome(
        kind=_K.UNAVAILABLE,
        reference=detail.text("Reference") or None,
        retry_after=float(seconds) if seconds.isascii() and seconds.isdigit() else None,
        text=detail.text("Text") or "the ERP asks to come back later",
        item=number,
    )


def _read_absence(_: Reply, number: int) -> Outcome:
    return Outcome(kind=_K.ABSENT, item=number)


def _read_not_found(detail: Reply, number: int) -> Outcome:
    entry = _journal_entry(detail)
    reason = Reason(
        f"the journal entry {entry or 'to reverse'} is not in this ledger", code="not-found"
    )
    reference = detail.text("Reference") or None
    return Outcome(kind=_K.REJECTED, reference=reference, reasons=(reason,), item=number)


def _read_invalid_cursor(detail: Reply, number: int) -> Outcome:
    reason = Reason(
        "the ERP does not know this cursor; read its changes from the beginning",
        code="invalid-cursor",
        field="Cursor",
    )
    return Outcome(kind=_K.REJECTED, reasons=(reason,), item=number)


_REPLIES: Final[Mapping[str, tuple[str, Read]]] = {
    "SubmitVoucherResponse": ("Document", _read_document),
    "ReverseVoucherResponse": ("Document", _read_document),
    "ListChangesResponse": ("Document", _read_document),
    "SubmitVouchersResponse": ("Item", _read_item),
    "QueryVouchersResponse": ("Item", _read_item),
}
_ANSWERS: Final[Mapping[str, Read]] = {
    "Rejected": _read_rejection,
    "Duplicate": _read_duplicate,
    "Throttled": _read_throttle,
    "Absent": _read_absence,
    "Document": _read_document,
}
_FAULTS: Final[Mapping[str, Read]] = {
    "RejectedFault": _read_rejection,
    "DuplicateReferenceFault": _read_duplicate,
    "ThrottledFault": _read_throttle,
    "NotFoundFault": _read_not_found,
    "InvalidCursorFault": _read_invalid_cursor,
}
