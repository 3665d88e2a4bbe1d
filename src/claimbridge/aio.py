"""The asynchronous client: the same plans as ``claimbridge.client``, awaited.

The journal's durable writes run in threads, so that the event loop never waits for a disk. A
cancelled call still records what it knows before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from claimbridge.journal.calls import CURRENT, TaskCall
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
from claimbridge.soap.transport import AsyncTransport, HttpAnswer, HttpMessage, TransportSettings
from claimbridge.submission import (
    Access,
    Deadline,
    Emissions,
    Plan,
    ProbeChoice,
    ProbeIntention,
    ProbeStep,
    Reachability,
    WorkWindow,
    perform_awaiting,
    plans,
    probe,
)

T = TypeVar("T")


class AsyncClient(LedgerClient[AsyncTransport]):
    """Submits claims to one ledger from asyncio; tasks may share it.

    Every method does what the method of that name in ``claimbridge.Client`` does.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections and the journal; closing twice does no harm."""
        for transport in self._transports:
            await transport.close()
        if self._own_journal:
            await asyncio.to_thread(self.journal.close)

    async def book(self) -> Book:
        """Return the book that this ledger means; see ``Client.book``."""
        return await self._run(plans.book(self.ledger), None)

    async def submit(self, claim: Claim, *, timeout: float | None = None) -> Acknowledgement:
        """Carry an approved claim into the ledger, once; see ``Client.submit``."""
        return await self._run(plans.submit(claim, self.ledger), timeout)

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
        work = plans.submit_many(claims, self.ledger, batch=batch or self.ledger.setup.config.batch)
        window: WorkWindow[Plan[list[Result]], asyncio.Task[list[Result]]]
        window = WorkWindow(lambda plan: asyncio.create_task(self._run(plan, timeout)), workers)
        try:
            for task in window.begin(work):
                for result in await task:
                    yield result
        finally:
            for task in window.ahead:
                task.cancel()
            await _to_its_end(asyncio.gather(*window.ahead, return_exceptions=True))

    async def status(
        self, claim_id: str, *, ask: bool = True, timeout: float | None = None
    ) -> Standing:
        """Return where the newest revision of a claim stands; see ``Client.status``."""
        return await self._run(plans.status(claim_id, self.ledger, ask=ask), timeout)

    async def ask_for_nothing(self, *, timeout: float | None = None) -> Reachability:
        """Ask about a document that nobody sent; see ``Client.ask_for_nothing``."""
        return await self._run(plans.ask_for_nothing(self.ledger), timeout)

    async def intend_probe(
        self,
        choice: ProbeChoice,
        *,
        is_reversed: bool = True,
        in_production: bool = False,
        timeout: float | None = None,
    ) -> ProbeIntention:
        """Return what ``probe`` would do with this choice; see ``Client.intend_probe``."""
        plan = probe.intend_probe(
            choice, self.ledger, is_reversed=is_reversed, in_production=in_production
        )
        return await self._run(plan, timeout)

    def probe(self, intention: ProbeIntention, *, wait: float = 60.0) -> AsyncIterator[ProbeStep]:
        """Post a voucher, find it, reverse it, and find it reversed; see ``Client.probe``."""
        return self._each(probe.probe(intention, self.ledger, wait=wait), None)

    async def list_records(self, kind: str, *, timeout: float | None = None) -> RecordList:
        """Fetch the ERP's master records of one kind; see ``Client.list_records``."""
        return await self._run(self.ledger.list_records(kind), timeout)

    async def wait(
        self, claim_id: str, *, until: State = State.POSTED, timeout: float = 60.0
    ) -> Standing:
        """Wait until the ERP has posted (or paid) a claim; see ``Client.wait``."""
        plan = plans.wait(claim_id, self.ledger, until=until, timeout=timeout)
        return await self._run(plan, None)

    def changes(self, *, since: str | None = None, limit: int = 100) -> AsyncIterator[Change]:
        """Yield what changed in the ERP, oldest first; see ``Client.changes``."""
        # Handed out itself, not looped over: closing it keeps the cursor before ``aclose`` returns.
        return self._each(plans.changes(self.ledger, since=since, limit=limit), None)

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
        plan = plans.reverse(
            claim_id, self.ledger, revision=revision, posting_date=posting_date, reason=reason
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
        plan = plans.withdraw(
            claim_id, self.ledger, reason=reason, revision=revision, approved_at=approved_at
        )
        return await self._run(plan, timeout)

    def reconcile(self, *, timeout: float | None = None) -> AsyncIterator[Reconciled]:
        """Bring every unfinished submission to an end; see ``Client.reconcile``."""
        return self._each(plans.reconcile(self.ledger), timeout)

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
        return await self._run(plan, None)

    # --- performing steps -------------------------------------------------------------------

    def _transport(self, settings: TransportSettings) -> AsyncTransport:
        return AsyncTransport(settings, clock=self._clock)

    async def _each(self, emissions: Emissions[T], timeout: float | None) -> AsyncIterator[T]:
        """Yield what a plan emits, each within its own time; None says that there is nothing."""
        try:
            while (emission := await self._run(emissions.next(), timeout)) is not None:
                if emission.value is not None:
                    yield emission.value
        finally:
            await self._run(emissions.end(), None)

    async def _run(self, plan: Plan[T], timeout: float | None) -> T:
        """Carry a plan out in a task of its own, which hears of one cancellation of many.

        It then records what it knows, undisturbed, before the cancellation goes on.
        """
        work = asyncio.create_task(self._call(plan, Deadline(self._clock, timeout)))
        return await _to_its_end(work, on_cancel=work.cancel)

    async def _call(self, plan: Plan[T], deadline: Deadline) -> T:
        task = asyncio.current_task()
        assert task is not None  # it runs in one
        call = TaskCall(task, asyncio.get_running_loop())
        try:
            try:
                CURRENT.set(call)  # the task's own context ends with it
                return await perform_awaiting(plan, _Performer(self, deadline))
            finally:
                self._end(call)
        finally:
            self._end(call)  # where the first was interrupted

    def _end(self, call: TaskCall) -> None:
        call.end()
        self.journal.ended(call)  # waits for the disk only where something was left under way

    async def _post(self, message: HttpMessage, deadline: Deadline) -> HttpAnswer:
        total = self._time_for_request(deadline)
        transport = self._transports.to(message.address)
        return await transport.post(
            message.body, headers=message.headers, timeout=total, checked=message.checked
        )


class _Performer:
    """Performs the steps of one call of a client; what it returns is awaited."""

    def __init__(self, client: AsyncClient, deadline: Deadline) -> None:
        self._client = client
        self._deadline = deadline

    def access(self, step: Access[Any]) -> Awaitable[Any]:
        return _to_the_end(partial(step.perform, self._client.journal))

    def post(self, message: HttpMessage) -> Awaitable[HttpAnswer]:
        return self._client._post(message, self._deadline)

    async def pause(self, seconds: float) -> bool:
        left = self._deadline.left(seconds)
        await asyncio.sleep(left)
        return left >= seconds


async def _to_the_end(write: Callable[[], T]) -> T:
    """Run a journal access in a thread and wait for its end, even when cancelled meanwhile.

    A begun write cannot be called back, so its answer must be known before the cancellation
    reaches the plan.
    """
    loop = asyncio.get_running_loop()
    # Not a task: whoever cancels all tasks must not make a write look as if it had not happened.
    return await _to_its_end(loop.run_in_executor(None, copy_context().run, write))


async def _to_its_end(
    work: asyncio.Future[T], *, on_cancel: Callable[[], object] = lambda: None
) -> T:
    """Wait for the end of ``work``, whatever is cancelled meanwhile; then the cancellation goes on.

    ``on_cancel`` is called at the first one. Cancellation may come again at every await, for ever.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            if cancelled is None:
                cancelled = error
                on_cancel()
    if cancelled is None:
        return work.result()
    if not work.cancelled():
        work.exception()  # retrieved: what was cancelled has no use for it
    raise cancelled
