"""What a site states about its tax codes, and which items of a voucher belong together by tax.

SAP's interfaces calculate no tax. Whoever posts sends a tax item for each condition of a tax code,
and the code on the items that the tax was computed from. SAP refuses the one without the other
("Tax statement item missing for tax code", FF 805), so both come from one claim line here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Role, Voucher
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.sourced import claim_field

_LONGEST: Final = {"condition_type": 4, "classification": 3, "business_place": 4}


class SapCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One condition of a tax code in SAP's tax procedure; "" leaves the field out.

    ``condition_type`` is KSCHL (MWVS for input tax in SAP's procedures of most countries), and
    ``classification`` the account key KTOSL (VST for input tax). A site that demands one of them
    mostly demands both: "KSCHL is empty".
    """

    condition_type: str = ""
    classification: str = ""


class SapTax(SapCondition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site states about one tax code, in ``[ledger.X.options.taxes.CODE]``.

    ``non_deductible`` is the condition of what is not deductible of the tax, if the tax code has
    such a condition (NVV, NAV): what is not deductible is then a tax item. None: it is a G/L item.
    ``determination_date``: the date by which SAP looks up the rate, the ``posting`` or the
    ``document`` date; needed where taxes depend on time. ``business_place`` is that of the vendor
    item. ``by_item``: the tax procedure computes taxes item by item (transaction OBCO), and wants
    each tax item grouped with its base; SAP refuses a group without it (FF 817), and the lack of
    one with it (FF 818). ``direct``: a direct tax posting; no item is its base, and the tax item
    states its base amount all the same.
    """

    determination_date: Literal["", "posting", "document"] = ""
    business_place: str = ""
    by_item: bool = False
    direct: bool = False
    non_deductible: SapCondition | None = None


Taxes = Mapping[str, SapTax]
_PLAIN: Final = SapTax()


def check_taxes(taxes: Taxes, *, untaxed: str, code_length: int, profile: str) -> Taxes:
    """Return the option ``taxes``; raises ConfigurationError CB-243 for one that cannot be."""
    if len(untaxed) > code_length:
        raise wrong_option(
            profile, f"the option untaxed: a tax code has at most {code_length} characters"
        )
    for code, tax in taxes.items():
        if not 1 <= len(code) <= code_length:
            _refuse(profile, code, f"a tax code has 1 to {code_length} characters")
        for name, longest in _LONGEST.items():
            held = (getattr(tax, name), getattr(tax.non_deductible, name, ""))
            if any(len(text) > longest for text in held):
                _refuse(profile, code, f"{name} has at most {longest} characters")
        if tax.direct and tax.by_item:
            _refuse(
                profile,
                code,
                "direct and by_item exclude each other: a direct posting has no items",
            )
    return taxes


def _refuse(profile: str, code: str, why: str) -> None:
    raise wrong_option(profile, f"the option taxes.{code}: {why}")


def tax_of(taxes: Taxes, code: str) -> SapTax:
    """Return what the site states about a tax code; by default nothing."""
    return taxes.get(code, _PLAIN)


def condition_of(taxes: Taxes, posting: Posting) -> SapCondition | None:
    """Return the condition that a posting is the tax item of; None for any other item."""
    if not posting.tax_code or posting.tax_base is None:
        return None
    tax = tax_of(taxes, posting.tax_code)
    if posting.role is Role.INPUT_TAX:
        return tax
    return tax.non_deductible if posting.role is Role.NON_DEDUCTIBLE_TAX else None


class TaxLinks(msgspec.Struct, frozen=True, kw_only=True):
    """The tax codes and groups of a voucher's items, by the place of their posting.

    ``codes`` are the codes that G/L items carry. ``groups`` are the numbers that tie tax items to
    their bases, for codes whose taxes are computed item by item.
    """

    codes: Mapping[int, str]
    groups: Mapping[int, str]


def link_taxes(voucher: Voucher, taxes: Taxes, *, untaxed: str = "") -> TaxLinks:
    """Return which G/L items carry the code of which tax.

    The base of a tax are the expenses of its claim line. If nothing of a tax is deductible, it is a
    cost, and carries the code like its expense. ``untaxed`` is the code of expenses without any.
    Raises ClaimError CB-180 for a tax without a base in the voucher, and CB-181 for an expense that
    bears two tax codes: SAP knows one an item.
    """
    postings = voucher.postings
    codes = {at: one.tax_code for at, one in enumerate(postings) if _is_own_base(one)}
    groups: dict[int, str] = {}
    for place, posting in enumerate(postings):
        tax = tax_of(taxes, posting.tax_code)
        if condition_of(taxes, posting) is None or tax.direct:
            continue
        bases = _bases(voucher, place, codes)
        codes.update(dict.fromkeys(bases, posting.tax_code))
        if tax.by_item:
            number = next((groups[base] for base in bases if base in groups), str(place + 1))
            groups.update(dict.fromkeys((*bases, place), number))
    codes.update(_without_items(postings, codes, taxes))
    if untaxed:
        bare = [at for at, one in enumerate(postings) if one.role is Role.EXPENSE]
        codes = dict.fromkeys(bare, untaxed) | codes
    return TaxLinks(codes=codes, groups=groups)


def _is_own_base(posting: Posting) -> bool:
    return posting.role is Role.EXPENSE and bool(posting.tax_code)


def _bases(voucher: Voucher, place: int, codes: Mapping[int, str]) -> list[int]:
    """Return the places of the expenses that a tax was computed from."""
    tax = voucher.postings[place]
    line = _expenses_of(voucher.postings, tax)
    same = [at for at in line if codes.get(at, tax.tax_code) == tax.tax_code]
    if same:
        return same
    if line:
        raise ClaimError(
            f"{claim_field(tax, 'tax_code')}: one expense bears the taxes {codes[line[0]]} and "
            f"{tax.tax_code}, but an item in SAP has one tax code; give the line one tax code in "
            "the chart, or divide it",
            code="CB-181",
            claim_id=voucher.claim_id,
        )
    elsewhere = [
        at
        for at, code in codes.items()
        if code == tax.tax_code and voucher.postings[at].company == tax.company
    ]
    if elsewhere:
        return elsewhere
    raise ClaimError(
        f"{claim_field(tax, 'tax_code')}: no expense of the same line stands beside the tax of "
        f"{tax.amount} {tax.currency} with the code {tax.tax_code}, and SAP takes no tax without "
        f"its base; fix the line, or set direct = true in [ledger.X.options.taxes.{tax.tax_code}]",
        code="CB-180",
        claim_id=voucher.claim_id,
    )


def _expenses_of(postings: Sequence[Posting], tax: Posting) -> list[int]:
    """Return the places of the expenses of a tax's claim line, or of its part of that line."""
    return [
        at
        for at, one in enumerate(postings)
        if one.role is Role.EXPENSE and (one.company, _line(one)) == (tax.company, _line(tax))
    ]


def _line(posting: Posting) -> str:
    return posting.source.rpartition(".")[0]


def _without_items(
    postings: Sequence[Posting], codes: Mapping[int, str], taxes: Taxes
) -> dict[int, str]:
    """Return the codes of G/L items that have a code, but no tax item beside them.

    What is not deductible of a tax that is partly deducted is no base, and carries no code: SAP
    would compute the tax from it too.
    """
    found: dict[int, str] = {}
    for place, one in enumerate(postings):
        if place in codes or not one.tax_code or condition_of(taxes, one) is not None:
            continue
        line = _expenses_of(postings, one)
        if one.role is not Role.NON_DEDUCTIBLE_TAX:
            found[place] = one.tax_code
        elif not any(at in codes for at in line):
            found |= dict.fromkeys((place, *line), one.tax_code)
    return found


def business_place_of(voucher: Voucher, taxes: Taxes) -> str:
    """Return the business place of what is owed, "" for none.

    Raises ClaimError CB-182 where the tax codes of the voucher state different ones.
    """
    stated = {
        code: tax_of(taxes, code).business_place
        for code in sorted({one.tax_code for one in voucher.postings if one.tax_code})
    }
    places = {code: place for code, place in stated.items() if place}
    if len(set(places.values())) > 1:
        named = ", ".join(f"{code} {place}" for code, place in places.items())
        raise ClaimError(
            f"the tax codes of the claim state different business places ({named}), but what is "
            "owed has one; claim them apart, or fix [ledger.X.options.taxes]",
            code="CB-182",
            claim_id=voucher.claim_id,
        )
    return next(iter(places.values()), "")


def determination_date(voucher: Voucher, tax: SapTax) -> dt.date | None:
    """Return the date by which SAP looks up a tax code's rate, None for none."""
    days = {"posting": voucher.posting_date, "document": voucher.document_date}
    return days.get(tax.determination_date)


def header_date(voucher: Voucher, taxes: Taxes) -> dt.date | None:
    """Return the document's date for its taxes, None where their codes state none, or two."""
    codes = {one.tax_code for one in voucher.postings if one.tax_code}
    days = {determination_date(voucher, tax_of(taxes, code)) for code in codes}
    return days.pop() if len(days) == 1 else None
