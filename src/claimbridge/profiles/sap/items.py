"""How a voucher's postings become the items of an SAP document, over any interface.

Limits are those of SAP's tables: BKPF-BKTXT 25 characters, BSEG-SGTXT 50, one currency a document.
A payable with a partner is a vendor item, and a posting of a role among ``debtors`` with a partner
a customer item. A tax with code and base is a tax item. Any other posting is a G/L item.

Where SAP computes the taxes of a whole document, taxes of one code are one item: SAP compares their
sum with the sum of their bases. Where it computes them item by item, each stays an item. Where tax
items name their account, there is one for each account.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Role, Side, Voucher
from claimbridge.model.money import EXACT
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.sap.taxes import (
    SapCondition,
    SapTax,
    Taxes,
    condition_of,
    link_taxes,
    tax_of,
)

HEADER_TEXT: Final = 25
ITEM_TEXT: Final = 50
_COSTS: Final = frozenset({Role.EXPENSE, Role.NON_DEDUCTIBLE_TAX})
_PAYABLES: Final = frozenset({Role.EMPLOYEE_PAYABLE, Role.CARD_PAYABLE})


class Kind(enum.Enum):
    """In which of SAP's tables an item stands."""

    GL = "gl"
    CREDITOR = "creditor"
    DEBTOR = "debtor"
    TAX = "tax"


class SapItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of an SAP document, with its ``number`` through all tables, from 1.

    ``posting`` is what the item came from; of several taxes in one item, the first. ``amount`` and
    ``base`` have SAP's sign: a credit is negative. ``tax_code`` is the code that the item carries,
    "" for none. ``group`` ties a tax item to its bases, "" for none. ``tax``, ``condition`` and
    ``base`` are those of tax items, None elsewhere.
    """

    number: int
    kind: Kind
    posting: Posting
    amount: Decimal
    text: str
    tax_code: str = ""
    group: str = ""
    base: Decimal | None = None
    tax: SapTax | None = None
    condition: SapCondition | None = None


def items_of(
    voucher: Voucher,
    taxes: Taxes,
    *,
    debtors: Collection[Role] = (),
    untaxed: str = "",
    tax_accounts: bool = False,
) -> tuple[SapItem, ...]:
    """Return the items of a voucher's document, in the order of its postings.

    ``untaxed`` is the tax code of expenses without tax. ``tax_accounts``: tax items name their
    account, so that taxes on different accounts stay apart. Raises ClaimError: CB-161 for postings
    in several currencies, CB-180 and CB-181 for taxes that fit no base.
    """
    check_currency(voucher)
    links = link_taxes(voucher, taxes, untaxed=untaxed)
    items: list[SapItem] = []
    summed: dict[tuple[str, str, SapCondition, Side], int] = {}
    for place, posting in enumerate(voucher.postings):
        condition = condition_of(taxes, posting)
        number = len(items) + 1
        if condition is None:
            kind = _kind(posting, debtors)
            code = links.codes.get(place, "") if kind is Kind.GL else ""
            group = links.groups.get(place, "")
            items.append(_item(posting, kind, number, tax_code=code, group=group))
            continue
        tax = tax_of(taxes, posting.tax_code)
        item = _tax_item(posting, number, tax, condition, links.groups.get(place, ""))
        account = posting.account if tax_accounts else ""
        key = (account, posting.tax_code, condition, posting.side)
        if tax.by_item or tax.direct or key not in summed:
            summed[key] = len(items)
            items.append(item)
        else:
            items[summed[key]] = _sum(items[summed[key]], item)
    return _with_zero_items(items, taxes)


def _kind(posting: Posting, debtors: Collection[Role]) -> Kind:
    if posting.role in debtors and posting.partner:
        return Kind.DEBTOR
    return Kind.CREDITOR if is_creditor(posting) else Kind.GL


def _item(posting: Posting, kind: Kind, number: int, *, tax_code: str, group: str) -> SapItem:
    return SapItem(
        number=number,
        kind=kind,
        posting=posting,
        amount=amount_with_sign(posting, posting.amount),
        text=posting.narration,
        tax_code=tax_code,
        group=group,
    )


def _tax_item(
    posting: Posting, number: int, tax: SapTax, condition: SapCondition, group: str
) -> SapItem:
    base = posting.tax_base
    assert base is not None  # only what has a base has a condition
    return SapItem(
        number=number,
        kind=Kind.TAX,
        posting=posting,
        amount=amount_with_sign(posting, posting.amount),
        text=posting.narration,
        tax_code=posting.tax_code,
        group=group,
        # The base goes with its tax, whatever sign the chart keeps it in.
        base=amount_with_sign(posting, base.copy_abs()),
        tax=tax,
        condition=condition,
    )


def _sum(one: SapItem, other: SapItem) -> SapItem:
    """Return two tax items of one code as one, with both texts where they differ."""
    assert one.base is not None  # both are tax items
    assert other.base is not None
    texts = dict.fromkeys([*one.text.split("; "), other.text])
    return msgspec.structs.replace(
        one,
        amount=EXACT.add(one.amount, other.amount),
        base=EXACT.add(one.base, other.base),
        text="; ".join(text for text in texts if text),
    )


def _with_zero_items(items: list[SapItem], taxes: Taxes) -> tuple[SapItem, ...]:
    """Return the items, and a tax item of zero for each code on costs that has no tax item.

    SAP wants one for a rate of zero too: "Tax statement item missing for tax code V0" (FF 805).
    """
    known = {item.tax_code for item in items if item.kind is Kind.TAX}
    bases: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        if item.tax_code and item.tax_code not in known and item.posting.role in _COSTS:
            bases.setdefault(item.tax_code, []).append(place)
    for code, places in bases.items():
        tax = tax_of(taxes, code)
        number = len(items) + 1
        group = str(number) if tax.by_item else ""
        base = Decimal(0)
        for place in places:
            base = EXACT.add(base, items[place].amount)
            items[place] = msgspec.structs.replace(items[place], group=group)
        zero = msgspec.structs.replace(
            items[places[0]],
            number=number,
            kind=Kind.TAX,
            amount=Decimal(0),
            base=base,
            tax=tax,
            condition=tax,
        )
        items.append(zero)
    return tuple(items)


def check_length(items: Sequence[SapItem], most: int, claim_id: str) -> None:
    """Raise ClaimError CB-164 for more items than a document takes, with those of zero."""
    if len(items) > most:
        raise ClaimError(
            f"its document would have {len(items)} items with the tax items of zero, and SAP's has "
            f"{most} at most; make several claims, or reverse it in SAP",
            code="CB-164",
            claim_id=claim_id,
        )


def item_text(item: SapItem) -> Sourced:
    """Return an item's text as SAP takes it: one line, cut to its length."""
    return Sourced(one_line(item.text, limit=ITEM_TEXT), claim_field(item.posting, "narration"))


def carried_code(item: SapItem) -> Sourced:
    """Return the tax code that an item carries, "" for none."""
    return Sourced(item.tax_code, claim_field(item.posting, "tax_code"))


def is_creditor(posting: Posting) -> bool:
    """Say whether a posting goes to a creditor, whose account SAP takes from its master record."""
    return posting.role in _PAYABLES and bool(posting.partner)


def roles_of(names: Collection[str], *, option: str) -> frozenset[Role]:
    """Return the roles of these names; raises ConfigurationError CB-243 naming the ``option``."""
    unknown = sorted(set(names) - set(Role))
    if unknown:
        raise wrong_option(
            "sap-journal-entry",
            f"{option} names {unknown[0]!r}, which is not a role of a posting; "
            f"the roles are {', '.join(Role)}",
        )
    return frozenset(map(Role, names))


def amount_with_sign(posting: Posting, size: Decimal) -> Decimal:
    """Return ``size`` as SAP signs it, exactly: a credit is negative."""
    return size if posting.side is Side.DEBIT else size.copy_negate()


def check_currency(voucher: Voucher) -> None:
    """Raise ClaimError CB-161 for postings in several currencies."""
    only_currency(voucher, holds="an SAP journal entry has one transaction currency", code="CB-161")


def check_dimensions(posting: Posting, known: Collection[str], claim_id: str) -> None:
    """Raise ClaimError CB-162 for a dimension that SAP has no place for; none is dropped."""
    foreign = sorted(posting.dimensions.keys() - set(known))
    if foreign:
        raise ClaimError(
            f"{claim_field(posting, f'dimensions.{foreign[0]}')}: SAP's journal entry has no place "
            f"for the dimension {foreign[0]!r}; it takes {', '.join(known)}",
            code="CB-162",
            claim_id=claim_id,
        )
