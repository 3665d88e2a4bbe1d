"""A voucher as Kingdee EAS takes it: one flat row for each posting, the head on every one.

A cash flow is one more row, with ``itemFlag`` 1: ``entrySeq`` is the row of the cash account,
``oppAccountSeq`` the row that was paid for. EAS finds it by the voucher's number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Purpose, Side, Submission, Voucher
from claimbridge.model.cash_flow import CASH_FLOW, CashFlow, cash_flows
from claimbridge.model.money import EXACT, summed
from claimbridge.profiles.kit.local_amounts import LocalCurrency
from claimbridge.profiles.kit.owners import of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of

if TYPE_CHECKING:
    from claimbridge.profiles.kingdee import requests

DEBIT: Final = 1
_MOST_DIGITS: Final = 15
"""What an IEEE double, EAS's type of amounts, holds of a decimal number without loss."""
MOST_ASSISTANTS: Final = 8


class RowSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One EAS's codes and settings for rows: options of ``KingdeeEas``, which explains them."""

    voucher_type: str
    creator: str
    local: LocalCurrency
    currencies: Mapping[str, str]
    dimensions: Mapping[str, str]
    assistant_names: Mapping[str, Mapping[str, str]]
    account_assistants: Mapping[str, Mapping[str, str]]
    credit: int


def rows(submission: Submission, settings: RowSettings) -> list[requests.WSWSVoucher]:
    """Return the rows of one voucher, those of its cash flows last.

    A reversal is a red voucher: the postings stay on their sides, their amounts are negative.
    Raises ClaimError: CB-185 for a currency without a code or rate, CB-186 for an amount that EAS
    cannot hold exactly, CB-187 for a dimension without an assistant account or a code without a
    name, or too many of them.
    """
    voucher = submission.voucher
    try:
        _check_currencies(voucher, settings)
        amounts = settings.local.amounts(voucher.postings)
        head = _head(submission, settings)
        entries = [
            of_posting(
                posting,
                head
                | _row(posting, local, number, voucher, settings)
                | _assistants(posting, voucher, settings),
            )
            for number, (posting, local) in enumerate(
                zip(voucher.postings, amounts, strict=True), start=1
            )
        ]
        return entries + [head | row for row in _cash_rows(voucher, amounts, settings)]
    except ClaimError as error:
        error.claim_id = error.claim_id or voucher.claim_id
        raise


def local_total(voucher: Voucher, settings: RowSettings) -> Decimal:
    """Return the debits' sum in the local currency, as EAS adds it up; never negative."""
    pairs = zip(voucher.postings, settings.local.amounts(voucher.postings), strict=True)
    return summed(local for posting, local in pairs if posting.side is Side.DEBIT)


def _head(submission: Submission, settings: RowSettings) -> requests.WSWSVoucher:
    voucher = submission.voucher
    booked = voucher.posting_date
    return {
        "companyNumber": Sourced(voucher.company, "company"),
        "bookedDate": Sourced(booked.isoformat(), "posting_date"),
        "bizDate": Sourced(voucher.document_date.isoformat(), "lines"),
        "periodYear": Sourced(str(booked.year), "posting_date"),
        "periodNumber": Sourced(str(booked.month), "posting_date"),
        "voucherType": settings.voucher_type,
        # Rows that follow each other with one number are one voucher; the reference information
        # is what EAS compares when it is set to refuse repeats.
        "voucherNumber": submission.reference,
        "description": submission.reference,
        "creator": settings.creator or None,
    }


def _row(
    posting: Posting, local: Decimal, number: int, voucher: Voucher, settings: RowSettings
) -> requests.WSWSVoucher:
    red = voucher.purpose is Purpose.REVERSE
    side = posting.side.other if red else posting.side
    is_debit = side is Side.DEBIT
    narration = (
        f"冲销 {_number_to_reverse(voucher)} {posting.narration}".strip()
        if red
        else posting.narration
    )

    def amount(size: Decimal) -> Sourced:
        exact = _exact(size, posting)
        signed = exact.copy_negate() if red else exact
        return Sourced(f"{signed:f}", claim_field(posting, "amount"))

    return {
        "entrySeq": number,
        "asstSeq": 1,
        "itemFlag": 0,
        "voucherAbstract": Sourced(narration, claim_field(posting, "narration")),
        "accountNumber": Sourced(posting.account, claim_field(posting, "account")),
        "currencyNumber": settings.currencies[posting.currency],
        "localRate": settings.local.rate(posting.currency),
        "entryDC": DEBIT if is_debit else settings.credit,
        "originalAmount": amount(posting.amount),
        "debitAmount": amount(local) if is_debit else None,
        "creditAmount": None if is_debit else amount(local),
    }


def _cash_rows(
    voucher: Voucher, amounts: Sequence[Decimal], settings: RowSettings
) -> list[requests.WSWSVoucher]:
    """Return a row for each cash flow; the parts of a cash posting add up in both currencies."""
    flows = cash_flows(voucher)
    parts = settings.local.of_flows(flows, voucher.postings, amounts)
    return [
        _cash_row(voucher, flow, part, settings) for flow, part in zip(flows, parts, strict=True)
    ]


def _cash_row(
    voucher: Voucher, flow: CashFlow, local: Decimal, settings: RowSettings
) -> requests.WSWSVoucher:
    cash, opposite = voucher.postings[flow.cash], voucher.postings[flow.opposite]
    red = voucher.purpose is Purpose.REVERSE

    def amount(size: Decimal) -> Sourced:
        signed = size.copy_negate() if red else size
        return Sourced(f"{signed:f}", claim_field(opposite, "amount"))

    return {
        "entrySeq": flow.cash + 1,
        "oppAccountSeq": flow.opposite + 1,
        "itemFlag": 1,
        "currencyNumber": settings.currencies[cash.currency],
        "localRate": settings.local.rate(cash.currency),
        "primaryItem": Sourced(flow.item, claim_field(opposite, "account")),
        # EAS finds the coefficient's sign itself, by the item's direction and the cash row's side.
        "primaryCoef": 1,
        "supplyCoef": 0,
        "cashflowAmountOriginal": amount(flow.amount),
        "cashflowAmountLocal": amount(local),
        "cashflowAmountRpt": amount(local),
    }


def _number_to_reverse(voucher: Voucher) -> str:
    return voucher.reverses.number if voucher.reverses else ""


def _assistants(posting: Posting, voucher: Voucher, settings: RowSettings) -> requests.WSWSVoucher:
    """Return the assistant accounts 核算项目: EAS stops reading at the first empty one.

    An account may have its own ones by configuration, in place of the posting's dimensions.
    """
    own = settings.account_assistants.get(posting.account)
    if own is not None:
        numbered = enumerate(own.items(), start=1)
        fixed = {
            name: text
            for number, (kind, code) in numbered
            for name, text in ((f"asstActType{number}", kind), (f"asstActNumber{number}", code))
        }
        return cast("requests.WSWSVoucher", fixed)
    held = {name: code for name, code in dimensions_of(posting).items() if name != CASH_FLOW}
    foreign = [name for name in held if name not in settings.dimensions]
    if foreign or len(held) > MOST_ASSISTANTS:
        what = (
            f"the dimension {foreign[0]!r} has no assistant account; name one in "
            "[ledger.X.options] dimensions"
            if foreign
            else f"{len(held)} assistant accounts, but EAS takes {MOST_ASSISTANTS} at most"
        )
        raise ClaimError(f"account {posting.account}: {what}", code="CB-187")
    found: dict[str, Any] = {}
    for number, (name, code) in enumerate(held.items(), start=1):
        found[f"asstActType{number}"] = settings.dimensions[name]
        found[f"asstActNumber{number}"] = code
        if name in settings.assistant_names:
            found[f"asstActName{number}"] = _assistant_name(name, code, voucher, settings)
    return cast("requests.WSWSVoucher", found)  # the names are counted: 1 to 8


def _assistant_name(
    dimension: str, code: Sourced, voucher: Voucher, settings: RowSettings
) -> Sourced:
    """Return the name of a code; the claim itself says its employee's."""
    name = settings.assistant_names[dimension].get(code.text, "")
    if not name and dimension == "partner" and code.text == voucher.employee:
        name = voucher.employee_name
    if not name:
        raise ClaimError(
            f"{code.field}: this EAS asks for the name of {dimension} {code.text!r}; add it to "
            f"[ledger.X.options.assistant_names.{dimension}]",
            code="CB-187",
        )
    return Sourced(name, code.field)


def _check_currencies(voucher: Voucher, settings: RowSettings) -> None:
    for posting in voucher.postings:
        if posting.currency not in settings.currencies:
            raise ClaimError(
                f"the currency {posting.currency} has no code of EAS; add the code to "
                "[ledger.X.options] currencies",
                code="CB-185",
            )


def _exact(amount: Decimal, posting: Posting) -> Decimal:
    if len(amount.normalize(EXACT).as_tuple().digits) > _MOST_DIGITS:
        raise ClaimError(
            f"{claim_field(posting, 'amount')}: {amount} has more than {_MOST_DIGITS} digits, but "
            "EAS keeps amounts as doubles; divide the claim",
            code="CB-186",
        )
    return amount


def references(body: Mapping[str, Any]) -> list[str]:
    """Return the references of the vouchers in a request, in their order, each once."""
    held: Sequence[Mapping[str, Any]] = body["col"]["item"]
    return list(dict.fromkeys(str(row["description"]) for row in held))
