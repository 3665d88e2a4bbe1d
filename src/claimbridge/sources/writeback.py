"""What is brought back to a source: a voucher's number, an approval, a payment's result.

A write-back is carried like a submission: recorded, then recorded as ``sending`` and synced before
its first byte leaves, and what was found ``sending`` without a living sender is in doubt:

                   ┌──── not delivered, too early, or: looked, and it is not there ────┐
                   ▼                                                                   │
    (planned) ─▶ pending ─▶ sending ─▶ done                                            │
                              │  ├───▶ refused ─▶ (a person decides)                   │
                              │  └───▶ in_doubt ─┬─▶ done                              │
                              │                  └─▶ (looked) ─────────────────────────┘
                              └───────▶ parked ──▶ (a person decides)

What is in doubt is looked up before it is sent again; what is done is never sent again. What is
pending and not true any more is superseded; planned anew, it is pending again.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from claimbridge.clock import SYSTEM, Clock, Uptime
from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Standing
from claimbridge.sources.base import Arrival


class WriteBackKind(enum.StrEnum):
    """What is brought back."""

    VOUCHER = "voucher"
    """The journal entry's number and period."""
    APPROVAL = "approval"
    """Accept or refuse, at the step of the approval that waits for us."""
    PAYMENT = "payment"
    """That the claim was paid, or that paying it failed."""


class WriteBackState(enum.StrEnum):
    """Where a write-back stands."""

    PENDING = "pending"
    """The source has nothing of it, for certain; it may be sent."""
    SENDING = "sending"
    """A living process is sending it now."""
    DONE = "done"
    REFUSED = "refused"
    """The source said no; ``reason`` is in its own words."""
    IN_DOUBT = "in_doubt"
    """It was sent and the answer is missing: look before anything else."""
    PARKED = "parked"
    """A person must look; ``reason`` says why."""
    SUPERSEDED = "superseded"
    """It was not true any more before it was sent."""


OPEN: Final = frozenset({WriteBackState.PENDING, WriteBackState.SENDING, WriteBackState.IN_DOUBT})
"""The states that a pass goes on with; the others wait for nobody or for a person."""

FOR_A_PERSON: Final = (WriteBackState.REFUSED, WriteBackState.PARKED)
"""The states that only a person ends: by letting it be tried again, or by leaving it."""

_S = WriteBackState
WRITE_BACK_MOVES: Final[dict[WriteBackState, frozenset[WriteBackState]]] = {
    _S.PENDING: frozenset({_S.SENDING, _S.PARKED, _S.SUPERSEDED}),
    _S.SENDING: frozenset({_S.PENDING, _S.DONE, _S.REFUSED, _S.IN_DOUBT, _S.PARKED}),
    _S.IN_DOUBT: frozenset({_S.PENDING, _S.DONE, _S.REFUSED, _S.IN_DOUBT, _S.PARKED}),
    _S.DONE: frozenset(),
    _S.REFUSED: frozenset({_S.PENDING}),
    _S.PARKED: frozenset({_S.PENDING}),
    _S.SUPERSEDED: frozenset(),
}
"""Which state may follow which; a store refuses every other move."""


class WriteBack(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to bring back to one document of a source.

    Its identity is ``source``, ``key`` (the document's id there), ``kind`` and ``occasion``, which
    tells apart several of a kind about one document (the claim's revision; the approval's step).
    ``content`` is what is sent, in the source's own terms; it changes only where what is superseded
    is planned anew.
    ``attempt`` counts the times that it was about to be sent (0: never). ``reason`` says in a
    sentence why it is in this state. ``attempted_at`` is when the last attempt began; None when
    there was none. ``in_doubt_since`` is when a lost attempt was over for certain: from then on
    counts how long it may still arrive; None where nothing is in doubt. ``doubt_uptime`` is that
    moment on the count which no step of the clock moves.
    """

    source: str
    key: str
    kind: WriteBackKind
    occasion: str = ""
    content: dict[str, str] = {}
    state: WriteBackState = WriteBackState.PENDING
    attempt: int = 0
    reason: str = ""
    attempted_at: dt.datetime | None = None
    in_doubt_since: dt.datetime | None = None
    doubt_uptime: Uptime | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What no two write-backs of a record share."""
        return (self.source, self.key, self.kind.value, self.occasion)


class Answers(Protocol):
    """How one kind of source is answered. Both calls return what became of it, never raise.

    ``send`` is called with a write-back that is recorded as ``sending``, ``look`` with one that is
    ``in_doubt``; both return it in its next state, unrecorded. ``earlier`` are those of the same
    kind about the same document that were done before: what the source shows may be theirs.
    """

    def planned(
        self, arrival: Arrival, *, status: Standing | None, error: ClaimBridgeError | None = None
    ) -> tuple[WriteBack, ...]:
        """Return what is to be brought back for an arrival that ended so; empty: nothing (yet).

        The same end gives the same write-backs, so that planning them again changes nothing.
        """
        ...

    def send(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Send it once: done, refused, parked, pending (nothing left us, or too early), in doubt.

        It may read first, and need not send what it finds there already.
        """
        ...

    def look(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Ask the source what became of it, without sending it: done, pending, parked, in doubt."""
        ...


class Foresighted(Protocol):
    """Answers that know, of many at once, which are not worth trying yet; implementing it is free.

    Without it every open write-back is tried in every pass.
    """

    def ready(self, write_backs: Sequence[WriteBack]) -> Sequence[WriteBack]:
        """Return those that may get further now, in their order; never raises."""
        ...


class WriteBacks(Protocol):
    """Where write-backs are kept. Each call is durable on disk when it returns.

    Each raises JournalError when the record cannot be read or written.
    """

    def begin_write_back(self, write_back: WriteBack) -> WriteBack:
        """Add ``write_back`` unless its identity is held already; return what is held.

        What is held as superseded becomes what is given, its attempts counted on.
        """
        ...

    def record_write_back(self, write_back: WriteBack) -> bool:
        """Move what is held to ``write_back``, if ``WRITE_BACK_MOVES`` allows it from there.

        A move to ``sending`` counts ``attempt`` up by one, every other keeps it: False, with
        nothing written, when the record holds another attempt or a state that does not allow the
        move, because somebody else was faster.
        """
        ...

    def open_write_backs(self, source: str) -> tuple[WriteBack, ...]:
        """Return those in an ``OPEN`` state, oldest first."""
        ...

    def write_backs_of(self, source: str, key: str) -> tuple[WriteBack, ...]:
        """Return all about one document, oldest first."""
        ...


def worth_trying(answers: Answers, write_backs: Sequence[WriteBack]) -> Sequence[WriteBack]:
    """Return those that may get further now: all, where ``answers`` are not ``Foresighted``.

    Raises what a user's own ``ready`` raises.
    """
    ready: Callable[[Sequence[WriteBack]], Sequence[WriteBack]] | None
    ready = getattr(answers, "ready", None)
    return write_backs if ready is None else ready(write_backs)


def carry_out(
    write_back: WriteBack,
    *,
    answers: Answers,
    store: WriteBacks,
    stands: Callable[[WriteBack], bool] = lambda _: True,
    clock: Clock = SYSTEM,
) -> WriteBack:
    """Bring one write-back as far as it goes now, and return it as it is recorded then.

    Those of the same kind that were planned earlier for the document are brought on first; while
    one of them is still open, this one waits. ``stands`` is asked of each right before it is sent:
    what is not true any more is superseded. It may be called again at any time, by one process
    at a time for each source: what is found ``sending`` is taken as left by one that died.
    """
    held = store.begin_write_back(write_back)
    earlier: list[WriteBack] = []
    for known in store.write_backs_of(held.source, held.key):
        if known.kind is not held.kind:
            continue
        moved = _bring_on(
            known, earlier=earlier, answers=answers, store=store, stands=stands, clock=clock
        )
        if known.identity == held.identity:
            return moved
        if moved.state in OPEN:
            break
        if moved.state is WriteBackState.DONE:
            earlier.append(moved)
    return held


def _bring_on(
    held: WriteBack,
    *,
    earlier: Sequence[WriteBack],
    answers: Answers,
    store: WriteBacks,
    stands: Callable[[WriteBack], bool],
    clock: Clock,
) -> WriteBack:
    """Look at what is in doubt, send what is pending, and record each step."""
    if held.state is WriteBackState.SENDING:
        # When its call left is not known, but no later than now: whoever made it is dead.
        held = msgspec.structs.replace(
            held,
            state=WriteBackState.IN_DOUBT,
            reason="the process that sent it ended",
            in_doubt_since=clock.now(),
            doubt_uptime=clock.uptime(),
        )
        store.record_write_back(held)
    elif held.state is WriteBackState.IN_DOUBT and clock.uptime().since(held.doubt_uptime) is None:
        # Sent in another boot of the machine: how long ago, no clock of this one can say.
        held = msgspec.structs.replace(held, doubt_uptime=clock.uptime())
        store.record_write_back(held)
    if held.state is WriteBackState.IN_DOUBT:
        held = _looked(held, earlier=earlier, answers=answers, store=store)
    if held.state is not WriteBackState.PENDING:
        return held
    if not stands(held):
        held = msgspec.structs.replace(
            held, state=WriteBackState.SUPERSEDED, reason="it is not true any more"
        )
        store.record_write_back(held)
        return held
    sending = msgspec.structs.replace(
        held,
        state=WriteBackState.SENDING,
        attempt=held.attempt + 1,
        attempted_at=clock.now(),
        reason="",
    )
    # Recorded and synced before the first byte leaves; somebody faster than us sends it instead.
    if not store.record_write_back(sending):
        return held
    sent = answers.send(sending, earlier=earlier)
    if sent.state is not WriteBackState.IN_DOUBT:
        store.record_write_back(sent)
        return sent
    sent = msgspec.structs.replace(sent, in_doubt_since=clock.now(), doubt_uptime=clock.uptime())
    store.record_write_back(sent)
    return _looked(sent, earlier=earlier, answers=answers, store=store)


def _looked(
    held: WriteBack, *, earlier: Sequence[WriteBack], answers: Answers, store: WriteBacks
) -> WriteBack:
    """Look what became of one in doubt, and record it."""
    found = answers.look(held, earlier=earlier)
    if found.state is not WriteBackState.IN_DOUBT:
        found = msgspec.structs.replace(found, in_doubt_since=None, doubt_uptime=None)
    store.record_write_back(found)
    return found
