"""Which day a claim's voucher is posted on, and why."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.periods import DEFAULT_SOURCES, Period, Periods
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.model import Claim
from claimbridge.model.zones import day_in


class Dates(NamedTuple):
    """A voucher's two dates, and the sentence that says where the posting date came from.

    ``period`` is the posting date's; None where the chart has no periods.
    """

    document: dt.date
    posting: dt.date
    reason: str
    period: Period | None


_OWN: Final = "the claim's own"
_WORDS: Final = {
    "invoice": "the day of the latest invoice",
    "approval": "the day of the approval",
    "line": "the day of the latest line",
}


def dates_of(rules: ChartRules, claim: Claim) -> Dates:
    """Return the claim's dates.

    The posting date is the claim's own. Otherwise it is the first that the claim has of the sources
    that the chart names (without periods: the approval, otherwise the latest line). The approval's
    day is that of the company's time zone. A date in a closed period moves to the first day of the
    next open one if the chart says so; the claim's own date never moves. The document date is that
    of the latest line or document.

    Raises MappingError. CB-117: the chart is not valid on the posting date. CB-194: there is no
    date. CB-195: the period is closed. CB-196: the day is in no period. CB-198: the approval
    decides, and nobody names a time zone.
    """
    latest = max(line.date for line in claim.lines)
    documents = [d.date for line in claim.lines for d in line.documents if d.date is not None]
    posting, reason = _choose(rules, claim, latest, documents)
    period = None
    if rules.periods is not None:
        posting, period, reason = _in_period(rules, rules.periods, claim, posting, reason)
    first, last = rules.valid_from, rules.valid_to
    if (first is not None and posting < first) or (last is not None and posting > last):
        raise MappingError(
            f'posting date {posting} ({reason}) is outside chart "{rules.name}", which is valid '
            f"from {first or 'the beginning'} to {last or 'further notice'}",
            code="CB-117",
            claim_id=claim.id,
        )
    return Dates(max([latest, *documents]), posting, reason, period)


def _choose(
    rules: ChartRules, claim: Claim, latest: dt.date, documents: list[dt.date]
) -> tuple[dt.date, str]:
    if claim.posting_date is not None:
        return claim.posting_date, _OWN
    sources = DEFAULT_SOURCES if rules.periods is None else rules.periods.sources
    for source in sources:
        if source == "line":
            return latest, _WORDS[source]
        if source == "invoice" and documents:
            return max(documents), _WORDS[source]
        if source == "approval" and claim.approved_at is not None:
            return _approval_day(rules, claim, claim.approved_at)
    raise MappingError(
        f'chart "{rules.name}" takes the posting date from {" or ".join(sources)}, and the claim '
        'has none of it; give the claim a posting date, or add "line" to [periods] posting_date',
        code="CB-194",
        claim_id=claim.id,
    )


def _approval_day(rules: ChartRules, claim: Claim, moment: dt.datetime) -> tuple[dt.date, str]:
    """Return the day of the approval in the time zone of the company's books."""
    zone = rules.zone_of(claim.company)
    if zone is None:
        raise MappingError(
            f"the moment of the approval, {moment.isoformat()}, decides the posting date, and it "
            "is another day in another time zone; give the ledger or the chart's "
            f"[company.{claim.company}] a time_zone, or the claim a posting date",
            code="CB-198",
            claim_id=claim.id,
        )
    return day_in(zone, moment), f"{_WORDS['approval']} in {zone.key}"


def _in_period(
    rules: ChartRules, periods: Periods, claim: Claim, posting: dt.date, reason: str
) -> tuple[dt.date, Period, str]:
    """Return the posting date in an open period, that period, and the reason with what moved it."""
    period = periods.calendar.find(posting)
    if period is None:
        raise MappingError(
            f"posting date {posting} ({reason}) is in no period of the chart; list its period",
            code="CB-196",
            claim_id=claim.id,
        )
    companies = [claim.company] if rules.recharge else _companies(claim)
    closed = periods.closed_for(period, companies)
    if not closed:
        return posting, period, f"{reason}; period {period.name}"
    following = periods.next_open(period, companies)
    why = f"period {period} is closed for {', '.join(closed)}"
    if following is None:
        raise MappingError(
            f"posting date {posting} ({reason}): {why}, and so is every later one that the chart "
            "has; open one",
            code="CB-196",
            claim_id=claim.id,
        )
    if not periods.move or claim.posting_date is not None:
        raise MappingError(
            f"posting date {posting} ({reason}): {why}; post to {following.name}, the next open "
            f"period, from {following.first} on, or open {period.name}",
            code="CB-195",
            claim_id=claim.id,
        )
    return (
        following.first,
        following,
        f"{reason} is {posting}, but {why}: moved to the first day of {following.name}, the next "
        "open one",
    )


def _companies(claim: Claim) -> list[str]:
    """Return the companies whose books the claim may concern, its own first."""
    companies = {claim.company: None}
    for line in claim.lines:
        if line.company:
            companies[line.company] = None
        for part in line.allocations:
            if part.company:
                companies[part.company] = None
    return list(companies)
