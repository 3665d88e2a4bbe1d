"""NetSuite's expense reports: how NetSuite books a report, and how it shows one.

NetSuite books a line on its category's account, the input tax by its code, and the payment on the
employee's payable or the corporate card's account. The postings' paths say which is which.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from lxml import etree

from claimbridge.sandbox.erps.netsuite_lists import code_of
from claimbridge.sandbox.erps.netsuite_parts import CORE, EMPLOYEES, as_double, date_of
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher
from claimbridge.sandbox.kit.markup import element

_PATH: Final = re.compile(r"expense\[(\d+)\]/(\w+)")
_NET, _TAX, _CARD = "amount", "tax1Amt", "corporateCreditCard"
_PAYABLE, _ADVANCES = "employees' payable", "employees' advances"


def is_report(entry: ErpVoucher) -> bool:
    """Say whether a voucher came as an expense report."""
    return any(_PATH.fullmatch(posting.path) for posting in entry.postings)


def report_from(record: etree._Element) -> ErpVoucher:
    """Return the voucher that a report books; it does not balance if the lines do not add up."""
    currency = code_of(record, f"{EMPLOYEES}expenseReportCurrency")
    day = dt.date.fromisoformat(date_of(record, f"{EMPLOYEES}tranDate"))
    return ErpVoucher(
        reference=record.get("externalId", "").strip(),
        company=code_of(record, f"{EMPLOYEES}subsidiary"),
        currency=currency,
        document_date=day,
        posting_date=day,
        postings=tuple(_postings(record, currency)),
    )


def report_parts(document: ErpDocument) -> list[etree._Element]:
    """Return what stands in the record that shows an expense report."""
    entry = document.entry
    lines = _by_line(entry)
    advance = sum(
        (posting.amount for posting in entry.postings if posting.path == "advance"), Decimal(0)
    )
    own = sum((_gross(line) for line in lines if _CARD not in line), Decimal(0))
    approved = "false" if document.status == "entered" else "true"
    currency = element(f"{EMPLOYEES}expenseReportCurrency", element(f"{CORE}name", entry.currency))
    day = f"{entry.posting_date.isoformat()}T00:00:00.000-08:00"
    return [
        currency,
        element(f"{EMPLOYEES}tranId", f"EXP{document.number}"),
        element(f"{EMPLOYEES}tranDate", day),
        element(f"{EMPLOYEES}advance", as_double(advance)),
        element(f"{EMPLOYEES}amount", as_double(own - advance)),
        element(f"{EMPLOYEES}accountingApproval", approved),
        element(f"{EMPLOYEES}expenseList", *map(_element_of, lines)),
    ]


def _postings(record: etree._Element, currency: str) -> Iterator[ErpPosting]:
    owed = Decimal(0)
    card = code_of(record, f"{EMPLOYEES}acctCorpCardExp")
    lines = record.findall(f"{EMPLOYEES}expenseList/{EMPLOYEES}expense")
    for number, line in enumerate(lines, start=1):
        place = code_of(line, f"{EMPLOYEES}department")
        category = code_of(line, f"{EMPLOYEES}category")
        yield _posting(
            category, _amount_at(line, _NET), currency, f"expense[{number}]/{_NET}", place
        )
        tax, gross = _amount_at(line, _TAX), _amount_at(line, "grossAmt")
        if tax:
            code = code_of(line, f"{EMPLOYEES}taxCode")
            yield _posting(f"tax {code}", tax, currency, f"expense[{number}]/{_TAX}")
        if line.findtext(f"{EMPLOYEES}{_CARD}") == "true":
            yield _posting(card, -gross, currency, f"expense[{number}]/{_CARD}")
        else:
            owed += gross
    advance = _amount_at(record, "advance")
    if advance:
        yield _posting(_ADVANCES, -advance, currency, "advance")
    if owed != advance:
        payable = code_of(record, f"{EMPLOYEES}account") or _PAYABLE
        yield _posting(payable, advance - owed, currency, "account")


def _posting(
    account: str, signed: Decimal, currency: str, path: str, place: str = ""
) -> ErpPosting:
    return ErpPosting(
        account=account,
        side="debit" if signed >= 0 else "credit",
        amount=abs(signed),
        currency=currency,
        cost_centre=place,
        path=path,
    )


def _amount_at(parent: etree._Element, name: str) -> Decimal:
    return Decimal(parent.findtext(f"{EMPLOYEES}{name}") or "0")


def _by_line(entry: ErpVoucher) -> list[dict[str, ErpPosting]]:
    lines: dict[str, dict[str, ErpPosting]] = defaultdict(dict)
    for posting in entry.postings:
        if found := _PATH.fullmatch(posting.path):
            lines[found[1]][found[2]] = posting
    return list(lines.values())


def _gross(line: dict[str, ErpPosting]) -> Decimal:
    return sum((line[part].amount_with_sign for part in (_NET, _TAX) if part in line), Decimal(0))


def _element_of(line: dict[str, ErpPosting]) -> etree._Element:
    net, tax = line[_NET], line.get(_TAX)
    return element(
        f"{EMPLOYEES}expense",
        element(f"{EMPLOYEES}{_NET}", as_double(net.amount_with_sign)),
        element(f"{EMPLOYEES}{_TAX}", as_double(tax.amount_with_sign)) if tax else None,
        element(f"{EMPLOYEES}grossAmt", as_double(_gross(line))),
        element(f"{EMPLOYEES}{_CARD}", "true" if _CARD in line else "false"),
    )
