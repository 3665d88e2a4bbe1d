"""Whether a journal is the newest of its ledgers, and of which times it knows nothing."""

from __future__ import annotations

import datetime as dt

import msgspec

from claimbridge.clock import Uptime


class Gap(msgspec.Struct, frozen=True):
    """A time of which a journal knows nothing, though another copy of it was in use.

    ``since`` is when the journal last began a sending before the gap; None where it knows of none.
    ``noted`` is when somebody reported the gap.
    """

    until: dt.datetime
    since: dt.datetime | None = None
    noted: Uptime | None = None


class Continuity(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal can say of itself before something is sent through it.

    ``place`` is where the journal is kept. ``behind`` says why it is not the newest; "" when it is.
    ``replaces``: it is empty, and another journal was at its place before. ``lasting``: it outlives
    its process. ``last_begun`` is when a sending last began; None: never. ``lost_until``: up to
    then another copy began sendings that this journal does not know; None: nothing proves any.
    """

    place: str = "memory:"
    behind: str = ""
    replaces: bool = False
    lasting: bool = True
    last_begun: dt.datetime | None = None
    lost_until: dt.datetime | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def is_newest(self) -> bool:
        """Whether nothing says that another copy, or another journal, knows more."""
        return not self.behind and not self.replaces

    @property
    def gap(self) -> Gap | None:
        """The gap that ended last; None when there is none."""
        return max(self.gaps, key=lambda gap: gap.until, default=None)


__all__ = ["Continuity", "Gap"]
