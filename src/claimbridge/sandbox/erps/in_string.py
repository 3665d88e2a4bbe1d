"""An in-house service that takes a voucher as JSON in a string, and answers the same way.

The service answers ``code`` 0 with the voucher's number, and 1 with a message for a refusal. For a
reference that it has already, the service answers 2 with that voucher's number.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.contract.calls.replies import Reply
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection
from claimbridge.sandbox.kit.markup import element, render
from claimbridge.sandbox.kit.responder import ErpAnswer, ErpCall
from claimbridge.sandbox.kit.strings import StringResponder

_NS: Final = "{urn:claimbridge:in-string:1}"
_SIDES: Final = {"D": "debit", "C": "credit"}


class InStringResponder(StringResponder):
    """The service of ``in-string.wsdl``."""

    name = "in-string"
    contract = "in-string.wsdl"
    kinds: Mapping[str, OperationKind] = {"receiveVoucher": OperationKind.SUBMIT}
    at = "document"
    reference_at = "reference"
    unique = True

    def entry(self, document: Reply) -> ErpVoucher:
        """Read the voucher from its JSON."""
        return _entry(document)

    def acceptance(self, call: ErpCall, held: ErpDocument, *, again: bool) -> ErpAnswer:
        """Return code 0, or 2 for a repeat, with the number."""
        if again:
            return _answer(call, 2, held, message="this reference is there already")
        return _answer(call, 0, held, message=call.manner.choose("done", "", "ok", "操作成功"))

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer:
        """Return code 1 with the objections."""
        return _answer(call, 1, message="; ".join(one.text for one in objections))


def _entry(document: Reply) -> ErpVoucher:
    day = dt.date.fromisoformat(document.text("date"))
    return ErpVoucher(
        reference=document.text("reference"),
        company=document.text("company"),
        currency=document.text("currency"),
        document_date=day,
        posting_date=day,
        postings=tuple(
            ErpPosting(
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


def _answer(
    call: ErpCall, code: int, held: ErpDocument | None = None, *, message: str = ""
) -> ErpAnswer:
    answer: dict[str, object] = {"code": code, "message": message}
    if held is not None:
        answer |= {"number": held.number, "reference": held.reference}
    manner = call.manner
    if manner.happens("more"):
        answer |= {"data": None, "traceId": "0a1b", "elapsed": 0.25, "success": code != 1}
    if manner.happens("order"):
        answer = dict(sorted(answer.items()))
    if manner.happens("code-as-text"):
        answer["code"] = str(code)
    text = json.dumps(
        answer,
        ensure_ascii=manner.choose("ascii", False, True),
        indent=manner.choose("indent", None, 2),
    )
    text = manner.choose("around", "", "\n ", "\r\n") + text + manner.choose("after", "", "\n")
    root = element(f"{_NS}receiveVoucherResponse", element("return", text))
    return ErpAnswer(content=render(root))
