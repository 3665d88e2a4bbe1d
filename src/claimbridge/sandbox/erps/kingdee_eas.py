"""Kingdee EAS, as its clients and its server's own code show it at work.

It has both services that import vouchers: ``WSGLWebServiceFacade``, or the older ``WSWSVoucher``
with its rows and its JSON. A credit is the ``entryDC`` that it was set to, and no other.

Rows that follow each other with one number are one voucher. EAS saves each voucher by itself, and
answers the saved vouchers first, then the refused ones. A voucher that comes again is saved again,
unless ``refuses_repeats``. A session lives for ``lifetime`` seconds; without a living session
nothing is done. Kingdee does not publish the layout of ``findVoucher``'s strings, so ``LISTING`` is
the sandbox's own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape  # it writes only; nothing is parsed with it

from lxml import etree

from claimbridge.sandbox.erps.kingdee_eas_replies import (
    IMPORT,
    IMPORT_JSON,
    NAMES,
    EasResult,
    answer_to,
    strings_answer,
)
from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import text_at
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.xmlio import canonical

LISTING: Final = ("reference", "number", "debit", "type", "year", "period")
"""The parts of a string of ``findVoucher``."""
DEAD: Final = "会话已失效，请重新登录 (session is invalid)"
_LOGIN: Final = "http://login.webservice.bos.kingdee.com"
_CURRENCIES: Final = {"BB01": "CNY", "BB02": "USD", "BB03": "HKD", "BB06": "GBP", "BB07": "EUR"}
_CODES: Final = {
    "unknown-company": "1001",
    "unknown-account": "1002",
    "unknown-currency": "1003",
    "period-closed": "1004",
    "cash-flow": "2001",
    "unbalanced": "4105",
}
"""EAS's results for our names; for any other name EAS answers that its own checks refuse."""
_OTHER: Final = "4000"
_LOCAL: Final = "CNY"
_SAVED: Final = "成功保存"


class KingdeeEasResponder:
    """An EAS with a general ledger; it takes any user and password except ``wrong``.

    ``credit`` is the ``entryDC`` of its credits. ``logins`` are the numbers of arguments that its
    login takes. A voucher with one of ``cash_accounts`` needs rows of cash flows that cover it.
    ``older``: vouchers are imported by ``WSWSVoucher``.
    """

    name: str = "kingdee-eas"
    items: frozenset[str] = frozenset({"importVoucherReturn", "findVoucherReturn"})

    def __init__(
        self,
        *,
        refuses_repeats: bool = False,
        lifetime: float = 1800,
        credit: int = -1,
        logins: Collection[int] = (6, 7, 8),
        cash_accounts: Collection[str] = (),
        older: bool = False,
    ) -> None:
        self._refuses_repeats = refuses_repeats
        self._lifetime = dt.timedelta(seconds=lifetime)
        self._credit = str(credit)
        self._logins = frozenset(logins)
        self._cash_accounts = frozenset(cash_accounts)
        self.contract: str = "kingdee-eas-rows.wsdl" if older else "kingdee-eas.wsdl"
        imports = (IMPORT, IMPORT_JSON) if older else (IMPORT,)
        self.kinds: Mapping[str, OperationKind] = {
            **dict.fromkeys(imports, OperationKind.SUBMIT),
            "findVoucher": OperationKind.QUERY,
            "login": OperationKind.SESSION,
        }

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the reference information of each voucher."""
        return tuple(dict.fromkeys(text_at(row, "description") for row in _rows(call)))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Do what is asked, in a living session."""
        if call.operation == "login":
            return self._session(call)
        if not self._lives(call):
            return _dead(call)
        if call.operation == "findVoucher":
            return strings_answer(call, _find(self.name, call, desk.books))
        saved: list[EasResult] = []
        refused: list[EasResult] = []
        for _, rows in itertools.groupby(
            _rows(call), key=lambda row: text_at(row, "voucherNumber")
        ):
            self._import(list(rows), call, desk, saved, refused)
        return answer_to(call, saved, refused)

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return a refusal of every voucher; None for a call that imports none."""
        if call.operation not in (IMPORT, IMPORT_JSON):
            return None
        return answer_to(call, (), [_refusal(objections, "", one) for one in self.references(call)])

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: EAS has no such answer."""
        return None

    def _session(self, call: ErpCall) -> ErpAnswer:
        if len(call.body) not in self._logins:
            return ErpAnswer(content=b"", fault="receiver", reason="No such operation 'login'")
        if text_at(call.body, "password") == "wrong":
            return ErpAnswer(content=b"", fault="receiver", reason="用户名或密码错误")
        ends = call.at + self._lifetime
        session = f"{text_at(call.body, 'userName')}-{ends.timestamp():.6f}"
        proof = hashlib.sha256(session.encode()).hexdigest()[:16]
        return ErpAnswer(
            content=(
                f'<ns1:loginResponse xmlns:ns1="{_LOGIN}" {NAMES}><loginReturn '
                'xmlns:ns2="urn:client" xsi:type="ns2:WSContext"><dbType xsi:type="xsd:int">2'
                '</dbType><password xsi:type="xsd:string" xsi:nil="true"/><sessionId '
                f'xsi:type="xsd:string">{escape(session)}-{proof}</sessionId></loginReturn>'
                "</ns1:loginResponse>"
            ).encode()
        )

    def _lives(self, call: ErpCall) -> bool:
        for header in call.headers:
            if header.tag == f"{{{_LOGIN}}}SessionId":
                session, _, proof = (header.text or "").strip().rpartition("-")
                ends = session.rpartition("-")[2]
                genuine = hashlib.sha256(session.encode()).hexdigest()[:16] == proof
                return genuine and call.at.timestamp() < float(ends)
        return False

    def _import(
        self,
        rows: list[etree._Element],
        call: ErpCall,
        desk: Desk,
        saved: list[EasResult],
        refused: list[EasResult],
    ) -> None:
        entries = [row for row in rows if text_at(row, "itemFlag") != "1"]
        entry = _entry(entries)
        head = rows[0]
        number, type_ = text_at(head, "voucherNumber"), text_at(head, "voucherType")
        with desk.books.transaction() as books:
            held = books.document_of(self.name, entry.reference) if self._refuses_repeats else None
            if held is not None:
                text = f"凭证{number}已经引入，凭证号:{held.number}"
                refused.append(EasResult(number, "3100", text=text, number=held.number))
                return
            objections = [*self._about_rows(rows), *desk.rules.objections(entry)]
            if objections:
                refused.append(_refusal(objections, number, number))
                return
            year, period = entry.posting_date.year, entry.posting_date.month
            series = Series(f"{entry.company}/{year}/{period}/{type_}", 1, 4)
            original = b"".join(canonical(row) for row in rows)
            entered = books.enter(self.name, entry, original, series=series, unique=False)
            posted = books.post(entered)
        place = (type_, str(year), str(period))
        told = call.manner.choose("saved", _SAVED, "成功提交")
        # Newer facades add the voucher's key.
        key = call.manner.choose("key", "", f"{posted.id:08x}AAA=")
        saved.append(EasResult(number, "0000", place, told, posted.number, key))

    def _about_rows(self, rows: list[etree._Element]) -> list[Objection]:
        codes = {text_at(row, "currencyNumber") for row in rows} - _CURRENCIES.keys()
        found = [Objection("unknown-currency", f"没有找到币种:{code}") for code in sorted(codes)]
        signs = {text_at(row, "entryDC") for row in rows if text_at(row, "itemFlag") != "1"}
        for sign in sorted(signs - {"1", self._credit}):
            found.append(Objection("side", f"分录方向{sign}不正确"))
        for row in rows:
            lacking = self._uncovered(row, rows)
            if lacking:
                account = text_at(row, "accountNumber")
                found.append(Objection("cash-flow", f"科目{account}没有指定现金流量:{lacking:f}"))
        return found

    def _uncovered(self, row: etree._Element, rows: list[etree._Element]) -> Decimal:
        """Return what rows of cash flows leave of a row of a cash account; zero for any other."""
        if text_at(row, "accountNumber") not in self._cash_accounts:
            return Decimal(0)
        flows = [
            Decimal(text_at(one, "cashflowAmountLocal"))
            for one in rows
            if text_at(one, "itemFlag") == "1"
            and text_at(one, "entrySeq") == text_at(row, "entrySeq")
            and text_at(one, "primaryItem")
        ]
        return _amount(row) - sum(flows, Decimal(0))


def _rows(call: ErpCall) -> list[etree._Element]:
    if call.operation == IMPORT_JSON:
        return _table(text_at(call.body, "rows"))
    if call.operation != IMPORT:
        return []
    return call.body.findall("col/item") or call.body.findall("voucherCols/item")


def _table(written: str) -> list[etree._Element]:
    """Return a table in JSON as rows; [] for a text that is none."""
    try:
        names, *lines = json.loads(written)
        return [_row(names, cells) for cells in lines]
    except (ValueError, TypeError, RecursionError):
        return []


def _row(names: Sequence[str], cells: Sequence[str]) -> etree._Element:
    row = etree.Element("item")
    for name, cell in zip(names, cells, strict=True):
        etree.SubElement(row, name).text = cell
    return row


def _entry(rows: list[etree._Element]) -> ErpVoucher:
    head = rows[0]
    postings = tuple(_posting(row, n) for n, row in enumerate(rows, start=1))
    red = any(_amount(row) < 0 for row in rows)
    return ErpVoucher(
        reference=text_at(head, "description"),
        company=text_at(head, "companyNumber"),
        currency=_LOCAL,
        document_date=dt.date.fromisoformat(text_at(head, "bizDate")),
        posting_date=dt.date.fromisoformat(text_at(head, "bookedDate")),
        postings=postings,
        purpose="reverse" if red else "post",
    )


def _posting(row: etree._Element, number: int) -> ErpPosting:
    amount = _amount(row)
    debit = text_at(row, "entryDC") == "1"
    return ErpPosting(
        account=text_at(row, "accountNumber"),
        # A negative debit is a credit to the balance: 红字.
        side="debit" if debit is (amount >= 0) else "credit",
        amount=abs(amount),
        currency=_LOCAL,
        cost_centre=text_at(row, "asstActNumber1"),
        path=f"第{number}行",
    )


def _amount(row: etree._Element) -> Decimal:
    name = "debitAmount" if text_at(row, "entryDC") == "1" else "creditAmount"
    return Decimal(text_at(row, name) or "0")


def _find(profile: str, call: ErpCall, store: ErpBooks) -> list[str]:
    company = text_at(call.body, "comNumber")
    period = (int(text_at(call.body, "year")), int(text_at(call.body, "periodNnumber")))
    with store.transaction() as books:
        documents = [one for one in books.all(profile) if one.entry.company == company]
    return [_listing_string(one) for one in documents if _period(one) == period]


def _period(document: ErpDocument) -> tuple[int, int]:
    return document.entry.posting_date.year, document.entry.posting_date.month


def _listing_string(document: ErpDocument) -> str:
    year, period = _period(document)
    total = sum(document.entry.debit_totals.values(), Decimal(0))
    type_ = document.series.name.rpartition("/")[2]
    parts = (document.entry.reference, document.number, f"{total:f}", type_, str(year), str(period))
    return "||".join(parts)


def _refusal(objections: Sequence[Objection], number: str, reference: str) -> EasResult:
    text = "; ".join(f"{objection.text}" for objection in objections)
    code = _CODES.get(objections[0].code, _OTHER)
    return EasResult(reference, code, text=f"凭证{number}: {text}")


def _dead(call: ErpCall) -> ErpAnswer:
    """Return the Fault of a dead session; its sentence may stand in the detail alone."""
    code = call.manner.choose("fault-code", "", "userException", "generalException")
    thrown = "com.kingdee.bos.webservice.WSInvokeException"
    reason = call.manner.choose("dead", DEAD, f"{thrown}: {DEAD}", thrown, "")
    told = "" if DEAD in reason else f"<message>{DEAD}</message>"
    content = f'<ns1:fault xmlns:ns1="urn:client.glwebservicefacade">{told}</ns1:fault>'
    return ErpAnswer(content=content.encode(), fault="receiver", reason=reason, subcode=code)
