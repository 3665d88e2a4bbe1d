"""One change of one submission, as every journal writes it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from claimbridge.model import Move, Purpose, State, Submission

UNPROVEN: Final = frozenset({State.PENDING, State.IN_DOUBT, State.PARKED})
"""Ends of a flight that rest on what its sender knows, not on the ERP's word.

Only the journal whose flight it is may record them: anybody else would take over a living
owner's flight. What the ERP itself has said (posted, rejected …) may come from anyone.
"""


class Write(msgspec.Struct, frozen=True):
    """One submission as it was (None: new) and as it shall be, stamped with the time ``at``."""

    before: Submission | None
    after: Submission
    at: dt.datetime

    @property
    def takes_off(self) -> bool:
        """Whether this begins a flight."""
        return self.after.state is State.SENDING

    @property
    def posts(self) -> bool:
        """Whether a claim's voucher is about to be sent, or is to be from now on."""
        intended = self.before is None and self.after.state is State.PENDING
        return (self.takes_off or intended) and self.after.key.purpose is Purpose.POST

    @property
    def lands_unproven(self) -> bool:
        """Whether this ends a flight in a way that only its own journal may record."""
        flew = self.before is not None and self.before.state is State.SENDING
        return flew and self.after.state in UNPROVEN

    @property
    def move(self) -> Move | None:
        """The step that it is; None where the state stays."""
        before = None if self.before is None else self.before.state
        if before is self.after.state:
            return None
        return Move(
            key=self.after.key,
            at=self.at,
            before=before,
            after=self.after.state,
            attempt=self.after.attempt,
            detail=self.after.detail,
        )


__all__ = ["UNPROVEN", "Write"]
