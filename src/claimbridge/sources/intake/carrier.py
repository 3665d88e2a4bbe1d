"""The carrier of write-backs: each step is recorded before the next one is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.model.doubt import enter_doubt, is_measured, leave_doubt
from claimbridge.sources.base import KnowsWhatIsDue, WriteBackPort
from claimbridge.sources.base.writeback import OPEN, WriteBack, WriteBacks, WriteBackState


class Carrier:
    """Brings the write-backs of one source as far as they go now.

    ``stands`` is asked of each write-back right before it is sent: what is not true any more is
    superseded. One process at a time may carry for a source: what is found ``sending`` is taken as
    left by a process that died.
    """

    def __init__(
        self,
        port: WriteBackPort,
        store: WriteBacks,
        *,
        stands: Callable[[WriteBack], bool] = lambda _: True,
        clock: Clock = SYSTEM,
    ) -> None:
        self._port = port
        self._store = store
        self._stands = stands
        self._clock = clock

    def due(self, write_backs: Sequence[WriteBack]) -> Sequence[WriteBack]:
        """Return those that may get further now: all, where the port does not know.

        Raises what a user's own ``due`` raises.
        """
        if not isinstance(self._port, KnowsWhatIsDue):
            return write_backs
        return self._port.due(write_backs)

    def carry(self, write_back: WriteBack) -> WriteBack:
        """Bring one write-back as far as it goes now, and return it as it is recorded then.

        Those of the same kind that were planned earlier for the document are brought on first;
        while one of them is still open, this one waits. It may be called again at any time.
        """
        entry = self._store.begin_write_back(write_back)
        earlier: list[WriteBack] = []
        for other in self._store.write_backs_of(entry.source, entry.key):
            if other.kind is not entry.kind:
                continue
            outcome = self._bring_on(other, earlier)
            if other.identity == entry.identity:
                return outcome
            if outcome.state in OPEN:
                break
            if outcome.state is WriteBackState.DONE:
                earlier.append(outcome)
        return entry

    def _bring_on(self, entry: WriteBack, earlier: Sequence[WriteBack]) -> WriteBack:
        """Look at what is in doubt, and send what is pending."""
        entry = self._with_doubt(entry)
        if entry.state is WriteBackState.IN_DOUBT:
            entry = self._look(entry, earlier)
        if entry.state is not WriteBackState.PENDING:
            return entry
        if not self._stands(entry):
            return self._record(
                entry, state=WriteBackState.SUPERSEDED, reason="it is not true any more"
            )
        return self._send(entry, earlier)

    def _with_doubt(self, entry: WriteBack) -> WriteBack:
        """Return an entry whose sender died as in doubt, and one in doubt on this boot's clock."""
        if entry.state is WriteBackState.SENDING:
            # When its call left is not known, but no later than now: whoever made it is dead.
            return self._record(
                enter_doubt(entry, self._clock),
                state=WriteBackState.IN_DOUBT,
                reason="the process that sent it ended",
            )
        is_doubtful = entry.state is WriteBackState.IN_DOUBT
        if is_doubtful and not is_measured(entry.doubt_uptime, self._clock):
            # Sent in another boot of the machine: it is quiet from now on.
            return self._record(entry, doubt_uptime=self._clock.uptime())
        return entry

    def _send(self, entry: WriteBack, earlier: Sequence[WriteBack]) -> WriteBack:
        sending = msgspec.structs.replace(
            entry,
            state=WriteBackState.SENDING,
            attempt=entry.attempt + 1,
            attempted_at=self._clock.now(),
            reason="",
        )
        # Recorded and synced before the first byte leaves; who was faster than us sends it instead.
        if not self._store.record_write_back(sending):
            return entry
        outcome = self._port.send(sending, earlier=earlier)
        if outcome.state is not WriteBackState.IN_DOUBT:
            return self._record(outcome)
        return self._look(self._record(enter_doubt(outcome, self._clock)), earlier)

    def _look(self, entry: WriteBack, earlier: Sequence[WriteBack]) -> WriteBack:
        """Ask what became of one in doubt."""
        outcome = self._port.look(entry, earlier=earlier)
        if outcome.state is WriteBackState.IN_DOUBT:
            return self._record(outcome)
        return self._record(leave_doubt(outcome))

    def _record(self, entry: WriteBack, **changes: object) -> WriteBack:
        """Record an entry with these changes, and return it so."""
        changed = msgspec.structs.replace(entry, **changes)
        self._store.record_write_back(changed)
        return changed


__all__ = ["Carrier"]
