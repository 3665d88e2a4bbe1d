"""A source of one's own: approved claims in a table of a database, one JSON document a row.

    [source.queue]
    kind   = "own_source:table_source"
    ledger = "CN01"
    file   = "approved.db"

Copy it and read your own system instead. The table, as this example expects it::

    CREATE TABLE approved (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows with every change: the mark
        claim_id TEXT NOT NULL,
        document TEXT NOT NULL,                    -- the claim in JSON; '' when it was taken back
        outcome TEXT                               -- what we write: how it ended
    )
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from claimbridge import Arrival, Claim, ClaimBridgeError, ConfigurationError, Standing
from claimbridge.sources import SourceConfig, SourceRecord


class TableSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of the source's own; unknown ones are refused."""

    file: str


class TableSource:
    """Reads the table by number, and writes beside each row how it ended."""

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self._connection = sqlite3.connect(file)

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield the rows after the number ``since``, oldest first."""
        query = "SELECT number, claim_id, document FROM approved WHERE number > ? ORDER BY number"
        try:
            rows = self._connection.execute(query, (int(since or 0),)).fetchall()
        except sqlite3.Error as error:
            raise ConfigurationError(f"source {self.name}: {error}") from error
        for number, claim_id, document in rows:
            yield self._arrival(claim_id, document, str(number))

    def reread(self, key: str) -> Arrival | None:
        """Return a claim's newest row; None when it has none."""
        query = "SELECT number, document FROM approved WHERE claim_id = ? ORDER BY number DESC"
        row = self._connection.execute(query, (key,)).fetchone()
        return None if row is None else self._arrival(key, row[1], str(row[0]))

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Write how it ended; once more changes nothing."""
        if standing is not None:
            outcome = f"{standing.state} {standing.journal_entry or ''}".strip()
        else:
            outcome = str(error or "taken back")
        with self._connection:
            self._connection.execute(
                "UPDATE approved SET outcome = ? WHERE number = ?", (outcome, arrival.version)
            )

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _arrival(self, claim_id: str, document: str, number: str) -> Arrival:
        if not document:
            return Arrival(key=claim_id, version=number, withdrawn=True, mark=number)
        try:
            claim = Claim.from_json(document)
        except ClaimBridgeError as error:
            return Arrival(key=claim_id, version=number, error=error, mark=number)
        return Arrival(key=claim_id, version=number, claim=claim, mark=number)


def table_source(config: SourceConfig, record: SourceRecord) -> TableSource:
    """Return the source that ``[source.NAME]`` describes: what ``kind`` names."""
    return TableSource(config.name, config.path(config.settings(TableSettings).file))
