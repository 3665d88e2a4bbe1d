"""The profile of Workday's *Financial Management*: accounting journals.

Facts it is built on, from the contract (v30.0) and its documentation:

- ``Submit_Accounting_Journal`` with ``Add_Only`` true refuses a journal id that exists. The id is
  our reference, so a repeat is refused, and a lost answer is resolved by asking for the id.
- The answer names the journal by its ids. A business process decides whether the journal is posted.
  So a submission is *acknowledged*, and its number comes with ``Get_Journals``.
- A refusal is a ``Validation_Fault`` with several errors; the XPath of each leads to the wrong
  claim field. A ``Processing_Fault`` does not say how far the processing went.
- For an id that does not exist, ``Get_Journals`` answers with a fault at the place of the
  reference. That fault is the evidence that there is no such journal.

How a voucher becomes a journal: each posting is a line on its ledger account, debit or credit, with
its cost centre, project and employee as worktags. A further dimension is a worktag of the type that
``worktags`` names; a dimension without one is refused, not dropped. Input tax is an ordinary line.
A reversal is a journal of its own, whose lines name the journal that they take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ClaimError, DocumentError
from claimbridge.model import (
    JournalEntry,
    Outcome,
    OutcomeKind,
    Posting,
    Reason,
    Side,
    Submission,
    as_amount,
)
from claimbridge.model.money import EXACT
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import answer_to
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import legible, read_untyped, unknown
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of, field_at
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.workday import requests

SUBMIT: Final = "Submit_Accounting_Journal"
QUERY: Final = "Get_Journals"
VERSION: Final = "v30.0"

_CAPABILITIES: Final = Capabilities(
    can_query=True,
    can_reverse=True,
    checks_reversals=False,
    can_list_changes=False,
    unique_reference=True,
    postings=999,
    reference_length=36,
    reference_pattern=r"[A-Za-z0-9._\-]+",
    # Workday does not say whether its reference ids distinguish lower and upper case.
    reference_case="upper",
)
_JOURNAL_ID: Final = "Accounting_Journal_ID"
_LINES: Final = "Accounting_Journal_Data/Journal_Entry_Line_Replacement_Data"
_OF_LINES: Final[Mapping[str, str]] = {
    "Currency_Reference": "the currency of the amount",
    "Ledger_Debit_Amount": "an amount",
    "Ledger_Credit_Amount": "an amount",
    "Line_Company_Reference": "the company",
}
_NO_WORKTAGS: Final[Mapping[str, str]] = MappingProxyType({})
_K = OutcomeKind


class Workday:
    """Workday's way, with the settings that differ from one tenant to the next.

    ``account_set`` is the Account_Set_ID that ledger accounts belong to; ``ledger_type`` the
    Ledger_Type_ID, ``journal_source`` the Journal_Source_ID of our journals. ``worktags`` maps
    dimensions of the chart to types of worktag ids (``{"region": "Region_Reference_ID"}``).
    """

    name: str = "workday"
    contract: str = "workday.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = {
        **OF_THE_CLAIM,
        "employee": EMPLOYEE,
        "document_date": ONE_DATE,
        "posting.role": ROLE,
        "posting.tax_code": NO_TAX,
        "posting.tax_base": NO_TAX,
    }
    operations: tuple[str, ...] = (SUBMIT, QUERY)
    kept: Mapping[str, str] = {
        "@Add_Only": "that Workday refuses a repeat",
        "@version": "the form of the answer",
        "Accounting_Journal_Reference": "which journal is written",
        "Accounting_Journal_Data/Submit": "that the journal is more than a draft",
        "Accounting_Journal_Data/Create_Reversal": "that nothing takes the journal back",
        "Accounting_Journal_Data/Reversal_Date": "that nothing takes the journal back",
        **{f"{_LINES}/{name}": why for name, why in _OF_LINES.items()},
    }

    def __init__(
        self,
        *,
        account_set: str = "Standard",
        ledger_type: str = "Actuals",
        journal_source: str = "Spreadsheet_Upload",
        worktags: Mapping[str, str] = _NO_WORKTAGS,
    ) -> None:
        self._account_set = account_set
        self._ledger_type = ledger_type
        self._journal_source = journal_source
        self._worktags = {
            "cost_centre": "Cost_Center_Reference_ID",
            "project": "Project_ID",
            "partner": "Employee_ID",
            **worktags,
        }

    def told_apart_by(self, *, user: str) -> str:
        """Return the tenant's ledger that journals go to."""
        return f"account_set {self._account_set}, ledger_type {self._ledger_type}"

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return ``Submit_Accounting_Journal`` for one submission.

        Raises ClaimError: CB-165 for postings in several currencies, CB-166 for a dimension
        without a worktag.
        """
        return self._journal(submissions[0], taken_back="")

    def reverse(self, submission: Submission) -> Request:
        """Return a journal on the other sides; raises ClaimError as ``submit`` does."""
        entry = submission.voucher.reverses
        return self._journal(submission, taken_back=entry.number if entry else "")

    def query(self, references: Sequence[str]) -> Request:
        """Return ``Get_Journals`` for journals by our ids."""
        body: requests.Get_Journals = {
            "@version": VERSION,
            "Request_References": {
                "JournalEntryReference": [_reference(_JOURNAL_ID, one) for one in references]
            },
        }
        return as_request(QUERY, body)

    def converse(self, request: Request) -> Conversation:
        """Perform one call; the errors of a refusal name the claim fields behind them."""
        answer = yield from answer_to(request)
        if not isinstance(answer, Fault):
            return self.read(answer)
        outcome = self.read_fault(answer)
        reasons = tuple(
            msgspec.structs.replace(
                reason, field=field_at(request.sources, reason.field) or reason.field
            )
            for reason in outcome.reasons
        )
        return (msgspec.structs.replace(outcome, reasons=reasons),)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what became of a journal, or which of those asked for Workday holds."""
        if reply.local == f"{SUBMIT}_Response":
            return (legible(_read_acceptance, reply, 1),)
        if reply.local == f"{QUERY}_Response":
            return _journals(reply)
        return (unknown(f"the reply is a {reply.local}, which answers no question of ours"),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault's detail says; only a ``Validation_Fault`` refuses."""
        if fault.detail is None or fault.detail.local != "Validation_Fault":
            return read_untyped(fault, typed=True)
        return legible(_invalid, fault.detail, 1)

    def _journal(self, submission: Submission, *, taken_back: str) -> Request:
        voucher = submission.voucher
        currency = only_currency(voucher, holds="a Workday journal has one currency", code="CB-165")
        journal: requests.Accounting_Journal_DataType = {
            "Accounting_Journal_ID": Sourced(submission.reference, "id"),
            "Submit": True,
            "Company_Reference": _reference("Company_Reference_ID", voucher.company, "company"),
            "Currency_Reference": _reference("Currency_ID", currency, "currency"),
            "Ledger_Type_Reference": _reference("Ledger_Type_ID", self._ledger_type),
            "Accounting_Date": Sourced(voucher.posting_date.isoformat(), "posting_date"),
            "Journal_Source_Reference": _reference("Journal_Source_ID", self._journal_source),
            "Journal_Entry_Memo": Sourced(one_line(voucher.text), "title"),
            "External_Reference_ID": Sourced(submission.reference, "id"),
            "Journal_Entry_Line_Replacement_Data": [
                of_posting(posting, self._line(posting, number, taken_back, voucher.claim_id))
                for number, posting in enumerate(voucher.postings, start=1)
            ],
        }
        body: requests.Submit_Accounting_Journal = {
            "@Add_Only": True,
            "@version": VERSION,
            "Accounting_Journal_Data": journal,
        }
        return as_request(SUBMIT, of_document(submission, body))

    def _line(
        self, posting: Posting, number: int, taken_back: str, claim_id: str
    ) -> requests.Journal_Entry_Line_DataType:
        amount = Sourced(f"{posting.amount:f}", claim_field(posting, "amount"))
        debit = posting.side is Side.DEBIT
        account: requests.Ledger_AccountObjectIDType = {
            "@type": "Ledger_Account_ID",
            "@parent_id": self._account_set,
            "@parent_type": "Account_Set_ID",
            "#text": Sourced(posting.account, claim_field(posting, "account")),
        }
        return {
            "Line_Order": str(number),
            "Ledger_Account_Reference": {"ID": [account]},
            "Debit_Amount": amount if debit else None,
            "Credit_Amount": None if debit else amount,
            "Memo": Sourced(one_line(posting.narration), claim_field(posting, "narration")),
            "External_Reference_ID": taken_back or None,
            "Worktags_Reference": self._tags(posting, claim_id),
        }

    def _tags(self, posting: Posting, claim_id: str) -> list[requests.Accounting_WorktagObjectType]:
        held = dimensions_of(posting, claim_id=claim_id)
        foreign = sorted(held.keys() - self._worktags.keys())
        if foreign:
            raise ClaimError(
                f"{held[foreign[0]].field}: the dimension {foreign[0]!r} has no worktag; name the "
                "worktag's type in the profile's option worktags",
                code="CB-166",
                claim_id=claim_id,
            )
        return [
            _reference(self._worktags[name], code.text, code.field) for name, code in held.items()
        ]


def _reference(kind: str, value: str, field: str = "") -> requests.CompanyObjectType:
    """Return a reference to an object of any kind; to a type checker all kinds are the same."""
    return {"ID": [{"@type": kind, "#text": Sourced(value, field) if field else value}]}


def _read_acceptance(reply: Reply, number: int) -> Outcome:
    """Read the answer to a submission: a journal's id is the evidence that the journal exists."""
    ids = _ids(reply.all("Accounting_Journal_Reference"))
    messages = "; ".join(
        one.text("Message")
        for one in reply.all("Exceptions_Response_Data", "Exceptions_Data", "Exception_Data")
    )
    if not ids:
        text = f"the answer names no journal{': ' if messages else ''}{messages}"
        return unknown(text, item=number)
    reference = ids.get(_JOURNAL_ID)
    return Outcome(kind=_K.ACKNOWLEDGED, reference=reference, text=messages, item=number)


def _journals(reply: Reply) -> tuple[Outcome, ...]:
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
    reference = entry.text("External_Reference_ID") or ids.get(_JOURNAL_ID)
    status = _ids(entry.all("Journal_Status_Reference")).get("Journal_Entry_Status_ID", "")
    journal_number = entry.text("Journal_Number")
    if status == "Posted" and journal_number:
        undone = _ids(entry.all("Cancel_Reversed_By_Journal_Entry_Reference"))
        company = _ids(entry.all("Company_Reference")).get("Company_Reference_ID", "")
        return Outcome(
            kind=_K.REVERSED if undone else _K.POSTED,
            reference=reference,
            journal_entry=JournalEntry(journal_number, company),
            totals=_totals(entry),
            item=number,
        )
    if status in _WAITING:
        return Outcome(
            kind=_K.ACKNOWLEDGED, reference=reference, totals=_totals(entry), item=number
        )
    if status in _ENDED:
        reason = Reason(f"the journal is {status.lower()} in Workday", code=status)
        return Outcome(kind=_K.REJECTED, reference=reference, reasons=(reason,), item=number)
    text = f"the journal has the status {status!r} and the number {journal_number!r}"
    return unknown(text, reference=reference, item=number)


_WAITING: Final = frozenset({"Created", "In_Progress"})
_ENDED: Final = frozenset({"Canceled", "Denied"})


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


def _invalid(detail: Reply, number: int) -> Outcome:
    """Read a refusal: its errors, unless they say that a journal exists, or does not exist.

    An error that points nowhere into the journal may say either, in words.
    """
    errors = detail.all("Validation_Error")
    places = [_plain(error.text("Xpath")) for error in errors]
    if places and all(place.endswith(_DUPLICATE) for place in places):
        return Outcome(kind=_K.DUPLICATE, text=errors[0].text("Message"), item=number)
    if places and all("/JournalEntryReference" in place for place in places):
        return Outcome(kind=_K.ABSENT, item=number)
    if not places or not all("/Accounting_Journal_Data" in place for place in places):
        why = "; ".join(error.text("Detail_Message") or error.text("Message") for error in errors)
        return unknown(f"Workday refuses without a place: {why or 'no reason'}", item=number)
    reasons = tuple(
        Reason(
            error.text("Detail_Message") or error.text("Message") or "no reason given",
            field=error.text("Xpath"),
        )
        for error in errors
    )
    return Outcome(kind=_K.REJECTED, reasons=reasons, item=number)


# Add_Only refuses an id that exists, at the place of the id.
_DUPLICATE: Final = (f"/Accounting_Journal_Data/{_JOURNAL_ID}", "/@Add_Only")


def _plain(xpath: str) -> str:
    """Return an XPath without prefixes."""
    return "/".join(step.rpartition(":")[2] for step in xpath.split("/"))


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
