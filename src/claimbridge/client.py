"""The synchronous client: performs the steps of a plan, in order; it decides nothing."""

from __future__ import annotations

import datetime as dt
import sys
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, load_config
from claimbridge.errors import ClaimBridgeError, JournalWarning, NotDelivered
from claimbridge.journal import open_journal
from claimbridge.journal.base import Journal
from claimbridge.journal.calls import CURRENT, ClientCall, ThreadCall
from claimbridge.ledger import Ledger, Preview, transport_settings
from claimbridge.model import (
    Acknowledgement,
    Book,
    Change,
    Claim,
    JournalEntry,
    Standing,
    State,
    Submission,
)
from claimbridge.soap.transport import HttpAnswer, HttpMessage, Ports, Transport
from claimbridge.submission import (
    Access,
    Feed,
    Pause,
    Plan,
    Post,
    Probed,
    Step,
    forgets,
    found_by,
    with_journal,
)

T = TypeVar("T")

UNFINISHED = (State.PENDING, State.SENDING, State.IN_DOUBT, State.REVERSING)
"""States that ``reconcile`` brings to an end."""


class Result(msgspec.Struct, frozen=True):
    """How one claim of ``submit_many`` ended: an acknowledgement, or the error ``submit`` raises.

    Exactly one of the two is None.
    """

    claim_id: str
    acknowledgement: Acknowledgement | None
    error: ClaimBridgeError | None


class Reconciled(msgspec.Struct, frozen=True):
    """What ``reconcile`` made of an unfinished submission: its standing, or the error that remains.

    Exactly one of the two is None.
    """

    claim_id: str
    standing: Standing | None
    error: ClaimBridgeError | None


def unfinished(journal: Journal, ledger: str) -> Iterator[Submission]:
    """Yield what of a ledger is to be brought to an end, each divided claim once.

    A part that was refused is among it: others of its claim may be in the ledger.
    """
    seen: set[str] = set()
    rejected = journal.select(ledger, (State.REJECTED,), parts=True)
    for one in chain(journal.select(ledger, UNFINISHED), rejected):
        if one.key.part:
            if one.key.claim_id in seen:
                continue
            seen.add(one.key.claim_id)
        yield one


class Deadline:
    """What is left of the seconds that a caller allowed; None allows what the settings allow."""

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return the seconds left, ``most`` at the most; 0 when the time is over."""
        if self._end is None:
            return most
        return max(0.0, min(most, self._end - self._clock.monotonic()))


class Client:
    """Submits claims to one ledger; threads may share it.

    Use it as a context manager, or call ``close``. ``timeout=`` bounds one call in seconds,
    waiting included; None leaves each exchange to the configured time-outs. A call whose time is
    over raises what is known by then.
    """

    def __init__(
        self,
        config: LedgerConfig,
        *,
        ledger: Ledger | None = None,
        journal: Journal | None = None,
        new_journal: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open the ledger that ``config`` describes; ``ledger`` and ``journal`` replace parts.

        A journal that was passed in is not closed. ``new_journal`` says that nothing was sent
        to this ledger before, which the journal keeps where it knows of nothing either. Raises
        ConfigurationError.
        """
        self.ledger: Ledger = ledger or Ledger(config, clock=clock)
        self._transports = Ports(transport_settings(config), partial(Transport, clock=clock))
        self._own_journal = journal is None
        self.journal: Journal = journal or opened_journal(self.ledger, clock)
        self._clock = clock
        if new_journal:
            with_journal(self.ledger.agree_new(), self.journal)

    @classmethod
    def from_config(
        cls,
        path: str | Path,
        *,
        ledger: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        new_journal: bool = False,
    ) -> Self:
        """Return a client for one ledger of a TOML file.

        ``CLAIMBRIDGE_<LEDGER>_<KEY>`` in the environment overrides the file, ``overrides`` (by the
        file's key names) both. ``ledger`` None means the only one in the file. Raises
        ConfigurationError.
        """
        config = load_config(path, ledger=ledger, overrides=overrides, environ=environ)
        return cls(config, new_journal=new_journal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        config = self.ledger.setup.config
        return f"Client(ledger={config.name!r}, profile={config.profile!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Client holds connections and does not pickle; pickle its LedgerConfig")

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
        return self._run(self.ledger.book(), None)

    def submit(self, claim: Claim, *, timeout: float | None = None) -> Acknowledgement:
        """Carry an approved claim into the ledger, once, and return the ERP's acknowledgement.

        Calling it again returns the same. A later revision supersedes or reverses the earlier
        one first. Raises ClaimError (nothing was sent), SigningError, or a DeliveryError.
        """
        return self._run(self.ledger.submit(claim), timeout)

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
        size = min(batch or self.ledger.setup.config.batch, self.ledger.rules.capabilities.batch)
        with ThreadPoolExecutor(workers, thread_name_prefix="claimbridge") as pool:
            window: deque[Future[list[Result]]] = deque()
            for chunk in chunks(claims, size):
                window.append(pool.submit(self._submit_chunk, chunk, timeout))
                if len(window) >= workers * 2:
                    yield from window.popleft().result()
            while window:
                yield from window.popleft().result()

    def status(self, claim_id: str, *, ask: bool = True, timeout: float | None = None) -> Standing:
        """Return where the newest revision of a claim stands.

        Asks the ERP about what it accepted, unless ``ask`` is False or the profile cannot. Raises
        ClaimError for an unknown claim, NotDelivered or LedgerUnavailable when the ERP cannot be
        asked.
        """
        return self._run(self.ledger.status(claim_id, ask=ask), timeout)

    def probe(self, *, timeout: float | None = None) -> Probed:
        """Ask the ERP about a document that nobody sent, to see whether the way there works.

        It goes through TLS, authentication, path, contract and reading; nothing is posted, and
        nothing recorded. Never raises for what went wrong on that way.
        """
        return self._run(self.ledger.probe(), timeout)

    def wait(
        self, claim_id: str, *, until: State = State.POSTED, timeout: float = 60.0
    ) -> Standing:
        """Wait until the ERP has posted (or paid) a claim, and return its status.

        Raises LedgerRejection or OutcomeUnknown when that will not happen, LedgerUnavailable when
        it has not happened after ``timeout`` seconds.
        """
        return self._run(self.ledger.wait(claim_id, until=until, timeout=timeout), None)

    def changes(self, *, since: str | None = None, limit: int = 100) -> Iterator[Change]:
        """Yield what changed in the ERP, oldest first, and take it into the journal.

        ``since`` is the cursor of the last change dealt with, of any in a page; None goes on from
        where the journal remembers; "" begins at the beginning. The journal's memory moves on when
        the next change is asked for, so one that was being dealt with when the process died comes
        again, and with it, after a kill, the others of its page. A page is read again to go on
        within it: where the last change was followed by another of its document meanwhile, its
        changes come twice. Ends when nothing more has changed. Raises ConfigurationError when the
        profile cannot list changes.
        """
        book = self.book().id
        feed = Feed(self.journal.cursor(book) if since is None else since)
        more = True
        try:
            while more:
                page = self._run(self.ledger.page(book, feed.begin, feed.limit(limit)), None)
                for outcome, after in feed.turn(page):
                    find, can = partial(self.journal.find, book), self.ledger.rules.capabilities
                    known = found_by(find, outcome.reference or "", can)
                    yield self._run(self.ledger.take_in(known, outcome, after), None)
                self._keep(book, feed)
                more = page.more
        finally:
            self._keep(book, feed)

    def _keep(self, book: str, feed: Feed) -> None:
        cursor = feed.to_keep()
        if cursor is not None:
            self.journal.set_cursor(book, cursor)

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
        plan = self.ledger.reverse(
            claim_id, revision=revision, posting_date=posting_date, reason=reason
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
        None when nothing of the claim is in the ledger; else the status of what is, or may be,
        there, which stays as it is: ``reverse`` it. ``reason`` is kept with the claim.

        Raises JournalError where the journal is not the newest, and OutcomeUnknown CB-470, once,
        where another journal may have sent the claim; not where it was approved after that.
        """
        plan = self.ledger.withdraw(
            claim_id, reason=reason, revision=revision, approved_at=approved_at
        )
        return self._run(plan, timeout)

    def drifts(self) -> Mapping[str, int]:
        """Return how the ERP's replies differed from its contract, and how often.

        Since this client was opened; empty when they are as the contract says. Each difference was
        warned of once, by a ContractDriftWarning.
        """
        return self.ledger.setup.drifts.counts()

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; touches neither journal nor network.

        Raises ClaimError, CB-164 where it would be several documents: see ``previews``.
        """
        return self.ledger.preview(claim)

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        return self.ledger.previews(claim)

    def reconcile(self, *, timeout: float | None = None) -> Iterator[Reconciled]:
        """Bring every unfinished submission of the ledger to an end, and yield what became of it.

        Run it after a crash, and from time to time. Never raises for one claim; ``timeout`` bounds
        each.
        """
        for one in unfinished(self.journal, self.book().id):
            claim_id = one.key.claim_id
            try:
                status = self._run(self.ledger.reconcile(one), timeout)
            except ClaimBridgeError as error:
                yield Reconciled(claim_id, None, error)
            else:
                if status is not None:
                    yield Reconciled(claim_id, status, None)

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
        people have reversed it in the ERP; ``gone``, that an entry which the ERP accepted is there
        no more: the ERP is asked once more, and then a higher revision may be submitted. ``looked``
        is when the person looked (with a time zone; None: just now). Raises ConflictingSubmission
        when there is nothing to settle, and OutcomeUnknown when nothing was found so early that
        what was sent may have arrived since.
        """
        plan = self.ledger.settle(
            claim_id,
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

    def _submit_chunk(self, claims: Sequence[Claim], timeout: float | None) -> list[Result]:
        if len(claims) > 1:
            ends: Sequence[Acknowledgement | ClaimBridgeError]
            ends = self._run(self.ledger.submit_batch(tuple(claims)), timeout)
        else:
            ends = [self._submit_or_error(claims[0], timeout)]
        return [result_of(claim, end) for claim, end in zip(claims, ends, strict=True)]

    def _submit_or_error(
        self, claim: Claim, timeout: float | None
    ) -> Acknowledgement | ClaimBridgeError:
        try:
            return self.submit(claim, timeout=timeout)
        except ClaimBridgeError as error:
            return error

    def _run(self, plan: Plan[T], timeout: float | None) -> T:
        """Carry a plan out. An exception from outside, at any line, leaves nothing under way."""
        call, outer = ThreadCall(sys._getframe()), CURRENT.get()
        try:
            try:
                CURRENT.set(call)
                return self._steps(plan, Deadline(self._clock, timeout))
            finally:
                self._end(call, outer)
        finally:
            self._end(call, outer)  # where the first was interrupted

    def _end(self, call: ThreadCall, outer: ClientCall | None) -> None:
        call.end()
        CURRENT.set(outer)
        self.journal.ended(call)

    def _steps(self, plan: Plan[T], deadline: Deadline) -> T:
        try:
            try:
                return self._carried_out(plan, deadline)
            finally:
                plan.close()
        finally:
            plan.close()  # where the first was interrupted

    def _carried_out(self, plan: Plan[T], deadline: Deadline) -> T:
        try:
            step = next(plan)
            while True:
                try:
                    answer = self._perform(step, deadline)
                except BaseException as error:  # noqa: BLE001 - the plan must hear of every end, to record it
                    step = plan.throw(error)
                else:
                    step = plan.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    def _perform(self, step: Step[Any], deadline: Deadline) -> object:
        if isinstance(step, Access):
            return step.perform(self.journal)
        if isinstance(step, Post):
            return self._post(step.message, deadline)
        assert isinstance(step, Pause)  # there is no other step
        left = deadline.left(step.seconds)
        time.sleep(left)
        return left >= step.seconds

    def _post(self, message: HttpMessage, deadline: Deadline) -> HttpAnswer:
        if deadline.left(1.0) == 0:
            raise NotDelivered("the time allowed for the call is over")
        total = deadline.left(self.ledger.setup.config.timeouts.total)
        transport = self._transports.to(message.address)
        return transport.post(
            message.body, headers=message.headers, timeout=total, checked=message.checked
        )


def opened_journal(ledger: Ledger, clock: Clock) -> Journal:
    """Open the journal that a ledger's configuration names; warn of one that keeps too little."""
    journal = open_journal(ledger.setup.config.journal_url, clock=clock)
    try:
        if warning := forgets(journal.continuity(), ledger.rules):
            warnings.warn(
                f"ledger {ledger.setup.config.name}: {warning}", JournalWarning, stacklevel=3
            )
    except BaseException:
        journal.close()
        raise
    return journal


def result_of(claim: Claim, end: Acknowledgement | ClaimBridgeError) -> Result:
    """Return how one claim of a batch ended."""
    if isinstance(end, ClaimBridgeError):
        return Result(claim.id, None, end)
    return Result(claim.id, end, None)


def chunks(claims: Iterable[Claim], size: int) -> Iterator[list[Claim]]:
    """Yield the claims in lists of ``size``, the last one shorter."""
    iterator = iter(claims)
    while chunk := list(islice(iterator, size)):
        yield chunk
