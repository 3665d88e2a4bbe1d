"""NetSuite's journal entries and expense reports, as its contract and documentation show them.

A record that is in order is written at once, under its external id: a new one, or the one that is
there, again. A refusal is a status in an ordinary reply. A job is done as soon as it is taken; its
results travel in its id, since a responder keeps nothing of its own.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

from lxml import etree

from claimbridge.model import JournalEntry
from claimbridge.sandbox.erps.netsuite_lists import code_of, list_answer, searched
from claimbridge.sandbox.erps.netsuite_manner import fault_detail, written
from claimbridge.sandbox.erps.netsuite_parts import (
    CORE,
    EMPLOYEES,
    FAULTS,
    GENERAL,
    MSG,
    as_double,
    date_of,
    type_of,
    with_type,
)
from claimbridge.sandbox.erps.netsuite_reports import is_report, report_from, report_parts
from claimbridge.sandbox.kit.books import ErpTransaction
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import element, render
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.sandbox.kit.rules import irreversible
from claimbridge.xmlio import canonical, parse

_SERIES: Final = Series("records", 1001, 4)
_JOB: Final = "ASYNCWEBSERVICES_SANDBOX_"
_WAITING: Final = 900_000
_CODES: Final = {
    "locked": "RCRD_LOCKED_BY_WF",
    "licence": "USER_ERROR",
    "duplicate": "DUP_RCRD",
    "forbidden": "INSUFFICIENT_PERMISSION",
    "period-closed": "TRAN_PERIOD_CLOSED",
    "unbalanced": "TRANSACTION_NOT_BALANCED",
    "sandbox": "USER_ERROR",
}
"""NetSuite's codes by the sandbox's; the others are INVALID_KEY_OR_REF."""


_LISTS: Final = frozenset({"search", "searchMoreWithId", "getAll"})


class NetSuiteResponder:
    """An account that writes both kinds of records, and asks for no token passport.

    ``forbidden`` are the fields that the caller's role may not set (``approved``), and the types of
    records that it may not list (``Employee``).
    """

    name: str = "netsuite"
    contract: str = "netsuite.wsdl"
    items: frozenset[str] = frozenset({"writeResponse", "readResponseList"})
    kinds: Mapping[str, OperationKind] = {
        "upsert": OperationKind.SUBMIT,
        "getList": OperationKind.QUERY,
        "asyncUpsertList": OperationKind.SUBMIT,
        "checkAsyncStatus": OperationKind.SESSION,
        "getAsyncResult": OperationKind.SESSION,
        **dict.fromkeys(sorted(_LISTS), OperationKind.SESSION),
    }

    _forbidden: frozenset[str] = frozenset()

    def __init__(self, *, forbidden: Collection[str] = ()) -> None:
        self._forbidden = frozenset(forbidden)

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the external ids of the records, or those in the question."""
        named = call.body.iterchildren(f"{MSG}record", f"{MSG}baseRef")
        return tuple(one.get("externalId", "").strip() for one in named)

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Write the records, show records, or report on a job."""
        if call.operation == "getList":
            return self._get_list(call, desk)
        if call.operation in {"checkAsyncStatus", "getAsyncResult"}:
            return _job_answer(call)
        if call.operation in _LISTS:
            return self._list(call)
        records = list(call.body.iterchildren(f"{MSG}record"))
        with desk.books.transaction() as books:
            records_written = [self._write(record, books, desk) for record in records]
        if call.operation == "upsert":
            return _told(call, element(f"{MSG}upsertResponse", *records_written))
        return _told(call, _status_of("asyncUpsertList", _job(records_written), "pending"))

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return statuses that refuse every record."""
        refused = [
            _refusal(one.get("externalId", "").strip(), objections, kind=_kind_of(one))
            for one in call.body.iterchildren(f"{MSG}record")
        ]
        if call.operation == "asyncUpsertList":
            return _told(call, _status_of("asyncUpsertList", _job(refused), "pending"))
        if call.operation == "upsert":
            return _told(call, element(f"{MSG}upsertResponse", *refused[:1]))
        return None

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return the fault for too many calls at once."""
        text = "Only one request may be made against a session at a time"
        detail = element(
            f"{FAULTS}exceededConcurrentRequestLimitFault",
            element(f"{FAULTS}code", "WS_CONCUR_SESSION_DISALLWD"),
            element(f"{FAULTS}message", text),
        )
        return ErpAnswer(
            content=fault_detail(detail, call.manner),
            fault="receiver",
            reason=text,
            subcode=call.manner.choose("fault-code", "", "userException"),
        )

    def _list(self, call: ErpCall) -> ErpAnswer:
        kind = searched(call)
        if kind not in self._forbidden:
            return _told(call, list_answer(call))
        text = f"Permission Violation: You need a higher level of the {kind} permission."
        status = _status(_detail("INSUFFICIENT_PERMISSION", text), success=False)
        name = "getAllResult" if call.operation == "getAll" else "searchResult"
        result = element(f"{CORE}{name}", status)
        return _told(call, element(f"{MSG}{call.operation}Response", result))

    def _forbidden_in(self, record: etree._Element) -> list[Objection]:
        named = {etree.QName(one).localname for one in record.iter(etree.Element)}
        text = "You do not have permissions to set a value for element {} due to your role."
        return [
            Objection("forbidden", text.format(name)) for name in sorted(named & self._forbidden)
        ]

    def _write(self, record: etree._Element, books: ErpTransaction, desk: Desk) -> etree._Element:
        kind = _kind_of(record)
        if forbidden := self._forbidden_in(record):
            return _refusal(record.get("externalId", ""), forbidden, kind=kind)
        reports = kind == "expenseReport"
        entry = report_from(record) if reports else _entry(record)
        held = books.document_of(self.name, entry.reference)
        target = books.by_journal_entry(self.name, entry.reverses) if entry.reverses else None
        objections = list(desk.rules.objections(entry))
        if held is None and target is not None:
            objections += filter(None, [irreversible(entry, target)])
        if held is not None and is_report(held.entry) is not reports:
            # Oracle, "Shared Internal and External IDs": an id names one transaction of any type.
            objections = [Objection("duplicate", "This record already exists")]
        if objections:
            return _refusal(entry.reference, objections, kind=kind)
        if held is None:
            held = books.enter(self.name, entry, canonical(record), series=_SERIES, unique=True)
            approval = f"{EMPLOYEES}accountingApproval" if reports else f"{GENERAL}approved"
            if record.findtext(approval) == "true":
                held = books.post(held)
            if target is not None and held.journal_entry is not None:
                books.reverse(target, held.journal_entry)
        return element(f"{MSG}writeResponse", _status(), _ref(held))

    def _get_list(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        with desk.books.transaction() as books:
            documents = [books.latest(self.name, one) for one in self.references(call)]
        kinds = [one.get("type") for one in call.body.iterchildren(f"{MSG}baseRef")]
        responses = [
            _read(one if one is not None and _kind(one.entry) == kind else None)
            for one, kind in zip(documents, kinds, strict=True)
        ]
        response_list = element(f"{MSG}readResponseList", _status(), *responses)
        return _told(call, element(f"{MSG}getListResponse", response_list))


def _told(call: ErpCall, root: etree._Element) -> ErpAnswer:
    return ErpAnswer(content=written(root, call.manner))


def _entry(record: etree._Element) -> ErpVoucher:
    currency = code_of(record, f"{GENERAL}currency")
    day = dt.date.fromisoformat(date_of(record, f"{GENERAL}tranDate"))
    undone = re.match(r"reverses (\S+):", record.findtext(f"{GENERAL}memo") or "")
    lines = record.findall(f"{GENERAL}lineList/{GENERAL}line")
    return ErpVoucher(
        reference=record.get("externalId", "").strip(),
        company=code_of(record, f"{GENERAL}subsidiary"),
        currency=currency,
        document_date=day,
        posting_date=day,
        postings=tuple(
            _posting(line, currency, f"line[{n}]") for n, line in enumerate(lines, start=1)
        ),
        purpose="reverse" if undone else "post",
        reverses=JournalEntry(undone[1]) if undone else None,
    )


def _posting(line: etree._Element, currency: str, path: str) -> ErpPosting:
    debit = line.findtext(f"{GENERAL}debit") or ""
    credit = line.findtext(f"{GENERAL}credit") or ""
    return ErpPosting(
        account=code_of(line, f"{GENERAL}account"),
        side="debit" if debit else "credit",
        amount=Decimal(debit or credit or "0"),
        currency=currency,
        cost_centre=code_of(line, f"{GENERAL}department"),
        path=path,
    )


def _status(*details: etree._Element, success: bool = True) -> etree._Element:
    made = element(f"{CORE}status", *details)
    made.set("isSuccess", "true" if success else "false")
    return made


def _detail(code: str, text: str) -> etree._Element:
    made = element(
        f"{CORE}statusDetail", element(f"{CORE}code", code), element(f"{CORE}message", text)
    )
    made.set("type", "ERROR")
    return made


def _refusal(reference: str, objections: Sequence[Objection], *, kind: str) -> etree._Element:
    details = [_detail(_CODES.get(one.code, "INVALID_KEY_OR_REF"), one.text) for one in objections]
    named = with_type(element(f"{MSG}baseRef"), CORE, "RecordRef")
    named.set("type", kind)
    named.set("externalId", reference)
    return element(f"{MSG}writeResponse", _status(*details, success=False), named)


def _ref(document: ErpDocument) -> etree._Element:
    made = with_type(element(f"{MSG}baseRef"), CORE, "RecordRef")
    made.set("type", _kind(document.entry))
    made.set("externalId", document.reference)
    made.set("internalId", _id(document))
    return made


def _kind_of(record: etree._Element) -> str:
    return "expenseReport" if type_of(record) == "ExpenseReport" else "journalEntry"


def _kind(entry: ErpVoucher) -> str:
    return "expenseReport" if is_report(entry) else "journalEntry"


def _id(document: ErpDocument) -> str:
    # A record that waits for approval has its id already, and nobody approves here.
    return document.number or str(_WAITING + document.id)


def _read(document: ErpDocument | None) -> etree._Element:
    if document is None:
        absent = _detail("RCRD_DSNT_EXIST", "That record does not exist.")
        return element(f"{MSG}readResponse", _status(absent, success=False))
    if is_report(document.entry):
        record = with_type(element(f"{MSG}record"), EMPLOYEES, "ExpenseReport")
        record.extend(report_parts(document))
    else:
        record = with_type(element(f"{MSG}record"), GENERAL, "JournalEntry")
        record.extend(_entry_parts(document))
    record.set("internalId", _id(document))
    record.set("externalId", document.reference)
    return element(f"{MSG}readResponse", _status(), record)


def _entry_parts(document: ErpDocument) -> list[etree._Element]:
    entry = document.entry
    return [
        element(f"{GENERAL}tranDate", f"{entry.posting_date.isoformat()}T00:00:00.000-08:00"),
        element(f"{GENERAL}currency", element(f"{CORE}name", entry.currency)),
        element(f"{GENERAL}tranId", f"JE{document.number}"),
        element(f"{GENERAL}approved", "false" if document.status == "entered" else "true"),
        element(f"{GENERAL}lineList", *(_line(posting) for posting in entry.postings)),
    ]


def _line(posting: ErpPosting) -> etree._Element:
    amount = element(f"{GENERAL}{posting.side}", as_double(posting.amount))
    return element(f"{GENERAL}line", amount)


def _job(responses: Sequence[etree._Element]) -> str:
    listed = render(element(f"{MSG}writeResponseList", *responses))
    return _JOB + base64.urlsafe_b64encode(zlib.compress(listed)).decode()


def _status_of(operation: str, job: str, status: str) -> etree._Element:
    done = "100" if status == "finished" else "0"
    return element(
        f"{MSG}{operation}Response",
        element(
            f"{CORE}asyncStatusResult",
            element(f"{CORE}jobId", job),
            element(f"{CORE}status", status),
            element(f"{CORE}percentCompleted", done),
            element(f"{CORE}estRemainingDuration", "0"),
        ),
    )


def _job_answer(call: ErpCall) -> ErpAnswer:
    job = (call.body.findtext(f"{MSG}jobId") or "").strip()
    if call.operation == "checkAsyncStatus":
        return ErpAnswer(content=render(_status_of(call.operation, job, "finished")))
    try:
        listed = parse(zlib.decompress(base64.urlsafe_b64decode(job.removeprefix(_JOB))))
    except (ValueError, zlib.error):
        return _no_job(job)
    result = with_type(element(f"{MSG}asyncResult"), MSG, "AsyncUpsertListResult")
    result.append(listed)
    return ErpAnswer(content=render(element(f"{MSG}getAsyncResultResponse", result)))


def _no_job(job: str) -> ErpAnswer:
    text = f"there is no job {job[:40]}"
    detail = element(
        f"{FAULTS}asyncFault",
        element(f"{FAULTS}code", "INVALID_JOB_ID"),
        element(f"{FAULTS}message", text),
    )
    return ErpAnswer(content=render(detail), fault="sender", reason=text)
