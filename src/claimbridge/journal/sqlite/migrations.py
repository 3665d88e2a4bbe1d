"""The tables of a SQLite journal, as the migrations that made them. They are only ever appended."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # ``version`` is that of History: the compare-and-set of every write.
        """
        CREATE TABLE claims (
            ledger TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            PRIMARY KEY (ledger, claim_id)
        ) WITHOUT ROWID
        """,
        # ``id`` grows with age. ``content`` is JSON: voucher, journal entry, reasons, detail.
        # A row has an owner and a flight exactly while it is ``sending``. Times are UTC, with
        # microseconds, as RFC 3339 text, so that they sort and people can read them.
        """
        CREATE TABLE submissions (
            id INTEGER PRIMARY KEY,
            ledger TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            purpose TEXT NOT NULL CHECK (purpose IN ('post', 'reverse')),
            reference TEXT NOT NULL,
            digest TEXT NOT NULL,
            state TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            attempted_at TEXT,
            updated_at TEXT NOT NULL,
            owner TEXT,
            flight INTEGER,
            content TEXT NOT NULL,
            CHECK ((state = 'sending') = (owner IS NOT NULL)),
            CHECK ((owner IS NULL) = (flight IS NULL)),
            UNIQUE (ledger, claim_id, revision, purpose),
            UNIQUE (ledger, reference),
            FOREIGN KEY (ledger, claim_id) REFERENCES claims
        )
        """,
        # Complete, not partial: SQLite uses a partial index only where the query repeats its
        # condition as a constant, and the states asked for are parameters. Ends with the rowid,
        # so that one state reads in order of age.
        "CREATE INDEX submissions_by_state ON submissions (ledger, state)",
        # ``owner = ?`` implies the condition (https://sqlite.org/partialindex.html §2).
        "CREATE INDEX submissions_in_flight ON submissions (owner) WHERE owner IS NOT NULL",
        """
        CREATE TABLE moves (
            id INTEGER PRIMARY KEY,
            ledger TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            purpose TEXT NOT NULL,
            at TEXT NOT NULL,
            state_before TEXT,
            state_after TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            detail TEXT NOT NULL,
            FOREIGN KEY (ledger, claim_id, revision, purpose)
                REFERENCES submissions (ledger, claim_id, revision, purpose)
        )
        """,
        "CREATE INDEX moves_by_claim ON moves (ledger, claim_id)",
        """
        CREATE TRIGGER moves_are_not_changed BEFORE UPDATE ON moves
        BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END
        """,
        """
        CREATE TRIGGER moves_are_not_deleted BEFORE DELETE ON moves
        BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END
        """,
        """
        CREATE TABLE cursors (
            ledger TEXT PRIMARY KEY,
            cursor TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    ),
    (
        # Signed replies that were taken in, until they are too old to count: a second one is a
        # replay.
        """
        CREATE TABLE replies (
            ledger TEXT NOT NULL,
            seal TEXT NOT NULL,
            until TEXT NOT NULL,
            PRIMARY KEY (ledger, seal)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX replies_by_age ON replies (until)",
    ),
    (
        # What claimbridge.sources.record keeps: in this file, so that one backup has a claim and
        # what became of it. ``mark`` is where reading a source goes on.
        """
        CREATE TABLE marks (
            source TEXT PRIMARY KEY,
            mark TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        # One row for each version of a document. ``claim`` is the claim's JSON, NULL where the
        # document was none; ``told`` whether the source took note of the end; ``answered`` is the
        # state of the submission for which it was last planned what goes back to the source.
        """
        CREATE TABLE arrivals (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            document TEXT NOT NULL,
            version TEXT NOT NULL,
            label TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            withdrawn INTEGER NOT NULL,
            state TEXT NOT NULL,
            code TEXT NOT NULL DEFAULT '',
            reason TEXT NOT NULL DEFAULT '',
            attempt INTEGER NOT NULL DEFAULT 0,
            told INTEGER NOT NULL DEFAULT 0,
            answered TEXT NOT NULL DEFAULT '',
            claim TEXT,
            ignored TEXT NOT NULL,
            read_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (source, document, version)
        )
        """,
        "CREATE INDEX arrivals_by_state ON arrivals (state, source)",
        "CREATE INDEX arrivals_by_claim ON arrivals (claim_id)",
        "CREATE INDEX arrivals_untold ON arrivals (source) WHERE told = 0",
        # The primary key is what lets one claim alone have an invoice, whoever asks at once.
        """
        CREATE TABLE invoices (
            invoice TEXT PRIMARY KEY,
            claim_id TEXT NOT NULL,
            arrival INTEGER NOT NULL REFERENCES arrivals,
            line INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX invoices_by_claim ON invoices (claim_id)",
        "CREATE INDEX invoices_by_arrival ON invoices (arrival)",
        # What a webhook was sent, before anybody reads it. Ids are never used again: they are
        # the marks of its source.
        """
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            digest TEXT NOT NULL,
            body BLOB NOT NULL,
            received_at TEXT NOT NULL,
            UNIQUE (source, digest)
        )
        """,
        """
        CREATE TABLE write_backs (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            document TEXT NOT NULL,
            kind TEXT NOT NULL,
            occasion TEXT NOT NULL,
            content TEXT NOT NULL,
            state TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            reason TEXT NOT NULL,
            attempted_at TEXT,
            updated_at TEXT NOT NULL,
            UNIQUE (source, document, kind, occasion)
        )
        """,
        "CREATE INDEX write_backs_by_state ON write_backs (source, state)",
    ),
    (
        # Documents that a source was told to have changed, until they are read again. A hint that
        # comes again takes the place of the older one, with a higher id: what was read before it
        # came does not answer it.
        """
        CREATE TABLE hints (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            document TEXT NOT NULL,
            UNIQUE (source, document)
        )
        """,
    ),
    # Which of the times it is that an unchanged document waits for an answer; '' the first.
    ("ALTER TABLE arrivals ADD COLUMN occasion TEXT NOT NULL DEFAULT ''",),
    # When an attempt began and when it came to be in doubt, on the count of one boot, are kept in
    # the content of submissions; an older release would write them away. ``doubt_boot`` and
    # ``doubt_seconds`` say the same of write-backs.
    (
        "ALTER TABLE write_backs ADD COLUMN doubt_boot TEXT",
        "ALTER TABLE write_backs ADD COLUMN doubt_seconds REAL",
    ),
    (
        # From here on ``ledger`` holds the id of a book everywhere. What it held before is the id
        # of that book; its place (profile, endpoint, within) is not known until it is opened.
        # ``number`` is the order of opening.
        """
        CREATE TABLE books (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            profile TEXT,
            endpoint TEXT,
            within TEXT,
            parallel INTEGER NOT NULL CHECK (parallel IN (0, 1)),
            opened_at TEXT,
            CHECK ((profile IS NULL) = (endpoint IS NULL)),
            CHECK ((profile IS NULL) = (within IS NULL))
        )
        """,
        # ``number`` is the order in which a book got its names.
        """
        CREATE TABLE book_names (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            book TEXT NOT NULL REFERENCES books (id)
        )
        """,
        "INSERT INTO books (id, parallel) SELECT ledger, 0 FROM "
        "(SELECT ledger FROM claims UNION SELECT ledger FROM cursors) ORDER BY ledger",
        "INSERT INTO book_names (name, book) SELECT id, id FROM books ORDER BY number",
        # Which books have something of a claim.
        "CREATE INDEX claims_by_id ON claims (claim_id)",
    ),
    (
        # Which submission uses which invoice, and of what part: an index of what ``content`` says.
        # Whether it still has the invoice follows from its state. ``claim_id`` is the claim's, also
        # where the submission is a part of it; ``number`` is how people ask for it.
        """
        CREATE TABLE invoice_uses (
            invoice TEXT NOT NULL,
            submission INTEGER NOT NULL,
            claim_id TEXT NOT NULL,
            line INTEGER NOT NULL,
            number TEXT NOT NULL,
            amount TEXT,
            total TEXT,
            currency TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (invoice, submission)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX invoice_uses_by_number ON invoice_uses (number)",
        # What the record of sources held for its arrivals; of a divided claim each part has it.
        """
        INSERT OR IGNORE INTO invoice_uses (invoice, submission, claim_id, line, number)
        SELECT i.invoice, s.id, i.claim_id, i.line, CASE
            WHEN instr(i.invoice, '|') > 0 THEN substr(i.invoice, instr(i.invoice, '|') + 1)
            WHEN instr(i.invoice, ':') > 0 THEN substr(i.invoice, instr(i.invoice, ':') + 1)
            ELSE i.invoice END
        FROM invoices i JOIN arrivals a ON a.id = i.arrival JOIN submissions s
        ON s.revision >= a.revision AND s.purpose = 'post' AND (s.claim_id = i.claim_id
            OR (substr(s.claim_id, 1, length(i.claim_id) + 1) = i.claim_id || '/'
                AND substr(s.claim_id, length(i.claim_id) + 2) NOT GLOB '*[^0-9]*'
                AND coalesce(json_extract(s.content, '$.voucher.parts'), 0) > 0))
        """,
        """
        UPDATE submissions SET content = json_set(content, '$.invoices', json((
            SELECT json_group_array(
                json_object('invoice', u.invoice, 'line', u.line, 'number', u.number))
            FROM invoice_uses u WHERE u.submission = submissions.id)))
        WHERE id IN (SELECT submission FROM invoice_uses)
        """,
        "DROP TABLE invoices",
    ),
    (
        # The parts of a divided claim were claims by themselves, ``EXP-7/1`` …, where a claim of
        # that name would have been taken for one. They are the claim's own now, told by ``part``
        # (0: the claim as one document), under one version. Their references stay. A claim of the
        # user's whose id only looks so has no parts in its vouchers, and stays what it is.
        """
        CREATE TABLE parted AS SELECT id, ledger, claim_id AS named, revision, purpose, part,
            substr(claim_id, 1, length(claim_id) - length('/' || part)) AS claim_id
        FROM (
            SELECT id, ledger, claim_id, revision, purpose,
                CASE WHEN json_valid(content) THEN json_extract(content, '$.voucher.part') END
                    AS part,
                CASE WHEN json_valid(content) THEN json_extract(content, '$.voucher.parts') END
                    AS parts
            FROM submissions
        ) WHERE parts > 0 AND substr(claim_id, -length('/' || part)) = '/' || part
        """,
        "CREATE INDEX parted_by_id ON parted (id)",
        """
        INSERT INTO claims (ledger, claim_id, version)
        SELECT DISTINCT ledger, claim_id, 1 FROM parted WHERE true ON CONFLICT DO NOTHING
        """,
        # Higher than that of any claim which is joined here.
        """
        UPDATE claims SET version = version + (
            SELECT sum(old.version) FROM claims old WHERE (old.ledger, old.claim_id) IN (
                SELECT p.ledger, p.named FROM parted p
                WHERE p.ledger = claims.ledger AND p.claim_id = claims.claim_id))
        WHERE (ledger, claim_id) IN (SELECT ledger, claim_id FROM parted)
        """,
        """
        CREATE TABLE submissions_of_parts (
            id INTEGER PRIMARY KEY,
            ledger TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            purpose TEXT NOT NULL CHECK (purpose IN ('post', 'reverse')),
            part INTEGER NOT NULL DEFAULT 0 CHECK (part >= 0),
            reference TEXT NOT NULL,
            digest TEXT NOT NULL,
            state TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            attempted_at TEXT,
            updated_at TEXT NOT NULL,
            owner TEXT,
            flight INTEGER,
            content TEXT NOT NULL,
            CHECK ((state = 'sending') = (owner IS NOT NULL)),
            CHECK ((owner IS NULL) = (flight IS NULL)),
            UNIQUE (ledger, claim_id, revision, purpose, part),
            UNIQUE (ledger, reference),
            FOREIGN KEY (ledger, claim_id) REFERENCES claims
        )
        """,
        """
        INSERT INTO submissions_of_parts
        SELECT s.id, s.ledger, coalesce(p.claim_id, s.claim_id), s.revision, s.purpose,
            coalesce(p.part, 0), s.reference, s.digest, s.state, s.attempt, s.attempted_at,
            s.updated_at, s.owner, s.flight, s.content
        FROM submissions s LEFT JOIN parted p ON p.id = s.id
        """,
        """
        CREATE TABLE moves_of_parts (
            id INTEGER PRIMARY KEY,
            ledger TEXT NOT NULL,
            claim_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            purpose TEXT NOT NULL,
            part INTEGER NOT NULL,
            at TEXT NOT NULL,
            state_before TEXT,
            state_after TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            detail TEXT NOT NULL,
            FOREIGN KEY (ledger, claim_id, revision, purpose, part)
                REFERENCES submissions_of_parts (ledger, claim_id, revision, purpose, part)
        )
        """,
        """
        INSERT INTO moves_of_parts
        SELECT m.id, m.ledger, coalesce(p.claim_id, m.claim_id), m.revision, m.purpose,
            coalesce(p.part, 0), m.at, m.state_before, m.state_after, m.attempt, m.detail
        FROM moves m JOIN submissions s USING (ledger, claim_id, revision, purpose)
            LEFT JOIN parted p ON p.id = s.id
        """,
        "DROP TABLE moves",  # runs no trigger: https://sqlite.org/lang_droptable.html
        "DROP TABLE submissions",
        "ALTER TABLE submissions_of_parts RENAME TO submissions",
        "ALTER TABLE moves_of_parts RENAME TO moves",
        """
        DELETE FROM claims WHERE (ledger, claim_id) IN (SELECT ledger, named FROM parted)
            AND NOT EXISTS (SELECT 1 FROM submissions s
                WHERE s.ledger = claims.ledger AND s.claim_id = claims.claim_id)
        """,
        "DROP TABLE parted",
        "CREATE INDEX submissions_by_state ON submissions (ledger, state)",
        "CREATE INDEX submissions_in_flight ON submissions (owner) WHERE owner IS NOT NULL",
        "CREATE INDEX moves_by_claim ON moves (ledger, claim_id)",
        """
        CREATE TRIGGER moves_are_not_changed BEFORE UPDATE ON moves
        BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END
        """,
        """
        CREATE TRIGGER moves_are_not_deleted BEFORE DELETE ON moves
        BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END
        """,
        # The last revision that was taken back where it came from (0: none), and why: it is not
        # sent any more, also where nothing of it was ever begun.
        "ALTER TABLE claims ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE claims ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
    ),
    # ``content`` may name the ERP's job that holds what was sent; an older release would write
    # that away.
    ("SELECT 1",),
    (
        # What a mark beside the file is compared with (see ``newest``): one row. ``begun`` counts
        # begins, ``begun_at`` is the last one's time; ``marked``: a mark was written.
        """
        CREATE TABLE journal (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            id TEXT NOT NULL,
            begun INTEGER NOT NULL,
            begun_at TEXT,
            marked INTEGER NOT NULL
        )
        """,
        """
        INSERT INTO journal SELECT 1, lower(hex(randomblob(16))),
            (SELECT count(*) FROM moves WHERE state_after = 'sending'),
            (SELECT max(attempted_at) FROM submissions), 0
        """,
        # Books to which nothing was sent through this journal, rightly so, as a person has said.
        "CREATE TABLE new_books (book TEXT PRIMARY KEY) WITHOUT ROWID",
        # Times of which this journal knows nothing, though one was in use; ``since`` is NULL where
        # it knows nothing from before either.
        """
        CREATE TABLE gaps (
            id INTEGER PRIMARY KEY,
            since TEXT,
            until TEXT NOT NULL,
            noted_at TEXT NOT NULL,
            noted_boot TEXT NOT NULL,
            noted_seconds REAL NOT NULL
        )
        """,
    ),
)


__all__ = ["MIGRATIONS"]
