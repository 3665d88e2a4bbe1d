"""The processes of the drill: each wants something of one claim, and writes down how it went."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import msgspec
from tests.withstand.division.test_division import long_claim
from tests.withstand.scene import chart, configured, contract
from tests.withstand.watched import Watched

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import open_journal
from claimbridge.ledger import Ledger
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Profile

PROFILES = ("reference", "sap-bapi")
"""One whose ERP refuses a reference that it has, and one whose ERP does not."""
LINES = {1: 10, 2: 7, 3: 3}
"""How many lines a revision has: three documents, two, one."""
MOST = 5


def short(name: str) -> Profile:
    """Return a profile whose ERP takes five postings in a document."""
    profile = load_profile(name)
    limited = msgspec.structs.replace(profile.capabilities, postings=MOST)
    profile.capabilities = limited  # type: ignore[misc]  # of this profile alone
    return profile


def client(config: LedgerConfig, **more: object) -> Client:
    """Return a client of an ERP of short documents."""
    ledger = Ledger(
        config, profile=short(config.profile), contract=contract(config.profile), chart=chart()
    )
    return Client(config, ledger=ledger, **more)


def config_of(profile: str, port: int, journal: Path) -> LedgerConfig:
    """Return the ledger's configuration; what is lost is tried again soon."""
    return configured(profile, port=port, journal=journal, longest_wait=0.5)


class Wish(msgspec.Struct, frozen=True):
    """What a process wants of a claim: ``submit`` of a revision, ``reverse``, or ``withdraw``."""

    what: str
    revision: int = 0

    def __str__(self) -> str:
        return f"{self.what} {self.revision}" if self.revision else self.what


class Death(msgspec.Struct, frozen=True):
    """When a process is no more: before or after its n-th write; ``stops``: it is stopped only."""

    nth: int
    after: bool
    stops: bool = False


def do(sender: Client, claim_id: str, wish: Wish) -> str:
    """Do what is wished for; return how it ended: ``done``, or the error's code."""
    try:
        if wish.what == "submit":
            sender.submit(long_claim(claim_id, lines=LINES[wish.revision], revision=wish.revision))
        elif wish.what == "reverse":
            sender.reverse(claim_id)
        elif wish.what == "withdraw":
            sender.withdraw(claim_id, reason="taken back", revision=max(LINES))
        else:
            for one in sender.reconcile():
                del one
    except ClaimBridgeError as error:
        return error.code
    return "done"


def run(
    config: LedgerConfig, claim_id: str, wishes: list[Wish], death: Death | None, notes: Path
) -> None:
    """Be the process."""

    def strike(number: int) -> None:
        if death is not None and number == death.nth:
            os.kill(os.getpid(), signal.SIGSTOP if death.stops else signal.SIGKILL)

    journal = open_journal(config.journal_url)
    when = "after" if death is not None and death.after else "before"
    with notes.open("a", buffering=1) as said, contextlib.suppress(BrokenPipeError):
        watched = Watched(journal, **{when: strike})
        with client(config, journal=watched) as sender:
            for wish in wishes:
                said.write(f"begun {wish}\n")
                said.write(f"ended {wish} {do(sender, claim_id, wish)}\n")
    journal.close()


# Imported by the fork server: each of its children has them at once.
for _profile in PROFILES:
    contract(_profile)
chart()
