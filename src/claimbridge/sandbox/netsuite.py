"""NetSuite's journal entries, as its contract and its documentation show them.

A record that is in order is written at once, under its external id: a new one, or the one that is
there, again. A refusal is a status in an ordinary reply. A job is done as soon as it is taken; its
results travel in its id, since a responder keeps nothing of its own.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from lxml import etree

from claimbridge.model import JournalEntry
from claimbridge.sandbox.books import Document, Entry, Leg, Objection, Series, Transaction
from claimbridge.sandbox.faults import Kind
from claimbridge.sandbox.markup import element, rendered
from claimbridge.sandbox.responder import Answer, Call, Desk
from claimbridge.sandbox.rules import irreversible
from claimbridge.xmlio import canonical, parse

_VERSION: Final = "2023_2"
_MSG: Final = f"{{urn:messages_{_VERSION}.platform.webservices.netsuite.com}}"
_CORE: Final = f"{{urn:core_{_VERSION}.platform.webservices.netsuite.com}}"
_FAULTS: Final = f"{{urn:faults_{_VERSION}.platform.webservices.netsuite.com}}"
_GENERAL: Final = f"{{urn:general_{_VERSION}.transactions.webservices.netsuite.com}}"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SERIES: Final = Series("records", 1001, 4)
_JOB: Final = "ASYNCWEBSERVICES_SANDBOX_"
_CODES: Final = {
    "period-closed": "TRAN_PERIOD_CLOSED",
    "unbalanced": "TRANSACTION_NOT_BALANCED",
    "sandbox": "USER_ERROR",
}
"""NetSuite's codes by the sandbox's; the others are INVALID_KEY_OR_REF."""


class NetSuiteResponder:
    """An account that writes journal entries; a token passport is not asked for."""

    name: str = "netsuite"
    contract: str = "netsuite.wsdl"
    items: frozenset[str] = frozenset({"writeResponse", "readResponseList"})
    kinds: Mapping[str, Kind] = {
        "upsert": Kind.SUBMIT,
        "getList": Kind.QUERY,
        "asyncUpsertList": Kind.SUBMIT,
        "checkAsyncStatus": Kind.SESSION,
        "getAsyncResult": Kind.SESSION,
    }

    def references(self, call: Call) -> tuple[str, ...]:
        """Return the external ids of the records, or of those that are asked for."""
        named = call.body.iterchildren(f"{_MSG}record", f"{_MSG}baseRef")
        return tuple(one.get("externalId", "").strip() for one in named)

    def answer(self, call: Call, desk: Desk) -> Answer:
        """Write the records, tell what is held, or how a job stands."""
        if call.operation == "getList":
            return self._held(call, desk)
        if call.operation in {"checkAsyncStatus", "getAsyncResult"}:
            return _job_told(call)
        records = list(call.body.iterchildren(f"{_MSG}record"))
        with desk.books.transaction() as books:
            written = [self._write(record, books, desk) for record in records]
        if call.operation == "upsert":
            return Answer(content=rendered(element(f"{_MSG}upsertResponse", *written)))
        return Answer(content=rendered(_status_of("asyncUpsertList", _job(written), "pending")))

    def refuse(self, call: Call, objections: Sequence[Objection]) -> Answer | None:
        """Return statuses that refuse every record."""
        refused = [_refused(one, objections) for one in self.references(call)]
        if call.operation == "asyncUpsertList":
            return Answer(content=rendered(_status_of("asyncUpsertList", _job(refused), "pending")))
        if call.operation == "upsert":
            return Answer(content=rendered(element(f"{_MSG}upsertResponse", *refused[:1])))
        return None

    def throttle(self, call: Call, seconds: int) -> Answer | None:
        """Return the fault for too many calls at once."""
        text = "Only one request may be made against a session at a time"
        detail = element(
            f"{_FAULTS}exceededConcurrentRequestLimitFault",
            element(f"{_FAULTS}code", "WS_CONCUR_SESSION_DISALLWD"),
            element(f"{_FAULTS}message", text),
        )
        return Answer(content=rendered(detail), fault="receiver", reason=text)

    def _write(self, record: etree._Element, books: Transaction, desk: Desk) -> etree._Element:
        entry = _entry(record)
        held = books.held(self.name, entry.reference)
        target = books.booked(self.name, entry.reverses) if entry.reverses else None
        objections = list(desk.rules.objections(entry))
        if held is None and target is not None:
            objections += filter(None, [irreversible(entry, target)])
        if objections:
            return _refused(entry.reference, objections)
        if held is None:
            held = books.enter(self.name, entry, canonical(record), series=_SERIES, unique=True)
            if record.findtext(f"{_GENERAL}approved") != "false":
                held = books.post(held)
            if target is not None and held.journal_entry is not None:
                books.reverse(target, held.journal_entry)
        return element(f"{_MSG}writeResponse", _status(), _ref(held))

    def _held(self, call: Call, desk: Desk) -> Answer:
        with desk.books.transaction() as books:
            held = [books.latest(self.name, one) for one in self.references(call)]
        told = [_read(one) for one in held]
        listed = element(f"{_MSG}readResponseList", _status(), *told)
        return Answer(content=rendered(element(f"{_MSG}getListResponse", listed)))


def _entry(record: etree._Element) -> Entry:
    currency = _code(record, "currency")
    # Noon in UTC is the day that is meant.
    day = dt.date.fromisoformat((record.findtext(f"{_GENERAL}tranDate") or "")[:10])
    undone = re.match(r"reverses (\S+):", record.findtext(f"{_GENERAL}memo") or "")
    lines = record.findall(f"{_GENERAL}lineList/{_GENERAL}line")
    return Entry(
        reference=record.get("externalId", "").strip(),
        company=_code(record, "subsidiary"),
        currency=currency,
        document_date=day,
        posting_date=day,
        legs=tuple(_leg(line, currency, f"line[{n}]") for n, line in enumerate(lines, start=1)),
        purpose="reverse" if undone else "post",
        reverses=JournalEntry(undone[1]) if undone else None,
    )


def _leg(line: etree._Element, currency: str, path: str) -> Leg:
    debit = line.findtext(f"{_GENERAL}debit") or ""
    credit = line.findtext(f"{_GENERAL}credit") or ""
    return Leg(
        account=_code(line, "account"),
        side="debit" if debit else "credit",
        amount=Decimal(debit or credit or "0"),
        currency=currency,
        cost_centre=_code(line, "department"),
        path=path,
    )


def _code(parent: etree._Element, name: str) -> str:
    """Return what a reference names: this account knows its records by either id."""
    found = parent.find(f"{_GENERAL}{name}")
    return "" if found is None else found.get("externalId") or found.get("internalId") or ""


def _status(*details: etree._Element, success: bool = True) -> etree._Element:
    made = element(f"{_CORE}status", *details)
    made.set("isSuccess", "true" if success else "false")
    return made


def _detail(code: str, text: str) -> etree._Element:
    made = element(
        f"{_CORE}statusDetail", element(f"{_CORE}code", code), element(f"{_CORE}message", text)
    )
    made.set("type", "ERROR")
    return made


def _refused(reference: str, objections: Sequence[Objection]) -> etree._Element:
    details = [_detail(_CODES.get(one.code, "INVALID_KEY_OR_REF"), one.text) for one in objections]
    named = _typed(element(f"{_MSG}baseRef"), _CORE, "RecordRef")
    named.set("type", "journalEntry")
    named.set("externalId", reference)
    return element(f"{_MSG}writeResponse", _status(*details, success=False), named)


def _ref(document: Document) -> etree._Element:
    made = _typed(element(f"{_MSG}baseRef"), _CORE, "RecordRef")
    made.set("type", "journalEntry")
    made.set("externalId", document.reference)
    made.set("internalId", document.number)
    return made


def _typed(made: etree._Element, namespace: str, name: str) -> etree._Element:
    """Return a copy that names its type by a prefix of its own."""
    typed = etree.Element(made.tag, nsmap={"t": namespace.strip("{}")})
    typed.set(_XSI, f"t:{name}")
    return typed


def _read(document: Document | None) -> etree._Element:
    if document is None:
        absent = _detail("RCRD_DSNT_EXIST", "That record does not exist.")
        return element(f"{_MSG}readResponse", _status(absent, success=False))
    record = _typed(element(f"{_MSG}record"), _GENERAL, "JournalEntry")
    record.set("internalId", document.number)
    record.set("externalId", document.reference)
    entry = document.entry
    currency = element(f"{_GENERAL}currency", element(f"{_CORE}name", entry.currency))
    lines = element(f"{_GENERAL}lineList", *(_line(leg) for leg in entry.legs))
    record.extend(
        [
            element(f"{_GENERAL}tranDate", f"{entry.posting_date.isoformat()}T00:00:00.000-08:00"),
            currency,
            element(f"{_GENERAL}tranId", f"JE{document.number}"),
            element(f"{_GENERAL}approved", "false" if document.status == "entered" else "true"),
            lines,
        ]
    )
    return element(f"{_MSG}readResponse", _status(), record)


def _line(leg: Leg) -> etree._Element:
    # A double, as Java writes it.
    amount = element(f"{_GENERAL}{leg.side}", repr(float(leg.amount)))
    return element(f"{_GENERAL}line", amount)


def _job(written: Sequence[etree._Element]) -> str:
    listed = rendered(element(f"{_MSG}writeResponseList", *written))
    return _JOB + base64.urlsafe_b64encode(zlib.compress(listed)).decode()


def _status_of(operation: str, job: str, status: str) -> etree._Element:
    done = "100" if status == "finished" else "0"
    return element(
        f"{_MSG}{operation}Response",
        element(
            f"{_CORE}asyncStatusResult",
            element(f"{_CORE}jobId", job),
            element(f"{_CORE}status", status),
            element(f"{_CORE}percentCompleted", done),
            element(f"{_CORE}estRemainingDuration", "0"),
        ),
    )


def _job_told(call: Call) -> Answer:
    job = (call.body.findtext(f"{_MSG}jobId") or "").strip()
    if call.operation == "checkAsyncStatus":
        return Answer(content=rendered(_status_of(call.operation, job, "finished")))
    try:
        listed = parse(zlib.decompress(base64.urlsafe_b64decode(job.removeprefix(_JOB))))
    except (ValueError, zlib.error):
        return _no_job(job)
    result = _typed(element(f"{_MSG}asyncResult"), _MSG, "AsyncUpsertListResult")
    result.append(listed)
    return Answer(content=rendered(element(f"{_MSG}getAsyncResultResponse", result)))


def _no_job(job: str) -> Answer:
    text = f"there is no job {job[:40]}"
    detail = element(
        f"{_FAULTS}asyncFault",
        element(f"{_FAULTS}code", "INVALID_JOB_ID"),
        element(f"{_FAULTS}message", text),
    )
    return Answer(content=rendered(detail), fault="sender", reason=text)
