"""The profile of NetSuite's SuiteTalk: records written by ``upsert`` under our own ids.

Facts it is built on, from the contract (2023.2) and Oracle's documentation:

- ``upsert`` writes the record that has our reference as its ``externalId``: a new one, or the same
  again. So there are never two documents under one reference, and ``getList`` finds the document.
- A refusal is a status in an ordinary reply; faults report throttling, credentials and accidents.
- ``asyncUpsertList`` takes up to 200 records and gives a job, which is asked for until it is done.
- Debits and credits are columns of ``xsd:double``; an amount that a double would change is refused.
- Oracle does not document whether external ids distinguish case. So a claim id with lower case does
  not serve as the reference.
- A ``dateTime`` becomes a date in the time zone of the user's account. Noon in UTC is the same day
  from UTC-12 to UTC+11.

How a voucher becomes a journal entry: each posting is a line on its account. Codes of the chart are
``externalId``s in NetSuite, or stand in ``internal_ids``. Dimensions go where ``dimensions`` says;
any other dimension is refused, not dropped. A reversal is a journal entry of its own.

With ``record="expense-report"`` the voucher becomes an expense report; see ``netsuite.reports``.
The contract has no operation that voids a report, so the profile cannot reverse one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ConfigurationError
from claimbridge.model import Outcome, OutcomeKind, Posting, Side, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import Attempt, Began, Wait, answer_to
from claimbridge.profiles.kit.forms import EntryForm
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import of_several, unknown
from claimbridge.profiles.kit.sourced import OWN_DIMENSIONS, Sourced, claim_field
from claimbridge.profiles.netsuite.codes import LINE_FIELDS, Codes, Field, LineField, double
from claimbridge.profiles.netsuite.replies import Records, job_of, read_fault
from claimbridge.profiles.netsuite.reports import Reports
from claimbridge.profiles.netsuite.token_passport import token_passport
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from collections.abc import Generator

    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.netsuite import requests

UPSERT: Final = "upsert"
QUERY: Final = "getList"
UPSERT_LIST: Final = "asyncUpsertList"
CHECK: Final = "checkAsyncStatus"
RESULT: Final = "getAsyncResult"

Record = Literal["journal-entry", "expense-report"]
_TYPES: Final[Mapping[Record, tuple[str, Literal["journalEntry", "expenseReport"]]]] = (
    MappingProxyType(
        {
            "journal-entry": ("JournalEntry", "journalEntry"),
            "expense-report": ("ExpenseReport", "expenseReport"),
        }
    )
)
"""The type to write, and the type's name in a reference."""
_CAPABILITIES: Final = Capabilities(
    can_query=True,
    can_reverse=True,
    checks_reversals=False,
    can_list_changes=False,
    unique_reference=True,
    # Oracle, "SOAP Web Services Governance Overview": the records of one asyncUpsertList.
    batch=200,
    reference_length=36,
    reference_pattern=r"[A-Za-z0-9._\-]+",
    # Oracle does not say whether external ids distinguish lower and upper case.
    reference_case="upper",
    entry=EntryForm(number="[0-9]{1,20}"),  # internal ids
)
_ENDED: Final = frozenset({"finished", "finishedWithErrors", "failed"})
_FIRST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 15.0
_K = OutcomeKind


_NOT_IN_REPORTS: Final[Mapping[str, str]] = {
    **{name: why for name, why in OF_THE_CLAIM.items() if name != "posting.source"},
    "posting.tax_base": "NetSuite computes it from amount and tax",
}
_NOT_IN_ENTRIES: Final[Mapping[str, str]] = {
    **OF_THE_CLAIM,
    "employee": EMPLOYEE,
    "document_date": ONE_DATE,
    "posting.role": ROLE,
    "posting.tax_code": NO_TAX,
    "posting.tax_base": NO_TAX,
}


_AMOUNTS: Final = ("debitTax", "creditTax", "grossAmt", "tax1Amt", "totalAmount")
_KEPT: Final[Mapping[str, str]] = {
    "record/lineList/@replaceAll": "that a repeat replaces the lines, and adds none",
    "record/expenseList/@replaceAll": "that a repeat replaces the lines, and adds none",
    "record/expenseList/expense/corporateCreditCard": "whom the amount is owed to",
    "record/@internalId": "which record is written",
    "record/reversalDate": "that nothing takes the entry back",
    "record/reversalEntry": "that nothing takes the entry back",
    **dict.fromkeys((f"record/lineList/line/{name}" for name in _AMOUNTS), "an amount"),
    "record/entity": "whom the amounts are owed to",
    "record/advance": "the amount of advances",
    "record/acctCorpCardExp": "the account of the card",
}


class _JobFirst(Request, frozen=True, kw_only=True):
    """The question for a job, and the one for its records that follows once it has ended."""

    question: Request


class NetSuite:
    """NetSuite's way, with the settings that differ from one account to the next.

    ``record`` is the kind of record that a voucher becomes. ``internal_ids`` gives NetSuite's ids
    by the chart's codes, for each field; for ``category`` by account. ``dimensions`` names the
    field of a line for each dimension. ``one_world`` False: there are no subsidiaries.
    ``approved`` False: NetSuite's own people approve, and until then a record is *acknowledged*.
    ``approved`` "site": the request does not say, because the role may not; a record is
    *acknowledged* until NetSuite shows it as approved.
    ``billable``: lines of a report that name a customer are billed on. ``time_of_day`` stands
    beside each date. ``version`` is that of the contract's namespaces.
    """

    name: str = "netsuite"
    contract: str = "netsuite.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    auth_kinds: tuple[str, ...] = ("token-passport",)
    operations: tuple[str, ...] = (UPSERT, QUERY, UPSERT_LIST, CHECK, RESULT)
    kept: Mapping[str, str] = _KEPT

    def __init__(
        self,
        *,
        record: Record = "journal-entry",
        internal_ids: dict[Field, dict[str, str]] | None = None,
        dimensions: dict[str, LineField] | None = None,
        one_world: bool = True,
        approved: bool | Literal["site"] = True,
        billable: bool = False,
        time_of_day: str = "12:00:00Z",
        version: str = "2023_2",
        clock: Clock = SYSTEM,
    ) -> None:
        if not re.fullmatch(r"\d{4}_\d", version):
            raise _wrong_option(
                f"version {version!r} has another form; write it as in the namespaces: 2023_2"
            )
        if record == "journal-entry" and "customer" in (dimensions or {}).values():
            raise _wrong_option(
                "dimensions: a line of a journal entry has no customer; use entity for customers"
            )
        ids: dict[str, Mapping[str, str]] = {
            str(key): of for key, of in (internal_ids or {}).items()
        }
        self._codes = Codes(internal_ids=ids, line_fields={**LINE_FIELDS, **(dimensions or {})})
        self._one_world = one_world
        self._approved = approved
        self._time = time_of_day
        self._version = version
        self._clock = clock
        type_, self._kind = _TYPES[record]
        self._reports: Reports | None = None
        if record == "expense-report":
            self.capabilities = msgspec.structs.replace(_CAPABILITIES, can_reverse=False)
            self._reports = Reports(
                codes=self._codes,
                one_world=one_world,
                approved=approved,
                billable=billable,
                time_of_day=time_of_day,
            )
        # The last type comes in replies only: the results of a job.
        self.types: tuple[str, ...] = (type_, "RecordRef", "AsyncUpsertListResult")
        self._records = Records(
            written=_K.POSTED if approved is True else _K.ACKNOWLEDGED,
            shown=_K.POSTED if approved is True else _K.ACKNOWLEDGED,
            currencies={id_: code for code, id_ in ids.get("currency", {}).items()},
        )
        reports = record == "expense-report"
        self.no_place: Mapping[str, str] = _NOT_IN_REPORTS if reports else _NOT_IN_ENTRIES
        self.dimensions: tuple[str, ...] = tuple(
            name for name in self._codes.line_fields if name not in OWN_DIMENSIONS
        )

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return the token passport with a new nonce; no header where no secrets are configured.

        Raises ConfigurationError CB-243 for a secret that is missing.
        """
        credentials = call.credentials
        if not credentials.secrets:
            return ()
        nonce = secrets.token_hex(16)
        at = self._clock.now()
        return (token_passport(credentials, version=self._version, nonce=nonce, at=at),)

    # --- requests ---------------------------------------------------------------------------

    def told_apart_by(self, *, user: str) -> str:
        """Return the account, which is the user of the token passport."""
        return f"account {user}" if user else ""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return ``upsert`` of one record, ``asyncUpsertList`` of several.

        Raises ClaimError: CB-167 for postings in several currencies, CB-168 for a dimension without
        a place, CB-169 for an amount that no double holds, CB-170 to CB-174 for a voucher that
        cannot be an expense report.
        """
        records = [self._record(one) for one in submissions]
        if len(records) == 1:
            return as_request(UPSERT, _upsert(records[0]))
        body: requests.asyncUpsertList = {"record": records}
        return as_request(UPSERT_LIST, body)

    def reverse(self, submission: Submission) -> Request:
        """Return ``upsert`` of an entry on the other sides; raises ClaimError as ``submit`` does.

        The memo names the entry to take back, because NetSuite has no other place for it. Raises
        ConfigurationError CB-254 for expense reports.
        """
        if self._reports is not None:
            raise ConfigurationError(
                "NetSuite: SuiteTalk cannot void an expense report; void it there",
                code="CB-254",
            )
        entry = submission.voucher.reverses
        memo = f"reverses {entry.number if entry else ''}: {submission.voucher.text}"
        return as_request(UPSERT, _upsert(self._entry(submission, memo)))

    def query(self, references: Sequence[str]) -> Request:
        """Return ``getList`` of records by our references."""
        body: requests.getList = {
            "baseRef": [
                {"@xsi:type": "RecordRef", "@type": self._kind, "@externalId": one}
                for one in references
            ]
        }
        return as_request(QUERY, body)

    def look_up(self, submissions: Sequence[Submission]) -> Request:
        """Return ``getList``; for submissions of a job ``checkAsyncStatus``, then ``getList``."""
        question = self.query([one.reference for one in submissions])
        jobs = [one.job for one in submissions if one.job]
        if not jobs:
            return question
        return _JobFirst(operation=CHECK, body={"jobId": jobs[0]}, question=question)

    # --- answers ----------------------------------------------------------------------------

    def converse(self, request: Request) -> Conversation:
        """Perform one call; if it began a job, ask for the job until it is done."""
        if isinstance(request, _JobFirst):
            under_way = yield from self._job_under_way(request)
            if under_way:
                return under_way
            request = request.question
        answer = yield from answer_to(request)
        if isinstance(answer, Fault):
            outcome = self.read_fault(answer)
            if request.operation == QUERY and outcome.kind is _K.REJECTED:
                # NetSuite refused the question, not the documents.
                outcome = unknown(f"NetSuite refuses the question: {answer.reason}")
            return (outcome,)
        if request.operation == UPSERT_LIST:
            outcomes = yield from self._follow_job(answer)
        else:
            outcomes = self.read(answer)
        return _with_references(_as_approved(outcomes, request), request)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what became of written records, or which records NetSuite holds."""
        return self._records.read(reply)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault's typed detail says: busy, not admitted, too large, or unknown."""
        return read_fault(fault)

    def _job_under_way(
        self, asked: _JobFirst
    ) -> Generator[Request, Reply | Fault | None, tuple[Outcome, ...]]:
        """Return that a job is queued or running, or cannot be asked for; () once it has ended."""
        job = asked.body["jobId"]
        answer = yield from answer_to(asked)
        if isinstance(answer, Fault):
            outcome = self.read_fault(answer)
            if outcome.kind is not _K.UNKNOWN:
                return (outcome,)
            text = f"job {job} cannot be asked for: {answer.reason}; look for the job in NetSuite"
            return (unknown(text),)
        status = job_of(answer)[1]
        if status in _ENDED:
            return ()
        return (Outcome(kind=_K.UNDER_WAY, text=status, job=job),)

    def _follow_job(
        self, reply: Reply
    ) -> Generator[Request | Wait | Began, Reply | Fault | None, tuple[Outcome, ...]]:
        """Ask for a job until it is done; then for its results, however the job ended."""
        job, status = job_of(reply)
        if not job:
            return (unknown("NetSuite names no job"),)
        yield Began(job)
        seconds = _FIRST_WAIT
        while status not in _ENDED:
            yield Wait(seconds)
            seconds = min(seconds * 2, _LONGEST_WAIT)
            check = Request(operation=CHECK, body={"jobId": job}, harmless=True)
            answer = yield from answer_to(check)
            if not isinstance(answer, Fault):
                status = job_of(answer)[1]
            elif self.read_fault(answer).kind is not _K.UNAVAILABLE:
                return (unknown(f"job {job} cannot be asked for: {answer.reason}"),)
        result = Request(operation=RESULT, body={"jobId": job, "pageIndex": "1"}, harmless=True)
        answer = yield from answer_to(result)
        if isinstance(answer, Fault):
            return (unknown(f"job {job} gives no result: {answer.reason}"),)
        return self.read(answer)

    # --- records ----------------------------------------------------------------------------

    def _record(self, submission: Submission) -> requests.JournalEntry | requests.ExpenseReport:
        if self._reports is not None:
            return of_document(submission, self._reports.report(submission))
        return self._entry(submission, submission.voucher.text)

    def _entry(self, submission: Submission, memo: str) -> requests.JournalEntry:
        voucher = submission.voucher
        currency = only_currency(
            voucher, holds="a NetSuite journal entry has one currency", code="CB-167"
        )
        company = Sourced(voucher.company, "company")
        day = f"{voucher.posting_date.isoformat()}T{self._time}"
        entry: requests.JournalEntry = {
            "@xsi:type": "JournalEntry",
            "@externalId": Sourced(submission.reference, "id"),
            "tranDate": Sourced(day, "posting_date"),
            "currency": self._codes.ref("currency", Sourced(currency, "currency")),
            "subsidiary": self._codes.ref("subsidiary", company) if self._one_world else None,
            "memo": Sourced(one_line(memo), "title"),
            "approved": None if self._approved == "site" else self._approved,
            "lineList": {
                # A repeat replaces the lines, and never adds to them.
                "@replaceAll": True,
                "line": [
                    of_posting(one, self._line(one, voucher.claim_id)) for one in voucher.postings
                ],
            },
        }
        return of_document(submission, entry)

    def _line(self, posting: Posting, claim_id: str) -> requests.JournalEntryLine:
        amount = double(posting.amount, claim_field(posting, "amount"), claim_id)
        account = Sourced(posting.account, claim_field(posting, "account"))
        debit = posting.side is Side.DEBIT
        line: requests.JournalEntryLine = {
            "account": self._codes.ref("account", account),
            "debit": amount if debit else None,
            "credit": None if debit else amount,
            "memo": Sourced(one_line(posting.narration), claim_field(posting, "narration")),
        }
        for place, code in self._codes.by_line_field(posting, claim_id).items():
            assert place != "customer"  # refused when the profile was made
            line[place] = self._codes.ref(place, code)
        return line


def _upsert(record: requests.JournalEntry | requests.ExpenseReport) -> requests.upsert:
    return {"record": record}


def _as_approved(outcomes: tuple[Outcome, ...], request: Request) -> tuple[Outcome, ...]:
    """Return the outcomes; a record that was written without approval is not POSTED.

    The request is what was sent: settings of the ledger may have taken the approval out of it.
    """
    sent = request.body.get("record")
    records = sent if isinstance(sent, list) else [sent] if sent is not None else []
    if all(str(_approval(one)).lower() in {"true", "1"} for one in records):
        return outcomes
    return tuple(
        msgspec.structs.replace(one, kind=_K.ACKNOWLEDGED) if one.kind is _K.POSTED else one
        for one in outcomes
    )


def _approval(record: Mapping[str, object]) -> object:
    return record.get("approved", record.get("accountingApproval"))


def _with_references(outcomes: tuple[Outcome, ...], request: Request) -> tuple[Outcome, ...]:
    """Return the outcomes with the references that NetSuite did not repeat.

    NetSuite answers in the order of the request. The order counts only if each record has an
    answer, and no answer names another record's reference, in capitals or not.
    """
    asked = request.body.get("record", request.body.get("baseRef", []))
    records = asked if isinstance(asked, list) else [asked]
    references = [str(one["@externalId"]) for one in records]
    answers = len(outcomes) == len(references) and all(
        one.reference is None or _CAPABILITIES.fold(one.reference) == _CAPABILITIES.fold(own)
        for one, own in zip(outcomes, references, strict=True)
    )
    if not answers:
        return outcomes if len(references) == 1 else of_several(outcomes)
    return tuple(
        msgspec.structs.replace(one, reference=own)
        for one, own in zip(outcomes, references, strict=True)
    )


def _wrong_option(why: str) -> ConfigurationError:
    return ConfigurationError(f"profile 'netsuite': {why}; see [ledger.X.options]", code="CB-243")
