"""A client in miniature: performs a plan's steps on a journal in memory, replies by a script."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from tests.exchanger import Exchange, OneMessage

from claimbridge.clock import Uptime
from claimbridge.journal.memory import MemoryJournal
from claimbridge.model import (
    History,
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Posting,
    Purpose,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)
from claimbridge.profiles.base import Capabilities
from claimbridge.submission import (
    Access,
    Draft,
    Pause,
    Plan,
    Post,
    Rules,
    perform,
    reference_for,
    submit_document,
)

K = OutcomeKind
ENTRY = JournalEntry("100")
T0 = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.date(2026, 1, 15)
TOTALS = {"CNY": Decimal("10.00")}
OTHER_TOTALS = {"CNY": Decimal("11.00")}

ASK_UNIQUE = Capabilities(
    can_query=True, can_reverse=True, can_list_changes=True, unique_reference=True, batch=10
)
ASK = msgspec.structs.replace(ASK_UNIQUE, unique_reference=False)
UNIQUE = msgspec.structs.replace(ASK_UNIQUE, can_query=False)
NEITHER = msgspec.structs.replace(UNIQUE, unique_reference=False)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.stepped = 0.0
        """By how many seconds somebody has set the wall clock forward."""
        self.boot = "the first boot"

    def now(self) -> dt.datetime:
        """Return the test's moment."""
        return T0 + dt.timedelta(seconds=self.seconds + self.stepped)

    def monotonic(self) -> float:
        """Return the test's seconds."""
        return self.seconds

    def uptime(self) -> Uptime:
        """Return the same count as an uptime."""
        return Uptime(self.boot, self.seconds)


def voucher() -> Voucher:
    """Return a voucher over 10.00 CNY."""

    def leg(account: str, side: Side, role: Role) -> Posting:
        amount = Decimal("10.00")
        return Posting(account=account, side=side, amount=amount, currency="CNY", role=role)

    return Voucher(
        claim_id="C",
        revision=1,
        company="1000",
        employee="E1",
        currency="CNY",
        document_date=DAY,
        posting_date=DAY,
        postings=(
            leg("6602", Side.DEBIT, Role.EXPENSE),
            leg("2241", Side.CREDIT, Role.EMPLOYEE_PAYABLE),
        ),
    )


def key(revision: int = 1, purpose: Purpose = Purpose.POST, claim: str = "C") -> Key:
    """Return a key of ledger L."""
    return Key("L", claim, revision, purpose)


def wanted(revision: int = 1, *, claim: str = "C", **changes: Any) -> Submission:
    """Return a submission as a ledger drafts it, with ``changes``."""
    one = key(revision, claim=claim)
    submission = Submission(
        key=one,
        reference=reference_for(one, ASK),
        digest=f"digest {revision}",
        voucher=voucher(),
        state=State.PENDING,
    )
    return msgspec.structs.replace(submission, **changes)


def history(*submissions: Submission) -> History:
    """Return a history that holds these."""
    return History("L", "C", len(submissions), submissions)


def posted(reference: str = "C", **more: Any) -> Outcome:
    """Return the ERP's word that it posted."""
    return Outcome(kind=K.POSTED, reference=reference, journal_entry=ENTRY, **more)


def lost() -> Outcome:
    """Return what is known when the answer is missing."""
    return Outcome(kind=K.UNKNOWN, text="lost")


Reply = Outcome | tuple[Outcome, ...] | BaseException | Callable[[], Outcome]


class Scene:
    """A journal, a clock and an ERP that answers by a script.

    It is not asked before a first sending unless a test says so: most scripts begin with that.
    """

    def __init__(self, capabilities: Capabilities, **rules: Any) -> None:
        self.clock = Clock()
        self.journal = MemoryJournal(clock=self.clock)
        settings = {"quiet_period": 300.0, "first_send": "send", "clock": self.clock} | rules
        self.rules = Rules(capabilities=capabilities, **settings)
        self.ledger = OneMessage(self.rules)
        self.asked: list[str] = []
        """What was exchanged: verb and references."""
        self.script: list[Reply] = []
        self.pauses: list[float] = []
        self.breaks: dict[type, BaseException] = {}
        """Exceptions to throw at the first step of a kind, after it was performed."""

    def play(self, plan: Plan[Any], *replies: Reply) -> Any:
        """Perform a plan to its end; every reply must be used."""
        self.script = list(replies)
        try:
            return perform(plan, self)
        finally:
            assert not self.script, f"{len(self.script)} replies were not asked for"

    def access(self, step: Access[Any]) -> Any:
        """Perform a step on the journal."""
        answer = step.perform(self.journal)
        self._break_after(type(step))
        return answer

    def post(self, message: Exchange) -> tuple[Outcome, ...]:
        """Answer by the script."""
        references = " ".join(one.reference for one in message.submissions)
        assert self.script, f"nothing is scripted for {message.verb}"
        self.asked.append(f"{message.verb} {references}")
        reply = self.script.pop(0)
        if callable(reply) and not isinstance(reply, BaseException):
            reply = reply()
        if isinstance(reply, BaseException):
            raise reply
        self._break_after(Post)
        return reply if isinstance(reply, tuple) else (reply,)

    def pause(self, seconds: float) -> bool:
        """Let time pass."""
        self.pauses.append(seconds)
        self.clock.seconds += seconds
        self._break_after(Pause)
        return True

    def _break_after(self, kind: type) -> None:
        if kind in self.breaks:
            raise self.breaks.pop(kind)

    def submit(self, revision: int, *replies: Reply) -> Submission:
        """Submit a revision of claim C."""
        draft = Draft(wanted(revision))
        digest = draft.submission.digest
        plan = submit_document(key(revision), digest, lambda: draft, self.ledger)
        found: Submission = self.play(plan, *replies)
        return found

    def known(self, revision: int = 1, purpose: Purpose = Purpose.POST) -> Submission:
        """Return what the journal holds."""
        found = self.journal.history("L", "C").get(key(revision, purpose))
        assert found is not None
        return found

    def state(self, revision: int = 1, purpose: Purpose = Purpose.POST) -> State:
        """Return the state that the journal holds."""
        return self.known(revision, purpose).state


def states(found: Sequence[Any]) -> list[str]:
    """Return the state or the error's code of each result of a batch."""
    return [one.state if isinstance(one, Submission) else one.code for one in found]
