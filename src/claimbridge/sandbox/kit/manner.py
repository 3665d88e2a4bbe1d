"""How a reply is written: tidily, or as untidily as those of real systems.

A Responder finds the manner in its call, and asks it at every place where real systems differ:

    text = call.manner.choose("note", "Document posted", "凭证过帐成功", "")

Nothing that a manner decides may change what the reply means: a profile reads the same outcome.
"""

from __future__ import annotations

import random
import threading
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


class Manner(msgspec.Struct, frozen=True):
    """The manner of one reply; equal manners write equal replies.

    ``lifelike`` False: everything is written in the one tidy way. ``turn`` is the number of the
    call, counted from 1; with ``seed`` it decides what a lifelike reply looks like.
    """

    lifelike: bool = False
    seed: int = 0
    turn: int = 0

    def choose(self, what: str, tidy: _T, *others: _T) -> _T:
        """Return ``tidy``; from a lifelike ERP, any of them. ``what`` names the choice."""
        if not self.lifelike:
            return tidy
        return self.draw(what).choice((tidy, *others))

    def happens(self, what: str, *, chance: float = 0.5) -> bool:
        """Say whether a lifelike reply has ``what``; a tidy one never has."""
        return self.lifelike and self.draw(what).random() < chance

    def draw(self, what: str) -> random.Random:
        """Return the chance that decides about ``what``, always the same for one manner."""
        return random.Random(f"{self.seed}/{self.turn}/{what}")  # noqa: S311 - for tests, no secret


TIDY = Manner()


class Manners:
    """Gives each call of a sandbox its manner. Safe between threads."""

    def __init__(self, *, lifelike: bool = False, seed: int | None = None) -> None:
        self._lifelike = lifelike
        self._lock = threading.Lock()
        self._seed = seed or 0
        self._turn = 0

    def begin(self, seed: int) -> None:
        """Count calls from 1 again, under another seed."""
        with self._lock:
            self._seed, self._turn = seed, 0

    def next(self) -> Manner:
        """Return the manner of the next call."""
        with self._lock:
            self._turn += 1
            return Manner(self._lifelike, self._seed, self._turn)
