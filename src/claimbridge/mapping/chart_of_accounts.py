"""The chart of accounts: which postings a claim becomes."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.mapping.chart.checks import check_rules
from claimbridge.mapping.chart.files.code_lists import read_accounts, read_departments
from claimbridge.mapping.chart.files.content import parse_toml
from claimbridge.mapping.chart.files.files import load_content, without_files
from claimbridge.mapping.chart.files.rules_from_tables import rules_from_tables
from claimbridge.mapping.chart.finding import ChartFinding
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.mapping.postings.claim import map_claim
from claimbridge.mapping.postings.explanation import Mapped
from claimbridge.model import Claim


class Chart:
    """A checked chart; it never changes, and threads may share it.

    Make one with ``load`` or ``from_toml``. ``name`` is the chart's own.
    """

    def __init__(self, rules: ChartRules) -> None:
        self._rules = rules
        self.name: str = rules.name

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Chart:
        """Return the chart at ``path``: TOML, a folder of CSV files, or an Excel workbook.

        With ``[chart] extends`` it answers as that chart does where it has no answer of its own.
        Raises ConfigurationError naming the file and its table or row that is wrong, or the file
        when it cannot be read; MissingExtra for Excel where openpyxl is not installed.
        """
        return cls(rules_from_tables(load_content(Path(path))))

    @classmethod
    def from_toml(cls, data: bytes, *, origin: str = "chart") -> Chart:
        """Return the chart that ``data`` describes; ``origin`` names it in messages.

        Raises ConfigurationError naming the table or row that is wrong, or for a chart that needs
        other files.
        """
        return cls(rules_from_tables(without_files(parse_toml(data, file=origin))))

    def in_zone(self, zone: ZoneInfo | None) -> Chart:
        """Return the chart for a ledger whose days begin in ``zone``; None: it does not say.

        A company's own ``time_zone`` goes before it.
        """
        return Chart(msgspec.structs.replace(self._rules, zone=zone))

    def zone_of(self, company: str) -> ZoneInfo | None:
        """Return the time zone in which a company's days begin; None where nobody names one."""
        return self._rules.zone_of(company)

    def map(self, claim: Claim) -> Mapped:
        """Return the claim's voucher, balanced and equal to its total, with the reasons for it.

        The same claim gives the same voucher, to the byte. Raises MappingError naming the line
        and the decision that the chart does not make, or ClaimError when the voucher cannot
        exist.
        """
        return map_claim(self._rules, claim)

    def map_part(self, part: Claim, *, of: Claim) -> Mapped:
        """Return the voucher of a claim that is a part ``of`` another, as ``map`` does.

        It has that one's dates, and the documents on lines of both are known to be shared.
        """
        return map_claim(self._rules, part, part_of=of)

    @property
    def companies(self) -> Mapping[str, str]:
        """The companies that it knows, each with its currency."""
        return {code: company.currency for code, company in self._rules.companies.items()}

    @property
    def expense_types(self) -> Sequence[str]:
        """The types of expense that it has rows for, in the order of their first rows."""
        return self._rules.rows.types()

    def period_of(self, day: dt.date) -> str | None:
        """Return the name of the fiscal period that a day is in; all companies share the calendar.

        None for a day in no period, and where the chart has no periods.
        """
        periods = self._rules.periods
        period = periods.calendar.find(day) if periods is not None else None
        return period.name if period is not None else None

    def check(
        self,
        *,
        day: dt.date,
        accounts: Collection[str] | None = None,
        departments: Collection[str] | None = None,
    ) -> tuple[ChartFinding, ...]:
        """Return what is doubtful in the chart on ``day``, what must be mended first.

        ``accounts`` are those that the ERP has, ``departments`` those that claims may name; None:
        those that ``account_list`` and ``department_list`` of ``[chart]`` name, if they do. Raises
        ConfigurationError where such a list cannot be read.
        """
        named = self._rules.account_list
        if accounts is None and named is not None:
            accounts = read_accounts(Path(named))
        named = self._rules.department_list
        if departments is None and named is not None:
            departments = read_departments(Path(named))
        return check_rules(self._rules, day=day, accounts=accounts, departments=departments)

    def __repr__(self) -> str:
        return f"Chart({self.name!r})"
