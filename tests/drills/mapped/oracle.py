"""What must hold of every voucher, computed from the claim alone in whole units and fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from claimbridge.mapping import Mapped
from claimbridge.model import Posting, Role, Side

Plain = dict[str, Any]
DECIMALS = {"CNY": 2, "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
_COSTS = (Role.EXPENSE, Role.INPUT_TAX, Role.NON_DEDUCTIBLE_TAX)


def half_up(exact: Fraction) -> int:
    """Return the nearest whole number, away from zero at a tie."""
    nearest = (abs(exact) + Fraction(1, 2)).__floor__()
    return -nearest if exact < 0 else nearest


def units(text: str, currency: str) -> int:
    """Return an amount in the smallest units of its currency."""
    return int(Decimal(text).scaleb(DECIMALS[currency]))


def converted(amount: int, line: Plain, claim_currency: str) -> int:
    """Return an amount of a line, in units, in those of the claim's currency."""
    currency = line.get("currency", claim_currency)
    if currency == claim_currency:
        return amount
    exact = Fraction(amount, 10 ** DECIMALS[currency]) * Fraction(line["rate"])
    return half_up(exact * 10 ** DECIMALS[claim_currency])


def units_of(line: Plain, claim_currency: str) -> int:
    """Return a line's amount in units of the claim's currency."""
    amount = units(line["amount"], line.get("currency", claim_currency))
    return converted(amount, line, claim_currency)


def violations(claim: Plain, mapped: Mapped, *, recharges: bool) -> Iterator[str]:
    """Yield what is wrong with the claim's voucher; nothing when all is well."""
    yield from _balances(mapped)
    yield from _explanations(mapped)
    yield from _totals(claim, mapped)
    yield from _between(claim, mapped, recharges=recharges)
    for index, line in enumerate(claim["lines"]):
        yield from _line(claim, mapped, index, line, recharges=recharges)


def _signed(posting: Posting) -> int:
    amount = int(posting.amount.scaleb(DECIMALS[posting.currency]))
    return amount if posting.side is Side.DEBIT else -amount


def _sum(mapped: Mapped, *roles: Role, source: str = "", company: str | None = None) -> int:
    return sum(
        _signed(posting)
        for posting in mapped.voucher.postings
        if posting.role in roles
        and posting.source.startswith(source)
        and company in (None, posting.company)
    )


def _balances(mapped: Mapped) -> Iterator[str]:
    books: dict[str, int] = defaultdict(int)
    for posting in mapped.voucher.postings:
        books[posting.company] += _signed(posting)
        if posting.currency != mapped.voucher.currency:
            yield f"a posting in {posting.currency}"
    for company, excess in books.items():
        if excess:
            yield f"the books of {company or 'the claim'} are out of balance by {excess}"


def _explanations(mapped: Mapped) -> Iterator[str]:
    told = [one for one in mapped.explain if one.posting is not None]
    if [one.posting for one in told] != list(range(len(mapped.voucher.postings))):
        yield "postings and explanations differ"
    if not all(one.rule and one.row for one in told):
        yield "an explanation without a rule or a row"


def _personal(claim: Plain) -> int:
    total = 0
    for line in claim["lines"]:
        currency = line.get("currency", claim["currency"])
        if line.get("personal"):
            total += units_of(line, claim["currency"])
        for item in line.get("items", ()):
            if item.get("personal"):
                total += converted(units(item["amount"], currency), line, claim["currency"])
    return total


def _totals(claim: Plain, mapped: Mapped) -> Iterator[str]:
    currency = claim["currency"]
    paid = {"employee": 0, "company_card": 0}
    for line in claim["lines"]:
        paid[line["payment"]] += units_of(line, currency)
    advances = claim.get("advances", ())
    settled = sum(units(one["settled"], currency) for one in advances)
    returned = sum(units(one["returned"], currency) for one in advances)
    personal = _personal(claim)
    expected = {
        Role.CARD_PAYABLE: -paid["company_card"],
        Role.ADVANCE_CLEARING: -(settled + returned),
        Role.EMPLOYEE_PAYABLE: -(paid["employee"] - settled - returned - personal),
        Role.CARD_CLEARING: 0,
    }
    for role, amount in expected.items():
        if (found := _sum(mapped, role)) != amount:
            yield f"{role} is {found}, not {amount}"
    if sum(expected.values()) != -(units(claim["total"], currency) - personal):
        yield "who is owed does not make the total"  # the oracle contradicts itself
    for payee in claim.get("payees", ()):
        found = sum(
            _signed(one) for one in mapped.voucher.postings if one.partner == payee["partner"]
        )
        if found != -units(payee["amount"], currency):
            yield f"payee {payee['partner']} is paid {-found}"


def _between(claim: Plain, mapped: Mapped, *, recharges: bool) -> Iterator[str]:
    """What one company's books say they are owed, the others' say they owe."""
    own = _sum(mapped, Role.INTERCOMPANY, company="")
    theirs = _sum(mapped, Role.INTERCOMPANY) - own
    if not recharges and own != -theirs:
        yield f"{own} is owed between companies, and {-theirs} acknowledged"
    others = {one.company for one in mapped.voucher.postings} - {""}
    if recharges and others:
        yield f"postings in the books of {sorted(others)}, which are recharged"
    if claim["company"] in others:
        yield "the claim's own company is named as another one"


def _line(
    claim: Plain, mapped: Mapped, index: int, line: Plain, *, recharges: bool
) -> Iterator[str]:
    """The parts of a line in the claim's currency make its amount, part by part."""
    currency = line.get("currency", claim["currency"])
    if currency != claim["currency"] or (recharges and _is_shared(claim, line)):
        return
    here = f"lines[{index}]."
    kept = [item for item in line.get("items", ()) if not item.get("personal")]
    amount = 0 if line.get("personal") else units(line["amount"], currency)
    if line.get("items"):
        amount = sum(units(item["amount"], currency) for item in kept)
        for place, item in enumerate(line["items"]):
            own = 0 if item.get("personal") else units(item["amount"], currency)
            if (found := _sum(mapped, *_COSTS, source=f"{here}items[{place}].")) != own:
                yield f"{here}items[{place}] is posted as {found}, not {own}"
    if (found := _sum(mapped, *_COSTS, source=here)) != amount:
        yield f"{here} is posted as {found}, not {amount}"
    if line.get("allocations") and not line.get("items"):
        yield from _allocated(mapped, line, here, currency)
    yield from _deducted(mapped, line, here, currency)


def _is_shared(claim: Plain, line: Plain) -> bool:
    bearers = {line.get("company"), *(one.get("company") for one in line.get("allocations", ()))}
    return bool(bearers - {None, "", claim["company"]})


def _allocated(mapped: Mapped, line: Plain, here: str, currency: str) -> Iterator[str]:
    for place, part in enumerate(line["allocations"]):
        found = _sum(mapped, *_COSTS, source=f"{here}allocations[{place}].")
        if "amount" in part and found != units(part["amount"], currency):
            yield f"{here}allocations[{place}] is posted as {found}, not {part['amount']}"
        if "share" in part:
            exact = Fraction(part["share"]) * units(line["amount"], currency)
            if abs(found - exact) >= 1:
                yield f"{here}allocations[{place}] is posted as {found}, a unit off {exact}"


def _deducted(mapped: Mapped, line: Plain, here: str, currency: str) -> Iterator[str]:
    """Where the claim alone says how much tax is deductible, exactly that is deducted."""
    if line.get("documents") or line.get("items") or line.get("personal"):
        return
    stated = line.get("taxes") or ([line] if "tax" in line else [])
    if not stated or any("deductible" not in one for one in stated):
        return
    exact = [
        Fraction(one["deductible"]) * units(one.get("tax", one["amount"]), currency)
        for one in stated
    ]
    amount = sum(map(half_up, exact))
    if (found := _sum(mapped, Role.INPUT_TAX, source=here)) != amount:
        yield f"{here} deducts {found}, not {amount}"
