"""A claim whose voucher is longer than the ERP takes: several documents that are one claim.

The lines are divided in their order, as if into claims of their own; each becomes a balanced
voucher of the one claim, with the dates of the undivided one. Where texts name the claim, they name
the part: ``EXP-7/1``, ``EXP-7/2`` …. The division depends on the claim, the chart and the limit
alone, so that the same claim is always divided alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.mapping.chart_of_accounts import Chart
from claimbridge.mapping.postings.explanation import Mapped
from claimbridge.model import (
    Advance,
    Claim,
    Payee,
    Posting,
    Side,
    Voucher,
    converted,
    owed_to_employee,
)
from claimbridge.model.money import EXACT, summed

_ZERO = Decimal(0)


def map_in_parts(chart: Chart, claim: Claim, *, most: int | None) -> tuple[Mapped, ...]:
    """Return the claim's vouchers, of ``most`` postings each (None: without limit).

    One voucher where it fits. Of several, each carries its ``part`` and ``parts``, and their sums
    per account are those of the undivided voucher. Raises ClaimError CB-164 where a single line is
    too long, or the claim has to stay whole; and what ``Chart.map`` raises.
    """
    whole = chart.map(claim)
    if most is None or len(whole.voucher.postings) <= most:
        return (whole,)
    parts = _map_parts(chart, claim, whole.voucher, most)
    if _sums(part.voucher for part in parts) != _sums([whole.voucher]):
        raise _indivisible(claim, "its parts would not be posted as the whole is")
    return parts


def _map_parts(chart: Chart, claim: Claim, whole: Voucher, most: int) -> tuple[Mapped, ...]:
    """Return the vouchers of few parts, of nearly equally many lines, that all fit."""
    lines, postings = len(claim.lines), len(whole.postings)
    count = max(2, -(-postings // most))
    longest = Counter(_line_of(posting) for posting in whole.postings if posting.source)
    while count <= lines and max(longest.values(), default=0) <= most:
        vouchers: list[Mapped] = []
        for part in _divide(claim, count):
            mapped = chart.map_part(part, of=claim)
            if len(mapped.voucher.postings) > most:
                break
            vouchers.append(mapped)
        else:
            return tuple(
                Mapped(
                    _number(mapped.voucher, claim.id, part, count), mapped.explain, mapped.period
                )
                for part, mapped in enumerate(vouchers, start=1)
            )
        # By a quarter, and to single lines at last: ten thousand lines end in some forty tries.
        count = min(count + count // 4 + 1, lines) if count < lines else lines + 1
    raise _indivisible(
        claim,
        f"its voucher has {postings} postings, a document takes {most}, and one line has more with "
        "those who are owed for it",
    )


def _line_of(posting: Posting) -> str:
    """Return the line that a posting came from: ``lines[3]`` of ``lines[3].items[0].amount``."""
    return posting.source.partition(".")[0]


def _number(voucher: Voucher, claim_id: str, part: int, parts: int) -> Voucher:
    return msgspec.structs.replace(
        voucher, claim_id=claim_id, document_number=part, documents=parts
    )


def _divide(claim: Claim, count: int) -> list[Claim]:
    """Return ``count`` claims of the claim's lines; advances and payees follow what is owed."""
    size, more = divmod(len(claim.lines), count)
    ends = [part * size + min(part, more) for part in range(count + 1)]
    advances, payees = list(claim.advances), list(claim.payees)
    parts = []
    for part, (first, last) in enumerate(pairwise(ends), start=1):
        try:
            bare = _bare(claim, part, first, last)
            owed = owed_to_employee(bare)
            settled = _take_from(advances, owed, last=part == count)
            for advance in settled:
                owed = EXACT.subtract(owed, advance.settled)
            paid = _pay_from(payees, owed)
            parts.append(msgspec.structs.replace(bare, advances=settled, payees=paid))
        except ClaimError as error:
            raise _indivisible(
                claim, f"its part {part} of {count} cannot exist: {error}"
            ) from error
    return parts


def _bare(claim: Claim, part: int, first: int, last: int) -> Claim:
    lines = claim.lines[first:last]
    total = summed(converted(line, claim.currency) for line in lines)
    return msgspec.structs.replace(
        claim, id=f"{claim.id}/{part}", lines=lines, total=total, advances=(), payees=()
    )


def _take_from(advances: list[Advance], owed: Decimal, *, last: bool) -> tuple[Advance, ...]:
    """Take from the advances what settles ``owed``; what is returned goes with the last part."""
    taken: list[Advance] = []
    for index, advance in enumerate(advances):
        settled = max(_ZERO, min(advance.settled, owed))
        returned = advance.returned if last else _ZERO
        if settled or returned:
            taken.append(Advance(reference=advance.reference, settled=settled, returned=returned))
        owed = EXACT.subtract(owed, settled)
        left = EXACT.subtract(advance.settled, settled)
        advances[index] = msgspec.structs.replace(advance, settled=left)
    return tuple(taken)


def _pay_from(payees: list[Payee], owed: Decimal) -> tuple[Payee, ...]:
    paid: list[Payee] = []
    for index, payee in enumerate(payees):
        amount = min(payee.amount, owed)
        if amount > 0:
            paid.append(msgspec.structs.replace(payee, amount=amount))
            owed = EXACT.subtract(owed, amount)
            left = EXACT.subtract(payee.amount, amount)
            payees[index] = msgspec.structs.replace(payee, amount=left)
    return tuple(paid)


def _sums(vouchers: Iterable[Voucher]) -> dict[Sequence[str], Decimal]:
    """Return what is posted where, debits positive; accounts that come to nothing left out."""
    sums: dict[Sequence[str], Decimal] = defaultdict(Decimal)
    for voucher in vouchers:
        for posting in voucher.postings:
            add = EXACT.add if posting.side is Side.DEBIT else EXACT.subtract
            sums[_place(posting)] = add(sums[_place(posting)], posting.amount)
    return {place: amount for place, amount in sums.items() if amount}


def _place(posting: Posting) -> Sequence[str]:
    return (
        posting.company,
        posting.account,
        posting.currency,
        posting.partner,
        posting.cost_centre,
        posting.project,
        posting.tax_code,
        repr(sorted(posting.dimensions.items())),
    )


def _indivisible(claim: Claim, why: str) -> ClaimError:
    return ClaimError(
        f"it is too long for one document of this ERP and cannot be divided: {why}; "
        "claim it in several claims",
        code="CB-164",
        claim_id=claim.id,
    )
