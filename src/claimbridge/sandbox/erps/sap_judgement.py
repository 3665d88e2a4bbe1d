"""What SAP's accounting interface refuses, whichever service stands before it.

No conversion happens there: account 6602 does not exist where the database has 0000006602. And
taxes are checked, not computed: a tax item needs items of its code, and they need a tax item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from claimbridge.sandbox.kit.documents import Objection

MESSAGES: Final = {
    "locked": ("F5", "042"),
    "licence": ("SU", "021"),
    "unknown-account": ("FH", "004"),
    "unknown-vendor": ("F5", "104"),
    "unknown-customer": ("F5", "102"),
    "period-closed": ("F5", "201"),
    "unbalanced": ("F5", "702"),
    "tax-item-missing": ("FF", "805"),
    "tax-group": ("FF", "818"),
}
"""SAP's message class and number for our names; others are sent under our names."""
_UNKNOWN: Final = {
    "unknown-account": "Account {} does not exist in chart of accounts SBX",
    "unknown-vendor": "Vendor {} is not defined in company code",
    "unknown-customer": "Customer {} is not defined in company code",
    "unknown-cost-centre": "Cost center SBX/{} does not exist",
    "unknown-order": "Order {} does not exist",
    "unknown-profit-centre": "Profit center SBX/{} does not exist",
}


class SapLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it came. ``codes`` are its numbers: our name if it is unknown, value and width.

    ``tax_code`` is "" for none. ``is_tax``: it is a tax item; ``direct``: without a base.
    """

    path: str
    codes: tuple[tuple[str, str, int], ...]
    tax_code: str = ""
    group: str = ""
    is_tax: bool = False
    direct: bool = False


def sap_objections(lines: Sequence[SapLine]) -> Iterator[Objection]:
    """Yield what SAP objects to in the lines of a document, before any rule of business."""
    for line in lines:
        for name, value, width in line.codes:
            if value.isascii() and value.isdigit() and len(value) < width:
                yield Objection(name, _UNKNOWN[name].format(value), line.path)
    taxes = [line for line in lines if line.is_tax]
    bases = [line for line in lines if line.tax_code and not line.is_tax]
    yield from _without_tax(bases, taxes)
    yield from _without_base(bases, taxes)


def _without_tax(bases: Sequence[SapLine], taxes: Sequence[SapLine]) -> Iterator[Objection]:
    for code in dict.fromkeys(line.tax_code for line in bases):
        if code not in {tax.tax_code for tax in taxes if not tax.direct}:
            text = f"Tax statement item missing for tax code {code}"
            yield Objection("tax-item-missing", text)


def _without_base(bases: Sequence[SapLine], taxes: Sequence[SapLine]) -> Iterator[Objection]:
    for tax in taxes:
        known = [base for base in bases if base.tax_code == tax.tax_code]
        if tax.direct:
            continue
        if not known:
            text = f"There is no item with tax code {tax.tax_code} for the tax item"
            yield Objection("tax-base-missing", text, tax.path)
        elif tax.group not in {base.group for base in known}:
            text = f"No item belongs to the tax group {tax.group or 'blank'}"
            yield Objection("tax-group", text, tax.path)
