"""What SAP's *Journal Entry - Post* confirms: documents by number, refusals by their log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason
from claimbridge.profiles.kit.forms import is_nothing
from claimbridge.profiles.kit.reading import legible, unknown
from claimbridge.profiles.sap.returns import is_duplicate

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_K: Final = OutcomeKind


def read_confirmations(reply: Reply) -> tuple[Outcome, ...]:
    """Return an outcome per confirmation: success only with a document number."""
    if reply.local != "JournalEntryBulkCreateConfirmation":
        text = f"the reply is a {reply.local}, not a confirmation"
        return (unknown(text),)
    confirmations = reply.all("JournalEntryCreateConfirmation")
    if not confirmations:
        return (legible(_read_empty_confirmation, reply, 1),)
    return tuple(
        legible(_read_confirmation, item, n) for n, item in enumerate(confirmations, start=1)
    )


def _read_empty_confirmation(reply: Reply, number: int) -> Outcome:
    """Read a confirmation without entries: its log does not say what became of them."""
    notes = "; ".join(str(reason) for reason in _errors(reply))
    text = f"the confirmation names no entry{': ' if notes else ''}{notes}"
    return unknown(text, item=number)


def _read_confirmation(confirmation: Reply, number: int) -> Outcome:
    """Read a number as success, errors without a number as a refusal, all else as unknown."""
    reference = confirmation.text("MessageHeader", "ReferenceID") or None
    entry = _document(confirmation)
    errors = _errors(confirmation)
    if entry is not None and not errors:
        return Outcome(kind=_K.POSTED, reference=reference, journal_entry=entry, item=number)
    if entry is None and errors:
        reasons = errors + _warning(errors, reference)
        return Outcome(kind=_K.REJECTED, reference=reference, reasons=reasons, item=number)
    if entry is None:
        text = "the confirmation holds neither a document number nor an error"
    else:
        text = f"the confirmation holds the document {entry}, and an error: {errors[0]}"
    return unknown(text, reference=reference, item=number)


def _warning(errors: tuple[Reason, ...], reference: str | None) -> tuple[Reason, ...]:
    """Return what to do where SAP refused the entry because it has one already."""
    if not is_duplicate(errors):
        return ()
    named = f"the reference {reference}" if reference else "the claim's reference"
    text = (
        f"THE DOCUMENT IN SAP MAY BE OURS: look in SAP for {named} before you submit a new "
        "revision. If the document is ours, a new revision would post the claim twice"
    )
    return (Reason(text),)


def _document(confirmation: Reply) -> JournalEntry | None:
    number, company, year = (
        confirmation.text("JournalEntryCreateConfirmation", part)
        for part in ("AccountingDocument", "CompanyCode", "FiscalYear")
    )
    # A refusal has blanks, zeros or a word for nothing where the number would stand.
    return None if is_nothing(number) else JournalEntry(number, company, year)


def _errors(confirmation: Reply) -> tuple[Reason, ...]:
    """Return the log's errors (severity 3) and aborts (4), in SAP's own words."""
    return tuple(
        Reason(
            item.text("Note"),
            code=item.text("TypeID"),
            field=item.text("ReferenceMessageElementName"),
        )
        for item in confirmation.all("Log", "Item")
        if item.text("SeverityCode") in {"3", "4"}
    )
