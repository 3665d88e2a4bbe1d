"""The stores that the journal's promises are held to: one class each, listed in STORES."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from tests.journal.samples import LEDGER, SteppedClock, run, submission

from claimbridge.journal import Keeper, MemoryJournal, SqliteJournal
from claimbridge.journal.memory import MemoryStore, Shelf


class Setting(Protocol):
    """A journal, another owner's journal on the same store, and what may happen around them."""

    journal: Keeper
    neighbour: Keeper

    def __init__(self, folder: Path) -> None: ...

    def begin_by_a_dead_owner(self, claim_id: str) -> None:
        """Have an owner begin a flight of a claim, and die."""
        ...


class InMemory(Setting):
    def __init__(self, folder: Path) -> None:
        journal = MemoryJournal(clock=SteppedClock())
        self.journal, self.neighbour, self._third = journal, journal.twin(), journal.twin()

    def begin_by_a_dead_owner(self, claim_id: str) -> None:
        assert self._third.begin(self._third.history(LEDGER, claim_id), [submission(claim_id)])
        self._third.abandon_flights()


class InSqlite(Setting):
    def __init__(self, folder: Path) -> None:
        self._path = folder / "claims.db"
        clock = SteppedClock()
        self.journal = SqliteJournal(self._path, clock=clock)
        self.neighbour = SqliteJournal(self._path, clock=clock)

    def begin_by_a_dead_owner(self, claim_id: str) -> None:
        run("begin_and_die", self._path, claim_id)


class Leases:
    """Who lives in a store that machines share: until when each does, on the store's own clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.until: dict[str, float] = {}

    def living(self) -> set[str]:
        """Forget who is dead, so that he never lives again; return the others."""
        self.until = {owner: end for owner, end in self.until.items() if end > self.now}
        return set(self.until)


class LeasedOwners:
    """Owners whose lives end when they are not renewed in time, while their process goes on."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._me = ""

    def me(self) -> str:
        return self._me

    def appear(self, *, idle: bool) -> str:
        if not self._me or (idle and not self.stands(self._me)):
            self._me = secrets.token_hex(8)
            self._leases.until[self._me] = self._leases.now + 30
        return self._me

    def stands(self, owner: str) -> bool:
        return owner == self._me and owner in self._leases.living()

    def living(self, owners: Collection[str]) -> Collection[str]:
        return self._leases.living().intersection(owners)

    def retire(self) -> None:
        self._leases.until.pop(self._me, None)
        self._me = ""

    def sweep(self) -> None:
        self._leases.living()


class Leased(Setting):
    """As a database with leases: what lives there is decided by nothing of a process."""

    def __init__(self, folder: Path) -> None:
        self.leases = Leases()
        self._shelf, self._clock = Shelf(), SteppedClock()
        self.journal, self.neighbour = self.another(), self.another()

    def another(self) -> Keeper:
        """Return another machine's journal on the same store."""
        return Keeper(MemoryStore(self._shelf), LeasedOwners(self.leases), clock=self._clock)

    def begin_by_a_dead_owner(self, claim_id: str) -> None:
        hung = self.another()
        assert hung.begin(hung.history(LEDGER, claim_id), [submission(claim_id)])
        self.leases.now += 60


STORES: tuple[type[Setting], ...] = (InMemory, InSqlite, Leased)
