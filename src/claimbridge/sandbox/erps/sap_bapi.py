"""SAP's function modules as web services: a posting waits in its session until it is committed.

The session is the cookie ``sap-contextid``, as in a stateful service of SAP's. A commit in another
session, or without one, succeeds and commits nothing. References are not unique. A posting gets its
number at once, and the number is lost if no commit follows. RFC_READ_TABLE answers the profile's
questions: for BKPF by reference, for BSEG by document.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from lxml import etree

from claimbridge.model import exponent
from claimbridge.sandbox.erps.sap_judgement import MESSAGES, SapLine, sap_objections
from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import element, optional, render, text_at
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.xmlio import canonical

SESSION: Final = "sap-contextid"
_NAMESPACE: Final = "urn:sap-com:document:sap:soap:functions:mc-style"
_FIRST: Final = 100_000_000
_WIDTH: Final = 10
_MOST_SESSIONS: Final = 1000
_SYSTEM: Final = "SANDBOX"
_LINES: Final = {
    "Accountgl": ("GlAccount", "Costcenter"),
    "Accountpayable": ("VendorNo", ""),
    "Accounttax": ("TaxCode", ""),
}
"""Each table of lines, with the field of a line's account; SAP takes the rest from master data."""
_CODES: Final = {
    "GlAccount": ("unknown-account", 10),
    "VendorNo": ("unknown-vendor", 10),
    "Costcenter": ("unknown-cost-centre", 10),
    "Orderid": ("unknown-order", 12),
    "ProfitCtr": ("unknown-profit-centre", 10),
}
"""The numbers of a line that SAP's database has with leading zeros, and their width there."""
_CONDITION: Final = re.compile(r"(\w+) EQ '((?:[^']|'')*)'")


class _Posting(msgspec.Struct, frozen=True):
    """A posting that waits for its commit."""

    entry: ErpVoucher
    original: bytes
    number: int


class SapBapiResponder:
    """An SAP whose BAPIs are called in sessions; the end of a session drops open postings."""

    name: str = "sap-bapi"
    contract: str = "sap-bapi.wsdl"
    items: frozenset[str] = frozenset({"Return", "Data"})
    kinds: Mapping[str, OperationKind] = {
        "AccDocumentPost": OperationKind.SUBMIT,
        "TransactionCommit": OperationKind.SUBMIT,
        "TransactionRollback": OperationKind.QUERY,
        "RfcReadTable": OperationKind.QUERY,
    }

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, list[_Posting]] = {}
        self._given = 0
        """The highest number so far, committed or not."""

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return REF_DOC_NO of a posting, or the references in a question."""
        reference = text_at(call.body, "Documentheader/RefDocNo")
        asked = [value for name, value in _conditions(call.body) if name == "XBLNR"]
        return tuple(asked) or ((reference,) if reference else ())

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Post into the session, end the session, or read a table."""
        if call.operation == "AccDocumentPost":
            return self._post(call, desk)
        if call.operation == "RfcReadTable":
            return _read_table(call, desk.books)
        with self._lock:
            postings = self._sessions.pop(call.cookies.get(SESSION, ""), [])
        if call.operation == "TransactionCommit":
            for posting in postings:
                self._book(posting, desk.books)
        return _reply(call, element("Return", element("Type"), element("Message")))

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return RETURN with the objections; None for a call that has no such answer."""
        return _refusal(call, objections) if call.operation == "AccDocumentPost" else None

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: SAP has no such answer."""
        return None

    def _post(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        entry = _entry(call.body)
        objections = [*_about_lines(call.body, entry), *desk.rules.objections(entry)]
        if objections:
            return _refusal(call, objections)
        session = call.cookies.get(SESSION, "")
        with self._lock:
            if session not in self._sessions:
                session = uuid.uuid4().hex
                self._sessions[session] = []
            while len(self._sessions) > _MOST_SESSIONS:  # the oldest is timed out
                del self._sessions[next(iter(self._sessions))]
            self._given = (self._given or self._last_number(desk.books)) + 1
            posting = _Posting(entry, canonical(call.body), self._given)
            self._sessions[session].append(posting)
        key = f"{posting.number:0{_WIDTH}}{entry.company}{entry.posting_date.year}"
        done = call.manner.choose("done", "Document posted successfully", "凭证过帐成功")
        notes = [_message(call, "S", "RW", "605", f"{done}: BKPFF {key} {_SYSTEM}")]
        if call.manner.happens("warning"):
            text = call.manner.choose(
                "warns", "Check whether it was entered before", "请检查是否已输入"
            )
            notes.append(_message(call, "W", "F5", "286", text))
        cookie = {"set-cookie": f"{SESSION}={session}; path=/; HttpOnly"}
        return _reply(call, *_object(key), element("Return", *notes), headers=cookie)

    def _last_number(self, store: ErpBooks) -> int:
        """Return the last number that the state file holds."""
        with store.transaction() as books:
            numbers = [int(one.number) for one in books.all(self.name) if one.number]
        return max(numbers, default=_FIRST - 1)

    def _book(self, posting: _Posting, store: ErpBooks) -> None:
        # A series with one number: the document got the number before.
        series = Series(f"{posting.number}", posting.number, _WIDTH)
        with store.transaction() as books:
            entered = books.enter(
                self.name, posting.entry, posting.original, series=series, unique=False
            )
            books.post(entered)


def _entry(body: etree._Element) -> ErpVoucher:
    amounts = {text_at(row, "ItemnoAcc"): row for row in body.iterfind("Currencyamount/item")}
    postings = tuple(
        _posting(line, amounts[text_at(line, "ItemnoAcc")], table, path)
        for table, line, path in _lines(body)
        if text_at(line, "ItemnoAcc") in amounts
    )
    return ErpVoucher(
        reference=text_at(body, "Documentheader/RefDocNo"),
        company=text_at(body, "Documentheader/CompCode"),
        currency=postings[0].currency if postings else "",
        document_date=dt.date.fromisoformat(text_at(body, "Documentheader/DocDate")),
        posting_date=dt.date.fromisoformat(text_at(body, "Documentheader/PstngDate")),
        postings=postings,
    )


def _lines(body: etree._Element) -> Iterator[tuple[str, etree._Element, str]]:
    """Yield every line with its table before it, and its place for people after it."""
    for table in _LINES:
        for n, line in enumerate(body.iterfind(f"{table}/item"), start=1):
            yield table, line, f"{table.upper()}[{n}]"


def _posting(line: etree._Element, row: etree._Element, table: str, path: str) -> ErpPosting:
    account, centre = _LINES[table]
    amount = Decimal(text_at(row, "AmtDoccur"))
    return ErpPosting(
        account=text_at(line, account).lstrip("0"),
        side="credit" if amount < 0 else "debit",
        amount=abs(amount),
        currency=text_at(row, "Currency"),
        cost_centre=text_at(line, centre).lstrip("0") if centre else "",
        path=path,
    )


def _about_lines(body: etree._Element, entry: ErpVoucher) -> Iterator[Objection]:
    if not entry.postings:
        yield Objection("no-items", "The document has no items", "ACCOUNTGL")
    if len(entry.postings) < len(list(_lines(body))):
        yield Objection("no-amount", "An item has no amount", "CURRENCYAMOUNT")
    yield from sap_objections([_sap_line(*one) for one in _lines(body)])


def _sap_line(table: str, line: etree._Element, path: str) -> SapLine:
    return SapLine(
        path=path,
        codes=tuple((name, text_at(line, place), width) for place, (name, width) in _CODES.items()),
        tax_code=text_at(line, "TaxCode"),
        group=text_at(line, "ItemnoTax"),
        is_tax=table == "Accounttax",
        direct=text_at(line, "DirectTax") == "X",
    )


def _conditions(body: etree._Element) -> list[tuple[str, str]]:
    text = " ".join(line.text or "" for line in body.iterfind("Options/item/Text"))
    return [(name, value.replace("''", "'")) for name, value in _CONDITION.findall(text)]


def _is_wanted(document: ErpDocument, asked: Sequence[tuple[str, str]]) -> bool:
    """Say whether a condition names the document's reference, and no other company."""
    following = (*asked[1:], ("", ""))
    return any(
        name == "XBLNR"
        and value == document.reference
        and (then[0] != "BUKRS" or then[1] == document.entry.company)
        for (name, value), then in zip(asked, following, strict=True)
    )


def _read_table(call: ErpCall, store: ErpBooks) -> ErpAnswer:
    table, asked = text_at(call.body, "QueryTable"), _conditions(call.body)
    columns = [name.text or "" for name in call.body.iterfind("Fields/item/Fieldname")]
    with store.transaction() as books:
        documents = [one for one in books.all(SapBapiResponder.name) if one.number]
    if table == "BKPF":
        rows = [_head(one) for one in documents if _is_wanted(one, asked)]
    elif table == "BSEG":
        keys = [value for _, value in asked]
        triples = set(zip(keys[::3], keys[1::3], keys[2::3], strict=True))
        rows = [
            row
            for one in documents
            if (one.number, one.entry.company, one.fiscal_year) in triples
            for row in _items(one)
        ]
    else:
        text = element("Text", f"Table {table} is not available")
        fault = element(f"{{{_NAMESPACE}}}SystemFault", element("Name", "TABLE"), text)
        return ErpAnswer(content=render(fault), fault="sender", reason=text.text or "")
    return _reply(call, element("Data", *(_row(cells, columns, call.body) for cells in rows)))


def _row(cells: Mapping[str, str], columns: Sequence[str], body: etree._Element) -> etree._Element:
    line = text_at(body, "Delimiter").join(cells.get(name, "").ljust(4) for name in columns)
    return element("item", element("Wa", line))


def _head(document: ErpDocument) -> dict[str, str]:
    return {
        "BELNR": document.number,
        "BUKRS": document.entry.company,
        "GJAHR": document.fiscal_year,
        "XBLNR": document.reference,
        "WAERS": document.entry.currency,
    }


def _items(document: ErpDocument) -> Iterator[dict[str, str]]:
    for posting in document.entry.postings:
        # TCURX: two decimals in every currency.
        stored = posting.amount.scaleb(exponent(posting.currency) - 2)
        side = "S" if posting.side == "debit" else "H"
        yield _head(document) | {"SHKZG": side, "WRBTR": f"{stored:16.2f}"}


def _object(key: str) -> tuple[etree._Element, ...]:
    return element("ObjKey", key), element("ObjSys", _SYSTEM), element("ObjType", "BKPFF")


def _message(
    call: ErpCall, kind: str, group: str, number: str, text: str, field: str = ""
) -> etree._Element:
    """Return a row of RETURN; a lifelike one has every field, also those without a value."""
    whole = call.manner.lifelike
    return element(
        "item",
        element("Type", kind),
        element("Id", group),
        element("Number", number),
        element("Message", text[:220]),
        *(_hollow("LogNo", "LogMsgNo", "MessageV1", "MessageV2") if whole else ()),
        element("Parameter", field[:32]) if whole else optional("Parameter", field[:32]),
        element("Row", "0") if whole else None,
        element("Field") if whole else None,
        element("System", _SYSTEM),
    )


def _hollow(*names: str) -> list[etree._Element]:
    return [element(name, "000000" if name == "LogMsgNo" else "") for name in names]


def _refusal(call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer:
    wrong = call.manner.choose("wrong", "Error in document", "凭证错误")
    notes = [_message(call, "E", "RW", "609", f"{wrong}: BKPFF $ {_SYSTEM}")]
    for objection in objections:
        group, number = MESSAGES.get(objection.code, (objection.code[:20], "000"))
        notes.append(_message(call, "E", group, number, objection.text, objection.field))
    return _reply(call, *_object(call.manner.choose("no-key", "$", "")), element("Return", *notes))


def _reply(
    call: ErpCall, *content: etree._Element, headers: Mapping[str, str] | None = None
) -> ErpAnswer:
    root = etree.Element(f"{{{_NAMESPACE}}}{call.operation}Response", nsmap={"n0": _NAMESPACE})
    root.extend(content)
    return ErpAnswer(content=render(root), headers=headers or {})
