"""An in-house service that takes a voucher as JSON in a string, and answers the same way.

It answers ``code`` 0 with the voucher's number, 1 with a message when it refuses, and 2 when it
has the reference already, with the number that it has there.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.contract.inner_reply import read_inner
from claimbridge.contract.replies import Reply
from claimbridge.errors import DocumentError
from claimbridge.sandbox.books import Document, Entry, Leg, Objection, Series
from claimbridge.sandbox.faults import Kind
from claimbridge.sandbox.markup import element, rendered
from claimbridge.sandbox.responder import Answer, Call, Desk
from claimbridge.xmlio import canonical

_NS: Final = "{urn:claimbridge:in-string:1}"
_SERIES: Final = Series("vouchers", 1, 6)
_SIDES: Final = {"D": "debit", "C": "credit"}


class InStringResponder:
    """The service of ``in-string.wsdl``."""

    name: str = "in-string"
    contract: str = "in-string.wsdl"
    items: frozenset[str] = frozenset({"return"})
    kinds: Mapping[str, Kind] = {"receiveVoucher": Kind.SUBMIT}

    def references(self, call: Call) -> tuple[str, ...]:
        """Return the reference in the string; none where it holds no document."""
        try:
            found = _inner(call).text("reference")
        except DocumentError:
            return ()
        return (found,) if found else ()

    def answer(self, call: Call, desk: Desk) -> Answer:
        """Take the voucher in."""
        try:
            document = _inner(call)
            entry = _entry(document)
        except (DocumentError, ArithmeticError, ValueError) as error:
            return _told(1, message=f"the document cannot be read: {error}")
        with desk.books.transaction() as books:
            held = books.held(self.name, entry.reference)
            if held is not None:
                return _told(2, held, message="this reference is there already")
            objections = list(desk.rules.objections(entry))
            if objections:
                return self.refuse(call, objections)
            original = canonical(document.element)
            held = books.enter(self.name, entry, original, series=_SERIES, unique=True)
            return _told(0, books.post(held))

    def refuse(self, call: Call, objections: Sequence[Objection]) -> Answer:
        """Return code 1 with what is wrong."""
        return _told(1, message="; ".join(one.text for one in objections))

    def throttle(self, call: Call, seconds: int) -> Answer | None:
        """Return None: the service knows no such answer."""
        return None


def _inner(call: Call) -> Reply:
    return read_inner(call.body.findtext("document") or "")


def _entry(document: Reply) -> Entry:
    day = dt.date.fromisoformat(document.text("date"))
    return Entry(
        reference=document.text("reference"),
        company=document.text("company"),
        currency=document.text("currency"),
        document_date=day,
        posting_date=day,
        legs=tuple(
            Leg(
                account=posting.text("account"),
                side=_SIDES.get(posting.text("side"), ""),
                amount=Decimal(posting.text("amount")),
                currency=posting.text("currency"),
                cost_centre=posting.text("costCentre"),
                path=f"posting[{number}]",
            )
            for number, posting in enumerate(document.all("posting"), start=1)
        ),
    )


def _told(code: int, held: Document | None = None, *, message: str = "") -> Answer:
    answer = {"code": code, "message": message}
    if held is not None:
        entry = held.journal_entry
        answer |= {"number": entry.number if entry else "", "reference": held.reference}
    text = json.dumps(answer, ensure_ascii=False)
    root = element(f"{_NS}receiveVoucherResponse", element("return", text))
    return Answer(content=rendered(root))
