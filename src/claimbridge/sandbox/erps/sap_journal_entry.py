"""SAP's *Journal Entry - Post (Synchronous)*, as its replies show it at work.

It posts every valid entry, also one that comes again: SAP documents no check for duplicates. A
refusal is a normal reply with a blank document number, the year 0000 and a log of severity 3. As in
real replies, that reply is not valid by SAP's own schema.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from lxml import etree

from claimbridge.model import JournalEntry
from claimbridge.sandbox.erps.sap_judgement import MESSAGES, SapLine, sap_objections
from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import element, optional, render, text_at
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.sandbox.kit.rules import ErpRules, irreversible
from claimbridge.xmlio import canonical

_ROOT: Final = "{http://sap.com/xi/SAPSCORE/SFIN}JournalEntryBulkCreateConfirmation"
_FIRST: Final = 100_000_000
_WIDTH: Final = 10
_LINES: Final = {
    "Item": ("GLAccount", "AccountAssignment/CostCenter"),
    "DebtorItem": ("Debtor", ""),
    "CreditorItem": ("Creditor", ""),
    "ProductTaxItem": ("TaxCode", ""),
}
"""Each kind of line, with the field of its account; SAP takes the rest from its master data."""
_CODES: Final = {
    "GLAccount": ("unknown-account", 10),
    "Creditor": ("unknown-vendor", 10),
    "Debtor": ("unknown-customer", 10),
    "AccountAssignment/CostCenter": ("unknown-cost-centre", 10),
    "AccountAssignment/OrderID": ("unknown-order", 12),
    "AccountAssignment/ProfitCenter": ("unknown-profit-centre", 10),
}
"""The numbers of a line that SAP's database has with leading zeros, and their width there."""
_MAX_NOTE: Final = 200
_SYSTEM: Final = "SANDBOX"
_SIMILAR: Final = Objection("286(F5)", "Check whether the document was entered before")
"""A warning that goes with success: SAP found a document that looks alike, and posted this one."""


class SapJournalEntryResponder:
    """An S/4HANA that posts journal entries by bulk request."""

    name: str = "sap-journal-entry"
    contract: str = "sap-journal-entry.wsdl"
    items: frozenset[str] = frozenset({"JournalEntryCreateConfirmation"})
    kinds: Mapping[str, OperationKind] = {
        "JournalEntryCreateRequestConfirmation_In": OperationKind.SUBMIT
    }

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the id of each entry's message: replies repeat it."""
        return tuple(_message_id(request) for request in _requests(call))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Post every valid entry; SAP judges each by itself."""
        return _reply(call, [self._confirm(request, call, desk) for request in _requests(call)])

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return a confirmation that refuses every entry; None for a request without entries."""
        requests = _requests(call)
        if not requests:
            return None
        return _reply(call, [_refusal(request, call, objections) for request in requests])

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: SAP's contract has no such answer."""
        return None

    def _confirm(self, request: etree._Element, call: ErpCall, desk: Desk) -> etree._Element:
        booked = self._book(request, desk.books, desk.rules)
        if isinstance(booked, ErpDocument):
            return _posting_confirmation(request, call, booked)
        return _refusal(request, call, booked)

    def _book(
        self, request: etree._Element, store: ErpBooks, rules: ErpRules
    ) -> ErpDocument | list[Objection]:
        body = request.find("JournalEntry")
        assert body is not None  # the schema was checked before
        entry, reverses = _entry(body, _message_id(request)), _key_to_reverse(body)
        with store.transaction() as books:
            target = books.by_journal_entry(self.name, reverses) if reverses else None
            if reverses and target is None:
                return [Objection("unknown-document", f"Document {reverses} does not exist")]
            if target is not None:
                entry = _taking_back(entry, target)
            objections = [*_about_lines(body, entry), *rules.objections(entry)]
            if target is not None:
                objections += filter(None, [irreversible(entry, target)])
            if objections:
                return objections
            # Number range 01, by company code and fiscal year.
            series = Series(f"{entry.company}/{entry.posting_date.year}", _FIRST, _WIDTH)
            entered = books.enter(self.name, entry, canonical(body), series=series, unique=False)
            posted = books.post(entered)
            if target is not None and posted.journal_entry is not None:
                books.reverse(target, posted.journal_entry)
        return posted


def _requests(call: ErpCall) -> list[etree._Element]:
    return list(call.body.iterchildren("JournalEntryCreateRequest"))


def _message_id(request: etree._Element) -> str:
    return text_at(request, "MessageHeader/ID") or text_at(
        request, "JournalEntry/DocumentReferenceID"
    )


def _lines(body: etree._Element) -> Iterator[tuple[str, etree._Element, str]]:
    """Yield every line with its kind before it, and its path for people after it."""
    for kind in _LINES:
        for n, line in enumerate(body.iterchildren(kind), start=1):
            yield kind, line, f"{kind}[{n}]"


def _entry(body: etree._Element, message_id: str) -> ErpVoucher:
    postings = tuple(_posting(kind, line, path) for kind, line, path in _lines(body))
    posted_on = text_at(body, "ReversalDate") or text_at(body, "PostingDate")
    return ErpVoucher(
        reference=text_at(body, "DocumentReferenceID") or message_id,
        company=text_at(body, "CompanyCode"),
        currency=postings[0].currency if postings else "",
        document_date=dt.date.fromisoformat(text_at(body, "DocumentDate")),
        posting_date=dt.date.fromisoformat(posted_on),
        postings=postings,
    )


def _posting(kind: str, line: etree._Element, path: str) -> ErpPosting:
    account, centre = _LINES[kind]
    amount = Decimal(text_at(line, "AmountInTransactionCurrency"))
    currencies = line.xpath("string(AmountInTransactionCurrency/@currencyCode)")
    return ErpPosting(
        account=text_at(line, account).lstrip("0"),
        # The sign decides; a code that contradicts it is refused before anything is booked.
        side="credit" if amount < 0 else "debit",
        amount=abs(amount),
        currency=str(currencies),
        cost_centre=text_at(line, centre).lstrip("0") if centre else "",
        path=path,
    )


def _about_lines(body: etree._Element, entry: ErpVoucher) -> Iterator[Objection]:
    """Yield objections to the form of the lines, before any rule of business."""
    if not entry.postings:
        yield Objection("no-items", "The entry has no items")
    for _, line, path in _lines(body):
        amount, code = (
            text_at(line, "AmountInTransactionCurrency"),
            text_at(line, "DebitCreditCode"),
        )
        if code and code != ("H" if Decimal(amount) < 0 else "S"):
            text = f"Amount {amount} contradicts the debit/credit code {code}"
            yield Objection("sign", text, f"{path}/DebitCreditCode")
    yield from sap_objections([_sap_line(*one) for one in _lines(body)])


def _sap_line(kind: str, line: etree._Element, path: str) -> SapLine:
    is_tax = kind == "ProductTaxItem"
    tax = "" if is_tax else "Tax/"
    return SapLine(
        path=path,
        codes=tuple((name, text_at(line, place), width) for place, (name, width) in _CODES.items()),
        tax_code=text_at(line, f"{tax}TaxCode"),
        group=text_at(line, f"{tax}TaxItemGroup"),
        is_tax=is_tax,
        direct=text_at(line, "IsDirectTaxPosting") in {"true", "1"},
    )


def _key_to_reverse(body: etree._Element) -> JournalEntry | None:
    """Return the entry to reverse; its object key is number, company code and year."""
    key = text_at(body, "ReversalReferenceDocument")
    return JournalEntry(key[:10], key[10:-4], key[-4:]) if key else None


def _taking_back(entry: ErpVoucher, target: ErpDocument) -> ErpVoucher:
    other = {"debit": "credit", "credit": "debit"}
    postings = tuple(
        msgspec.structs.replace(posting, side=other[posting.side])
        for posting in target.entry.postings
    )
    return msgspec.structs.replace(
        entry,
        postings=postings,
        currency=target.entry.currency,
        purpose="reverse",
        reverses=target.journal_entry,
    )


def _reply(call: ErpCall, confirmations: list[etree._Element]) -> ErpAnswer:
    root = etree.Element(_ROOT, nsmap={"n0": _ROOT[1:].partition("}")[0]})
    root.append(_header(text_at(call.body, "MessageHeader/ID"), call))
    if call.manner.happens("system"):
        root[0].append(element("SenderBusinessSystemID", _SYSTEM))
    root.append(element("ConfirmationInterfaceOrignName"))
    root.extend(confirmations)
    root.append(element("Log"))
    return ErpAnswer(content=render(root))


def _header(answers: str, call: ErpCall) -> etree._Element:
    now = call.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return element(
        "MessageHeader",
        element("UUID", str(uuid.uuid5(uuid.NAMESPACE_OID, f"{answers} {now}"))),
        optional("ReferenceID", answers),
        element("CreationDateTime", now),
    )


def _posting_confirmation(
    request: etree._Element, call: ErpCall, document: ErpDocument
) -> etree._Element:
    year, company = document.fiscal_year, document.entry.company
    key = f"{document.number}{company}{year}"
    done = call.manner.choose(
        "done", "Document posted successfully", "凭证过帐成功", "Beleg gebucht"
    )
    notes = [("1", Objection("605(RW)", f"{done}: BKPFF {key} {_SYSTEM}"))]
    if call.manner.happens("warning"):
        notes.insert(call.manner.choose("warns", 1, 0), ("2", _SIMILAR))
    return _confirmation(request, call, (document.number, company, year), notes)


def _refusal(
    request: etree._Element, call: ErpCall, objections: Sequence[Objection]
) -> etree._Element:
    wrong = call.manner.choose("wrong", "Error in document", "凭证错误")
    notes = [Objection("609(RW)", f"{wrong}: BKPFF $ {_SYSTEM}"), *objections]
    company = text_at(request, "JournalEntry/CompanyCode")
    key = call.manner.choose("no-key", (" ", " ", "0000"), ("0000000000", company, "0000"))
    return _confirmation(request, call, key, [("3", note) for note in notes])


def _confirmation(
    request: etree._Element,
    call: ErpCall,
    key: tuple[str, str, str],
    notes: Sequence[tuple[str, Objection]],
) -> etree._Element:
    """Return a confirmation; each note comes with its severity."""
    number, company, year = key
    return element(
        "JournalEntryCreateConfirmation",
        _header(_message_id(request), call),
        element(
            "JournalEntryCreateConfirmation",
            element("AccountingDocument", number),
            element("CompanyCode", company),
            element("FiscalYear", year),
        ),
        element(
            "Log",
            element("MaximumLogItemSeverityCode", max(severity for severity, _ in notes)),
            *(_note(objection, severity) for severity, objection in notes),
        ),
    )


def _note(objection: Objection, severity: str) -> etree._Element:
    return element(
        "Item",
        element("TypeID", _type_id(objection)),
        element("SeverityCode", severity),
        optional("ReferenceMessageElementName", objection.field),
        element("Note", objection.text[:_MAX_NOTE]),
    )


def _type_id(objection: Objection) -> str:
    group, number = MESSAGES.get(objection.code, ("", objection.code))
    return f"{number}({group})" if group else number
