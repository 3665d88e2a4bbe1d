"""Today, for a reversal, is the day of the company: never that of the machine."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.mapping.charts import CHART

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimError, ConfigurationError, MappingError
from claimbridge.mapping import Chart
from claimbridge.model import Claim, ClaimLine
from claimbridge.testing import FakeLedger

UNNAMED = CHART.replace('time_zone = "Asia/Shanghai"\n', "").encode()
NAMED = CHART.encode()


class At(Clock):
    """A clock that stands still at a moment."""

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 12, 31, 16, 30, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    def sleep(self, seconds: float) -> None:
        SYSTEM.sleep(seconds)


@pytest.fixture(params=["Pacific/Kiritimati", "Pacific/Pago_Pago"], autouse=True)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the machine on either side of the date line."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def claim(**fields: object) -> Claim:
    day = dt.date(2026, 12, 30)
    line = ClaimLine(type="taxi", date=day, amount=Decimal("1.00"))
    return Claim(
        id="EXP-1",
        revision=1,
        company="CN01",
        employee="E7",
        currency="CNY",
        total=line.amount,
        lines=(line,),
        **fields,  # type: ignore[arg-type]  # what a case adds
    )


@pytest.mark.parametrize(
    ("chart", "zone", "day"),
    [
        (NAMED, None, dt.date(2027, 1, 1)),
        (NAMED, "America/New_York", dt.date(2027, 1, 1)),
        (UNNAMED, "America/New_York", dt.date(2026, 12, 31)),
        (UNNAMED, "Asia/Shanghai", dt.date(2027, 1, 1)),
    ],
)
def test_a_reversal_is_posted_on_the_companys_today(
    chart: bytes, zone: str | None, day: dt.date
) -> None:
    """The chart's zone of the company, else the ledger's, wherever the machine stands."""
    ledger = FakeLedger(chart=Chart.from_toml(chart), time_zone=zone, clock=At())
    ledger.submit(claim())
    ledger.reverse("EXP-1")
    assert ledger.erp.entries()[1].voucher.posting_date == day


def test_without_a_zone_there_is_no_today() -> None:
    """Nothing is sent; with a posting date the reversal goes."""
    ledger = FakeLedger(chart=Chart.from_toml(UNNAMED), clock=At())
    ledger.submit(claim())
    with pytest.raises(ClaimError, match="give ledger TEST") as caught:
        ledger.reverse("EXP-1")
    assert (caught.value.code, caught.value.claim_id) == ("CB-199", "EXP-1")
    assert len(ledger.erp.entries()) == 1
    ledger.reverse("EXP-1", posting_date=dt.date(2026, 12, 31))
    assert ledger.erp.entries()[1].voucher.posting_date == dt.date(2026, 12, 31)


def test_an_approval_becomes_a_day_in_the_ledgers_zone() -> None:
    """And without one the claim is refused before anything is recorded or sent."""
    approved = claim(approved_at=At().now())
    refusing = FakeLedger(chart=Chart.from_toml(UNNAMED))
    with pytest.raises(MappingError, match="time_zone") as caught:
        refusing.submit(approved)
    assert caught.value.code == "CB-198"
    assert refusing.erp.requests == 0
    ledger = FakeLedger(chart=Chart.from_toml(UNNAMED), time_zone="Asia/Shanghai")
    ledger.submit(approved)
    assert ledger.erp.entries()[0].voucher.posting_date == dt.date(2027, 1, 1)


@pytest.mark.parametrize("name", ["Asia/Peking", "", "localtime", "../x", "a\0b"])
def test_a_ledger_with_no_zone_of_this_name_is_refused(name: str) -> None:
    """When it is configured, not when the first approval comes."""
    with pytest.raises(ConfigurationError, match="ledger CN: time_zone") as caught:
        LedgerConfig(name="CN", endpoint="http://127.0.0.1:9/", time_zone=name)
    assert caught.value.code == "CB-244"
