"""Calls broken off at every line and at every await; afterwards everything must go on.

    python -m tests.drills.interrupt [--profile sap-bapi] [--verb submit] [--every 1] [--kind sync]
        [--under journal client.py]

``sync``: an exception is raised at each line of claimbridge that a call reaches (the first and the
last time), once as KeyboardInterrupt is and once as an ordinary exception. ``async``: the call is
cancelled at each await of its tasks, once, thirty times, and by anyio, which cancels at every
await. After each, the same claim and another are submitted by this process and by a second one.

Exits 1 unless the ERP's ledger holds each claim once, nothing is ``sending`` when nobody sends, and
everything ended in time.

The table: ``points`` tried, ``reached`` in the call, ``raised`` to the caller; ``doubled`` and
``lost`` by the ledger; ``stuck``: sending, or an error that stayed; ``hung``: no end in time.
Where the ERP cannot be asked, a person settles what is parked.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from tests.drills.broken_off.awaits import MODES, Awaits, cancelled
from tests.drills.broken_off.lines import Alarm, Interrupted, broken_off_at, points_of
from tests.drills.broken_off.neighbour import Hung, Neighbour, neighbour
from tests.withstand.scene import (
    PARKED,
    Threaded,
    book_of,
    chart,
    claim,
    configured,
    contract,
    held,
    insist,
    ledger_of,
    patiently,
)

from claimbridge.aio import AsyncClient
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox

LIMIT = 20.0
"""Seconds after which something counts as hung."""
VERBS = ("submit", "submit_many", "reverse", "reconcile")
COLUMNS = ("points", "reached", "raised", "doubled", "lost", "stuck", "hung")


class Drill:
    """The ERP, the journal, this process's client and the second process."""

    def __init__(self, erp: Sandbox, config: LedgerConfig, second: Neighbour) -> None:
        self.erp = erp
        self.config = config
        self.second = second
        self.counts: Counter[str] = Counter()
        self.flaws: list[str] = []
        self._ids = iter(range(10**9))
        self._wanted: dict[str, str] = {}
        """Every claim id that must be in the ledger once, and the point that it belongs to."""

    def new_id(self, where: object) -> str:
        """Return the id of a new claim."""
        claim_id = f"I{next(self._ids):05}"
        self._wanted[claim_id] = str(where)
        return claim_id

    def flaw(self, kind: str, where: object, what: str) -> None:
        """Count a flaw, and keep its words."""
        self.counts[kind] += 1
        self.flaws.append(f"{kind}: {where}: {what}")

    # --- exceptions at lines ----------------------------------------------------------------

    def sync(self, verb: str, every: int, under: tuple[str, ...]) -> None:
        """Break a call off at every line."""
        sender = Threaded(self.config)
        with sender:
            self._verb(sender, verb, "warming up")()
            points = points_of(self._verb(sender, verb, "a rehearsal"))
            chosen = [point for point in points if point.file.startswith(under or "")]
            for number, point in enumerate(chosen[::every]):
                for error in (Interrupted(), Alarm("from a signal handler")):
                    self._break_off(sender, verb, point, number, error)

    def _break_off(
        self, sender: Threaded, verb: str, point: object, number: int, error: BaseException
    ) -> None:
        self.counts["points"] += 1
        call = self._verb(sender, verb, point)
        mine = self._last
        kept: list[BaseException] = []  # as a debugger would, with the frames that hang on it
        reached: list[bool] = []
        try:
            reached.append(broken_off_at(point, call, error))  # type: ignore[arg-type]  # a Point
        except BaseException as raised:  # noqa: BLE001 - whatever the call makes of it
            kept.append(raised)
        self.counts["reached"] += bool(kept or reached[0])
        self.counts["raised"] += bool(kept)
        try:
            if number % 2:
                self._others(point, mine)
                self._own(sender, point, mine)
            else:
                self._own(sender, point, mine)
                self._others(point, mine)
        except Hung as hung:
            self.flaw("hung", point, str(hung))
            raise
        del kept

    def _verb(self, sender: Threaded, verb: str, where: object) -> Callable[[], object]:
        """Return the call that is broken off; ``_last`` is its claim, ``_rest`` are its others."""
        self._last = mine = self.new_id(where)
        self._rest: list[str] = []
        if verb == "submit":
            return lambda: sender.client.submit(claim(mine))
        if verb == "submit_many":
            self._rest = [self.new_id(where) for _ in range(2)]
            many = [claim(one) for one in (mine, *self._rest)]
            return lambda: list(sender.client.submit_many(many, batch=3, concurrency=1))
        if verb == "reverse":
            patiently(lambda: sender.submit(claim(mine)))
            return lambda: sender.reverse(mine)
        self.erp.set_faults("commit-then-drop@1")
        with suppress(ClaimBridgeError):  # in doubt, as it should be
            sender.client.submit(claim(mine), timeout=0.2)
        self.erp.set_faults("")
        return lambda: sender.reconcile()

    def _own(self, sender: Threaded, where: object, mine: str) -> None:
        """Go on in this process: with the same claim, and with another in another thread."""
        with limited("this process"):
            for one in (mine, *self._rest):
                self._finish(sender, where, one)
        other = self.new_id(where)
        ends: list[object] = []
        thread = threading.Thread(
            target=lambda: ends.append(self._attempt(sender, lambda: sender.submit(claim(other)))),
            daemon=True,
        )
        thread.start()
        thread.join(LIMIT)
        if not ends:
            raise Hung("another thread")
        if isinstance(ends[0], ClaimBridgeError):
            self.flaw("stuck", where, f"another claim: {ends[0]}")

    def _finish(self, sender: Threaded, where: object, mine: str) -> None:
        sending = list(sender.journal.select(book_of(sender.journal), (State.SENDING,)))
        if sending:
            self.flaw("stuck", where, f"{sending[0].key} is sending")
        states = {
            one.state for one in sender.journal.history(book_of(sender.journal), mine).submissions
        }
        if states & {State.REVERSED, State.REVERSING}:
            end = self._attempt(sender, lambda: sender.reverse(mine))
        else:
            end = self._attempt(sender, lambda: sender.submit(claim(mine)))
        if isinstance(end, ClaimBridgeError):
            self.flaw("stuck", where, f"the same claim: {end}")

    def _attempt(self, sender: Threaded, call: Callable[[], Acknowledgement]) -> object:
        try:
            return insist(sender, call, look=self.erp.ledger)
        except ClaimBridgeError as error:
            return error

    def _others(self, where: object, mine: str) -> None:
        """A second process goes on: it sees nothing in flight, and sends a claim of its own."""
        states = self.second.ask("look", mine)
        if "sending" in states:
            self.flaw("stuck", where, f"the second process sees {states}")
        if "revers" not in states:
            self._told(where, self.second.ask("submit", mine))
        self._told(where, self.second.ask("submit", self.new_id(where)))

    def _told(self, where: object, answer: str) -> None:
        if answer.startswith("CB-") and not answer.startswith(PARKED):
            self.flaw("stuck", where, f"the second process: {answer}")

    # --- cancellations at awaits ------------------------------------------------------------

    def awaited(self, every: int) -> None:
        """Cancel a call at every await."""
        asyncio.run(self._awaited(every))

    async def _awaited(self, every: int) -> None:
        awaits = Awaits()
        asyncio.get_running_loop().set_task_factory(awaits.factory)
        async with AsyncClient(self.config, ledger=ledger_of(self.config)) as client:
            await client.submit(claim(self.new_id("warming up")))
            rehearsed = claim(self.new_id("a rehearsal"))
            awaits.begin(0, lambda: None)
            await asyncio.ensure_future(client.submit(rehearsed))
            for at in range(1, awaits.count + 3, every):
                for mode in MODES:
                    await self._cancel(client, f"await {at}, {mode}", mode, at, awaits)

    async def _cancel(
        self, client: AsyncClient, where: str, mode: str, at: int, awaits: Awaits
    ) -> None:
        self.counts["points"] += 1
        mine = self.new_id(where)
        try:
            async with asyncio.timeout(LIMIT):
                await cancelled(mode, at, awaits, lambda: client.submit(claim(mine)))
            self.counts["reached"] += awaits.count >= at
            awaits.begin(0, lambda: None)
            for claim_id in (mine, self.new_id(where)):
                async with asyncio.timeout(LIMIT):
                    await self._submitted(client, where, claim_id)
        except TimeoutError:
            self.flaw("hung", where, "this process")
            raise Hung(where) from None
        await asyncio.to_thread(self._others, where, mine)

    async def _submitted(self, client: AsyncClient, where: str, claim_id: str) -> None:
        for left in reversed(range(6)):
            sending = list(client.journal.select(book_of(client.journal), (State.SENDING,)))
            if sending:
                self.flaw("stuck", where, f"{sending[0].key} is sending")
            try:
                await client.submit(claim(claim_id))
                return
            except ClaimBridgeError as error:
                wait = getattr(error, "retry_after", None)
                if not left:
                    self.flaw("stuck", where, str(error))
                await asyncio.sleep((wait or 0.0) + 0.02)

    # --- the judgement ----------------------------------------------------------------------

    def judge(self, profile: str) -> None:
        """Compare the ledger with what was wanted: each claim once."""
        ledger = self.erp.ledger()
        for claim_id, where in self._wanted.items():
            found = held(ledger, profile, claim_id)
            if len(found.posts) > 1 or len(found.reversals) > 1:
                self.flaw("doubled", where, claim_id)
            elif not found.posts and where not in ("warming up", "a rehearsal"):
                self.flaw("lost", where, claim_id)


@contextmanager
def limited(what: str) -> Iterator[None]:
    """Raise Hung in this thread when the block does not end in time."""

    def late(_: int, __: FrameType | None) -> None:
        raise Hung(what)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def drilled(profile: str, folder: Path) -> Iterator[Drill]:
    """Set the scene: a sandbox, a journal, a second process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.drills.killed.warm"])
    contract(profile)
    chart()
    with ExitStack() as open_:
        erp = open_.enter_context(Sandbox())
        config = configured(
            profile,
            port=erp.port,
            journal=folder / "claims.db",
            timeouts=Timeouts(connect=0.4, total=0.4),
            quiet_period=0.4,
            retries=0,
        )
        second = open_.enter_context(neighbour(context, config, LIMIT))
        yield Drill(erp, config, second)


def run(kind: str, profile: str, verb: str, every: int, under: tuple[str, ...] = ()) -> Drill:
    """Run the drill in a folder of its own; return it with its counts."""
    with tempfile.TemporaryDirectory() as folder, drilled(profile, Path(folder)) as drill:
        try:
            if kind == "sync":
                drill.sync(verb, every, under)
            else:
                drill.awaited(every)
        except Hung:
            pass  # counted; what hangs would hang the rest
        drill.judge(profile)
    return drill


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="sap-bapi")
    parser.add_argument("--verb", choices=VERBS, default="submit")
    parser.add_argument("--kind", choices=("sync", "async", "both"), default="both")
    parser.add_argument("--every", type=int, default=1, help="only each n-th point")
    parser.add_argument("--under", nargs="*", default=(), help="only lines of these files")
    given = parser.parse_args(arguments)
    bad = 0
    print(f"{'':8}" + "".join(f"{name:>9}" for name in COLUMNS))
    for kind in ("sync", "async") if given.kind == "both" else (given.kind,):
        started = time.monotonic()
        drill = run(kind, given.profile, given.verb, given.every, tuple(given.under))
        row = "".join(f"{drill.counts[name]:>9}" for name in COLUMNS)
        print(f"{kind:8}{row}   {time.monotonic() - started:.0f} s")
        for flaw in drill.flaws[:20]:
            print(f"  {flaw}", file=sys.stderr)
        bad += len(drill.flaws)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
