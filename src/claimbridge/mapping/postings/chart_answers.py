"""The chart's decisions for a claim and its lines; a missing decision is an error.

Every MappingError names the line, the missing decision, and what in the chart comes nearest.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Sequence
from decimal import Decimal

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.facts import CONDITIONS, Facts, facts_of
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.chart.rules import ChartRules, Company
from claimbridge.mapping.taxes import Levy
from claimbridge.model import Claim, ClaimLine
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT
from claimbridge.model.text import plain


def company_of(rules: ChartRules, claim: Claim) -> Company:
    """Return the claim's company; raises MappingError CB-116 for one outside the chart."""
    company = rules.companies.get(claim.company)
    if company is None:
        raise MappingError(
            f'company "{claim.company}" has no [company] table in chart "{rules.name}"; '
            f"nearest: {nearest(claim.company, rules.companies)}",
            code="CB-116",
            claim_id=claim.id,
        )
    return company


def row_for(
    rules: ChartRules, claim: Claim, line: ClaimLine, path: ClaimPath, posting: dt.date
) -> ExpenseRow:
    """Return the row that answers for a line on a posting date.

    Raises MappingError CB-111 or CB-112, or CB-197 for a condition that cannot be judged.
    """
    sole = rules.rows.unconditional.get(plain(line.type))
    if sole is not None:
        return sole
    facts = facts_of(claim, line, posting)
    row = rules.rows.find(facts)
    if row is not None:
        return row
    rivals = rules.rows.of_type(plain(line.type))
    if not rivals:
        raise MappingError(
            f'{line_name(line, path)} has no expense row in chart "{rules.name}"; '
            f"nearest: {', '.join(rules.rows.nearest(line.type))}",
            code="CB-111",
            claim_id=claim.id,
        )
    raise MappingError(
        f'{line_name(line, path)}: no expense row of its type in chart "{rules.name}" fits '
        f"{_facts_in_words(facts, rivals)}; nearest: {_nearest_rows(facts, rivals)}",
        code="CB-112",
        claim_id=claim.id,
    )


def _facts_in_words(facts: Facts, rivals: Sequence[ExpenseRow]) -> str:
    """Return the facts that the rows of the type ask about."""
    words = [
        f"{name} {fact or 'none'}"
        for number, (name, fact) in enumerate(zip(CONDITIONS, facts.exact, strict=True))
        if any(row.conditions[number] is not None for row in rivals)
    ]
    if any(row.window.over is not None or row.window.up_to is not None for row in rivals):
        words.append(f"amount {facts.amount} {facts.claim.currency}")
    if any(row.window.first is not None or row.window.last is not None for row in rivals):
        words.append(f"posting date {facts.posting}")
    return ", ".join(words) or "it"


def _nearest_rows(facts: Facts, rivals: Sequence[ExpenseRow]) -> str:
    """Return the three rows that miss the fewest of the facts, in the chart's order."""

    def misses(row: ExpenseRow) -> int:
        exact = zip(row.conditions, facts.exact, strict=True)
        missed = sum(values is not None and fact not in values for values, fact in exact)
        return missed + (not row.window.takes(facts.amount, facts.posting))

    closest = sorted(rivals, key=misses)[:3]
    return "; ".join(row.describe() for row in sorted(closest, key=rivals.index))


def input_tax_account(
    rules: ChartRules, claim: Claim, line: ClaimLine, path: ClaimPath, levy: Levy
) -> str:
    """Return the account for a deductible tax, by its kind or rate; raises MappingError CB-113."""
    accounts, rate = rules.accounts.input_tax, levy.rate
    account = (accounts.get(levy.kind) if levy.kind else None) or accounts.get(rate)
    account = account or accounts.get(None)
    if account is None:
        at = "of a rate that neither line nor row states" if rate is None else f"at rate {rate}"
        of_kind = f' of kind "{levy.kind}"' if levy.kind else ""
        rates = sorted(known for known in accounts if isinstance(known, Decimal))
        if rate is not None:
            rates.sort(key=lambda known: EXACT.subtract(known, rate).copy_abs())
        kinds = [known for known in accounts if isinstance(known, str)] if levy.kind else []
        raise MappingError(
            f"{line_name(line, path)} has input tax{of_kind} {at}, for which chart "
            f'"{rules.name}" has no input_tax account; '
            f"nearest: {', '.join([*kinds, *map(str, rates)][:3])}",
            code="CB-113",
            claim_id=claim.id,
        )
    return account


def cost_centre_for(
    claim: Claim, line: ClaimLine, path: ClaimPath, row: ExpenseRow
) -> tuple[str, str]:
    """Return the line's cost centre and whose it is; raises MappingError CB-114.

    Both are empty where there is none and the row asks for none.
    """
    if line.cost_centre:
        return line.cost_centre, "the line's"
    # The claim's own is its company's: in another one's books the code means something else.
    if claim.cost_centre and line.company in ("", claim.company):
        return claim.cost_centre, "the claim's"
    if row.default_cost_centre:
        return row.default_cost_centre, "the chart's default"
    if row.cost_centre_required:
        raise MappingError(
            f"{line_name(line, path)} has no cost centre, nor has the claim, and {row.label} "
            "requires one",
            code="CB-114",
            claim_id=claim.id,
        )
    return "", ""


def dimensions_for(
    claim: Claim, line: ClaimLine, path: ClaimPath, row: ExpenseRow
) -> dict[str, str]:
    """Return the dimensions that the row asks for; raises MappingError CB-115."""
    dimensions = {}
    for name in row.dimensions:
        value = line.dimensions.get(name) or claim.dimensions.get(name)
        if name == "department":
            value = value or line.department or claim.department
        if not value:
            known = sorted({*line.dimensions, *claim.dimensions})
            raise MappingError(
                f'{line_name(line, path)} has no dimension "{name}", nor has the claim, and '
                f"{row.label} asks for it; they have: {', '.join(known) or 'none'}",
                code="CB-115",
                claim_id=claim.id,
            )
        dimensions[name] = value
    return dimensions


def line_name(line: ClaimLine, path: ClaimPath) -> str:
    """Return the name of a line, or of a part of it, in messages."""
    return f'{path} (type "{line.type}")'


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Return up to three of the ``known`` names that are most like the one that was wanted."""
    names = list(known)
    return ", ".join(difflib.get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:3])
