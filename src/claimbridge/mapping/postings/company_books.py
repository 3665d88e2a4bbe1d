"""The books that a claim is posted in: its company's, and those of companies that bear its costs.

Each company's postings balance by themselves. The debt of another company is a receivable in the
books of the claim's company. Unless an invoice recharges it, it is also a payable in that company's
own books.
"""

from __future__ import annotations

from decimal import Decimal

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.rules import ChartRules, Company
from claimbridge.mapping.postings.chart_answers import nearest
from claimbridge.model import Claim
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT


class Sum:
    """An amount that comes from several lines of a claim."""

    def __init__(self) -> None:
        self.amount = Decimal(0)
        self._lines: dict[int, None] = {}

    def add(self, amount: Decimal, index: int) -> None:
        """Add what the line at ``index`` brings; zero leaves no trace."""
        if amount:
            self.amount = EXACT.add(self.amount, amount)
            self._lines[index + 1] = None

    def __bool__(self) -> bool:
        """Whether any line brought something, even where it cancels out."""
        return bool(self._lines)

    @property
    def lines(self) -> str:
        """The lines as people count them: ``lines 1, 3``."""
        noun = "line" if len(self._lines) == 1 else "lines"
        return f"{noun} {', '.join(map(str, self._lines))}"


class CompanyBook:
    """One company's part of a claim; ``code`` is empty for the claim's own.

    ``due`` is what another company owes the claim's, ``receivable`` its account there and
    ``payable`` the one here; both are empty for the claim's own, and ``payable`` where the cost
    is recharged.
    """

    def __init__(
        self, code: str, company: Company, *, receivable: str = "", payable: str = ""
    ) -> None:
        self.code = code
        self.company = company
        self.receivable = receivable
        self.payable = payable
        self.rounding = Sum()
        self.exchange = Sum()
        self.due = Sum()

    @property
    def is_recharged(self) -> bool:
        """Whether nothing is posted here, but the cost recharged by an invoice."""
        return bool(self.code) and not self.payable


def open_company_book(rules: ChartRules, claim: Claim, code: str, path: ClaimPath) -> CompanyBook:
    """Return the books of another company that bears cost of the claim.

    Raises MappingError CB-126 for a company, or an account between the two, that the chart does
    not have.
    """
    company = rules.companies.get(code)
    if company is None:
        raise MappingError(
            f'{path}: company "{code}" bears its cost, and has no [company] table in chart '
            f'"{rules.name}"; nearest: {nearest(code, rules.companies)}',
            code="CB-126",
            claim_id=claim.id,
        )
    own = rules.companies[claim.company].intercompany.get(code)
    receivable = own.receivable if own else None
    if receivable is None:
        raise _no_account(rules, claim, path, claim.company, code, "receivable")
    if rules.recharge:
        return CompanyBook(code, company, receivable=receivable)
    other = company.intercompany.get(claim.company)
    payable = other.payable if other else None
    if payable is None:
        raise _no_account(rules, claim, path, code, claim.company, "payable")
    return CompanyBook(code, company, receivable=receivable, payable=payable)


def _no_account(
    rules: ChartRules, claim: Claim, path: ClaimPath, of: str, towards: str, kind: str
) -> MappingError:
    pairs = [
        f"{code} towards {other}"
        for code, company in rules.companies.items()
        for other, accounts in company.intercompany.items()
        if getattr(accounts, kind) is not None
    ]
    return MappingError(
        f'{path}: chart "{rules.name}" has no account "{kind}" in '
        f"[company.{of}.intercompany.{towards}], which a cost of one company paid by another "
        f"needs; there are: {', '.join(pairs[:3]) or 'none'}",
        code="CB-126",
        claim_id=claim.id,
    )
