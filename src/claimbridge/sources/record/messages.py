"""What came to a source and what goes back to it: deliveries, hints, write-backs in the record."""

from __future__ import annotations

from collections.abc import Sequence

from claimbridge.sources.base.writeback import OPEN, WriteBack, WriteBackState
from claimbridge.sources.record import message_rows as rows
from claimbridge.sources.record import write_backs
from claimbridge.sources.record.arrivals import Delivery, Hint
from claimbridge.sources.record.store import RecordStore


class Messages(RecordStore):
    """The part of the record that is about no claim: the ports ``Hints`` and ``WriteBacks``."""

    def deliver(self, source: str, digest: str, body: bytes) -> bool:
        """Keep a body; False when one with this digest is kept already."""
        now = self._clock.now()
        return self._writes.write(
            lambda connection: rows.add_delivery(connection, source, digest, body, now)
        )

    def deliveries(self, source: str, *, after: int, limit: int = 100) -> list[Delivery]:
        """Return bodies with numbers above ``after``, oldest first."""
        with self._store.reading() as connection:
            return rows.read_deliveries(connection, source, after, limit)

    # --- what a source is told to have changed: claimbridge.sources.hints.Hints -----------------

    def hint(self, source: str, keys: Sequence[str]) -> None:
        """Keep that these documents may have changed; one that is kept already becomes newest."""
        self._writes.write(lambda connection: rows.add_hints(connection, source, keys))

    def hints(self, source: str, *, after: int = 0, limit: int = 100) -> list[Hint]:
        """Return hints with numbers above ``after``, oldest first."""
        with self._store.reading() as connection:
            return rows.read_hints(connection, source, after, limit)

    def clear_hints(self, source: str, *, upto: int, key: str | None = None) -> None:
        """Forget hints with numbers up to ``upto``; those of one document where ``key`` is given.

        A hint that came again since then has a higher number, and stays.
        """
        self._writes.write(lambda connection: rows.clear_hints(connection, source, upto, key))

    # --- what goes back to a source: the port WriteBacks ---------------------------------------

    def begin_write_back(self, write_back: WriteBack) -> WriteBack:
        """Add ``write_back`` unless its identity is held already; return what is held.

        What is held as superseded becomes what is given, its attempts counted on.
        """
        now = self._clock.now()
        return self._writes.write(lambda connection: write_backs.add(connection, write_back, now))

    def record_write_back(self, write_back: WriteBack) -> bool:
        """Move what is held to ``write_back``; False where that is no lawful step from it."""
        now = self._clock.now()
        return self._writes.write(lambda connection: write_backs.move(connection, write_back, now))

    def open_write_backs(self, source: str) -> tuple[WriteBack, ...]:
        """Return those in an ``OPEN`` state, oldest first."""
        return self.select_write_backs(source, tuple(OPEN))

    def select_write_backs(
        self, source: str, states: Sequence[WriteBackState]
    ) -> tuple[WriteBack, ...]:
        """Return those of a source in these states, oldest first."""
        with self._store.reading() as connection:
            return write_backs.select(connection, source, states)

    def write_backs_of(self, source: str, key: str) -> tuple[WriteBack, ...]:
        """Return all about one document, oldest first."""
        with self._store.reading() as connection:
            return write_backs.about(connection, source, key)


__all__ = ["Messages"]
