"""The synchronous client: performs the steps of a plan where it stands; it decides nothing."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from claimbridge.journal.calls import CURRENT, ClientCall, ThreadCall
from claimbridge.ledger_client import LedgerClient
from claimbridge.model import (
    Acknowledgement,
    Book,
    Change,
    Claim,
    JournalEntry,
    Standing,
    State,
)
from claimbridge.profiles.master_records import RecordList
from claimbridge.results import Reconciled, Result
from claimbridge.soap.transport import HttpAnswer, HttpMessage, Transport, TransportSettings
from claimbridge.submission import (
    Deadline,
    Emissions,
    InThread,
    Plan,
    ProbeChoice,
    ProbeIntention,
    ProbeStep,
    Reachability,
    WorkWindow,
    perform,
    plans,
    probe,
)

T = TypeVar("T")


class Client(LedgerClient[Transport]):
    """Submits claims to one ledger; threads may share it.

    Use it as a context manager, or call ``close``. ``timeout=`` bounds one call in seconds,
    waiting included; None leaves each exchange to the configured time-outs. A call whose time is
    over raises what is known by then.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the journal; closing twice does no harm."""
        for transport in self._transports:
            transport.close()
        if self._own_journal:
            self.journal.close()

    # --- what callers ask for ---------------------------------------------------------------

    def book(self) -> Book:
        """Return the book that this ledger means, as the journal keeps it; opened where it is new.

        Every call begins so. Raises ConfigurationError: CB-232 where the ledger's name stands for
        another book than before, CB-234 where a parallel ledger is the same book as another.
        """
        return self._run(plans.book(self.ledger), None)

    def submit(self, claim: Claim, *, timeout: float | None = None) -> Acknowledgement:
        """Carry an approved claim into the ledger, once, and return the ERP's acknowledgement.

        Calling it again returns the same. A later revision supersedes or reverses the earlier
        one first. Raises ClaimError (nothing was sent), SigningError, or a DeliveryError.
        """
        return self._run(plans.submit(claim, self.ledger), timeout)

    def submit_many(
        self,
        claims: Iterable[Claim],
        *,
        batch: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Result]:
        """Submit claims as ``submit`` does; yield a Result for each in order, never raising midway.

        ``batch`` vouchers go into one request (None: as configured; the profile's limit holds),
        ``concurrency`` requests are under way at once. Claims are taken from the iterable as
        needed, so memory does not grow with their number. ``timeout`` bounds each request's work.
        """
        workers = concurrency or self.ledger.setup.config.concurrency
        work = plans.submit_many(claims, self.ledger, batch=batch or self.ledger.setup.config.batch)
        with ThreadPoolExecutor(workers, thread_name_prefix="claimbridge") as pool:
            window: WorkWindow[Plan[list[Result]], Future[list[Result]]]
            window = WorkWindow(lambda plan: pool.submit(self._run, plan, timeout), workers * 2)
            for future in window.begin(work):
                yield from future.result()

    def status(self, claim_id: str, *, ask: bool = True, timeout: float | None = None) -> Standing:
        """Return where the newest revision of a claim stands.

        Asks the ERP about what it accepted, unless ``ask`` is False or the profile cannot. Raises
        ClaimError for an unknown claim, NotDelivered or LedgerUnavailable when the ERP cannot be
        asked.
        """
        return self._run(plans.status(claim_id, self.ledger, ask=ask), timeout)

    def ask_for_nothing(self, *, timeout: float | None = None) -> Reachability:
        """Ask the ERP about a document that nobody sent, to see whether the way there works.

        It goes through TLS, authentication, path, contract and reading; nothing is posted, and
        nothing recorded. Never raises for what went wrong on that way.
        """
        return self._run(plans.ask_for_nothing(self.ledger), timeout)

    def intend_probe(
        self,
        choice: ProbeChoice,
        *,
        is_reversed: bool = True,
        in_production: bool = False,
        timeout: float | None = None,
    ) -> ProbeIntention:
        """Return what ``probe`` would do with this choice, for a person to agree to; send nothing.

        Where the journal knows a probe that is not over, it is that one. ``is_reversed`` False
        leaves the voucher in the books. Raises ConfigurationError: CB-277 for a ledger that is
        marked ``production``, unless ``in_production``; CB-279 for a choice that is left open;
        CB-287 where the profile cannot reverse. Raises ClaimError where chart or contract refuse
        the voucher, and JournalError CB-235 or CB-236 where the journal is not the newest, or new.
        """
        plan = probe.intend_probe(
            choice, self.ledger, is_reversed=is_reversed, in_production=in_production
        )
        return self._run(plan, timeout)

    def probe(self, intention: ProbeIntention, *, wait: float = 60.0) -> Iterator[ProbeStep]:
        """Post a voucher of the smallest amount, find it, reverse it, and find it reversed.

        Yields each step when it is over. ``wait`` is for how many seconds the ERP may not show yet
        what it accepted. Raises what ``submit``, ``status`` and ``reverse`` raise, and
        OutcomeUnknown CB-479 after ``wait``; the next probe goes on from there.
        """
        return self._each(probe.probe(intention, self.ledger, wait=wait), None)

    def list_records(self, kind: str, *, timeout: float | None = None) -> RecordList:
        """Fetch the ERP's master records of one kind, with its own ids; nothing is posted or kept.

        ``claimbridge codes`` keeps them in a file. Raises ConfigurationError where the profile has
        no lists, or none of this kind; DeliveryRefused, NotDelivered or LedgerUnavailable where no
        whole list came.
        """
        return self._run(self.ledger.list_records(kind), timeout)

    def wait(
        self, claim_id: str, *, until: State = State.POSTED, timeout: float = 60.0
    ) -> Standing:
        """Wait until the ERP has posted (or paid) a claim, and return its standing.

        Raises LedgerRejection or OutcomeUnknown when that will not happen, LedgerUnavailable when
        it has not happened after ``timeout`` seconds.
        """
        plan = plans.wait(claim_id, self.ledger, until=until, timeout=timeout)
        return self._run(plan, None)

    def changes(self, *, since: str | None = None, limit: int = 100) -> Iterator[Change]:
        """Yield what changed in the ERP, oldest first, and take it into the journal.

        ``since`` is the cursor of the last change dealt with, of any in a page; None goes on from
        where the journal remembers; "" begins at the beginning. The journal's memory moves on when
        the next change is asked for. So a change that was being dealt with when the process died
        comes again. After a kill, the others of its page come again too. A page is read again to go
        on within it: where the last change was followed by another of its document meanwhile, its
        changes come twice. Ends when nothing more has changed. Raises ConfigurationError when the
        profile cannot list changes.
        """
        return self._each(plans.changes(self.ledger, since=since, limit=limit), None)

    def reverse(
        self,
        claim_id: str,
        *,
        revision: int | None = None,
        posting_date: dt.date | None = None,
        reason: str = "",
        timeout: float | None = None,
    ) -> Acknowledgement:
        """Take a claim's journal entry back; return the ERP's acknowledgement of the reversal.

        ``revision`` None means the newest; ``posting_date`` None means today in the company's
        time zone (CB-199 where nobody names it). Calling it again
        returns the same. Raises the errors of DeliveryError.
        """
        plan = plans.reverse(
            claim_id, self.ledger, revision=revision, posting_date=posting_date, reason=reason
        )
        return self._run(plan, timeout)

    def withdraw(
        self,
        claim_id: str,
        *,
        reason: str,
        revision: int = 1,
        approved_at: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> Standing | None:
        """Keep a claim out of the ledger that was taken back where it came from; ask nobody.

        What still waits to be sent never is. Nor is a ``revision`` or an earlier one that was never
        begun: whoever submits it later is refused (CB-459); a higher one may be submitted. Returns
        None when nothing of the claim is in the ledger; else the standing of what is, or may be,
        there, which stays as it is: ``reverse`` it. ``reason`` is kept with the claim.

        Raises JournalError where the journal is not the newest, and OutcomeUnknown CB-470, once,
        where another journal may have sent the claim; not where it was approved after that.
        """
        plan = plans.withdraw(
            claim_id, self.ledger, reason=reason, revision=revision, approved_at=approved_at
        )
        return self._run(plan, timeout)

    def reconcile(self, *, timeout: float | None = None) -> Iterator[Reconciled]:
        """Bring every unfinished submission of the ledger to an end, and yield what became of it.

        Run it after a crash, and from time to time. Never raises for one claim; ``timeout`` bounds
        each. Raises JournalError CB-235 or CB-236 after the last one where the journal is not the
        newest: what it does not know is not unfinished to it.
        """
        return self._each(plans.reconcile(self.ledger), timeout)

    def settle(
        self,
        claim_id: str,
        *,
        revision: int,
        part: int = 0,
        posted: JournalEntry | None,
        reversed: bool = False,
        gone: bool = False,
        looked: dt.datetime | None = None,
        note: str = "settled by hand",
    ) -> Standing:
        """Record what a person found in the ERP about a parked submission.

        ``part`` names the document of a divided claim, from 1. ``posted`` names the journal entry;
        None says that the ERP holds none, so that it may be submitted again. ``reversed`` says that
        people have reversed it in the ERP. ``gone`` says that an entry which the ERP accepted is
        there no more: the ERP is asked once more, and then a higher revision may be submitted.
        ``looked`` is when the person looked (with a time zone; None: just now). Raises
        ConflictingSubmission when there is nothing to settle, and OutcomeUnknown when nothing was
        found so early that what was sent may have arrived since.
        """
        plan = plans.settle(
            claim_id,
            self.ledger,
            revision=revision,
            part=part,
            posted=posted,
            reversed=reversed,
            gone=gone,
            looked=looked,
            note=note,
        )
        return self._run(plan, None)

    # --- performing steps -------------------------------------------------------------------

    def _transport(self, settings: TransportSettings) -> Transport:
        return Transport(settings, clock=self._clock)

    def _each(self, emissions: Emissions[T], timeout: float | None) -> Iterator[T]:
        """Yield what a plan emits, each within its own time; None says that there is nothing."""
        try:
            while (emission := self._run(emissions.next(), timeout)) is not None:
                if emission.value is not None:
                    yield emission.value
        finally:
            self._run(emissions.end(), None)

    def _run(self, plan: Plan[T], timeout: float | None) -> T:
        """Carry a plan out. An exception from outside, at any line, leaves nothing under way."""
        call, outer = ThreadCall(sys._getframe()), CURRENT.get()
        try:
            try:
                CURRENT.set(call)
                return perform(
                    plan, InThread(self.journal, self._post, Deadline(self._clock, timeout))
                )
            finally:
                self._end(call, outer)
        finally:
            self._end(call, outer)  # where the first was interrupted

    def _end(self, call: ThreadCall, outer: ClientCall | None) -> None:
        call.end()
        CURRENT.set(outer)
        self.journal.ended(call)

    def _post(self, message: HttpMessage, deadline: Deadline) -> HttpAnswer:
        total = self._time_for_request(deadline)
        transport = self._transports.to(message.address)
        return transport.post(
            message.body, headers=message.headers, timeout=total, checked=message.checked
        )
