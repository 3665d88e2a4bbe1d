"""The tables of ``BAPI_ACC_DOCUMENT_POST``, in the contract's own names.

Items are numbered through all tables; CURRENCYAMOUNT holds each item's amount with its sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec

from claimbridge.model import Voucher
from claimbridge.profiles.kit.owners import of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.sap.codes import ACCOUNT, COST_CENTRE, PARTNER, dimension, internal
from claimbridge.profiles.sap.items import (
    Kind,
    SapItem,
    carried_code,
    check_dimensions,
    item_text,
)
from claimbridge.profiles.sap.taxes import SapCondition, determination_date

if TYPE_CHECKING:
    from claimbridge.profiles.sap import bapi_requests as requests

DIMENSIONS: Final = ("profit_centre", "segment", "order", "functional_area", "business_area")
"""The dimensions that ACCOUNTGL has places for."""


class BapiItemSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the items of one document share.

    ``keys`` are the condition of a tax item whose tax code states none. ``business_place`` ""
    leaves the field out.
    """

    voucher: Voucher
    keys: SapCondition
    business_place: str = ""


class Tables(TypedDict):
    """The tables of a request that hold items."""

    Accountgl: requests.GlItems | None
    Accountpayable: requests.PayableItems | None
    Accounttax: requests.TaxItems | None
    Currencyamount: requests.Amounts


def tables_of(items: Sequence[SapItem], settings: BapiItemSettings) -> Tables:
    """Return the tables of a document, without its header.

    Raises ClaimError CB-162 for a dimension without a place.
    """
    kinds: dict[Kind, list[SapItem]] = {kind: [] for kind in Kind}
    for one in items:
        kinds[one.kind].append(one)
    accounts = [of_posting(one.posting, _gl_item(one, settings)) for one in kinds[Kind.GL]]
    vendors = [of_posting(one.posting, _vendor_item(one, settings)) for one in kinds[Kind.CREDITOR]]
    taxes = [of_posting(one.posting, _tax_item(one, settings)) for one in kinds[Kind.TAX]]
    return {
        "Accountgl": {"item": accounts} if accounts else None,
        "Accountpayable": {"item": vendors} if vendors else None,
        "Accounttax": {"item": taxes} if taxes else None,
        "Currencyamount": {"item": [of_posting(one.posting, _amount(one)) for one in items]},
    }


def _number(item: SapItem) -> str:
    return f"{item.number:010}"


def _group(item: SapItem) -> str | None:
    """Return ITEMNO_TAX, a NUMC of six digits; None leaves the field out."""
    return f"{int(item.group):06}" if item.group else None


def _gl_item(item: SapItem, settings: BapiItemSettings) -> requests.GlItem:
    posting = item.posting
    check_dimensions(posting, DIMENSIONS, settings.voucher.claim_id)
    return {
        "ItemnoAcc": _number(item),
        "GlAccount": internal(posting, posting.account, "account", ACCOUNT),
        "ItemText": item_text(item),
        "BusArea": dimension(posting, "business_area"),
        "AllocNmbr": Sourced(posting.partner, claim_field(posting, "partner")),
        "TaxCode": carried_code(item),
        "Costcenter": internal(posting, posting.cost_centre, "cost_centre", COST_CENTRE),
        "ProfitCtr": dimension(posting, "profit_centre"),
        "WbsElement": Sourced(posting.project, claim_field(posting, "project")),
        "Orderid": dimension(posting, "order"),
        "FuncAreaLong": dimension(posting, "functional_area"),
        "Segment": dimension(posting, "segment"),
        "ItemnoTax": _group(item),
    }


def _vendor_item(item: SapItem, settings: BapiItemSettings) -> requests.PayableItem:
    return {
        "ItemnoAcc": _number(item),
        "VendorNo": internal(item.posting, item.posting.partner, "partner", PARTNER),
        "ItemText": item_text(item),
        "Businessplace": settings.business_place or None,
    }


def _tax_item(item: SapItem, settings: BapiItemSettings) -> requests.TaxItem:
    assert item.tax is not None  # a tax item has both
    assert item.condition is not None
    posting = item.posting
    # A tax item of zero has no account of its own: its posting is the expense.
    account = posting.account if item.amount else ""
    stated = item.condition
    day = determination_date(settings.voucher, item.tax)
    return {
        "ItemnoAcc": _number(item),
        "GlAccount": internal(posting, account, "account", ACCOUNT) if account else None,
        "CondKey": stated.condition_type or settings.keys.condition_type or None,
        "AcctKey": stated.classification or settings.keys.classification or None,
        "TaxCode": carried_code(item),
        "TaxDate": day.isoformat() if day else None,
        "ItemnoTax": _group(item),
        "DirectTax": "X" if item.tax.direct else None,
    }


def _amount(item: SapItem) -> requests.Amount:
    def sized(size: Decimal, name: str) -> Sourced:
        return Sourced(f"{size:f}", claim_field(item.posting, name))

    return {
        "ItemnoAcc": _number(item),
        # The currency of the transaction.
        "CurrType": "00",
        "Currency": item.posting.currency,
        "AmtDoccur": sized(item.amount, "amount"),
        "AmtBase": None if item.base is None else sized(item.base, "tax_base"),
    }
