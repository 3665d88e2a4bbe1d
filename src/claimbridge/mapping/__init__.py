"""Claim to voucher: the chart of accounts, tax, currency, and an explanation of every posting."""

from claimbridge.mapping.chart.finding import ChartFinding
from claimbridge.mapping.chart_of_accounts import Chart
from claimbridge.mapping.postings.explanation import Explanation, Mapped

__all__ = ["Chart", "ChartFinding", "Explanation", "Mapped"]
