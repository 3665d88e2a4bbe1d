"""How keys and moments stand in rows, and what is raised where a row cannot be."""

from __future__ import annotations

import datetime as dt

from claimbridge.model import Key


class Undecodable(Exception):
    """A row holds what this program can never have written."""


def values_of(key: Key) -> tuple[str, str, int, str, int]:
    """Return a key as rows hold it."""
    return key.book, key.claim_id, key.revision, key.purpose.value, key.part


def text_of(moment: dt.datetime | None) -> str | None:
    """Return a moment as rows hold it: UTC, so that texts sort as times do."""
    if moment is None:
        return None
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def moment_of(text: object) -> dt.datetime:
    """Return the moment that a row holds. Raises Undecodable."""
    try:
        return dt.datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Undecodable(f"a time of the journal: {error}") from error


__all__ = ["Undecodable", "moment_of", "text_of", "values_of"]
