"""The four claims that a first day tries: plain, taxed, in a foreign currency, intercompany."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from claimbridge.config import LedgerConfig
from claimbridge.ledger import Ledger, Preview
from claimbridge.mapping import Chart
from claimbridge.model import Claim, ClaimLine

CHART: Final = b"""
[chart]
name = "first day"
default_cost_centre = "1200"
[accounts]
employee_payable = "2241.01"
card_payable = "2241.02"
input_tax = "2221.01.01"
rounding = "6603.09"
fx_difference = "6061.01"
advance_clearing = "1221.01"
[intercompany]
mode = "both"
[company.CN01]
currency = "CNY"
time_zone = "Asia/Shanghai"
[company.CN01.intercompany.CN02]
receivable = "1221.81"
[company.CN02]
currency = "CNY"
time_zone = "Asia/Shanghai"
[company.CN02.intercompany.CN01]
payable = "2241.81"
[[expense]]
type = "taxi"
account = "6602.03"
[[expense]]
type = "hotel"
account = "6602.02"
deductible = 1
tax_code = "J6"
"""
_DAY: Final = dt.date(2026, 3, 11)


def _claim(id_: str, line: ClaimLine, *, currency: str = "CNY") -> Claim:
    return Claim(
        id=id_,
        revision=1,
        company="CN01",
        employee="E1024",
        currency=currency,
        total=line.amount,
        lines=(line,),
        posting_date=dt.date(2026, 3, 31),
    )


CLAIMS: Final = {
    "plain": _claim("EXP-1", ClaimLine(type="taxi", date=_DAY, amount=Decimal("23.00"))),
    "taxed": _claim(
        "EXP-2",
        ClaimLine(type="hotel", date=_DAY, amount=Decimal("1060.00"), tax=Decimal("60.00")),
    ),
    "foreign": _claim(
        "EXP-3", ClaimLine(type="taxi", date=_DAY, amount=Decimal("100.00")), currency="USD"
    ),
    "intercompany": _claim(
        "EXP-4", ClaimLine(type="taxi", date=_DAY, amount=Decimal("23.00"), company="CN02")
    ),
}


def previewed(profile: str, name: str, options: dict[str, Any] | None = None) -> Preview:
    """What a claim becomes by a profile; raises ClaimError where the ERP has no place for it."""
    config = LedgerConfig(
        name="FIRST", profile=profile, endpoint="http://127.0.0.1:1/x", options=options or {}
    )
    return Ledger(config, chart=Chart.from_toml(CHART)).preview(CLAIMS[name])


__all__ = ["CHART", "CLAIMS", "previewed"]
