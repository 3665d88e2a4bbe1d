"""Is this journal the newest? Decided without I/O, from what it holds and from a mark outside it.

The mark is small, and does not come back with a backup of the journal: for a file it lies beside
it (see ``marks``). It holds the journal's random id and how many sendings were begun. The journal
counts first, and the mark follows: a mark that is behind says nothing, and a mark that is ahead
says that this journal has lost its tail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import JournalError
from claimbridge.model import Continuity, Gap

BEHIND: Final = "CB-235"
NEW: Final = "CB-236"
NO_GAP: Final = "CB-237"


class Mark(msgspec.Struct, frozen=True):
    """What is kept outside a journal.

    ``place`` tells one copy of it from another where the file system can; 0 where it cannot.
    ``written`` is when it was last written; None where nothing says so.
    """

    journal: str
    begun: int
    place: int = 0
    written: dt.datetime | None = None


class Lineage(msgspec.Struct, frozen=True):
    """What a journal holds about itself; see ``schema``."""

    id: str
    begun: int
    begun_at: dt.datetime | None
    marked: bool

    @property
    def untouched(self) -> bool:
        """Whether nothing was ever sent through it."""
        return self.begun == 0


def judged(
    where: str, held: Lineage, mark: Mark | None, gaps: Sequence[Gap] = (), *, place: int = 0
) -> Continuity:
    """Return what follows from the journal at ``where`` and its mark (None: there is none).

    ``place`` is where the journal is now, as a mark would say it.
    """
    foreign = mark is not None and mark.journal != held.id
    replaces = foreign and held.untouched and not held.marked
    return Continuity(
        place=where,
        behind="" if replaces else _why_behind(held, mark, place),
        replaces=replaces,
        last_begun=held.begun_at,
        lost_until=mark.written if mark is not None and _proves_a_loss(held, mark) else None,
        gaps=tuple(gaps),
    )


def _proves_a_loss(held: Lineage, mark: Mark) -> bool:
    """Whether sendings were begun of which the journal knows nothing."""
    if mark.journal == held.id:
        return mark.begun > held.begun
    return mark.journal != "" and mark.begun > 0


def _why_behind(held: Lineage, mark: Mark | None, place: int) -> str:
    if mark is None:
        missing = "its mark, which lay beside it, is missing: it was moved or copied without"
        return missing if held.marked else ""
    if not mark.journal:
        return "its mark cannot be read"
    if mark.journal != held.id:
        return "its mark is that of another journal, or of a later state of this one"
    if mark.begun > held.begun:
        return f"{mark.begun} sendings were begun, and it knows {held.begun} of them"
    if mark.place and place and mark.place != place:
        return "it is a copy, or was brought back together with its mark"
    return ""


def refused(continuity: Continuity) -> JournalError | None:
    """Return why nothing may be sent through a journal; None: it may."""
    where = continuity.place
    if continuity.replaces and continuity.lost_until is not None:
        return JournalError(
            f"journal {where} is empty, and sendings were begun through the one that was there "
            f"before, until {_moment(continuity.lost_until)}: restore that one, or say until when "
            "it was in use (claimbridge journal restored --until WHEN). Nothing was sent",
            code=NEW,
        )
    if continuity.replaces:
        return JournalError(
            f"journal {where} is empty, and a journal was there before: restore that one, or say "
            "until when it was in use (claimbridge journal restored --until WHEN); only if nothing "
            "was ever sent through it, submit with --new-journal. Nothing was sent",
            code=NEW,
        )
    if continuity.behind:
        last = continuity.last_begun
        known = f"it last began a sending at {_moment(last)}" if last else "it began no sending"
        if continuity.lost_until is not None:
            known += f"; the lost one was in use until {_moment(continuity.lost_until)} at least"
        return JournalError(
            f"journal {where} is not the newest: {continuity.behind} ({known}). Put the newest back"
            ", or say until when that one was in use: claimbridge journal restored --until WHEN. "
            "Nothing was sent",
            code=BEHIND,
        )
    return None


def new_here(continuity: Continuity) -> JournalError:
    """Return the error for a first sending to a book that nothing else would stop."""
    return JournalError(
        f"nothing was ever sent to this ledger through journal {continuity.place}, and the ERP is "
        "not asked first and does not refuse duplicates: what was posted through another journal "
        "would be posted again. If there was none, submit with --new-journal once (Python: "
        "new_journal=True); else bring that one back. Nothing was sent",
        code=NEW,
    )


def noted(until: dt.datetime, continuity: Continuity, clock: Clock) -> tuple[Gap | None, bool]:
    """Return the gap that ends at ``until``, and whether it is to be noted.

    None: nothing is missing. Raises JournalError CB-237.
    """
    last, latest = continuity.last_begun, continuity.gap
    if until > clock.now():
        raise JournalError(
            f"--until {_moment(until)} has not come yet; say until when the lost journal was in "
            "use. Nothing was changed",
            code=NO_GAP,
        )
    if continuity.behind or continuity.replaces:
        _check_long_enough(until, continuity, clock)
    if latest is not None and until <= latest.until:
        return latest, False
    if last is not None and until == last:
        return None, False
    if last is None or until > last:
        return Gap(until, last, clock.uptime()), True
    if latest is not None:  # an earlier gap was longer than was said then
        return Gap(until, latest.since, clock.uptime()), True
    raise JournalError(
        f"this journal itself began a sending at {_moment(last)}, after --until {_moment(until)}; "
        "say until when the lost one was in use, or give that very moment when nothing is lost. "
        "Nothing was changed",
        code=NO_GAP,
    )


def _check_long_enough(until: dt.datetime, continuity: Continuity, clock: Clock) -> None:
    """Raise JournalError CB-237 where a sending began later, in this journal or the lost one."""
    last, lost = continuity.last_begun, continuity.lost_until
    if lost is not None and until < lost <= clock.now():
        raise JournalError(
            f"--until {_moment(until)} is too early: by its mark, the lost journal was in use until"
            f" {_moment(lost)}. Say that moment or a later one. Nothing was changed",
            code=NO_GAP,
        )
    if last is not None and until < last:
        raise JournalError(
            f"this journal itself began a sending at {_moment(last)}, after --until "
            f"{_moment(until)}; say until when the lost one was in use. Nothing was changed",
            code=NO_GAP,
        )


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


__all__ = [
    "BEHIND",
    "NEW",
    "NO_GAP",
    "Lineage",
    "Mark",
    "judged",
    "new_here",
    "noted",
    "refused",
]
