"""Random claims with everything that a claim can hold, in plain values."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.drills.mapped.charts import (
    COMPANIES,
    CURRENCIES,
    DEPARTMENTS,
    KINDS,
    PER_DAY,
    PER_KM,
    TYPES,
)
from tests.drills.mapped.oracle import DECIMALS, half_up, units_of

Plain = dict[str, Any]


def random_claim(draw: random.Random, number: int) -> Plain:
    """Return a claim that can exist, most of which a random chart answers for."""
    currency = draw.choice(("CNY", "CNY", *CURRENCIES))
    company = draw.choice(list(COMPANIES))
    count = draw.choice((1, 1, 2, 3, 4, 6))
    lines = [_line(draw, currency, company) for _ in range(count)]
    total = sum(units_of(line, currency) for line in lines)
    claim: Plain = {
        "id": f"D{number}", "revision": 1, "company": company, "employee": "E1",
        "currency": currency, "total": _text(total, currency), "lines": lines,
    }  # fmt: skip  # one value
    owed = sum(units_of(line, currency) for line in lines if line["payment"] == "employee")
    if owed > 0 and draw.random() < 0.3:
        owed -= _advances(draw, claim, owed, currency)
    if owed > 0 and draw.random() < 0.2:
        parts = _divided(draw, owed, draw.randint(1, 3))
        claim["payees"] = [
            {"partner": f"V{place}", "amount": _text(part, currency)}
            for place, part in enumerate(parts)
            if part
        ]
    return claim


def _advances(draw: random.Random, claim: Plain, owed: int, currency: str) -> int:
    settled = draw.choice((owed, draw.randint(0, owed)))
    returned = draw.choice((0, 0, draw.randint(0, 10_000)))
    claim["advances"] = [
        {
            "reference": "L1",
            "settled": _text(settled, currency),
            "returned": _text(returned, currency),
        }
    ]
    return settled


def _text(units: int, currency: str) -> str:
    return f"{Decimal(units).scaleb(-DECIMALS[currency]):f}"


def _amount(draw: random.Random) -> int:
    return draw.randint(0, 10 ** draw.choice((1, 2, 4, 5, 7))) * draw.choice((1, 1, 1, -1))


def _divided(draw: random.Random, whole: int, count: int) -> list[int]:
    """Return ``count`` parts of ``whole``, all of its sign."""
    sign = -1 if whole < 0 else 1
    cuts = sorted(draw.randint(0, abs(whole)) for _ in range(count - 1))
    ends = [0, *cuts, abs(whole)]
    return [sign * (ends[place + 1] - ends[place]) for place in range(count)]


def _line(draw: random.Random, claim_currency: str, company: str) -> Plain:
    line: Plain = {"date": "2026-03-02", "payment": draw.choice(("employee", "company_card"))}
    if draw.random() < 0.1:
        return line | _by_quantity(draw, company, claim_currency)
    currency = draw.choice((claim_currency, claim_currency, *CURRENCIES))
    if currency != claim_currency:
        line["currency"] = currency
        line["rate"] = f"{Decimal(draw.randint(1, 10**6)).scaleb(-draw.randint(0, 6)):f}"
    units = _amount(draw)
    line |= {"type": draw.choice(TYPES), "amount": _text(units, currency)}
    line["department"] = draw.choice(DEPARTMENTS)
    if draw.random() < 0.15:
        line["company"] = draw.choice(list(COMPANIES))
    if line["payment"] == "company_card" and draw.random() < 0.15:
        return line | {"personal": True}
    itemised = draw.random() < 0.2
    personal = False
    if itemised:
        line["items"], personal = _items(draw, units, currency, line["payment"])
    else:
        line |= _taxes(draw, units, currency)
    if not personal and draw.random() < 0.3:
        line["allocations"] = _allocations(draw, units, currency, by_share=itemised)
    if draw.random() < 0.3:
        line["documents"] = _documents(draw, line, units, currency)
    return line


def _by_quantity(draw: random.Random, company: str, claim_currency: str) -> Plain:
    own = COMPANIES[company]
    type_, rate = draw.choice((("km", PER_KM), ("day", PER_DAY)))
    quantity = Decimal(draw.randint(0, 3000)).scaleb(-draw.choice((0, 1)))
    units = half_up(Fraction(quantity) * Fraction(rate) * 10 ** DECIMALS[own])
    if draw.random() < 0.05:
        units += 1
    units *= draw.choice((1, 1, -1))
    line = {"type": type_, "amount": _text(units, own), "quantity": f"{quantity:f}"}
    if own != claim_currency:
        line |= {"currency": own, "rate": "1.37"}
    if draw.random() < 0.3:
        line["allocations"] = _allocations(draw, units, own, by_share=draw.random() < 0.5)
    return line


def _taxes(draw: random.Random, units: int, currency: str) -> Plain:
    chance = draw.random()
    if chance < 0.2:
        first, second, _ = _divided(draw, units, 3)
        return {
            "taxes": [
                {"amount": _text(first, currency), "kind": "gst", **_shares(draw)},
                {"amount": _text(second, currency), "rate": "0.06", **_shares(draw)},
            ]
        }
    stated: Plain = _shares(draw)
    if chance < 0.6:
        stated["tax"] = _text(_divided(draw, units, 2)[0], currency)
    if draw.random() < 0.4:
        stated["tax_rate"] = draw.choice(("0.06", "0.09", "0.2"))
    return stated


def _shares(draw: random.Random) -> Plain:
    return {"deductible": draw.choice(("0", "1", "0.5", "0.37"))} if draw.random() < 0.6 else {}


def _items(
    draw: random.Random, units: int, currency: str, payment: str
) -> tuple[list[Plain], bool]:
    parts = _divided(draw, units, draw.randint(1, 4))
    if draw.random() < 0.2:  # an item that takes something off
        off = draw.randint(0, 500)
        parts = [*parts, -off]
        parts[0] += off
    items: list[Plain] = []
    for part in parts:
        item: Plain = {"type": draw.choice(TYPES), "amount": _text(part, currency)}
        if payment == "company_card" and draw.random() < 0.2:
            item["personal"] = True
        elif draw.random() < 0.6:
            item["tax"] = _text(_divided(draw, part, 2)[0], currency)
            item |= _shares(draw)
        items.append(item)
    return items, any(item.get("personal") for item in items)


def _allocations(draw: random.Random, units: int, currency: str, *, by_share: bool) -> list[Plain]:
    count = draw.choice((1, 2, 3, 3, 7))
    if by_share or draw.random() < 0.6:
        decimals = draw.choice((0, 1, 2, 4, 12))
        stated: Sequence[Plain] = [
            {"share": f"{Decimal(part).scaleb(-decimals):f}"}
            for part in _divided(draw, 10**decimals, count)
        ]
    else:
        stated = [{"amount": _text(part, currency)} for part in _divided(draw, units, count)]
    return [one | _bearer(draw, place) for place, one in enumerate(stated)]


def _bearer(draw: random.Random, place: int) -> Plain:
    bearer: Plain = {"cost_centre": f"CC{place}"}
    if draw.random() < 0.2:
        bearer["company"] = draw.choice(list(COMPANIES))
    if draw.random() < 0.3:
        bearer["department"] = draw.choice(("RD", "HR"))
    return bearer


def _documents(draw: random.Random, line: Plain, units: int, currency: str) -> list[Plain]:
    """Return documents that agree with the line, most often."""
    kind = draw.choice(KINDS)
    document: Plain = {"kind": kind, "amount": line["amount"]}
    if "tax" in line and draw.random() < 0.9:
        document["tax"] = line["tax"]
    elif "taxes" not in line and "items" not in line and draw.random() < 0.5:
        document["tax"] = _text(_divided(draw, units, 2)[0], currency)
    if "tax" in document and draw.random() < 0.2:
        tax = int(Decimal(document["tax"]).scaleb(DECIMALS[currency]))
        document["deductible_tax"] = _text(_divided(draw, tax, 2)[0], currency)
    elif "tax" not in document and "items" not in line and draw.random() < 0.2:
        verified = _divided(draw, units, 3)[0]
        document["deductible_tax"] = _text(verified, currency)
    return [document, {"kind": "slip"}] if draw.random() < 0.3 else [document]
