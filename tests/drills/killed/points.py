"""Where in its life a process is killed: every journal write, every stage of every exchange."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import msgspec
from tests.drills.killed.child import Write
from tests.withstand.relay import Fate, Stage

SENDER: Final = "sender"
ERP: Final = "ERP"


class Point(msgspec.Struct, frozen=True):
    """One moment; exactly one of ``write``, ``stage`` and ``fraction`` says which.

    ``write`` is a write of the journal; ``stage`` one of the ``nth`` exchange, with what becomes
    of the request; ``fraction`` a part of the time that the whole work takes. ``who`` is killed:
    the sender, or the ERP.
    """

    kind: str
    who: str = SENDER
    write: Write | None = None
    nth: int = 0
    stage: Stage | None = None
    fate: Fate = Fate.GO_ON
    fraction: float = 0.0

    def __str__(self) -> str:
        if self.write is not None:
            return f"{self.kind} {self.write.nth}"
        if self.stage is not None:
            return f"{self.kind}, exchange {self.nth}"
        return f"{self.kind} {self.fraction:.4f}"


_STAGES: Final = (
    ("connected", Stage.CONNECTED, Fate.LOSE),
    ("half of the request sent", Stage.HALF_SENT, Fate.LOSE),
    ("request sent, then lost", Stage.SENT, Fate.LOSE),
    ("request sent, arrives late", Stage.SENT, Fate.LATE),
    ("request at the ERP", Stage.DELIVERED, Fate.GO_ON),
    ("answer under way", Stage.ANSWERED, Fate.GO_ON),
    ("half of the answer read", Stage.HALF_ANSWERED, Fate.LOSE),
    ("answer returned", Stage.RETURNED, Fate.GO_ON),
)
_ERP_STAGES: Final = (
    ("ERP killed before the request", Stage.SENT, Fate.LOSE),
    # Its answer is lost whether it has committed by then or not.
    ("ERP killed at work", Stage.DELIVERED, Fate.LOSE),
    ("ERP killed after its answer", Stage.ANSWERED, Fate.GO_ON),
)


def points(*, writes: int, exchanges: int, chance: random.Random) -> Iterator[Point]:
    """Yield points without end, no two the same, of every kind in turn."""
    kinds = [list(kind) for kind in _enumerated(writes, exchanges)]
    for kind in kinds:
        chance.shuffle(kind)
    while True:
        for kind in kinds:
            if kind:
                yield kind.pop()
        yield at_random(chance)


def at_random(chance: random.Random) -> Point:
    """Return a random moment of a process's life."""
    return Point("at a random time", fraction=chance.random())


def _enumerated(writes: int, exchanges: int) -> Iterator[list[Point]]:
    for when, after in (("before", False), ("after", True)):
        kind = f"{when} a journal write"
        yield [Point(kind, write=Write(nth, after)) for nth in range(1, writes + 1)]
    for kind, stage, fate in _STAGES:
        yield [Point(kind, nth=nth, stage=stage, fate=fate) for nth in range(1, exchanges + 1)]
    for kind, stage, fate in _ERP_STAGES:
        yield [Point(kind, ERP, nth=nth, stage=stage, fate=fate) for nth in range(1, exchanges + 1)]
