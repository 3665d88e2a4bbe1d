"""The profile of Workday's *Financial Management*: accounting journals.

Facts it is built on, from the contract (v30.0) and its documentation:

- ``Submit_Accounting_Journal`` with ``Add_Only`` true refuses a journal id that exists. The id is
  our reference, so a repeat is refused, and a lost answer is resolved by asking for the id.
- The answer names the journal by its ids. A business process decides whether the journal is posted.
  So a submission is *acknowledged*, and its number comes with ``Get_Journals``.
- What faults say is in ``faults``. A refusal about the journal as a whole may be that of a repeat,
  in words that we do not know. Then Workday is asked whether the journal is there. "There is none"
  leaves a doubt with the refusal's reasons: a twin of the request may be under way. The refusal
  counts once the quiet period is over.

How a voucher becomes a journal: each posting is a line on its ledger account, debit or credit, with
its cost centre, project and employee as worktags. A further dimension is a worktag of the type that
``worktags`` names; a dimension without one is refused, not dropped. Input tax is an ordinary line.
A reversal is a journal of its own, whose lines name the journal that they take back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Outcome, OutcomeKind, Posting, Role, Side, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import answer_to
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import legible, unknown
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of, field_at
from claimbridge.profiles.request import Request, as_request
from claimbridge.profiles.workday.faults import JOURNAL_ID, may_exist, read_fault, refusal
from claimbridge.profiles.workday.replies import read_acceptance, read_journals

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.workday import requests

SUBMIT: Final = "Submit_Accounting_Journal"
QUERY: Final = "Get_Journals"
_VERSION: Final = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")

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
_LINES: Final = "Accounting_Journal_Data/Journal_Entry_Line_Replacement_Data"
_OF_LINES: Final[Mapping[str, str]] = {
    "Currency_Reference": "the currency of the amount",
    "Ledger_Debit_Amount": "an amount",
    "Ledger_Credit_Amount": "an amount",
    "Line_Company_Reference": "the company",
}
_DATA: Final = "Accounting_Journal_Data"
_NO_WORKTAGS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_ROLES: Final[Mapping[Role, Mapping[str, str]]] = MappingProxyType({})
_K = OutcomeKind


class Workday:
    """Workday's way, with the settings that differ from one tenant to the next.

    ``account_set`` is the Account_Set_ID that ledger accounts belong to; ``ledger_type`` the
    Ledger_Type_ID, ``journal_source`` the Journal_Source_ID of our journals. ``worktags`` maps
    dimensions of the chart to types of worktag ids (``{"region": "Region_Reference_ID"}``).

    ``worktags_by_role`` gives each line of a role worktags by their types, unless the line has one
    of this type already: Workday takes one of each. A default spend category is one of them
    (``{"expense": {"Spend_Category_ID": "Travel"}}``). ``auto_complete`` asks Workday to approve
    every step of the business process by itself; without it the tenant's approvals decide.

    ``version`` is the version of the service that requests name; the endpoint's path has it too.
    ``line_references`` False: a reversal names the journal that it takes back in its memo, and not
    in its lines, for tenants that refuse a line's External_Reference_ID.

    Raises ConfigurationError CB-243 for a worktag without a type or a value, and for what is no
    version.
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
        worktags_by_role: Mapping[Role, Mapping[str, str]] = _NO_ROLES,
        auto_complete: bool = False,
        version: str = "v30.0",
        line_references: bool = True,
    ) -> None:
        _check_worktags("worktags", worktags)
        for role, tags in worktags_by_role.items():
            _check_worktags(f"worktags_by_role.{role}", tags)
        if not _VERSION.fullmatch(version):
            raise _wrong("version", f"{version!r} is no version such as v30.0")
        self._version = version
        self._account_set = account_set
        self._ledger_type = ledger_type
        self._journal_source = journal_source
        self._worktags = {
            "cost_centre": "Cost_Center_Reference_ID",
            "project": "Project_ID",
            "partner": "Employee_ID",
            **worktags,
        }
        self._of_role = worktags_by_role
        self._auto_complete = auto_complete
        self._line_references = line_references

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
            "@version": self._version,
            "Request_References": {
                "JournalEntryReference": [_reference(JOURNAL_ID, one) for one in references]
            },
        }
        return as_request(QUERY, body)

    def converse(self, request: Request) -> Conversation:
        """Ask, or submit; where a refusal may be that of a repeat, ask whether it is one.

        The errors of a refusal name the claim fields behind them.
        """
        asks = request.operation == QUERY
        reference = _asked(request) if asks else str(request.body[_DATA][JOURNAL_ID])
        answer = yield from answer_to(request)
        if not isinstance(answer, Fault):
            return self.read(answer)
        outcome = read_fault(answer, asked=reference)
        if asks:
            return (outcome,)
        if outcome.kind in {_K.REJECTED, _K.UNKNOWN} and may_exist(answer):
            question = msgspec.structs.replace(self.query([reference]), harmless=True)
            found = yield from self.converse(question)
            outcome = _of_refusal(refusal(answer), found, reference)
        return (_at_claim_fields(outcome, request),)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what became of a journal, or which of those asked for Workday holds."""
        if reply.local == f"{SUBMIT}_Response":
            return (legible(read_acceptance, reply, 1),)
        if reply.local == f"{QUERY}_Response":
            return read_journals(reply)
        return (unknown(f"the reply is a {reply.local}, which answers no question of ours"),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault says by itself; only a validation refuses."""
        return read_fault(fault)

    def _journal(self, submission: Submission, *, taken_back: str) -> Request:
        voucher = submission.voucher
        memo = one_line(voucher.text)
        if taken_back and not self._line_references:
            memo, taken_back = f"{memo} (reverses {taken_back})", ""
        currency = only_currency(voucher, holds="a Workday journal has one currency", code="CB-165")
        journal: requests.Accounting_Journal_DataType = {
            "Accounting_Journal_ID": Sourced(submission.reference, "id"),
            "Submit": True,
            "Company_Reference": _reference("Company_Reference_ID", voucher.company, "company"),
            "Currency_Reference": _reference("Currency_ID", currency, "currency"),
            "Ledger_Type_Reference": _reference("Ledger_Type_ID", self._ledger_type),
            "Accounting_Date": Sourced(voucher.posting_date.isoformat(), "posting_date"),
            "Journal_Source_Reference": _reference("Journal_Source_ID", self._journal_source),
            "Journal_Entry_Memo": Sourced(memo, "title"),
            "External_Reference_ID": Sourced(submission.reference, "id"),
            "Journal_Entry_Line_Replacement_Data": [
                of_posting(posting, self._line(posting, number, taken_back, voucher.claim_id))
                for number, posting in enumerate(voucher.postings, start=1)
            ],
        }
        body: requests.Submit_Accounting_Journal = {
            "@Add_Only": True,
            "@version": self._version,
            "Business_Process_Parameters": (
                {"Auto_Complete": True} if self._auto_complete else None
            ),
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
        kinds = {self._worktags[name] for name in held}
        own = [
            _reference(self._worktags[name], code.text, code.field) for name, code in held.items()
        ]
        others = self._of_role.get(posting.role, {})
        return own + [_reference(kind, others[kind]) for kind in others if kind not in kinds]


def _check_worktags(option: str, tags: Mapping[str, str]) -> None:
    for name, value in tags.items():
        if not (name.strip() and value.strip()):
            raise _wrong(option, f"{name!r} = {value!r} says too little of a worktag")


def _wrong(option: str, why: str) -> ConfigurationError:
    return wrong_option("workday", f"{option}: {why}")


def _reference(kind: str, value: str, field: str = "") -> requests.CompanyObjectType:
    """Return a reference to an object of any kind; to a type checker all kinds are the same."""
    return {"ID": [{"@type": kind, "#text": Sourced(value, field) if field else value}]}


def _asked(request: Request) -> str:
    """Return the one reference that a question names; "" where it names several."""
    named = [
        one["#text"]
        for reference in request.body["Request_References"]["JournalEntryReference"]
        for one in reference["ID"]
    ]
    return str(named[0]) if len(named) == 1 else ""


def _of_refusal(refused: Outcome, answers: Sequence[Outcome], reference: str) -> Outcome:
    """Return what a refusal about the journal as a whole means, by what Workday holds.

    Where there is a journal, the refusal was that of a repeat. Its amounts are compared before it
    is taken for ours. Where there is none, the refusal may still be that of a second copy, whose
    first is under way. So the reasons go with the doubt, and count when the quiet period is over.
    """
    words = "; ".join(one.text for one in refused.reasons)
    ours = [one for one in answers if (one.reference or reference).upper() == reference.upper()]
    kinds = {one.kind for one in ours}
    if kinds == {_K.ABSENT}:
        text = f"Workday refuses it ({words}), and does not have it; it may still arrive"
        return msgspec.structs.replace(refused, kind=_K.UNKNOWN, text=text)
    if not kinds or kinds & {_K.ABSENT, _K.UNKNOWN, _K.NOT_DELIVERED, _K.UNAVAILABLE, _K.REJECTED}:
        held = "; ".join(one.text or str(one.kind) for one in ours) or "the answer names another"
        return unknown(f"Workday refuses ({words}), and does not say whether it is there: {held}")
    return Outcome(kind=_K.DUPLICATE, text=words)


def _at_claim_fields(outcome: Outcome, request: Request) -> Outcome:
    """Return a refusal whose errors name claim fields; those about the whole name none."""
    reasons = tuple(
        msgspec.structs.replace(reason, field=_field_of(reason.field, request))
        for reason in outcome.reasons
    )
    return msgspec.structs.replace(outcome, reasons=reasons)


def _field_of(path: str, request: Request) -> str:
    if path.partition("[")[0] == _DATA and "/" not in path:
        return ""
    return field_at(request.sources, path) or path
