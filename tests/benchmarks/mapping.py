"""How many claims a second one core maps: six lines each, on a chart of 5,000 expense rows.

    python -m tests.benchmarks.mapping [--seconds 5]

Prints the rate, beside that of reading the same claims from JSON, which every caller pays too, and
that of claims whose lines are itemised, allocated and taxed twice.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from claimbridge.mapping import Chart
from claimbridge.model import Claim

ROWS = 5_000
CLAIMS = 200

HEAD = """
[chart]
name = "benchmark"
default_cost_centre = "1000"
[accounts]
employee_payable = "2241.01"
card_payable = "2241.02"
input_tax = "2221.01.01"
rounding = "6603.09"
[company.CN01]
currency = "CNY"
time_zone = "Asia/Shanghai"
"""
ROW = """
[[expense]]
type = "type-{number}"
name = "费用 {number}"
account = "6602.{number}"
deductible = 1
tax_code = "J6"
"""
CONDITIONS = (
    'department = ["D1", "D2"]\ngrade = ["7"]',
    'department = ["D1"]\ncountry = ["DE"]',
    "amount_over = 5000\namount_up_to = 9000",
    "amount_over = 9000\nvalid_from = 2026-01-01",
    'payment = ["company_card"]',
    'company = ["CN01"]\nproject = ["P1"]',
    'employee = ["E1", "E2", "E3"]',
    "valid_to = 2025-12-31",
    'when = "amount > 3000 and documents.length == 0"',
    "",
)
LINES = (
    '{{"type":"type-{a}","date":"2026-03-02","amount":106.00,"tax":6.00,"tax_rate":0.06}}',
    '{{"type":"type-{b}","date":"2026-03-03","amount":553.00,"tax_rate":0.09,"text":"北京—上海"}}',
    '{{"type":"type-{c}","date":"2026-03-03","amount":55.00,"tax":6.32,"deductible":0.5}}',
    '{{"type":"type-{d}","date":"2026-03-04","amount":23.00,"text":"taxi"}}',
    '{{"type":"type-{e}","date":"2026-03-05","amount":41.00,"cost_centre":"1200"}}',
    '{{"type":"type-{f}","date":"2026-03-06","amount":12.50}}',
)

RICH = (
    '{{"type":"type-{a}","date":"2026-03-02","amount":106.00,"taxes":[{{"amount":5.00,"kind":"gst",'
    '"deductible":1}},{{"amount":1.00,"kind":"pst"}}]}}',
    '{{"type":"type-{b}","date":"2026-03-03","amount":553.00,"tax_rate":0.09,"allocations":['
    '{{"share":0.5,"cost_centre":"1"}},{{"share":0.3,"cost_centre":"2"}},'
    '{{"share":0.2,"cost_centre":"3"}}]}}',
    '{{"type":"type-{c}","date":"2026-03-03","amount":55.00,"items":[{{"type":"type-{d}",'
    '"amount":50.00,"tax":3.00}},{{"type":"type-{e}","amount":5.00}}]}}',
    *LINES[3:],
)


def chart() -> Chart:
    """Return a chart of ``ROWS`` rows."""
    rows = "".join(ROW.format(number=number) for number in range(ROWS))
    return Chart.from_toml((HEAD + rows).encode())


def conditioned() -> Chart:
    """Return a chart of as many rows, with ten for each type: nine exceptions and the rule."""
    rows = "".join(
        ROW.format(number=number // len(CONDITIONS)) + CONDITIONS[number % len(CONDITIONS)] + "\n"
        for number in range(ROWS)
    )
    return Chart.from_toml((HEAD + rows).encode())


def claims(lines: Sequence[str] = LINES, *, types: int = ROWS) -> list[bytes]:
    """Return claims of six lines whose types are spread over the chart."""
    return [_claim(number, lines, types) for number in range(CLAIMS)]


def _claim(number: int, templates: Sequence[str], count: int) -> bytes:
    types = {name: (number * 37 + place * 811) % count for place, name in enumerate("abcdef")}
    lines = ",".join(templates).format(**types)
    return (
        f'{{"id":"EXP-{number}","revision":1,"company":"CN01","employee":"E{number}",'
        f'"employee_name":"张三","currency":"CNY","total":790.50,"title":"出差",'
        f'"approved_at":"2026-03-10T09:00:00+08:00","lines":[{lines}]}}'
    ).encode()


def per_second(work: Callable[[], int], seconds: float) -> float:
    """Return how many items a second ``work`` does; it returns how many one call did."""
    work()
    done, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        done += work()
    return done / took


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args(arguments).seconds
    started = time.perf_counter()
    subject = chart()
    print(f"chart of {ROWS} rows loaded in {time.perf_counter() - started:.2f} s")
    documents = claims()
    read = [Claim.from_json(document) for document in documents]
    print(f"postings a claim: {len(subject.map(read[0]).voucher.postings)}")
    mapped = per_second(lambda: len([subject.map(claim) for claim in read]), seconds)
    parsed = per_second(lambda: len([Claim.from_json(data) for data in documents]), seconds)
    print(f"claims mapped a second: {mapped:,.0f}")
    exceptional = conditioned()
    few = [Claim.from_json(document) for document in claims(types=ROWS // len(CONDITIONS))]
    mapped = per_second(lambda: len([exceptional.map(claim) for claim in few]), seconds)
    print(f"claims mapped a second, ten rows with conditions for each type: {mapped:,.0f}")
    rich = [Claim.from_json(document) for document in claims(RICH)]
    richly = per_second(lambda: len([subject.map(claim) for claim in rich]), seconds)
    print(f"itemised, allocated, taxed twice: {richly:,.0f}")
    print(f"claims read from JSON a second: {parsed:,.0f}")


if __name__ == "__main__":
    main()
