"""A journal in which the parts of a divided claim were claims by themselves."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import msgspec
import pytest
from tests.journal.samples import voucher

from claimbridge.journal import SqliteJournal
from claimbridge.journal.sqlite import rows, schema
from claimbridge.model import Key, Purpose, State, Submission

BEFORE = 5
"""How many migrations a file had seen in which a part was a claim."""
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC).isoformat(timespec="microseconds")

Row = tuple[str, int, str, str, int, int]
"""Claim id, revision, purpose, state, part and parts."""

FAMILY: tuple[Row, ...] = (
    ("P-1/1", 1, "post", "reversed", 1, 2),
    ("P-1/1", 1, "reverse", "posted", 1, 2),
    ("P-1/2", 1, "post", "posted", 2, 2),
    ("P-1/1", 2, "post", "pending", 1, 3),
)
THEIRS: tuple[Row, ...] = (
    ("P-1", 1, "post", "rejected", 0, 0),
    ("P-1/3", 1, "post", "posted", 0, 0),
    ("P-1/1", 9, "post", "posted", 0, 0),
    ("Q/7", 1, "post", "posted", 0, 0),
    ("R/1/2", 1, "post", "posted", 2, 2),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of before, with a divided claim and others whose ids look like its parts."""
    path = tmp_path / "claims.db"
    connection = sqlite3.connect(path, isolation_level=None)
    schema.bring_up(connection, path, schema.MIGRATIONS[:BEFORE])
    for claim_id, revision, purpose, state, part, parts in (*FAMILY, *THEIRS):
        held = msgspec.structs.replace(voucher(claim_id), document_number=part, documents=parts)
        content = rows.encode(_of(Key("CN01", claim_id, revision, Purpose(purpose)), held))
        key = ("CN01", claim_id, revision, purpose)
        connection.execute(
            "INSERT INTO claims VALUES ('CN01', ?, 3) ON CONFLICT DO NOTHING", (claim_id,)
        )
        connection.execute(
            "INSERT INTO submissions (ledger, claim_id, revision, purpose, reference, digest, "
            "state, attempt, updated_at, content) VALUES (?, ?, ?, ?, ?, 'd', ?, 1, ?, ?)",
            (*key, f"ref {claim_id} {revision} {purpose}", state, NOW, content),
        )
        for after in ("sending", state):
            connection.execute(
                "INSERT INTO moves (ledger, claim_id, revision, purpose, at, state_after, attempt, "
                "detail) VALUES (?, ?, ?, ?, ?, ?, 1, '')",
                (*key, NOW, after),
            )
    connection.close()
    return path


def _of(key: Key, held: object) -> Submission:
    return Submission(key=key, reference="R", digest="d", voucher=held, state=State.PENDING)


def test_parts_become_their_claims(path: Path) -> None:
    """Under their references, with their moves; and what only looks like a part stays a claim."""
    journal = SqliteJournal(path)
    claim = journal.history("CN01", "P-1")
    assert {
        (one.key.revision, one.key.purpose, one.key.part): (one.reference, one.state)
        for one in claim.submissions
    } == {
        (1, "post", 0): ("ref P-1 1 post", "rejected"),
        (1, "post", 1): ("ref P-1/1 1 post", "reversed"),
        (1, "post", 2): ("ref P-1/2 1 post", "posted"),
        (1, "reverse", 1): ("ref P-1/1 1 reverse", "posted"),
        (2, "post", 1): ("ref P-1/1 2 post", "pending"),
    }
    assert claim.version > 3
    moves = list(journal.moves("CN01", "P-1"))
    assert [move.key.part for move in moves] == [1, 1, 1, 1, 2, 2, 1, 1, 0, 0]
    for claim_id, revision in (("P-1/3", 1), ("P-1/1", 9), ("Q/7", 1)):
        (other,) = journal.history("CN01", claim_id).submissions
        assert (other.key.revision, other.key.part, other.state) == (revision, 0, State.POSTED)
        assert len(list(journal.moves("CN01", claim_id))) == 2
    (part,) = journal.history("CN01", "R/1").submissions
    assert part.key.part == 2
    for gone in ("P-1/2", "R/1/2"):
        assert journal.history("CN01", gone).version == 0
    journal.close()


def test_the_joined_claim_goes_on(path: Path) -> None:
    """What is written from there on is that of one claim, and nothing was lost on the way."""
    journal = SqliteJournal(path)
    seen = journal.history("CN01", "P-1")
    waiting = seen.get(Key("CN01", "P-1", 2, part=1))
    assert waiting is not None
    begun = journal.begin(seen, (msgspec.structs.replace(waiting, state=State.SENDING),))
    assert begun is not None
    assert begun.version == seen.version + 1
    assert journal.history("CN01", "P-1") == begun
    assert sum(1 for _ in journal.select("CN01")) == len(FAMILY) + len(THEIRS)
    journal.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM moves")
    connection.close()
