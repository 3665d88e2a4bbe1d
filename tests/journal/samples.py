"""Submissions, clocks and processes for the journal's tests."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec

from claimbridge.clock import Uptime
from claimbridge.model import (
    History,
    InvoiceUse,
    JournalEntry,
    Key,
    Posting,
    Purpose,
    Reason,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)

LEDGER = "CN01"
START = dt.datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=dt.UTC)
WORKER = Path(__file__).with_name("worker.py")


class SteppedClock:
    """Goes on by one millisecond whenever it is looked at."""

    def __init__(self, start: dt.datetime = START) -> None:
        self.time = start

    def now(self) -> dt.datetime:
        self.time += dt.timedelta(milliseconds=1)
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def voucher(claim_id: str, *, text: str = "差旅 travel") -> Voucher:
    amount = Decimal("1234567890.05")
    return Voucher(
        claim_id=claim_id,
        revision=1,
        company="CN01",
        employee="E-7",
        currency="CNY",
        document_date=dt.date(2026, 3, 1),
        posting_date=dt.date(2026, 3, 2),
        text=text,
        postings=(
            Posting(
                role=Role.EXPENSE, account="6602", side=Side.DEBIT, amount=amount, currency="CNY"
            ),
            Posting(
                role=Role.EMPLOYEE_PAYABLE,
                account="2241",
                side=Side.CREDIT,
                amount=amount,
                currency="CNY",
                partner="E-7",
            ),
        ),
    )


def submission(
    claim_id: str,
    state: State = State.SENDING,
    *,
    revision: int = 1,
    ledger: str = LEDGER,
    reference: str | None = None,
) -> Submission:
    return Submission(
        key=Key(ledger, claim_id, revision),
        reference=reference or f"{claim_id}-{revision}",
        digest="d" * 64,
        voucher=voucher(claim_id),
        state=state,
        attempt=1 if state is State.SENDING else 0,
        attempted_at=START if state is State.SENDING else None,
        attempted_uptime=Uptime("test", START.timestamp()) if state is State.SENDING else None,
    )


def complete(claim_id: str) -> Submission:
    """A submission in which no field has its default, in sending."""
    first = voucher(claim_id)
    entry = JournalEntry("0100000008", "1410", "2024")
    return Submission(
        key=Key(LEDGER, claim_id, 3, Purpose.REVERSE),
        reference="ref/3",
        digest="e" * 64,
        voucher=first.reversal(entry, posting_date=dt.date(2026, 4, 1), text="冲销 😀"),
        state=State.SENDING,
        attempt=4,
        journal_entry=JournalEntry("0100000009", "1410", "2025"),
        reasons=(Reason("period is closed", "F5 201", "posting_date"), Reason("又一个")),
        detail="twice \"quoted\"\n\x1f and 'so'",
        attempted_at=dt.datetime(2026, 3, 2, 17, 30, tzinfo=dt.timezone(dt.timedelta(hours=8))),
        attempted_uptime=Uptime("one boot", 12.000001),
        doubt_since=START - dt.timedelta(days=1, microseconds=1),
        doubt_uptime=Uptime("another boot", 1.5e9),
        returns_to=State.PAID,
        updated_at=START,
        job="JOB 甲",
        invoices=(
            InvoiceUse(invoice="26312000000000000007", line=1, number="26312000000000000007"),
            InvoiceUse(
                invoice="甲|7",
                line=2,
                number="7",
                amount=Decimal("400.10"),
                total=Decimal("1000.00"),
                currency="CNY",
            ),
        ),
    )


def changed(history: History, state: State, **fields: object) -> Submission:
    """The first submission of a history, in another state."""
    return msgspec.structs.replace(history.submissions[0], state=state, **fields)


def start(command: str, *arguments: object) -> subprocess.Popen[str]:
    """Start the worker process."""
    return subprocess.Popen(
        [sys.executable, str(WORKER), command, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(command: str, *arguments: object) -> list[str]:
    """Run the worker process to its end; return its lines."""
    process = start(command, *arguments)
    output, _ = process.communicate(timeout=120)
    return output.splitlines()
