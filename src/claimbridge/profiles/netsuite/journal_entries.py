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

import copy
import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import Attempt, answer_to
from claimbridge.profiles.kit.forms import EntryForm
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.owners import of_document
from claimbridge.profiles.kit.reading import unknown
from claimbridge.profiles.kit.sourced import OWN_DIMENSIONS
from claimbridge.profiles.master_records import MasterRecords, RecordPage
from claimbridge.profiles.netsuite.answers import as_approved, by_reference
from claimbridge.profiles.netsuite.codes import Codes, Field, LineField, MatchField, Name
from claimbridge.profiles.netsuite.entries import Entries
from claimbridge.profiles.netsuite.every_line import PlaceField
from claimbridge.profiles.netsuite.jobs import CHECK, RESULT, JobFirst, follow_job, job_under_way
from claimbridge.profiles.netsuite.record_lists import (
    GET_ALL,
    LISTED,
    MORE,
    RECORDS,
    SEARCH,
    SEARCHES,
    first_page,
    read_page,
)
from claimbridge.profiles.netsuite.replies import Records, read_fault
from claimbridge.profiles.netsuite.reports import Reports
from claimbridge.profiles.netsuite.settings import NetSuiteSettings, RecordKind
from claimbridge.profiles.netsuite.token_passport import token_passport
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.netsuite import requests

UPSERT: Final = "upsert"
QUERY: Final = "getList"
UPSERT_LIST: Final = "asyncUpsertList"

_TYPES: Final[Mapping[RecordKind, tuple[str, Literal["journalEntry", "expenseReport"]]]] = (
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
    "record/expenseList/expense/isNonReimbursable": "whom the amount is owed to",
    "record/expenseList/expense/quantity": "an amount",
    "record/expenseList/expense/rate": "an amount",
    "record/@internalId": "which record is written",
    "record/nullFieldList": "that no field of the profile is emptied",
    "record/reversalDate": "that nothing takes the entry back",
    "record/reversalEntry": "that nothing takes the entry back",
    **dict.fromkeys((f"record/lineList/line/{name}" for name in _AMOUNTS), "an amount"),
    "record/entity": "whom the amounts are owed to",
    "record/advance": "the amount of advances",
    "record/acctCorpCardExp": "the account of the card",
}


class NetSuite:
    """NetSuite's way, with the settings that differ from one account to the next.

    ``record`` is the kind of record that a voucher becomes. ``internal_ids`` gives NetSuite's ids
    by the chart's codes, for each field; for ``category`` by account, for ``posting_period`` by
    month (``2026-03``). ``match`` says by which name the lists of records (``claimbridge codes``)
    find the codes of a field; a field that it does not name is sent as ``externalId``.

    ``dimensions`` names the field of a line for each dimension. ``on_every_line`` are the fields
    that every line must have, ``in_head`` those of the head; ``defaults`` are their codes where the
    claim gives none, by company (``*``: any). ``one_world`` False: there are no subsidiaries.
    ``posting_period`` True: the record names its period; else NetSuite takes it from the date.

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
    operations: tuple[str, ...] = (
        *(UPSERT, QUERY, UPSERT_LIST, CHECK, RESULT),
        *(SEARCH, MORE, GET_ALL),
    )
    kept: Mapping[str, str] = _KEPT

    def __init__(
        self,
        *,
        record: RecordKind = "journal-entry",
        internal_ids: dict[Field, dict[str, str]] | None = None,
        match: dict[MatchField, Name] | None = None,
        dimensions: dict[str, LineField] | None = None,
        on_every_line: tuple[PlaceField, ...] = (),
        in_head: tuple[PlaceField, ...] = (),
        defaults: dict[str, dict[PlaceField, str]] | None = None,
        one_world: bool = True,
        approved: bool | Literal["site"] = True,
        billable: bool = False,
        posting_period: bool = False,
        time_of_day: str = "12:00:00Z",
        version: str = "2023_2",
        clock: Clock = SYSTEM,
    ) -> None:
        self._settings = NetSuiteSettings(
            record=record,
            internal_ids=internal_ids or {},
            match=match or {},
            dimensions=dimensions or {},
            on_every_line=on_every_line,
            in_head=in_head,
            defaults=defaults or {},
            one_world=one_world,
            approved=approved,
            billable=billable,
            posting_period=posting_period,
            time_of_day=time_of_day,
            version=version,
        )
        self._settings.check()
        self._clock = clock
        type_, self._kind = _TYPES[record]
        # After RecordRef, those that come in replies only: the results of a job, the lists.
        self.types: tuple[str, ...] = (
            *(type_, *SEARCHES, "RecordRef", "AsyncUpsertListResult"),
            *RECORDS,
        )
        reports = record == "expense-report"
        if reports:
            self.capabilities = msgspec.structs.replace(_CAPABILITIES, can_reverse=False)
        self.no_place: Mapping[str, str] = _NOT_IN_REPORTS if reports else _NOT_IN_ENTRIES
        self._take(MasterRecords())

    def _take(self, lists: MasterRecords) -> None:
        """Work with these lists of records."""
        settings = self._settings
        codes = msgspec.structs.replace(settings.codes(lists), clock=self._clock)
        self._codes = codes
        self._entries = Entries(
            codes=codes,
            every_line=settings.every_line(codes),
            one_world=settings.one_world,
            approved=settings.approved,
            posting_period=settings.posting_period,
            time_of_day=settings.time_of_day,
        )
        self._reports = self._reports_with(codes) if settings.record == "expense-report" else None
        self._records = Records(written=settings.written, currencies=codes.currencies())
        self.dimensions: tuple[str, ...] = tuple(
            name for name in codes.line_fields if name not in OWN_DIMENSIONS
        )

    def _reports_with(self, codes: Codes) -> Reports:
        settings = self._settings
        return Reports(
            codes=codes,
            every_line=settings.every_line(codes),
            one_world=settings.one_world,
            approved=settings.approved,
            billable=settings.billable,
            posting_period=settings.posting_period,
            time_of_day=settings.time_of_day,
        )

    # --- lists of records -------------------------------------------------------------------

    @property
    def record_kinds(self) -> Sequence[str]:
        """The kinds of records that can be listed."""
        return LISTED

    @property
    def needed_kinds(self) -> Sequence[str]:
        """Those that ``match`` and ``posting_period`` need."""
        return self._settings.needed_kinds

    def list_records(self, kind: str) -> Request:
        """Return ``search`` for all records of a kind; ``getAll`` for currencies."""
        return first_page(kind)

    def read_records(self, kind: str, reply: Reply) -> RecordPage:
        """Return one page; raises LedgerUnavailable, DeliveryRefused or NotDelivered."""
        return read_page(kind, reply)

    def with_records(self, records: MasterRecords) -> NetSuite:
        """Return the same profile with these lists."""
        profile = copy.copy(self)
        profile._take(records)
        return profile

    def for_samples(self) -> NetSuite:
        """Return the same profile without look-ups: codes are sent as they are."""
        months = {
            f"{year}-{month:02}": f"{month}" for year in (2026, 2027) for month in range(1, 13)
        }
        ids = {**self._settings.internal_ids, "posting_period": months}
        profile = copy.copy(self)
        profile._settings = msgspec.structs.replace(self._settings, match={}, internal_ids=ids)
        profile._take(MasterRecords())
        return profile

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return the token passport with a new nonce; no header where no secrets are configured.

        Raises ConfigurationError CB-243 for a secret that is missing.
        """
        credentials = call.credentials
        if not credentials.secrets:
            return ()
        nonce = secrets.token_hex(16)
        at = self._clock.now()
        return (token_passport(credentials, version=self._settings.version, nonce=nonce, at=at),)

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
        return as_request(UPSERT, _upsert(self._record(submission, memo=memo)))

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
        return JobFirst(operation=CHECK, body={"jobId": jobs[0]}, question=question)

    # --- answers ----------------------------------------------------------------------------

    def converse(self, request: Request) -> Conversation:
        """Perform one call; if it began a job, ask for the job until it is done."""
        if isinstance(request, JobFirst):
            under_way = yield from job_under_way(request)
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
            outcomes = yield from follow_job(answer, self.read)
        else:
            outcomes = self.read(answer)
        return by_reference(as_approved(outcomes, request), request, fold=self.capabilities.fold)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what became of written records, or which records NetSuite holds."""
        return self._records.read(reply)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault's typed detail says: busy, not admitted, too large, or unknown."""
        return read_fault(fault)

    # --- records ----------------------------------------------------------------------------

    def _record(
        self, submission: Submission, *, memo: str | None = None
    ) -> requests.JournalEntry | requests.ExpenseReport:
        """Return the record; ``memo`` is that of a reversal.

        Errors of the lists of records say which claim they are about.
        """
        company = submission.voucher.company if self._settings.one_world else ""
        codes = self._codes.of(company, back=memo is not None)
        try:
            if self._reports is not None:
                reports = msgspec.structs.replace(self._reports, codes=codes)
                return of_document(submission, reports.report(submission))
            entries = msgspec.structs.replace(self._entries, codes=codes)
            return entries.entry(submission, memo or submission.voucher.text)
        except ClaimError as error:
            error.claim_id = error.claim_id or submission.key.claim_id
            raise


def _upsert(record: requests.JournalEntry | requests.ExpenseReport) -> requests.upsert:
    return {"record": record}
