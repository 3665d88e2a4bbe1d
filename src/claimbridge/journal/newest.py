"""Is this journal the newest? Decided without I/O, from what it holds and from a mark outside it.

The mark is small, and does not come back with a backup of the journal: for a file it lies beside
it (see ``marks``). It holds the journal's random id and how many sendings were begun. The journal
counts first, and the mark follows: a mark that is behind says nothing, and a mark that is ahead
says that this journal has lost its tail.
"""

from __future__ import annotations

import datetime as dt
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
    """What a journal holds about itself.

    ``id`` is random; whoever counts as the newest anew gets another. ``begun`` is how many sendings
    were begun, ``begun_at`` when the last was. ``marked``: a mark was made outside it.
    """

    id: str
    begun: int = 0
    begun_at: dt.datetime | None = None
    marked: bool = False

    @property
    def untouched(self) -> bool:
        """Whether nothing was ever sent through it."""
        return self.begun == 0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What tells whether a journal is the newest.

    ``where`` is where it is kept, in words; ``place`` says the same as its mark would. ``mark`` is
    None where there is none; ``unreadable`` says why it could not be read, "" where it could.
    ``lasting``: the journal outlives its process.
    """

    where: str
    lineage: Lineage
    mark: Mark | None = None
    unreadable: str = ""
    place: int = 0
    gaps: tuple[Gap, ...] = ()
    lasting: bool = True


def judge(evidence: Evidence) -> Continuity:
    """Return what follows from what a journal and its mark say."""
    lineage, mark = evidence.lineage, evidence.mark
    foreign = mark is not None and mark.journal != lineage.id
    replaces = foreign and lineage.untouched and not lineage.marked
    return Continuity(
        place=evidence.where,
        behind="" if replaces else evidence.unreadable or _why_behind(evidence),
        replaces=replaces,
        lasting=evidence.lasting,
        last_begun=lineage.begun_at,
        lost_until=mark.written if mark is not None and _proves_a_loss(lineage, mark) else None,
        gaps=evidence.gaps,
    )


def is_replaceable(continuity: Continuity) -> bool:
    """Whether an empty journal may take the place of one that was there: nothing was lost with it.

    Nothing that the mark knows, that is: a person has said that nothing was sent through it.
    """
    return continuity.replaces and continuity.lost_until is None


def _proves_a_loss(lineage: Lineage, mark: Mark) -> bool:
    """Whether sendings were begun of which the journal knows nothing."""
    if mark.journal == lineage.id:
        return mark.begun > lineage.begun
    return mark.journal != "" and mark.begun > 0


def _why_behind(evidence: Evidence) -> str:
    lineage, mark = evidence.lineage, evidence.mark
    if mark is None:
        missing = "its mark, which lay beside it, is missing: it was moved or copied without"
        return missing if lineage.marked else ""
    if not mark.journal:
        return "its mark cannot be read"
    if mark.journal != lineage.id:
        return "its mark is that of another journal, or of a later state of this one"
    if mark.begun > lineage.begun:
        return f"{mark.begun} sendings were begun, and it knows {lineage.begun} of them"
    if mark.place and evidence.place and mark.place != evidence.place:
        return "it is a copy, or was brought back together with its mark"
    return ""


def refusal(continuity: Continuity) -> JournalError | None:
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
        last, lost = continuity.last_begun, continuity.lost_until
        since = f"it last began a sending at {_moment(last)}" if last else "it began no sending"
        if lost is not None:
            since += f"; the lost one was in use until {_moment(lost)} at least"
        return JournalError(
            f"journal {where} is not the newest: {continuity.behind} ({since}). Put the newest back"
            ", or say until when that one was in use: claimbridge journal restored --until WHEN. "
            "Nothing was sent",
            code=BEHIND,
        )
    return None


def new_here(continuity: Continuity, *, doing: str = "submit") -> JournalError:
    """Return the error for a first sending to a book that nothing else would stop.

    ``doing`` is the command that takes ``--new-journal``.
    """
    return JournalError(
        f"nothing was ever sent to this ledger through journal {continuity.place}, and the ERP is "
        "not asked first and does not refuse duplicates: what was posted through another journal "
        f"would be posted again. If there was none, {doing} with --new-journal once (Python: "
        "new_journal=True); else bring that one back. Nothing was sent",
        code=NEW,
    )


def gap_until(until: dt.datetime, continuity: Continuity, clock: Clock) -> tuple[Gap | None, bool]:
    """Return the gap that ends at ``until``, and whether it is a new one.

    None: nothing is missing. Raises JournalError CB-237.
    """
    last, latest = continuity.last_begun, continuity.gap
    if until > clock.now():
        raise JournalError(
            f"--until {_moment(until)} has not come yet; say until when the lost journal was in "
            "use. Nothing was changed",
            code=NO_GAP,
        )
    if not continuity.is_newest:
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
    "Evidence",
    "Lineage",
    "Mark",
    "gap_until",
    "is_replaceable",
    "judge",
    "new_here",
    "refusal",
]
