"""The master records of NetSuite's sandbox account, and how they are searched, page by page.

An account has far more records than one page; so these have several pages, too.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from lxml import etree

from claimbridge.sandbox.erps.netsuite_parts import (
    CORE,
    LISTS,
    MSG,
    PEOPLE,
    RELATIONS,
    with_type,
)
from claimbridge.sandbox.kit.markup import element
from claimbridge.sandbox.kit.responder import ErpCall

PAGE: Final = 50
_SEARCH: Final = "WEBSERVICES_SANDBOX_SEARCH_"
_COMPANIES: Final = ("CN01", "CN02", "SG01", "US01")
_YEAR: Final = 2026


class Listed(msgspec.Struct, frozen=True):
    """One record: its internal id, the code that people use, and its elements in order."""

    id: str
    code: str
    parts: tuple[tuple[str, str], ...]
    inactive: bool = False


def _rows(first: int, element_: str, codes: Sequence[str], **more: str) -> tuple[Listed, ...]:
    return tuple(
        Listed(
            str(first + at),
            code,
            ((element_, code), *((name, text.format(code)) for name, text in more.items())),
        )
        for at, code in enumerate(codes)
    )


def _period(month: int) -> Listed:
    last = calendar.monthrange(_YEAR, month)[1]
    return Listed(
        str(100 + month),
        f"{_YEAR}-{month:02}",
        (
            ("periodName", f"{calendar.month_abbr[month]} {_YEAR}"),
            ("startDate", f"{_YEAR}-{month:02}-01T00:00:00.000-08:00"),
            ("endDate", f"{_YEAR}-{month:02}-{last}T00:00:00.000-08:00"),
            ("isQuarter", "false"),
        ),
    )


_ACCOUNTS: Final = (
    *("1221.01", "1221.09", "1221.81", "2221.01.01", "2241.01", "2241.02", "2241.81"),
    *("5301.02", "6061.01", "6602.01", "6602.02", "6602.03", "6602.04", "6602.05", "6602.06"),
    *("6602.07", "6602.99", "6603.09"),
    *(f"70{number:02}.{part:02}" for number in range(40) for part in range(1, 4)),
)
_PLACES: Final = (
    *("1000", "1001", "1200", "1300", "2100", "2200", "3000", "3100", "3110"),
    *("CC-1001", "CC-2002"),
)
_PEOPLE: Final = (
    *("E0815", "E0902", "E2048", "E3071", "E4100", "S0007", "S0012"),
    *(f"E{number}" for number in range(1001, 1061)),
)
RECORDS: Final[Mapping[str, tuple[Listed, ...]]] = {
    "Account": (
        *_rows(200, "acctNumber", _ACCOUNTS, acctName="Account {}"),
        Listed("190", "6602.98", (("acctNumber", "6602.98"), ("acctName", "Old")), inactive=True),
    ),
    "Subsidiary": _rows(1, "name", _COMPANIES),
    "Currency": _rows(1, "name", ("CNY", "USD", "EUR", "SGD", "JPY", "HKD"), symbol="{}"),
    "Department": _rows(10, "name", _PLACES),
    "Classification": _rows(30, "name", ("P-7", "P-9")),
    "Location": _rows(40, "name", ("Shanghai", "Singapore")),
    "ExpenseCategory": _rows(60, "name", ("6602.01", "6602.02", "6602.03", "6602.04", "6602.05")),
    "SalesTaxItem": _rows(70, "itemId", ("J1", "J6", "J9")),
    "Employee": _rows(1001, "entityId", _PEOPLE, email="{}@example.com"),
    "Vendor": _rows(3001, "entityId", ("V-100", "V-200"), companyName="Vendor {}"),
    "Customer": _rows(5001, "entityId", ("C-9",), companyName="Customer {}"),
    "AccountingPeriod": tuple(map(_period, range(1, 13))),
}
"""All records of the account, by their types."""
_SPACES: Final = {"Employee": PEOPLE, "Vendor": RELATIONS, "Customer": RELATIONS}
_OF_FIELD: Final = {
    "account": "Account",
    "acctCorpCardExp": "Account",
    "subsidiary": "Subsidiary",
    "currency": "Currency",
    "expenseReportCurrency": "Currency",
    "department": "Department",
    "category": "ExpenseCategory",
    "taxCode": "SalesTaxItem",
}


def code_of(parent: etree._Element, tag: str) -> str:
    """Return the code in a reference: this account knows its records by either id."""
    found = parent.find(tag)
    if found is None:
        return ""
    id_ = found.get("internalId") or ""
    return found.get("externalId") or _code_by_id(tag.rpartition("}")[2], id_) or id_


def _code_by_id(field: str, id_: str) -> str:
    listed = RECORDS.get(_OF_FIELD.get(field, ""), ())
    return next((one.code for one in listed if one.id == id_), "")


def list_answer(call: ErpCall) -> etree._Element:
    """Return one page of a search, or all currencies."""
    if call.operation == "getAll":
        result = element(
            f"{CORE}getAllResult", _success(), *_listed("Currency", RECORDS["Currency"], total=True)
        )
        return element(f"{MSG}getAllResponse", result)
    kind, page = searched(call), int(call.body.findtext(f"{MSG}pageIndex") or "1")
    records = RECORDS[kind]
    pages = -(-len(records) // PAGE)
    here = records[(page - 1) * PAGE : page * PAGE]
    result = element(
        f"{CORE}searchResult",
        _success(),
        element(f"{CORE}totalRecords", str(len(records))),
        element(f"{CORE}pageSize", str(PAGE)),
        element(f"{CORE}totalPages", str(pages)),
        element(f"{CORE}pageIndex", str(page)),
        element(f"{CORE}searchId", f"{_SEARCH}{kind}"),
        *_listed(kind, here),
    )
    return element(f"{MSG}{call.operation}Response", result)


def searched(call: ErpCall) -> str:
    """Return the type of records that a call asks for."""
    if call.operation == "getAll":
        return "Currency"
    asked = call.body.find(f"{MSG}searchRecord")
    if asked is None:
        return (call.body.findtext(f"{MSG}searchId") or "").removeprefix(_SEARCH)
    types = [value for key, value in asked.attrib.items() if str(key).endswith("}type")]
    return types[0].rpartition(":")[2].removesuffix("SearchBasic")


def _success() -> etree._Element:
    made = element(f"{CORE}status")
    made.set("isSuccess", "true")
    return made


def _listed(kind: str, records: Sequence[Listed], *, total: bool = False) -> list[etree._Element]:
    listed = element(f"{CORE}recordList", *(_record(kind, one) for one in records))
    return [*([element(f"{CORE}totalRecords", str(len(records)))] if total else []), listed]


def _record(kind: str, of: Listed) -> etree._Element:
    space = _SPACES.get(kind, LISTS)
    made = with_type(element(f"{CORE}record"), space, kind)
    made.set("internalId", of.id)
    made.extend(element(f"{space}{name}", text) for name, text in of.parts)
    if kind != "AccountingPeriod":
        made.append(element(f"{space}isInactive", "true" if of.inactive else "false"))
    return made
