"""A journal in memory that can go back to an earlier copy, with a mark that does not."""

from __future__ import annotations

import copy
from collections.abc import Callable

import msgspec

from claimbridge.clock import Clock
from claimbridge.journal import Keeper
from claimbridge.journal.memory import MemoryOwners, MemoryStore, Shelf
from claimbridge.journal.newest import Evidence, Lineage, Mark
from claimbridge.journal.ports import ClaimWrite, Judge


class Disk:
    """What twins share: the shelf, and the mark outside it."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.shelf.lineage = Lineage("journal 1")
        self.mark: Mark | None = None


class MarkedStore(MemoryStore):
    """A store in memory with a mark, as a file has one."""

    def __init__(self, disk: Disk, clock: Clock) -> None:
        super().__init__(disk.shelf)
        self._disk = disk
        self._clock = clock

    def put(self, write: ClaimWrite, judge: Judge) -> bool:
        """Write, and move the mark on where a flight begins."""
        done = super().put(write, judge)
        if done and write.takeoffs:
            lineage = self._disk.shelf.lineage
            self._disk.mark = Mark(lineage.id, lineage.begun, written=self._clock.now())
        return done

    def evidence(self) -> Evidence:
        """Return what the shelf and the mark say."""
        evidence = super().evidence()
        lineage = msgspec.structs.replace(evidence.lineage, marked=evidence.lineage.begun > 0)
        return msgspec.structs.replace(
            evidence, where="simulated", lineage=lineage, mark=self._disk.mark, lasting=True
        )

    def renew(self, decide: Callable[[Evidence], bool]) -> None:
        """Have the shelf count as the newest."""
        disk, lineage = self._disk, self._disk.shelf.lineage
        if decide(self.evidence()):
            ahead = disk.mark.begun if disk.mark is not None else 0
            begun = max(lineage.begun, ahead) + 1
            disk.mark = Mark(f"{lineage.id}+", begun)
            disk.shelf.lineage = msgspec.structs.replace(lineage, id=disk.mark.journal, begun=begun)


class MarkedJournal(Keeper):
    """Judges by its mark whether it is the newest, as a journal in a file does."""

    def __init__(self, *, clock: Clock, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        owners = MemoryOwners(self._disk.shelf)
        super().__init__(MarkedStore(self._disk, clock), owners, clock=clock)

    def twin(self) -> MarkedJournal:
        """Return another process's journal on the same disk."""
        return MarkedJournal(clock=self._clock, disk=self._disk)

    def copy(self) -> Shelf:
        """Return a backup: all but the mark."""
        return _copied(self._disk.shelf)

    def bring_back(self, backup: Shelf | None) -> None:
        """Let a backup take the shelf's place, an empty journal for None; the mark stays.

        So does who lives: every process must have been abandoned before, and nobody comes back.
        """
        shelf = self._disk.shelf
        if backup is None:
            backup = Shelf()
            backup.lineage = Lineage("journal 2")
        kept = {"turn", "owners", "born"}
        vars(shelf).update(
            {name: one for name, one in vars(_copied(backup)).items() if name not in kept}
        )


def _copied(shelf: Shelf) -> Shelf:
    """Return a shelf with containers of its own; what stands in them is frozen."""
    other = Shelf()
    for name, value in vars(shelf).items():
        if name != "turn":
            one = copy.copy(value)
            if isinstance(one, dict):
                one.update({key: copy.copy(inner) for key, inner in one.items()})
            setattr(other, name, one)
    return other


__all__ = ["MarkedJournal"]
