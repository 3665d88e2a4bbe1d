"""What becomes of one request and its reply on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tests.exchanger import Exchange

from claimbridge.model import JournalEntry, Outcome, OutcomeKind

if TYPE_CHECKING:
    from tests.drills.simulated.world import Episode, Task

TIMEOUT = 60.0
FAULTS = (
    "not delivered",
    "request lost",
    "request late",
    "request late to the last second",
    "reply lost",
    "reply after the time-out",
    "reply half read",
    "reply names a wrong reference",
    "reply contradicts itself",
    "slow",
    "request duplicated",
    "batch cut short",
    "batch reply partial",
)
_K = OutcomeKind


class Fate:
    """What becomes of one request and its reply."""

    def __init__(self, episode: Episode, task: Task, step: Exchange, fault: str) -> None:
        self.episode = episode
        self.task = task
        self.step = step
        rng = episode.rng
        self.there = rng.uniform(0.01, 0.5)
        self.back = rng.uniform(0.01, 0.5)
        self.fault = self._possible(fault)
        if self.fault:
            episode.count_fault(self.fault)

    def _possible(self, fault: str) -> str:
        """Leave out what cannot happen to this request, or what no client could survive."""
        many = len(self.step.submissions) > 1
        if fault.startswith("batch") and not many:
            return "reply lost"
        asking = self.step.verb == "query"
        if asking and ("late" in fault or "duplicated" in fault or "lost" in fault):
            return "request lost"
        if asking and fault == "reply contradicts itself":
            return "reply half read"
        unique = self.episode.traits.capabilities.unique_reference
        if fault == "request duplicated" and not unique:
            return "reply lost"
        return fault

    def play(self) -> None:
        """Schedule the arrival at the ERP and the answer to the sender."""
        episode, rng = self.episode, self.episode.rng
        fault = self.fault
        after, now = episode.after, episode.clock.t
        if fault == "not delivered":
            self._answer_in(0.05, Outcome(kind=_K.NOT_DELIVERED, text="refused"))
        elif fault == "request lost":
            self._answer_in(rng.choice((0.1, TIMEOUT)), _nothing("lost"))
        elif fault.startswith("request late"):
            heard = rng.choice((0.1, 0.1, TIMEOUT))
            life = rng.uniform(0.5, episode.longest_life)
            if fault.endswith("second"):
                life = episode.longest_life - rng.choice((0.0, 0.5, 2.0, 10.0))
            episode.at(now + life, episode.arrive_unheard, self.task.erp, self.step)
            self._answer_in(heard, _nothing("reset"))
        elif fault == "slow":
            self.there = rng.choice((0.1, rng.uniform(0.01, 29)))
            self.back = rng.uniform(0.01, 30)
            after(self.there, self._arrive)
        else:
            after(self.there, self._arrive)

    def _answer_in(self, seconds: float, *outcomes: Outcome) -> None:
        self.episode.answer_in(seconds, self.task, self.step, outcomes)

    def _arrive(self) -> None:
        episode, step, fault = self.episode, self.step, self.fault
        if episode.is_down():
            self._answer_in(0.1, _nothing("reset"))
            return
        most = None
        if fault == "batch cut short":
            most = episode.rng.randrange(len(step.submissions))
        outcomes = episode.arrive(self.task.erp, step, most)
        if fault in ("reply lost", "reply half read", "batch cut short"):
            self._answer_in(episode.rng.choice((0.1, TIMEOUT)), _nothing(fault))
        elif fault == "reply after the time-out":
            self._answer_in(TIMEOUT, _nothing("timed out"))
        elif fault == "reply names a wrong reference":
            wrong = tuple(msgspec.structs.replace(one, reference="SOMEONE") for one in outcomes)
            self._answer_in(self.back, *wrong)
        elif fault == "reply contradicts itself":
            other = msgspec.structs.replace(outcomes[0], journal_entry=JournalEntry("777"))
            self._answer_in(self.back, *outcomes, other)
        elif fault == "batch reply partial":
            self._answer_in(self.back, *outcomes[: episode.rng.randrange(len(outcomes))])
        elif fault == "request duplicated":
            self._duplicated(outcomes)
        else:
            self._answer_in(self.back, *outcomes)

    def _duplicated(self, outcomes: tuple[Outcome, ...]) -> None:
        """The second copy meets what the first left; one of the two answers comes back."""
        if all(one.kind not in (_K.REJECTED,) for one in outcomes):
            again = self.episode.arrive(self.task.erp, self.step)
            later = self.episode.rng.uniform(0, self.episode.longest_life)
            self.episode.after(later, self.episode.arrive_unheard, self.task.erp, self.step)
            outcomes = self.episode.rng.choice((outcomes, again))
        self._answer_in(self.back, *outcomes)


def _nothing(text: str) -> Outcome:
    return Outcome(kind=_K.UNKNOWN, text=text)


__all__ = ["FAULTS", "TIMEOUT", "Fate"]
