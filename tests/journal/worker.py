"""What the journal's tests have other processes do: ``worker.py COMMAND ARGUMENT…``."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec
from tests.journal.samples import LEDGER, changed, submission

from claimbridge.errors import JournalError
from claimbridge.journal import SqliteJournal
from claimbridge.model import InvoiceUse, JournalEntry, State


def say(*words: object) -> None:
    # One system call: print() of several threads mixes their lines.
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def begin_and_die(path: str, claim_id: str) -> None:
    """Begin a flight, then die as by kill -9."""
    journal = SqliteJournal(path)
    assert journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
    os.kill(os.getpid(), signal.SIGKILL)


def begin_with_invoice_and_die(path: str, claim_id: str, number: str) -> None:
    """Begin a flight of a claim that uses an invoice, then die as by kill -9."""
    journal = SqliteJournal(path)
    use = InvoiceUse(invoice=number, line=1, number=number)
    flight = msgspec.structs.replace(submission(claim_id), invoices=(use,))
    assert journal.begin(journal.history(LEDGER, claim_id), [flight])
    os.kill(os.getpid(), signal.SIGKILL)


def begin_and_wait(path: str, claim_id: str) -> None:
    """Begin a flight, say so, and end it once a line comes in."""
    journal = SqliteJournal(path)
    history = journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
    assert history is not None
    say("begun")
    sys.stdin.readline()
    journal.record(history, [changed(history, State.IN_DOUBT)])
    journal.close()


def race(path: str, claims: str, threads: str) -> None:
    """Begin every claim that nobody else has begun, and post it; say which."""
    journal = SqliteJournal(path, timeout=60)
    say("ready")
    sys.stdin.readline()

    def work() -> None:
        for number in range(int(claims)):
            claim_id = f"C{number}"
            seen = journal.history(LEDGER, claim_id)
            if seen.version:
                continue
            begun = journal.begin(seen, [submission(claim_id)])
            if begun is not None:
                say(claim_id)
                posted = changed(begun, State.POSTED, journal_entry=JournalEntry(claim_id))
                assert journal.record(begun, [posted])

    _in_threads(int(threads), work)
    journal.close()


def toil(path: str, name: str) -> None:
    """Begin and post claims for ever, in four threads; say what has been promised."""
    journal = SqliteJournal(path)
    lock = threading.Lock()
    numbers = iter(range(10**9))

    def work() -> None:
        while True:
            with lock:
                claim_id = f"{name}-{next(numbers)}"
            begun = journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
            assert begun is not None
            say("begun", claim_id)
            entry = JournalEntry(claim_id)
            assert journal.record(begun, [changed(begun, State.POSTED, journal_entry=entry)])
            say("posted", claim_id)

    _in_threads(4, work)


def fill(path: str, limit: str) -> None:
    """Write until the file size limit (0: the disk) is reached; say what was promised."""
    journal = SqliteJournal(path)
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    for number in range(10_000):
        claim_id = f"C{number}"
        try:
            begun = journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
            assert begun is not None
            journal.record(begun, [changed(begun, State.POSTED, journal_entry=JournalEntry("1"))])
            say("kept", claim_id)
        except JournalError as error:
            say("refused", error.code)
            break
    # All that was promised can still be read here, where nothing more can be written.
    say("readable", *(f"{s.key.claim_id}={s.state}" for s in journal.select(LEDGER)))


def read_all(path: str) -> None:
    """Read every submission; say how many, and by how many bytes this process has grown."""
    journal = SqliteJournal(path)
    next(journal.select(LEDGER))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in journal.select(LEDGER))
    say(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


def exhaust(path: str) -> None:
    """Use up all file descriptors, then write; say what is refused."""
    journal = SqliteJournal(path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    journal.history(LEDGER, "C1")
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    try:
        journal.begin(journal.history(LEDGER, "C2"), [submission("C2")])
    except JournalError as error:
        say(error)


def open_only(path: str) -> None:
    """Open the journal at the same time as others; say how that went."""
    say("ready")
    sys.stdin.readline()
    try:
        SqliteJournal(path).close()
        say("opened")
    except JournalError as error:
        say(error)


def try_writing(path: str, user: str) -> None:
    """As another user: read one claim, begin another; say what comes of it."""
    if os.getuid() == 0:
        os.setgid(int(user))
        os.setuid(int(user))
    try:
        journal = SqliteJournal(path)
        say("version", journal.history(LEDGER, "C1").version)
        journal.begin(journal.history(LEDGER, "C2"), [submission("C2")])
        say("begun")
    except JournalError as error:
        say(error)


def _in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
