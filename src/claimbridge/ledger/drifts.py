"""What was tolerated in replies: told once for each difference, and counted."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from claimbridge.errors import ContractDriftWarning
from claimbridge.turns import Turn

_MOST: Final = 1000
"""Differences that are told apart: a server that invents names must not fill our memory."""


class Drifts:
    """The differences between a ledger's replies and its contract; threads may share it."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._counts: Counter[str] = Counter()
        self._turn = Turn()

    def note(self, differences: Iterable[str]) -> None:
        """Count differences, and warn of each that is new.

        A warning that is turned into an error is swallowed: it must never cost a reply.
        """
        for difference in differences:
            with self._turn.held():
                new = difference not in self._counts
                if new and len(self._counts) >= _MOST:
                    continue
                self._counts[difference] += 1
            if new:
                self._warn(difference)

    def _warn(self, difference: str) -> None:
        text = (
            f"ledger {self._ledger}: the ERP's replies differ from its contract: {difference}; "
            "compare and lock the contract again before it hurts"
        )
        with contextlib.suppress(ContractDriftWarning):
            warnings.warn(text, ContractDriftWarning, stacklevel=2)

    def counts(self) -> Mapping[str, int]:
        """Return how often each difference was met since the ledger was opened."""
        with self._turn.held():
            return dict(self._counts)
