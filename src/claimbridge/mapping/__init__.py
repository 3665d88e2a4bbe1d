"""Claim to voucher: the chart of accounts, tax, currency, and an explanation of every posting."""

from claimbridge.mapping.chart import Chart
from claimbridge.mapping.charts.finding import ChartFinding
from claimbridge.mapping.explanation import Explanation, Mapped

__all__ = ["Chart", "ChartFinding", "Explanation", "Mapped"]
