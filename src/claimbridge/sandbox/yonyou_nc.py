"""Yonyou NC's exchange platform for vouchers: XML in a string, both ways."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.contract.inner_reply import read_inner
from claimbridge.contract.replies import Reply
from claimbridge.errors import DocumentError
from claimbridge.sandbox.books import Entry, Leg, Objection, Series
from claimbridge.sandbox.faults import Kind
from claimbridge.sandbox.markup import element, rendered
from claimbridge.sandbox.responder import Answer, Call, Desk
from claimbridge.xmlio import canonical

_NS: Final = "{http://synchdata.pfxx.itf.nc/IPfxxWs}"
_SERIES: Final = Series("vouchers", 1, 6)


class YonyouNcResponder:
    """A platform that takes ``vouchergl``; it does not look whether it had one before."""

    name: str = "yonyou-nc"
    contract: str = "yonyou-nc.wsdl"
    items: frozenset[str] = frozenset({"return"})
    kinds: Mapping[str, Kind] = {"synchronizeData": Kind.SUBMIT}

    def references(self, call: Call) -> tuple[str, ...]:
        """Return the document's file name; none where the string holds no document."""
        try:
            found = _inner(call).text("@filename")
        except DocumentError:
            return ()
        return (found,) if found else ()

    def answer(self, call: Call, desk: Desk) -> Answer:
        """Take the voucher in."""
        try:
            document = _inner(call)
            entry = _entry(document)
        except (DocumentError, ArithmeticError, ValueError) as error:
            return _told("-31002", f"the document cannot be read: {error}")
        objections = list(desk.rules.objections(entry))
        if objections:
            return self.refuse(call, objections)
        with desk.books.transaction() as books:
            original = canonical(document.element)
            held = books.enter(self.name, entry, original, series=_SERIES, unique=False)
            held = books.post(held)
        number = held.journal_entry.number if held.journal_entry else ""
        return _told("1", "processed", number, reference=entry.reference)

    def refuse(self, call: Call, objections: Sequence[Objection]) -> Answer:
        """Return a result with what is wrong."""
        return _told("-32003", "; ".join(one.text for one in objections))

    def throttle(self, call: Call, seconds: int) -> Answer | None:
        """Return None: the platform knows no such answer."""
        return None


def _inner(call: Call) -> Reply:
    return read_inner(call.body.findtext("xmlStr") or "")


def _entry(document: Reply) -> Entry:
    head = document.all("voucher", "voucher_head")[0]
    day = dt.date.fromisoformat(head.text("prepareddate")[:10])
    items = head.all("details", "item")
    return Entry(
        reference=document.text("@filename"),
        company=head.text("pk_org"),
        currency=items[0].text("pk_currtype"),
        document_date=day,
        posting_date=day,
        legs=tuple(_leg(item, number) for number, item in enumerate(items, start=1)),
    )


def _leg(item: Reply, number: int) -> Leg:
    debit, credit = Decimal(item.text("debitamount")), Decimal(item.text("creditamount"))
    centres = [
        one.text("pk_Checkvalue")
        for one in item.all("ass", "item")
        if one.text("pk_Checktype") == "0001"
    ]
    return Leg(
        account=item.text("accsubjcode"),
        side="debit" if debit else "credit",
        amount=debit or credit,
        currency=item.text("pk_currtype"),
        cost_centre=next(iter(centres), ""),
        path=f"details/item[{number}]",
    )


def _told(code: str, text: str, number: str = "", *, reference: str = "") -> Answer:
    result = element(
        "sendresult",
        element("filename", reference),
        element("resultcode", code),
        element("resultdescription", text),
        element("content", number),
    )
    document = element("ufinterface", result)
    document.set("billtype", "vouchergl")
    document.set("successful", "Y" if code == "1" else "N")
    inner = '<?xml version="1.0" encoding="UTF-8"?>' + rendered(document).decode()
    root = element(f"{_NS}synchronizeDataResponse", element("return", inner))
    return Answer(content=rendered(root))
