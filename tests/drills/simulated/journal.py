"""A journal in memory that can go back to an earlier copy, with a mark that does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from claimbridge.clock import Clock
from claimbridge.journal import newest
from claimbridge.journal.memory import MemoryJournal, _Record
from claimbridge.journal.newest import Lineage, Mark
from claimbridge.model import Continuity, History, Submission


class Kept(msgspec.Struct):
    """What twins share: the record and what it says of itself, and the mark outside it."""

    record: Any
    id: str = "journal 1"
    begun: int = 0
    mark: Mark | None = None


class MarkedJournal(MemoryJournal):
    """Judges by its mark whether it is the newest, as a journal in a file does."""

    def __init__(self, *, clock: Clock, kept: Kept | None = None) -> None:
        super().__init__(clock=clock)
        self.kept = kept or Kept(self._record)
        self._record = self.kept.record

    def twin(self) -> MarkedJournal:
        """Return another process's journal on the same record."""
        return MarkedJournal(clock=self._clock, kept=self.kept)

    def copy(self) -> Kept:
        """Return a backup: all but the mark."""
        return msgspec.structs.replace(self.kept, record=_copied(self.kept.record))

    def bring_back(self, backup: Kept | None) -> None:
        """Let a backup take the record's place, an empty journal for None; the mark stays."""
        backup = backup or Kept(_Record(), id="journal 2")
        self.kept.record = _copied(backup.record)
        self.kept.id, self.kept.begun = backup.id, backup.begun

    def open_anew(self) -> None:
        """Act as a process that has just been started, after ``bring_back``."""
        self.abandon_flights()
        self._record = self.kept.record

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Begin a flight, count it, and move the mark on."""
        refusal = newest.refused(self.continuity())
        if refusal is not None:
            raise refusal
        history = super().begin(seen, changed)
        if history is not None:
            self.kept.begun += 1
            self.kept.mark = Mark(self.kept.id, self.kept.begun, written=self._clock.now())
        return history

    def continuity(self) -> Continuity:
        """Return what follows from the record and the mark."""
        kept, record = self.kept, self._record
        marked = kept.begun > 0
        held = Lineage(kept.id, kept.begun, record.begun_at, marked)
        return newest.judged("simulated", held, kept.mark, tuple(record.gaps))

    def make_newest(self) -> None:
        """Have this journal count as the newest from now on."""
        kept = self.kept
        ahead = kept.mark.begun if kept.mark is not None else 0
        kept.id, kept.begun = f"{kept.id}+", max(kept.begun, ahead) + 1
        kept.mark = Mark(kept.id, kept.begun)


def _copied(record: _Record) -> _Record:
    other = _Record()
    for name in ("books", "begun_at"):
        setattr(other, name, getattr(record, name))
    for name in ("histories", "references", "numbers", "aloft", "cursors", "sights", "gaps"):
        setattr(other, name, getattr(record, name).copy())
    for name, inner in (("of_claim", set), ("users", dict), ("by_state", dict), ("moves", list)):
        copies = {key: value.copy() for key, value in getattr(record, name).items()}
        setattr(other, name, defaultdict(inner, copies))
    return other


__all__ = ["Kept", "MarkedJournal"]
