"""Yonyou NC's exchange platform for vouchers: XML in a string, both ways."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from lxml import etree

from claimbridge.contract.calls.replies import Reply
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection
from claimbridge.sandbox.kit.hand import Hand
from claimbridge.sandbox.kit.manner import Manner
from claimbridge.sandbox.kit.markup import element, render
from claimbridge.sandbox.kit.responder import ErpAnswer, ErpCall
from claimbridge.sandbox.kit.strings import UNREADABLE, StringResponder

_NS: Final = "{http://synchdata.pfxx.itf.nc/IPfxxWs}"
_CODES: Final = {UNREADABLE: "-31002"}
_REFUSED: Final = "-32003"
_KEY: Final = re.compile("[0-9A-Z]{20}")
"""NC's keys: 20 characters, as public clients send the receiver's."""


class YonyouNcResponder(StringResponder):
    """A platform that takes ``vouchergl``, and does not check for repeats."""

    name = "yonyou-nc"
    contract = "yonyou-nc.wsdl"
    kinds: Mapping[str, OperationKind] = {"synchronizeData": OperationKind.SUBMIT}
    at = "xmlStr"
    reference_at = "@filename"
    unique = False

    def entry(self, document: Reply) -> ErpVoucher:
        """Read the voucher from its XML."""
        return _entry(document)

    def acceptance(self, call: ErpCall, held: ErpDocument, *, again: bool) -> ErpAnswer:
        """Return a result with the number; a repeat is a voucher of its own."""
        name = held.reference
        long = f"单据 {name} 开始处理... 单据 {name} 处理完毕!"
        text = call.manner.choose("done", "processed", "处理完毕!", long)
        return _result(call, "1", text, held.number, reference=name)

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer:
        """Return a result with the objections."""
        code = _CODES.get(objections[0].code, _REFUSED)
        text = call.manner.choose("wrong", "", "", "单据处理失败: ", "<b>错误</b> & ")
        return _result(call, code, text + "; ".join(one.text for one in objections))


def _entry(document: Reply) -> ErpVoucher:
    head = document.find("voucher", "voucher_head")
    items = document.all("voucher", "voucher_head", "details", "item")
    if head is None or not items:
        raise ValueError("it is no vouchergl with entries")
    if not _KEY.fullmatch(receiver := document.text("@receiver")):
        raise ValueError(f"the receiver {receiver!r} is no organisation's key")
    day = dt.date.fromisoformat(head.text("prepareddate")[:10])
    return ErpVoucher(
        reference=document.text("@filename"),
        company=head.text("pk_org"),
        currency=items[0].text("pk_currtype"),
        document_date=day,
        posting_date=day,
        postings=tuple(_posting(item, number) for number, item in enumerate(items, start=1)),
    )


def _posting(item: Reply, number: int) -> ErpPosting:
    debit, credit = Decimal(item.text("debitamount")), Decimal(item.text("creditamount"))
    centres = [
        one.text("pk_Checkvalue")
        for one in item.all("ass", "item")
        if one.text("pk_Checktype") == "0001"
    ]
    return ErpPosting(
        account=item.text("accsubjcode"),
        side="debit" if debit else "credit",
        amount=debit or credit,
        currency=item.text("pk_currtype"),
        cost_centre=next(iter(centres), ""),
        path=f"details/item[{number}]",
    )


def _result(
    call: ErpCall, code: str, text: str, number: str = "", *, reference: str = ""
) -> ErpAnswer:
    manner = call.manner
    more = ("billpk", "bdocid") if manner.happens("more") else ()
    result = element(
        "sendresult",
        *(element(name) for name in more),
        element("filename", reference),
        element("resultcode", code),
        element("resultdescription", text),
        element("content", number),
    )
    document = element("ufinterface", result)
    document.set("billtype", "vouchergl")
    document.set("successful", "Y" if code == "1" else "N")
    if more:
        document.set("isexchange", "Y")
        document.set("replace", "N")
        document.set("roottag", "sendresult")
    # The declaration says how NC keeps the document; inside a string it says nothing.
    encoding = manner.choose("inner-encoding", "UTF-8", "GBK", "gb2312")
    inner = f'<?xml version="1.0" encoding="{encoding}"?>' + _written(document, manner)
    root = element(f"{_NS}synchronizeDataResponse", element("return", inner))
    return ErpAnswer(content=render(root), encoding=manner.choose("encoding", "", "gbk"))


def _written(document: etree._Element, manner: Manner) -> str:
    if not manner.lifelike:
        return render(document).decode()
    draw = manner.draw("inner-hand")
    return Hand.drawn(draw).write(document, draw)
