"""What ``chart check`` says about a chart."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Weight: TypeAlias = Literal["mend", "look", "note"]


class ChartFinding(msgspec.Struct, frozen=True):
    """One finding about a chart.

    ``weight``: ``mend`` for what is wrong, ``look`` for what may be meant, ``note`` for what is
    good to know. ``where`` names the row, type or table.
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
