"""Reading Workday's answers: what took a journal in, and which journals there are.

The answer to a submission names the journal by its ids. A journal is posted only by its number and
a known status. Ids of statuses are compared without case: the contract does not list them, and a
public recording has ``POSTED``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason, as_amount
from claimbridge.model.money import EXACT
from claimbridge.profiles.kit.reading import legible, unknown
from claimbridge.profiles.workday.faults import JOURNAL_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from claimbridge.contract.calls.replies import Reply

_K = OutcomeKind


def read_acceptance(reply: Reply, number: int) -> Outcome:
    """Read the answer to a submission: a journal's id is the evidence that the journal exists."""
    ids = _ids(reply.all("Accounting_Journal_Reference"))
    messages = "; ".join(
        one.text("Message")
        for one in reply.all("Exceptions_Response_Data", "Exceptions_Data", "Exception_Data")
    )
    if not ids:
        text = f"the answer names no journal{': ' if messages else ''}{messages}"
        return unknown(text, item=number)
    reference = ids.get(JOURNAL_ID)
    return Outcome(kind=_K.ACKNOWLEDGED, reference=reference, text=messages, item=number)


def read_journals(reply: Reply) -> tuple[Outcome, ...]:
    """Read the journals of an answer; ABSENT only if the answer says that there is none."""
    entries = reply.all("Response_Data", "Journal_Entry", "Journal_Entry_Data")
    outcomes = [legible(_journal, entry, n) for n, entry in enumerate(entries, start=1)]
    if outcomes:
        return tuple(outcomes)
    if reply.text("Response_Results", "Total_Results") == "0":
        asked = [
            one.text() for one in reply.all("Request_References", "JournalEntryReference", "ID")
        ]
        return tuple(
            Outcome(kind=_K.ABSENT, reference=reference or None, item=n)
            for n, reference in enumerate(asked or [""], start=1)
        )
    return (unknown("the answer holds no journal, and does not say that there is none"),)


def _journal(entry: Reply, number: int) -> Outcome:
    """Read one journal; without a number or a known status it is not posted."""
    ids = _ids(entry.all("Journal_Entry_Reference"))
    reference = entry.text("External_Reference_ID") or ids.get(JOURNAL_ID)
    status = _ids(entry.all("Journal_Status_Reference")).get("Journal_Entry_Status_ID", "")
    folded = status.upper().replace(" ", "_")
    journal_number = entry.text("Journal_Number")
    if folded == "POSTED" and journal_number:
        undone = _ids(entry.all("Cancel_Reversed_By_Journal_Entry_Reference"))
        company = _ids(entry.all("Company_Reference")).get("Company_Reference_ID", "")
        return Outcome(
            kind=_K.REVERSED if undone else _K.POSTED,
            reference=reference,
            journal_entry=JournalEntry(journal_number, company),
            totals=_totals(entry),
            item=number,
        )
    if folded in _WAITING:
        return Outcome(
            kind=_K.ACKNOWLEDGED, reference=reference, totals=_totals(entry), item=number
        )
    if folded in _ENDED:
        reason = Reason(f"the journal is {status.lower()} in Workday", code=status)
        return Outcome(
            kind=_K.REJECTED,
            reference=reference,
            reasons=(reason,),
            totals=_totals(entry),
            item=number,
        )
    text = f"the journal has the status {status!r} and the number {journal_number!r}"
    return unknown(text, reference=reference, item=number)


_WAITING: Final = frozenset({"CREATED", "IN_PROGRESS"})
_ENDED: Final = frozenset({"CANCELED", "DENIED"})


def _totals(entry: Reply) -> dict[str, Decimal]:
    """Return the lines' debits by currency; {} when the lines hold none."""
    own = _ids(entry.all("Currency_Reference")).get("Currency_ID", "")
    debits: dict[str, Decimal] = {}
    credits: dict[str, Decimal] = {}
    for line in entry.all("Journal_Entry_Line_Data"):
        currency = _ids(line.all("Currency_Reference")).get("Currency_ID", own)
        for sums, name in ((debits, "Debit_Amount"), (credits, "Credit_Amount")):
            if currency and (text := line.text(name)):
                so_far = sums.get(currency, Decimal(0))
                sums[currency] = EXACT.add(so_far, _amount(text, currency))
    # If the lines do not balance, some were not read, and their sum is no evidence.
    return {one: total for one, total in debits.items() if total} if debits == credits else {}


def _amount(text: str, currency: str) -> Decimal:
    """Return an amount, which Workday writes with six decimals in every currency."""
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return as_amount(plain or "0", currency, what="an amount")


def _ids(references: Sequence[Reply]) -> dict[str, str]:
    """Return the ids of an object by their types; raises DocumentError for one with two values."""
    ids: dict[str, str] = {}
    for one in (one for reference in references for one in reference.all("ID")):
        kind, value = one.text("@type"), one.text()
        if not (kind and value):
            continue
        if ids.setdefault(kind, value) != value:
            raise DocumentError(
                f"the reply gives two values for the id {kind}; neither is reliable",
                code="CB-155",
            )
    return ids
