"""The items of SAP's *Journal Entry - Post*, in the contract's own names."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.model import Posting, Voucher
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
from claimbridge.profiles.sap.taxes import determination_date

if TYPE_CHECKING:
    from claimbridge.profiles.sap import journal_entry_requests as requests

DIMENSIONS: Final = (
    "profit_centre",
    "partner_profit_centre",
    "segment",
    "partner_segment",
    "order",
    "functional_area",
    "fund",
    "grant",
)
"""The dimensions that an account assignment has places for."""


class EntryItemSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the items of one entry share; ``business_place`` "" leaves the field out."""

    voucher: Voucher
    business_place: str = ""


def with_items(
    entry: requests.JournalEntry, items: Sequence[SapItem], settings: EntryItemSettings
) -> requests.JournalEntry:
    """Return the entry with its items, each in the list of its kind.

    Raises ClaimError CB-162 for a dimension without a place.
    """
    kinds: dict[Kind, list[SapItem]] = {kind: [] for kind in Kind}
    for one in items:
        kinds[one.kind].append(one)
    entry["Item"] = [of_posting(one.posting, _gl_item(one, settings)) for one in kinds[Kind.GL]]
    entry["DebtorItem"] = [
        of_posting(one.posting, _debtor_item(one, settings)) for one in kinds[Kind.DEBTOR]
    ]
    entry["CreditorItem"] = [
        of_posting(one.posting, _creditor_item(one, settings)) for one in kinds[Kind.CREDITOR]
    ]
    entry["ProductTaxItem"] = [
        of_posting(one.posting, _tax_item(one, settings)) for one in kinds[Kind.TAX]
    ]
    return entry


def _gl_item(item: SapItem, settings: EntryItemSettings) -> requests.Item:
    posting = item.posting
    tax: requests.TaxDetails = {"TaxCode": carried_code(item), "TaxItemGroup": item.group or None}
    return {
        "ReferenceDocumentItem": str(item.number),
        "GLAccount": internal(posting, posting.account, "account", ACCOUNT),
        "AmountInTransactionCurrency": _amount(item, item.amount, "amount"),
        "DebitCreditCode": _side(item),
        "DocumentItemText": item_text(item),
        # ZUONR has no conversion.
        "AssignmentReference": Sourced(posting.partner, claim_field(posting, "partner")),
        "Tax": tax if item.tax_code else None,
        "AccountAssignment": _assignment(posting, settings.voucher.claim_id),
    }


def _creditor_item(item: SapItem, settings: EntryItemSettings) -> requests.CreditorItem:
    return {
        "ReferenceDocumentItem": str(item.number),
        "Creditor": _partner(item.posting),
        "AmountInTransactionCurrency": _amount(item, item.amount, "amount"),
        "DebitCreditCode": _side(item),
        "DocumentItemText": item_text(item),
        "BusinessPlace": settings.business_place or None,
    }


def _debtor_item(item: SapItem, settings: EntryItemSettings) -> requests.DebtorItem:
    return {
        "ReferenceDocumentItem": str(item.number),
        "Debtor": _partner(item.posting),
        "AmountInTransactionCurrency": _amount(item, item.amount, "amount"),
        "DebitCreditCode": _side(item),
        "DocumentItemText": item_text(item),
        "BusinessPlace": settings.business_place or None,
    }


def _partner(posting: Posting) -> Sourced:
    return internal(posting, posting.partner, "partner", PARTNER)


def _tax_item(item: SapItem, settings: EntryItemSettings) -> requests.ProductTaxItem:
    assert item.tax is not None  # a tax item has all three
    assert item.condition is not None
    assert item.base is not None
    return {
        "ReferenceDocumentItem": str(item.number),
        "TaxCode": carried_code(item),
        "TaxItemClassification": item.condition.classification or None,
        "ConditionType": item.condition.condition_type or None,
        "TaxItemGroup": item.group or None,
        "TaxDeterminationDate": determination_date(settings.voucher, item.tax),
        "IsDirectTaxPosting": item.tax.direct or None,
        "AmountInTransactionCurrency": _amount(item, item.amount, "amount"),
        "DebitCreditCode": _side(item),
        "ProductiveTaxText": item_text(item),
        "TaxBaseAmountInTransCrcy": _amount(item, item.base, "tax_base"),
    }


def _side(item: SapItem) -> Literal["S", "H"]:
    # A tax of zero stands on the side of its base.
    return "H" if (item.amount or item.base or 0) < 0 else "S"


def _amount(item: SapItem, size: Decimal, name: str) -> requests.Amount:
    """Return an amount with its sign, which SAP wants beside the debit or credit code."""
    return {
        "@currencyCode": item.posting.currency,
        "#text": Sourced(f"{size:f}", claim_field(item.posting, name)),
    }


def _assignment(posting: Posting, claim_id: str) -> requests.AccountAssignment | None:
    check_dimensions(posting, DIMENSIONS, claim_id)
    if not (posting.cost_centre or posting.project or any(posting.dimensions.values())):
        return None
    return {
        "OrderID": dimension(posting, "order"),
        "ProfitCenter": dimension(posting, "profit_centre"),
        "PartnerProfitCenter": dimension(posting, "partner_profit_centre"),
        "Segment": dimension(posting, "segment"),
        "PartnerSegment": dimension(posting, "partner_segment"),
        "CostCenter": internal(posting, posting.cost_centre, "cost_centre", COST_CENTRE),
        "WBSElement": Sourced(posting.project, claim_field(posting, "project")),
        "FunctionalArea": dimension(posting, "functional_area"),
        "Fund": dimension(posting, "fund"),
        "Grant": dimension(posting, "grant"),
    }
