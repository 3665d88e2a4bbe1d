"""The findings of ``chart check``."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Weight: TypeAlias = Literal["fix", "look", "note"]


class ChartFinding(msgspec.Struct, frozen=True):
    """One finding about a chart.

    ``weight``: ``fix`` is wrong and must be fixed, ``look`` may be meant, ``note`` is only for
    information. ``where`` names the row, type or table.
    """

    kind: Literal[
        "gap",
        "unreachable",
        "overlap",
        "account",
        "department",
        "spelling",
        "dates",
        "period",
        "rates",
    ]
    weight: Weight
    where: str
    text: str


__all__ = ["ChartFinding", "Weight"]
