"""Workday's accounting journals, as its contract and its documentation show them.

A tenant takes in a valid journal, and the journal's business process posts it. The answer to the
submission names the journal by ids, without a number. With ``Add_Only`` an existing id is refused.
Every refusal is a Validation_Fault whose errors point at their places by XPath. Tenants differ in
how they write places, in where they refuse a repeat, and in the user's language.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from lxml import etree

from claimbridge.model import JournalEntry
from claimbridge.sandbox.kit.books import ErpTransaction
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.manner import Manner
from claimbridge.sandbox.kit.markup import element, optional, render
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.sandbox.kit.rules import irreversible
from claimbridge.xmlio import canonical

_URI: Final = "urn:com.workday/bsvc"
_WD: Final = f"{{{_URI}}}"
_NAMES: Final = {"wd": _URI}
_SERIES: Final = Series("journals", 1, 6)
_ROOT: Final = "wd:Submit_Accounting_Journal_Request/wd:Accounting_Journal_Data"
_LINE: Final = "Journal_Entry_Line_Replacement_Data"
_PLACED: Final = frozenset({"exists", "absent"})
"""Refusals whose place says what they mean."""
_REFUSALS: Final = {
    "locked": "The task cannot be completed: another user is working on this journal.",
    "licence": "The tenant has reached its limit of concurrent requests.",
}
"""What a tenant says of its own state, by the sandbox's names."""
_STATUS: Final = {"entered": "In_Progress", "rejected": "Denied"}
# What the contract says of a journal that is there, and the same for users of other languages.
_ADD_ONLY: Final = "The Web Service is set to Add Only; documents cannot be resubmitted."
_IN_OTHER_WORDS: Final = (
    "Der Webdienst darf nur hinzufügen; Belege können nicht erneut eingereicht werden.",
    "Web 服务仅允许新增，不能重新提交单据。",
)


class WorkdayResponder:
    """A tenant that posts accounting journals."""

    name: str = "workday"
    contract: str = "workday.wsdl"
    items: frozenset[str] = frozenset({"Accounting_Journal_Reference", "Response_Data"})
    kinds: Mapping[str, OperationKind] = {
        "Submit_Accounting_Journal": OperationKind.SUBMIT,
        "Get_Journals": OperationKind.QUERY,
    }

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the id of the journal, or the ids in the question."""
        found = call.body.xpath(
            "wd:Accounting_Journal_Data/wd:Accounting_Journal_ID"
            " | wd:Request_References/wd:JournalEntryReference/wd:ID",
            namespaces=_NAMES,
        )
        assert isinstance(found, list)
        return tuple((e.text or "").strip() for e in found if isinstance(e, etree._Element))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Take the journal in, or show journals."""
        if call.kind is OperationKind.QUERY:
            return self._get_journals(call, desk)
        return self._submit(call, desk)

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return a Validation_Fault."""
        return _invalid(call, [(one, f"{_ROOT}/{_at(one.field)}") for one in objections])

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: Workday answers by HTTP alone."""
        return None

    def _submit(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        journal = call.body.find(f"{_WD}Accounting_Journal_Data")
        assert journal is not None  # the schema was checked before
        entry = _entry(journal)
        with desk.books.transaction() as books:
            if books.document_of(self.name, entry.reference) is not None:
                return _invalid(call, [_repeat(entry.reference, call.manner)])
            target = self._target(entry, books)
            objections = list(desk.rules.objections(entry))
            if target is not None:
                objections += filter(None, [irreversible(entry, target)])
            if objections:
                return self.refuse(call, objections) or _invalid(call, [])
            held = books.enter(self.name, entry, canonical(journal), series=_SERIES, unique=True)
            if not desk.holds:
                held = books.post(held)
            if target is not None and held.journal_entry is not None:
                books.reverse(target, held.journal_entry)
        return ErpAnswer(content=render(_acceptance(held)))

    def _target(self, entry: ErpVoucher, books: ErpTransaction) -> ErpDocument | None:
        return books.by_journal_entry(self.name, entry.reverses) if entry.reverses else None

    def _get_journals(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        asked = self.references(call)
        with desk.books.transaction() as books:
            held = [books.latest(self.name, reference) for reference in asked]
        lacking = [n for n, one in enumerate(held, start=1) if one is None]
        if lacking:
            return _invalid(call, [_absence(asked[n - 1], n, call.manner) for n in lacking])
        echo = element(f"{_WD}Request_References")
        echo.extend(_ids("JournalEntryReference", Accounting_Journal_ID=one) for one in asked)
        results = element(
            f"{_WD}Response_Results",
            element(f"{_WD}Total_Results", str(len(asked))),
            element(f"{_WD}Page", "1"),
        )
        data = element(f"{_WD}Response_Data", *(_journal(one, call.manner) for one in held if one))
        root = element(f"{_WD}Get_Journals_Response", echo, results, data)
        return ErpAnswer(content=render(root))


def _entry(journal: etree._Element) -> ErpVoucher:
    currency = _id(journal, "Currency_Reference")
    day = dt.date.fromisoformat(_text(journal, "Accounting_Date"))
    lines = list(journal.iterchildren(f"{_WD}{_LINE}"))
    undone = {_text(line, "External_Reference_ID") for line in lines} - {""}
    return ErpVoucher(
        reference=_text(journal, "Accounting_Journal_ID"),
        company=_id(journal, "Company_Reference"),
        currency=currency,
        document_date=day,
        posting_date=day,
        postings=tuple(
            _posting(line, currency, f"{_LINE}[{number}]")
            for number, line in enumerate(lines, start=1)
        ),
        purpose="reverse" if undone else "post",
        reverses=JournalEntry(undone.pop()) if undone else None,
    )


def _posting(line: etree._Element, currency: str, path: str) -> ErpPosting:
    debit, credit = _text(line, "Debit_Amount"), _text(line, "Credit_Amount")
    return ErpPosting(
        account=_id(line, "Ledger_Account_Reference"),
        side="debit" if debit else "credit",
        amount=Decimal(debit or credit or "0"),
        currency=currency,
        cost_centre=_worktag(line, "Cost_Center_Reference_ID"),
        path=path,
    )


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"{_WD}{name}") or "").strip()


def _id(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"{_WD}{name}/{_WD}ID") or "").strip()


def _worktag(line: etree._Element, kind: str) -> str:
    found = line.xpath(f"string(wd:Worktags_Reference/wd:ID[@wd:type='{kind}'])", namespaces=_NAMES)
    return str(found)


def _at(field: str) -> str:
    """Return where a rule's field stands in a journal, as an XPath below its data."""
    named = {"Account": "Ledger_Account_Reference", "Amount": "Debit_Amount"}
    heads = {"Company": "Company_Reference", "PostingDate": "Accounting_Date", "Posting": _LINE}
    line, _, part = field.rpartition("/")
    if re.fullmatch(rf"{_LINE}\[\d+\]", line):
        return f"wd:{line}/wd:{named.get(part, 'Currency_Reference')}"
    return f"wd:{heads.get(field, 'Journal_Entry_Memo')}"


def _ids(name: str, **ids: str) -> etree._Element:
    """Return a reference to an object by its ids."""
    made = element(f"{_WD}{name}")
    for kind, value in ids.items():
        one = element(f"{_WD}ID", value)
        one.set(f"{_WD}type", kind)
        made.append(one)
    return made


def _wid(document: ErpDocument) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"workday {document.reference}").hex


def _acceptance(document: ErpDocument) -> etree._Element:
    return element(
        f"{_WD}Submit_Accounting_Journal_Response",
        _ids(
            "Accounting_Journal_Reference",
            WID=_wid(document),
            Accounting_Journal_ID=document.reference,
        ),
    )


def _journal(document: ErpDocument, manner: Manner) -> etree._Element:
    named = {"WID": _wid(document), "Accounting_Journal_ID": document.reference}
    status = _STATUS.get(document.status, "Posted")
    status = manner.choose("status", status, status.upper())
    undone = document.reversed_by
    data = element(
        f"{_WD}Journal_Entry_Data",
        _ids("Journal_Entry_Reference", **named),
        optional(f"{_WD}Journal_Number", document.number),
        _ids("Journal_Status_Reference", Journal_Entry_Status_ID=status),
        _ids("Company_Reference", Company_Reference_ID=document.entry.company),
        _ids("Currency_Reference", Currency_ID=document.entry.currency),
        element(f"{_WD}Accounting_Date", document.entry.posting_date.isoformat()),
        element(f"{_WD}External_Reference_ID", document.reference),
        _ids("Cancel_Reversed_By_Journal_Entry_Reference", Journal_Number=undone.number)
        if undone
        else None,
        *(
            _line(posting, number, manner)
            for number, posting in enumerate(document.entry.postings, start=1)
        ),
    )
    return element(f"{_WD}Journal_Entry", _ids("Journal_Entry_Reference", **named), data)


def _line(posting: ErpPosting, number: int, manner: Manner) -> etree._Element:
    held = {posting.side: f"{posting.amount:.6f}"}
    # Some tenants write a zero on the other side.
    other = manner.choose("other side", "", "0")
    return element(
        f"{_WD}Journal_Entry_Line_Data",
        element(f"{_WD}Line_Order", str(number)),
        _ids("Ledger_Account_Reference", Ledger_Account_ID=posting.account),
        optional(f"{_WD}Debit_Amount", held.get("debit", other)),
        optional(f"{_WD}Credit_Amount", held.get("credit", other)),
    )


_Error = tuple[Objection, str]
"""What is wrong, and the XPath below the envelope, with counts only where they tell apart."""


def _repeat(reference: str, manner: Manner) -> _Error:
    """Return the refusal of an id that exists: where, and in which words, is the tenant's."""
    request, _, data = _ROOT.partition("/")
    own = f"The ID {reference} is already in use."
    place = manner.choose(
        "repeat",
        f"{_ROOT}/wd:Accounting_Journal_ID",
        f"{request}/@wd:Add_Only",
        f"{request}/{data}",
        request,
    )
    return Objection("exists", manner.choose("words", _ADD_ONLY, own, *_IN_OTHER_WORDS)), place


def _absence(reference: str, number: int, manner: Manner) -> _Error:
    """Return the refusal of a question for an id that nobody has."""
    place = f"wd:Get_Journals_Request/wd:Request_References/wd:JournalEntryReference[{number}]"
    words = f"'{reference}' is not a valid ID value for type = 'Accounting_Journal_ID'"
    step = manner.choose("id", "/wd:ID", "")
    return Objection("absent", f"Invalid ID value.  {words}"), f"{place}{step}"


def _invalid(call: ErpCall, errors: Sequence[_Error]) -> ErpAnswer:
    detail = element(f"{_WD}Validation_Fault")
    told = call.manner.choose("message", "Validation error occurred.", "", "验证出错。")
    for objection, place in errors:
        text = _REFUSALS.get(objection.code, objection.text)
        detail.append(
            element(
                f"{_WD}Validation_Error",
                # Tenants repeat the text here.
                element(f"{_WD}Message", told or text),
                element(f"{_WD}Detail_Message", text),
                element(f"{_WD}Xpath", _xpath(call, objection, place)),
            )
        )
    reason = f"Validation error occurred. {errors[0][0].text}" if errors else "Validation error"
    return ErpAnswer(
        content=render(detail),
        fault="sender",
        reason=reason,
        subcode=call.manner.choose("code", "", "validationError"),
    )


def _xpath(call: ErpCall, objection: Objection, place: str) -> str:
    """Return where an error stands: tenants number every step, and name no place for some."""
    if not objection.field and objection.code not in _PLACED:
        place = call.manner.choose("no-place", place, "") and place
    if call.manner.choose("steps", "plain", "numbered", "numbered") == "numbered":
        place = re.sub(r"(?<![\]])(?=/|$)", "[1]", place) if place else ""
        place = place.replace("wd:", "bsvc:")
    return f"/{place}" if place else ""
