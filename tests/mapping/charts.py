"""Small charts and claims for the tests of mapping."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim, ClaimLine, converted

CHART = """
[chart]
name = "CN group"

[accounts]
employee_payable = "2241.01"
card_payable = "2241.02"
input_tax = "2221.01"
rounding = "6603.09"
fx_difference = "6061.01"

[company.CN01]
currency = "CNY"
time_zone = "Asia/Shanghai"
[company.CN02]
currency = "CNY"
[company.CN02.rates]
EUR = 7.80

[[expense]]
type = "travel"
account = "6602.02"
deductible = 1
tax_code = "J6"

[[expense]]
type = "taxi"
account = "6602.03"
"""


def chart(text: str = CHART, *, more: str = "") -> Chart:
    """Return the chart that ``text`` and ``more`` describe."""
    return Chart.from_toml((text + more).encode())


def line(type_: str, amount: str, **fields: Any) -> ClaimLine:
    """Return a claim line; decimals may be given as text."""
    decimals = {
        name: Decimal(value)
        for name, value in fields.items()
        if name in ("tax", "tax_rate", "rate", "deductible") and value is not None
    }
    given = {"date": dt.date(2026, 3, 2), **fields, **decimals}
    return ClaimLine(type=type_, amount=Decimal(amount), **given)


def claim(*lines: ClaimLine, currency: str = "CNY", **fields: Any) -> Claim:
    """Return a claim of these lines, its total computed."""
    given = {"id": "EXP-1", "company": "CN01", "employee": "E7", **fields}
    total = sum((converted(one, currency) for one in lines), Decimal(0))
    return Claim(revision=1, currency=currency, total=total, lines=lines, **given)


def legs(mapped: Mapped) -> list[tuple[str, str, str, str]]:
    """Return role, account, side and amount of every posting, as an accountant reads them."""
    return [
        (posting.role.value, posting.account, posting.side.value, str(posting.amount))
        for posting in mapped.voucher.postings
    ]
