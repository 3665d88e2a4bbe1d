"""Lists of NetSuite's master records: what is asked for, and what each page gives.

Facts it is built on, from the contract (2023.2) and Oracle's documentation:

- ``search`` without criteria gives all records of a type that the role may see, page by page;
  ``searchMoreWithId`` gives the pages after the first. Currencies have no search, but ``getAll``.
- A record's own name is that of its last level; ``parent`` has the name of the levels above.
- The base period of an account is a month; quarters, years and adjustments are periods too.
- A day is written as the midnight that begins it for the user, in Pacific time: for Shanghai, April
  begins at ``2026-03-31T09:00:00.000-07:00``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.errors import DeliveryRefused, LedgerUnavailable, NotDelivered
from claimbridge.profiles.master_records import MasterRecord, RecordPage
from claimbridge.profiles.netsuite.replies import BUSY, NOT_ADMITTED, reasons_of
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

SEARCH: Final = "search"
MORE: Final = "searchMoreWithId"
GET_ALL: Final = "getAll"
EXTERNAL_ID: Final = "external-id"
CURRENCY: Final = "currency"
PERIOD: Final = "posting-period"
# Lists of earlier versions have "begins" and "ends", without regard to time zones.
BEGINS: Final = "first-day"
ENDS: Final = "last-day"
_DAY: Final = dt.timedelta(days=1)
_EAST: Final = dt.timedelta(hours=14)
_WEST: Final = dt.timedelta(hours=12)
"""How far from UTC a midnight may be: UTC+14 in Kiribati, UTC-12 in the Pacific."""
_TRUE: Final = frozenset({"true", "1"})


class _Kind(msgspec.Struct, frozen=True):
    """How a kind is searched, and which element of its record each kind of name is."""

    record: str
    names: Mapping[str, str]
    inactive: str = "isInactive"


_NAMED: Final = {"name": "name"}
_PERSON: Final = {"entity-id": "entityId", "email": "email"}
_FIRM: Final = {**_PERSON, "name": "companyName"}
_KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "account": _Kind("Account", {"number": "acctNumber", "name": "acctName"}),
        "subsidiary": _Kind("Subsidiary", _NAMED),
        CURRENCY: _Kind("Currency", {"symbol": "symbol", "name": "name"}),
        "department": _Kind("Department", _NAMED),
        "class": _Kind("Classification", _NAMED),
        "location": _Kind("Location", _NAMED),
        "employee": _Kind("Employee", _PERSON),
        "vendor": _Kind("Vendor", _FIRM),
        "customer": _Kind("Customer", _FIRM),
        "expense-category": _Kind("ExpenseCategory", _NAMED),
        "tax-code": _Kind("SalesTaxItem", {"name": "itemId"}),
        PERIOD: _Kind(
            "AccountingPeriod",
            {"name": "periodName", BEGINS: "startDate", ENDS: "endDate"},
            "closed",
        ),
    }
)
LISTED: Final = tuple(_KINDS)
"""The kinds of records that can be listed."""
RECORDS: Final = tuple(kind.record for kind in _KINDS.values())
"""Their types in the contract."""
SEARCHES: Final = tuple(
    f"{kind.record}SearchBasic" for name, kind in _KINDS.items() if name != CURRENCY
)
"""The types of the searches for them."""


def first_page(kind: str) -> Request:
    """Return the request for all records of a kind, or the first of them."""
    if kind == CURRENCY:
        return as_request(GET_ALL, {"record": {"@recordType": "currency"}})
    return as_request(SEARCH, {"searchRecord": {"@xsi:type": f"{_KINDS[kind].record}SearchBasic"}})


def read_page(kind: str, reply: Reply) -> RecordPage:
    """Return one page; raises LedgerUnavailable, DeliveryRefused or NotDelivered for no page."""
    result = reply.find("getAllResult" if kind == CURRENCY else "searchResult")
    if result is None or result.text("status", "@isSuccess") not in _TRUE:
        raise _no_page(kind, result)
    found = [_record(kind, one) for one in result.all("recordList", "record")]
    total = result.text("totalRecords")
    return RecordPage(
        records=tuple(one for one in found if one is not None),
        # Periods that are no base periods are left out, so their number says nothing.
        total=int(total) if total.isdecimal() and kind != PERIOD else None,
        next=_next_page(kind, result),
    )


def _next_page(kind: str, result: Reply) -> Request | None:
    id_, page, pages = (result.text(name) for name in ("searchId", "pageIndex", "totalPages"))
    if not (page.isdecimal() and pages.isdecimal()):
        if kind == CURRENCY or result.text("totalRecords") == "0":
            return None
        raise _unreadable(kind, f"page {page!r} of {pages!r}")
    if int(page) >= int(pages):
        return None
    if not id_:
        raise _unreadable(kind, "there are further pages, but no searchId")
    return as_request(MORE, {"searchId": id_, "pageIndex": str(int(page) + 1)})


def _record(kind: str, part: Reply) -> MasterRecord | None:
    of = _KINDS[kind]
    id_ = part.text("@internalId")
    if not id_:
        raise _unreadable(kind, "a record has no internal id")
    if any(part.text(name) in _TRUE for name in ("isQuarter", "isYear", "isAdjust")):
        return None
    names = {name: part.text(element) for name, element in of.names.items()}
    names[EXTERNAL_ID] = part.text("@externalId")
    above = part.text("parent", "name")
    if "name" in names and kind in {"subsidiary", "department", "class", "location"}:
        names["full-name"] = f"{above} : {names['name']}" if above else names["name"]
    if kind == PERIOD:
        names[BEGINS] = _day(names[BEGINS], beside=dt.timedelta(0))
        names[ENDS] = _day(names[ENDS], beside=_DAY)
    limits = (*part.all("subsidiaryList", "recordRef"), *part.all("subsidiary"))
    return MasterRecord(
        id=id_,
        names={name: text for name, text in names.items() if text},
        inactive=part.text(of.inactive) in _TRUE,
        companies=tuple(text for one in limits if (text := one.text("name") or _id_of(one))),
        company_ids=tuple(text for one in limits if (text := _id_of(one))),
        with_children=part.text("includeChildren") in _TRUE,
        parent=part.text("parent", "@internalId"),
    )


def _day(text: str, *, beside: dt.timedelta) -> str:
    """Return the day that begins at a moment for the user; "" where that is not certain.

    Only in zones east of UTC+12 and west of UTC-9 two days may be meant. Then it is the one that
    begins a month, or with ``beside`` the one before that.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        return moment.date().isoformat()
    moment = moment.astimezone(dt.UTC)
    before = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    after = before + _DAY
    days = [before] if moment - before <= _WEST else []
    days += [after] if after - moment <= _EAST else []
    if len(days) > 1:
        days = [one for one in days if (one + beside).day == 1]
    return days[0].date().isoformat() if len(days) == 1 else ""


def _id_of(ref: Reply) -> str:
    return ref.text("@internalId")


def _no_page(kind: str, result: Reply | None) -> LedgerUnavailable | NotDelivered:
    reasons = reasons_of(result) if result is not None else ()
    codes = {reason.code.upper() for reason in reasons}
    why = "; ".join(map(str, reasons)) or "without a reason"
    if codes & BUSY:
        return LedgerUnavailable(f"NetSuite is busy: {why}")
    if codes and codes <= NOT_ADMITTED:
        text = f"NetSuite does not let the role list {kind}: {why}; give the role this permission"
        return DeliveryRefused(text, code="CB-491")
    return _unreadable(kind, why)


def _unreadable(kind: str, why: str) -> NotDelivered:
    return NotDelivered(f"NetSuite gives no list of {kind}: {why}", code="CB-491")
