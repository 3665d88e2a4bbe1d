"""The process that is killed: it submits one round's claims, like a caller who means it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from functools import partial

import msgspec
from tests.withstand.scene import SENDERS, Sender, book_of, claim
from tests.withstand.watched import Watched

from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import open_journal
from claimbridge.model import State


class Work(msgspec.Struct, frozen=True):
    """What one round wants of the ledger: the claim ids, each used in its own way."""

    plain: str
    corrected: str
    together: tuple[str, ...]
    taken_back: str

    @property
    def claims(self) -> tuple[str, ...]:
        """All claim ids."""
        return (self.plain, self.corrected, *self.together, self.taken_back)


def work_of(number: int) -> Work:
    """Return the work of a round."""
    return Work(
        plain=f"K{number}A",
        corrected=f"K{number}B",
        together=(f"K{number}C", f"K{number}D", f"K{number}E"),
        taken_back=f"K{number}F",
    )


Insist = Callable[[Callable[[], object]], object]
"""Makes a call, and decides what an error of ours means: go on, or try again."""


def shrug(call: Callable[[], object]) -> None:
    """Make a call; whatever it raises of ours, go on with the next."""
    with contextlib.suppress(ClaimBridgeError):
        call()


def do(work: Work, sender: Sender, insist: Insist) -> None:
    """Do the work from its beginning; doing it again brings it further, and changes nothing else.

    That holds while no revision is submitted after a later one, so that is not done.
    """
    insist(lambda: sender.submit(claim(work.plain)))
    if not _is_past(sender, work.corrected):
        insist(lambda: sender.submit(claim(work.corrected)))
    insist(lambda: sender.submit(claim(work.corrected, revision=2, taxi="31.00")))
    for result in sender.submit_many(map(claim, work.together), batch=len(work.together)):
        if result.error is not None:
            insist(partial(sender.submit, claim(result.claim_id)))
    if not _is_past(sender, work.taken_back):
        insist(lambda: sender.submit(claim(work.taken_back)))
    insist(lambda: sender.reverse(work.taken_back))


def _is_past(sender: Sender, claim_id: str) -> bool:
    """Whether the first revision is out of date: a later one is on its way, or it is taken back."""
    history = sender.journal.history(book_of(sender.journal), claim_id)
    return any(
        one.key.revision > 1 or one.state in {State.REVERSING, State.REVERSED}
        for one in history.submissions
    )


class Write(msgspec.Struct, frozen=True):
    """A point in the life of a process: before or after its n-th write into the journal."""

    nth: int
    after: bool


def run(kind: str, config: LedgerConfig, work: Work, death: Write | None) -> None:
    """Be the process: clear up what an earlier one left, then do the work; ``death`` None: live."""

    def die(number: int) -> None:
        if death is not None and number == death.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    journal = open_journal(config.journal_url)
    when = "after" if death is not None and death.after else "before"
    with SENDERS[kind](config, journal=Watched(journal, **{when: die})) as sender:
        sender.reconcile()
        do(work, sender, shrug)
    journal.close()
