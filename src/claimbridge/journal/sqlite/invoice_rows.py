"""Who has an invoice, as rows: their statements. Each runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable, values_of
from claimbridge.journal.writes import Write
from claimbridge.model import InvoiceHolder, InvoiceUse, State

_HOLDERS: Final = """
SELECT s.ledger, s.claim_id, s.revision, s.purpose, s.part, u.claim_id, s.state, EXISTS (
    SELECT 1 FROM submissions l WHERE l.ledger = s.ledger AND l.claim_id = s.claim_id
    AND l.revision > s.revision),
    u.invoice, u.line, u.number, u.amount, u.total, u.currency
FROM invoice_uses u JOIN submissions s ON s.id = u.submission
WHERE u.{column} IN ({marks}) ORDER BY s.id, u.line
"""
_FORGET: Final = """
DELETE FROM invoice_uses WHERE invoice = ? AND submission = (SELECT id FROM submissions
    WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ?)
"""
_KEEP: Final = """
INSERT INTO invoice_uses (invoice, submission, claim_id, line, number, amount, total, currency)
SELECT ?, id, ?, ?, ?, ?, ?, ? FROM submissions
WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ?
"""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    book: str
    claim: str
    revision: int
    purpose: str
    part: int
    claim_id: str
    state: State
    superseded: bool
    invoice: str
    line: int
    number: str
    amount: str | None
    total: str | None
    currency: str


def read_holders(
    connection: sqlite3.Connection, names: Collection[str]
) -> tuple[InvoiceHolder, ...]:
    """Return the submissions that have, or had, invoices of these identities or numbers."""
    holders = [*_read(connection, "invoice", names), *_read(connection, "number", names)]
    return tuple(dict.fromkeys(holders))


def read_users(
    connection: sqlite3.Connection, invoices: Collection[str]
) -> tuple[InvoiceHolder, ...]:
    """Return the submissions that have, or had, invoices of these identities."""
    return tuple(_read(connection, "invoice", invoices))


def write(connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
    """Keep which invoices the submissions use, after they were written."""
    for one in writes:
        before = () if one.before is None else one.before.invoices
        after = one.after.invoices
        if before == after:
            continue
        key = values_of(one.after.key)
        connection.executemany(_FORGET, [(use.invoice, *key) for use in before])
        claim_id = one.after.key.claim_id
        connection.executemany(_KEEP, [(*_values(use, claim_id), *key) for use in after])


def _read(
    connection: sqlite3.Connection, column: str, names: Collection[str]
) -> list[InvoiceHolder]:
    holders: list[InvoiceHolder] = []
    wanted = list(names)
    for start in range(0, len(wanted), _MARKS):
        some = wanted[start : start + _MARKS]
        statement = _HOLDERS.format(column=column, marks=", ".join("?" * len(some)))
        holders += [_holder(row) for row in connection.execute(statement, some).fetchall()]
    return holders


_MARKS: Final = 500
"""Names in one statement; SQLite allowed 999 values before version 3.32."""


def _holder(row: Sequence[object]) -> InvoiceHolder:
    try:
        columns = msgspec.convert(row, _Row, strict=False)
        return msgspec.convert(
            {
                "key": {
                    "book": columns.book,
                    "claim_id": columns.claim,
                    "revision": columns.revision,
                    "purpose": columns.purpose,
                    "part": columns.part,
                },
                "claim_id": columns.claim_id,
                "state": columns.state,
                "superseded": columns.superseded,
                "use": {
                    "invoice": columns.invoice,
                    "line": columns.line,
                    "number": columns.number,
                    "amount": columns.amount,
                    "total": columns.total,
                    "currency": columns.currency,
                },
            },
            InvoiceHolder,
        )
    except msgspec.MsgspecError as error:
        raise Undecodable(f"a use of invoice {row[8]}: {error}") from error


def _values(use: InvoiceUse, claim_id: str) -> tuple[object, ...]:
    amount = None if use.amount is None else str(use.amount)
    total = None if use.total is None else str(use.total)
    return use.invoice, claim_id, use.line, use.number, amount, total, use.currency


__all__ = ["read_holders", "read_users", "write"]
