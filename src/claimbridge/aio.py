"""The asynchronous client: the same plans as ``claimbridge.client``, awaited.

The journal's durable writes run in threads, so that the event loop never waits for a disk. A
cancelled call still records what it knows before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from claimbridge.client import (
    Deadline,
    Reconciled,
    Result,
    chunks,
    opened_journal,
    result_of,
    unfinished,
)
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, load_config
from claimbridge.errors import ClaimBridgeError, NotDelivered
from claimbridge.journal.base import Journal
from claimbridge.journal.calls import CURRENT, TaskCall
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
from claimbridge.soap.transport import AsyncTransport, HttpAnswer, HttpMessage, Ports
from claimbridge.submission import (
    Access,
    Feed,
    Pause,
    Plan,
    Post,
    Probed,
    Step,
    found_by,
    with_journal,
)

T = TypeVar("T")


class AsyncClient:
    """Submits claims to one ledger from asyncio; tasks may share it.

    Every method does what the method of that name in ``claimbridge.Client`` does.
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
        """Open the ledger that ``config`` describes, as ``Client`` does.

        Raises MissingExtra when aiohttp is not installed.
        """
        self.ledger: Ledger = ledger or Ledger(config, clock=clock)
        self._transports = Ports(transport_settings(config), partial(AsyncTransport, clock=clock))
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
        """Return a client for one ledger of a TOML file; see ``Client.from_config``."""
        config = load_config(path, ledger=ledger, overrides=overrides, environ=environ)
        return cls(config, new_journal=new_journal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        config = self.ledger.setup.config
        return f"AsyncClient(ledger={config.name!r}, profile={config.profile!r})"

    async def close(self) -> None:
        """Close connections and the journal; closing twice does no harm."""
        for transport in self._transports:
            await transport.close()
        if self._own_journal:
            await asyncio.to_thread(self.journal.close)

    async def book(self) -> Book:
        """Return the book that this ledger means; see ``Client.book``."""
        return await self._run(self.ledger.book(), None)

    async def submit(self, claim: Claim, *, timeout: float | None = None) -> Acknowledgement:
        """Carry an approved claim into the ledger, once; see ``Client.submit``."""
        return await self._run(self.ledger.submit(claim), timeout)

    async def submit_many(
        self,
        claims: Iterable[Claim],
        *,
        batch: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield a Result for each claim, in order; see ``Client.submit_many``."""
        workers = concurrency or self.ledger.setup.config.concurrency
        size = min(batch or self.ledger.setup.config.batch, self.ledger.rules.capabilities.batch)
        window: deque[asyncio.Task[list[Result]]] = deque()
        try:
            for chunk in chunks(claims, size):
                window.append(asyncio.create_task(self._submit_chunk(chunk, timeout)))
                if len(window) >= workers:
                    for result in await window.popleft():
                        yield result
            while window:
                for result in await window.popleft():
                    yield result
        finally:
            for task in window:
                task.cancel()
            ends = asyncio.gather(*window, return_exceptions=True)
            await _to_its_end(ends)

    async def status(
        self, claim_id: str, *, ask: bool = True, timeout: float | None = None
    ) -> Standing:
        """Return where the newest revision of a claim stands; see ``Client.status``."""
        return await self._run(self.ledger.status(claim_id, ask=ask), timeout)

    async def probe(self, *, timeout: float | None = None) -> Probed:
        """Ask the ERP about a document that nobody sent; see ``Client.probe``."""
        return await self._run(self.ledger.probe(), timeout)

    async def wait(
        self, claim_id: str, *, until: State = State.POSTED, timeout: float = 60.0
    ) -> Standing:
        """Wait until the ERP has posted (or paid) a claim; see ``Client.wait``."""
        return await self._run(self.ledger.wait(claim_id, until=until, timeout=timeout), None)

    async def changes(self, *, since: str | None = None, limit: int = 100) -> AsyncIterator[Change]:
        """Yield what changed in the ERP, oldest first; see ``Client.changes``."""
        book = (await self.book()).id
        feed = Feed(await asyncio.to_thread(self.journal.cursor, book) if since is None else since)
        more = True
        try:
            while more:
                page = await self._run(self.ledger.page(book, feed.begin, feed.limit(limit)), None)
                for outcome, after in feed.turn(page):
                    find, can = partial(self.journal.find, book), self.ledger.rules.capabilities
                    known = await asyncio.to_thread(found_by, find, outcome.reference or "", can)
                    yield await self._run(self.ledger.take_in(known, outcome, after), None)
                await self._keep(book, feed)
                more = page.more
        finally:
            await self._keep(book, feed)

    async def _keep(self, book: str, feed: Feed) -> None:
        cursor = feed.to_keep()
        if cursor is not None:
            await _to_the_end(partial(self.journal.set_cursor, book, cursor))

    async def reverse(
        self,
        claim_id: str,
        *,
        revision: int | None = None,
        posting_date: dt.date | None = None,
        reason: str = "",
        timeout: float | None = None,
    ) -> Acknowledgement:
        """Take a claim's journal entry back; see ``Client.reverse``."""
        plan = self.ledger.reverse(
            claim_id, revision=revision, posting_date=posting_date, reason=reason
        )
        return await self._run(plan, timeout)

    async def withdraw(
        self,
        claim_id: str,
        *,
        reason: str,
        revision: int = 1,
        approved_at: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> Standing | None:
        """Keep a claim out of the ledger that was taken back; see ``Client.withdraw``."""
        plan = self.ledger.withdraw(
            claim_id, reason=reason, revision=revision, approved_at=approved_at
        )
        return await self._run(plan, timeout)

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

    async def reconcile(self, *, timeout: float | None = None) -> AsyncIterator[Reconciled]:
        """Bring every unfinished submission to an end; see ``Client.reconcile``."""
        found = unfinished(self.journal, (await self.book()).id)
        while (one := await asyncio.to_thread(next, found, None)) is not None:
            reconciled = await self._reconcile_one(one, timeout)
            if reconciled is not None:
                yield reconciled

    async def settle(
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
        """Record what a person found in the ERP; see ``Client.settle``."""
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
        return await self._run(plan, None)

    # --- performing steps -------------------------------------------------------------------

    async def _submit_chunk(self, claims: Sequence[Claim], timeout: float | None) -> list[Result]:
        ends: Sequence[Acknowledgement | ClaimBridgeError]
        if len(claims) > 1:
            ends = await self._run(self.ledger.submit_batch(tuple(claims)), timeout)
        else:
            ends = [await self._submit_or_error(claims[0], timeout)]
        return [result_of(claim, end) for claim, end in zip(claims, ends, strict=True)]

    async def _submit_or_error(
        self, claim: Claim, timeout: float | None
    ) -> Acknowledgement | ClaimBridgeError:
        try:
            return await self.submit(claim, timeout=timeout)
        except ClaimBridgeError as error:
            return error

    async def _reconcile_one(self, one: Submission, timeout: float | None) -> Reconciled | None:
        claim_id = one.key.claim_id
        try:
            status = await self._run(self.ledger.reconcile(one), timeout)
        except ClaimBridgeError as error:
            return Reconciled(claim_id, None, error)
        return Reconciled(claim_id, status, None) if status is not None else None

    async def _run(self, plan: Plan[T], timeout: float | None) -> T:
        """Carry a plan out in a task of its own, which hears of one cancellation of many.

        It then records what it knows, undisturbed, before the cancellation goes on.
        """
        work = asyncio.create_task(self._call(plan, Deadline(self._clock, timeout)))
        return await _to_its_end(work, told=work.cancel)

    async def _call(self, plan: Plan[T], deadline: Deadline) -> T:
        task = asyncio.current_task()
        assert task is not None  # it runs in one
        call = TaskCall(task, asyncio.get_running_loop())
        try:
            try:
                CURRENT.set(call)  # the task's own context ends with it
                return await self._steps(plan, deadline)
            finally:
                self._end(call)
        finally:
            self._end(call)  # where the first was interrupted

    def _end(self, call: TaskCall) -> None:
        call.end()
        self.journal.ended(call)  # waits for the disk only where something was left under way

    async def _steps(self, plan: Plan[T], deadline: Deadline) -> T:
        try:
            try:
                return await self._carried_out(plan, deadline)
            finally:
                plan.close()
        finally:
            plan.close()  # where the first was interrupted

    async def _carried_out(self, plan: Plan[T], deadline: Deadline) -> T:
        try:
            step = next(plan)
            while True:
                try:
                    answer = await self._perform(step, deadline)
                except BaseException as error:  # noqa: BLE001 - the plan must hear of every end, to record it
                    step = plan.throw(error)
                else:
                    step = plan.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _perform(self, step: Step[Any], deadline: Deadline) -> object:
        if isinstance(step, Access):
            return await _to_the_end(partial(step.perform, self.journal))
        if isinstance(step, Post):
            return await self._post(step.message, deadline)
        assert isinstance(step, Pause)  # there is no other step
        left = deadline.left(step.seconds)
        await asyncio.sleep(left)
        return left >= step.seconds

    async def _post(self, message: HttpMessage, deadline: Deadline) -> HttpAnswer:
        if deadline.left(1.0) == 0:
            raise NotDelivered("the time allowed for the call is over")
        total = deadline.left(self.ledger.setup.config.timeouts.total)
        transport = self._transports.to(message.address)
        return await transport.post(
            message.body, headers=message.headers, timeout=total, checked=message.checked
        )


async def _to_the_end(write: Callable[[], T]) -> T:
    """Run a journal access in a thread and wait for its end, even when cancelled meanwhile.

    A begun write cannot be called back, so its answer must be known before the cancellation
    reaches the plan.
    """
    loop = asyncio.get_running_loop()
    # Not a task: whoever cancels all tasks must not make a write look as if it had not happened.
    return await _to_its_end(loop.run_in_executor(None, copy_context().run, write))


async def _to_its_end(work: asyncio.Future[T], *, told: Callable[[], object] = lambda: None) -> T:
    """Wait for the end of ``work``, whatever is cancelled meanwhile; then the cancellation goes on.

    ``told`` is called at the first one. Cancellation may come again at every await, for ever.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            if cancelled is None:
                cancelled = error
                told()
    if cancelled is None:
        return work.result()
    if not work.cancelled():
        work.exception()  # retrieved: what was cancelled has no use for it
    raise cancelled
