"""What was tolerated in replies: reported once for each difference, and counted."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from claimbridge.contract.calls.drift import kind_of
from claimbridge.errors import ContractDriftWarning
from claimbridge.turns import Turn

_MOST: Final = 1000
"""Differences that are kept apart: a server that invents names must not fill our memory."""


class Drifts:
    """The differences between a ledger's replies and its contract; threads may share it."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._counts: Counter[str] = Counter()
        self._told: set[str] = set()
        self._turn = Turn()

    def note(self, differences: Iterable[str]) -> None:
        """Count differences from the contract, and warn of each that is new.

        A namespace that the ERP leaves out is one difference, at however many elements.
        A warning that is turned into an error is swallowed: it must never cost a reply.
        """
        for difference in self._new(differences):
            self._warn(
                f"the ERP's replies differ from its contract: {difference}; compare and lock the "
                "contract again before it hurts"
            )

    def report(self, sentences: Iterable[str]) -> None:
        """Count what was wrong with how replies were written or sent, as ``note`` does."""
        for sentence in self._new(sentences):
            self._warn(f"{sentence}; it is read all the same, but let the ERP's people know")

    def _new(self, sentences: Iterable[str]) -> Iterator[str]:
        """Count sentences, and yield those that say something new."""
        for sentence in sentences:
            with self._turn.hold():
                if sentence not in self._counts and len(self._counts) >= _MOST:
                    continue
                self._counts[sentence] += 1
                kind = kind_of(sentence)
                new = kind not in self._told
                self._told.add(kind)
            if new:
                yield sentence

    def _warn(self, what: str) -> None:
        with contextlib.suppress(ContractDriftWarning):
            warnings.warn(f"ledger {self._ledger}: {what}", ContractDriftWarning, stacklevel=4)

    def counts(self) -> Mapping[str, int]:
        """Return how often each difference was met since the ledger was opened."""
        with self._turn.hold():
            return dict(self._counts)
