"""Kingdee EAS, as its clients and its server's own code show it at work.

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
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape  # it writes only; nothing is parsed with it

from lxml import etree

from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import text_at
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.xmlio import canonical

LISTING: Final = ("reference", "number", "debit", "type", "year", "period")
"""The parts of a string of ``findVoucher``."""
DEAD: Final = "会话已失效，请重新登录 (session is invalid)"
_FACADE: Final = "http://webservice.app.gl.fi.eas.kingdee.com"
_LOGIN: Final = "http://login.webservice.bos.kingdee.com"
_NAMES: Final = (
    'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
)
_CURRENCIES: Final = {"BB01": "CNY", "BB02": "USD", "BB03": "HKD", "BB06": "GBP", "BB07": "EUR"}
_CODES: Final = {
    "unknown-company": "1001",
    "unknown-account": "1002",
    "unknown-currency": "1003",
    "period-closed": "1004",
    "unbalanced": "4105",
}
"""EAS's results for our names; for any other name EAS answers that its own checks refuse."""
_OTHER: Final = "4000"
_LOCAL: Final = "CNY"
_SAVED: Final = "成功保存"


class KingdeeEasResponder:
    """An EAS with a general ledger; it takes any user and password except ``wrong``."""

    name: str = "kingdee-eas"
    contract: str = "kingdee-eas.wsdl"
    items: frozenset[str] = frozenset({"importVoucherReturn", "findVoucherReturn"})
    kinds: Mapping[str, OperationKind] = {
        "importVoucher": OperationKind.SUBMIT,
        "findVoucher": OperationKind.QUERY,
        "login": OperationKind.SESSION,
    }

    def __init__(self, *, refuses_repeats: bool = False, lifetime: float = 1800) -> None:
        self._refuses_repeats = refuses_repeats
        self._lifetime = dt.timedelta(seconds=lifetime)

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the reference information of each voucher."""
        return tuple(dict.fromkeys(text_at(row, "description") for row in _rows(call)))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Do what is asked, in a living session."""
        if call.operation == "login":
            return self._session(call)
        if not self._lives(call):
            return ErpAnswer(content=_exception(), fault="receiver", reason=DEAD)
        if call.operation == "findVoucher":
            return _strings("findVoucher", _find(self.name, call, desk.books))
        saved: list[str] = []
        refused: list[str] = []
        for _, rows in itertools.groupby(
            _rows(call), key=lambda row: text_at(row, "voucherNumber")
        ):
            self._import(list(rows), desk, saved, refused)
        return _strings("importVoucher", [*saved, *refused])

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return a refusal of every voucher; None for a call that imports none."""
        if call.operation != "importVoucher":
            return None
        return _strings("importVoucher", [_refusal(objections) for _ in self.references(call)])

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: EAS has no such answer."""
        return None

    def _session(self, call: ErpCall) -> ErpAnswer:
        if text_at(call.body, "password") == "wrong":
            return ErpAnswer(content=b"", fault="receiver", reason="用户名或密码错误")
        ends = call.at + self._lifetime
        session = f"{text_at(call.body, 'userName')}-{ends.timestamp():.6f}"
        proof = hashlib.sha256(session.encode()).hexdigest()[:16]
        return ErpAnswer(
            content=(
                f'<ns1:loginResponse xmlns:ns1="{_LOGIN}" {_NAMES}><loginReturn '
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
        self, rows: list[etree._Element], desk: Desk, saved: list[str], refused: list[str]
    ) -> None:
        entry = _entry(rows)
        head = rows[0]
        number, type_ = text_at(head, "voucherNumber"), text_at(head, "voucherType")
        with desk.books.transaction() as books:
            held = books.document_of(self.name, entry.reference) if self._refuses_repeats else None
            if held is not None:
                text = f"凭证{number}已经引入，凭证号:{held.number}"
                refused.append(_result("3100", "null", "0", "0", text, held.number))
                return
            objections = [*_about_rows(rows), *desk.rules.objections(entry)]
            if objections:
                refused.append(_refusal(objections, number))
                return
            year, period = entry.posting_date.year, entry.posting_date.month
            series = Series(f"{entry.company}/{year}/{period}/{type_}", 1, 4)
            original = b"".join(canonical(row) for row in rows)
            entered = books.enter(self.name, entry, original, series=series, unique=False)
            posted = books.post(entered)
        result = _result("0000", type_, str(year), str(period), _SAVED, posted.number)
        saved.append(result)


def _rows(call: ErpCall) -> list[etree._Element]:
    return call.body.findall("col/item") if call.operation == "importVoucher" else []


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


def _about_rows(rows: list[etree._Element]) -> list[Objection]:
    codes = {text_at(row, "currencyNumber") for row in rows} - _CURRENCIES.keys()
    return [Objection("unknown-currency", f"没有找到币种:{code}") for code in sorted(codes)]


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


def _refusal(objections: Sequence[Objection], number: str = "") -> str:
    text = "; ".join(f"{objection.text}" for objection in objections)
    code = _CODES.get(objections[0].code, _OTHER)
    return _result(code, "null", "0", "0", f"凭证{number}: {text}")


def _result(*parts: str) -> str:
    return "||".join(parts)


def _strings(operation: str, strings: Sequence[str]) -> ErpAnswer:
    """Return an answer of strings as Axis 1.4 writes it: members have the array's own name."""
    name = f"{operation}Return"
    members = "".join(f'<{name} xsi:type="xsd:string">{escape(one)}</{name}>' for one in strings)
    return ErpAnswer(
        content=(
            f'<ns1:{operation}Response xmlns:ns1="{_FACADE}" {_NAMES}><{name} '
            f'soapenc:arrayType="xsd:string[{len(strings)}]" xsi:type="soapenc:Array">{members}'
            f"</{name}></ns1:{operation}Response>"
        ).encode()
    )


def _exception() -> bytes:
    return b'<ns1:fault xmlns:ns1="urn:client.glwebservicefacade"/>'
