"""One episode: a few claims, several processes, one ERP, a network, and what goes wrong."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from tests.drills.simulated import naive
from tests.drills.simulated.erp import NEVER, Erp, Refusals, Traits
from tests.drills.simulated.verdict import Flaw, disagreements, judge

from claimbridge.clock import Uptime
from claimbridge.errors import ClaimBridgeError, JournalError, LedgerRejection
from claimbridge.journal.memory import MemoryJournal
from claimbridge.model import (
    LIVE,
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Submission,
    Voucher,
)
from claimbridge.profiles.base import Capabilities
from claimbridge.submission import (
    Access,
    AtOnce,
    Draft,
    Exchange,
    Pause,
    Rules,
    Step,
    absorb,
    reconcile,
    reference_for,
    refresh,
    reverse,
    settle_by_hand,
    submit,
    submit_batch,
)

LEDGER = "SIM"
UNFINISHED = (State.PENDING, State.SENDING, State.IN_DOUBT, State.REVERSING)
QUIET = 300.0
TIMEOUT = 60.0
DAY = 86_400.0
MOST_CRASHES = 30
ENDLESS = 20_000
"""Steps in one episode, where a few hundred are usual."""
_K = OutcomeKind
RECIPES = (
    "query, unique reference",
    "query, no unique reference",
    "no query, unique reference",
    "no query, no unique reference",
)


class SimClock:
    """Time that moves only when the episode says so.

    ``stepped`` is by how many seconds somebody has set the wall clock forward, ``boot`` how often
    the machine has been started.
    """

    EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def __init__(self) -> None:
        self.t = 0.0
        self.stepped = 0.0
        self.boot = 1

    def now(self) -> dt.datetime:
        """Return what the machine's wall clock shows."""
        return self.EPOCH + dt.timedelta(seconds=self.t + self.stepped)

    def monotonic(self) -> float:
        """Return the simulated seconds."""
        return self.t

    def uptime(self) -> Uptime:
        """Return the same count as an uptime."""
        return Uptime(f"boot {self.boot}", self.t)


class Worker:
    """A process: its view of the journal, and what it is doing."""

    def __init__(self, name: str, journal: MemoryJournal) -> None:
        self.name = name
        self.journal = journal
        self.tasks: dict[Task, None] = {}  # a dict keeps their order, for replay


class Task:
    """One plan under way in one process, step by step."""

    __slots__ = ("alive", "broken_off", "job", "plan", "worker")

    def __init__(self, worker: Worker, job: Job, plan: Any) -> None:
        self.worker = worker
        self.job = job
        self.plan = plan
        self.alive = True
        self.broken_off = False


class Job(msgspec.Struct):
    """What a caller wants, and how often it still asks again."""

    verb: str
    claims: tuple[str, ...]
    revisions: tuple[int, ...] = ()
    again: int = 3


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """How likely each thing goes wrong, per step or exchange, in one episode."""

    crash: float = 0.0
    interrupt: float = 0.0
    stall: float = 0.0
    network: float = 0.0
    throttle: float = 0.0


FAULTS = (
    "not delivered",
    "request lost",
    "request late",
    "request late to the last second",
    "reply lost",
    "reply after the time-out",
    "reply half read",
    "reply names a wrong reference",
    "reply contradicts itself",
    "slow",
    "request duplicated",
    "batch cut short",
    "batch reply partial",
)


class Claim(msgspec.Struct):
    """A claim of the episode: its drafts by revision, and what people wanted of it."""

    id: str
    drafts: dict[int, Submission]
    asked: set[int] = msgspec.field(default_factory=set)
    """Revisions that a caller has submitted."""
    reversals: set[int] = msgspec.field(default_factory=set)
    """Revisions that a caller has asked to reverse."""
    by_person: set[int] = msgspec.field(default_factory=set)
    """Revisions that a person has reversed in the ERP."""

    @property
    def highest(self) -> int:
        """The revision that must stand in the end."""
        return max(self.drafts)


class Tally(msgspec.Struct):
    """What is counted over many episodes."""

    deliveries: int = 0
    calls: int = 0
    requests: int = 0
    steps: int = 0
    reversals: int = 0
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    parked: Counter[str] = msgspec.field(default_factory=Counter)
    errors: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count what another has counted too."""
        for name in ("deliveries", "calls", "requests", "steps", "reversals"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("faults", "parked", "errors"):
            getattr(self, name).update(getattr(other, name))


class Episode:
    """Everything of one episode follows from its seed, so that it can be told again."""

    def __init__(
        self,
        seed: int,
        number: int,
        vouchers: Sequence[Voucher],
        *,
        careless: bool = False,
        story: list[str] | None = None,
    ) -> None:
        self.rng = random.Random(f"{seed}/{number}")
        self.number = number
        self.recipe = number % 4
        self.careless = careless
        self.story = story
        self.tally = Tally()
        self.clock = SimClock()
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        rng = self.rng
        self.traits = _traits(rng, self.recipe)
        self.odds = _odds(rng)
        self.favourites = rng.sample(FAULTS, 2)  # each network is bad in its own way
        if rng.random() < 0.15:
            self.favourites = ["request late to the last second", "slow"]
            self.odds = Odds(network=0.6)
        self.rules = Rules(
            capabilities=self.traits.capabilities, quiet_period=QUIET, clock=self.clock
        )
        self.longest_life = QUIET - self.traits.index_lag - 0.01
        self.claims = {claim.id: claim for claim in self._claims(vouchers)}
        self.erp = Erp(self.traits, self._refusals())
        journal = MemoryJournal(clock=self.clock)
        self.workers = [Worker(f"P{n}", journal.twin()) for n in range(3)]
        self.journal = journal
        self.memory = naive.Memory()
        self.down_from, self.down_until = NEVER, NEVER
        if rng.random() < 0.06:
            self.down_from = rng.uniform(0, 900)
            self.down_until = self.down_from + 30 * DAY
            self._fault("outage of 30 days")
        self.healed = False
        self.flaws: list[Flaw] = []
        """What was seen to be wrong on the way."""

    # --- setting the scene ------------------------------------------------------------------

    def _claims(self, vouchers: Sequence[Voucher]) -> Iterator[Claim]:
        rng = self.rng
        for n in range(8):
            claim_id = f"E{self.number}-{n}"
            drafts = {}
            for revision in range(1, rng.choice((1, 1, 1, 2, 2, 3)) + 1):
                key = Key(LEDGER, claim_id, revision)
                drafts[revision] = Submission(
                    key=key,
                    reference=reference_for(key, self.traits.capabilities),
                    digest=f"{claim_id}/{revision}",
                    voucher=rng.choice(vouchers[revision - 1 :: 3]),
                    state=State.PENDING,
                )
            yield Claim(claim_id, drafts)

    def _refusals(self) -> dict[str, Refusals]:
        rng = self.rng
        found = {}
        for claim in self.claims.values():
            for draft in claim.drafts.values():
                key = msgspec.structs.replace(draft.key, purpose=Purpose.REVERSE)
                for reference in (draft.reference, reference_for(key, self.traits.capabilities)):
                    luck = rng.random()
                    if luck < 0.05:
                        found[reference] = Refusals((), for_ever=True)
                    elif luck < 0.2:
                        begin = rng.uniform(0, 1000)
                        span = (begin, begin + rng.uniform(1, 1500))
                        found[reference] = Refusals((span,), for_ever=False)
        return found

    def _schedule_jobs(self) -> None:
        rng = self.rng
        for claim in self.claims.values():
            at = rng.uniform(0, 400) if rng.random() < 0.7 else rng.uniform(150, 900)
            for revision in claim.drafts:
                self._demand(at, Job("submit", (claim.id,), (revision,)))
                if rng.random() < 0.5:
                    near = at + rng.choice((0.0, 0.001, 0.3, 3.0))
                    self._demand(near, Job("submit", (claim.id,), (revision,)))
                at += rng.choice((0.0, 0.01, 1.0, 60.0, QUIET, rng.uniform(0, 900)))
            if rng.random() < 0.08:
                revision = rng.choice(list(claim.drafts))
                self._demand(at, Job("reverse", (claim.id,), (revision,)))
            if rng.random() < 0.08:
                self.at(at + rng.uniform(0, 400), self._person_reverses, claim)
        if self.traits.capabilities.batch > 1 and not self.careless:
            self._schedule_batches()
        for at in (rng.uniform(0, 800), rng.uniform(300, 2000)):
            self._demand(at, Job("reconcile", ()))
            if self.traits.capabilities.can_list_changes:
                self._demand(at, Job("changes", ()))
                self._demand(at + rng.uniform(0, 100), Job("changes", ()))
            self._demand(at, Job("refresh", tuple(rng.sample(list(self.claims), 2))))
        self.at(rng.uniform(400, 2500), self._people_look)

    def _schedule_batches(self) -> None:
        rng = self.rng
        for _ in range(4):
            some = tuple(rng.sample(list(self.claims), rng.randint(2, 8)))
            revisions = tuple(rng.choice(list(self.claims[one].drafts)) for one in some)
            self._demand(rng.uniform(0, 200), Job("batch", some, revisions))

    def _demand(self, at: float, job: Job) -> None:
        self.at(at, self._start, job)

    # --- time -------------------------------------------------------------------------------

    def at(self, t: float, what: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a time."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(t, self.clock.t), self._sequence, what, arguments))

    def _after(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        self.at(self.clock.t + seconds, what, *arguments)

    def _run_out(self) -> None:
        heap = self._heap
        while heap:
            t, _, what, arguments = heapq.heappop(heap)
            self.clock.t = t
            what(*arguments)
            if self.tally.steps > ENDLESS:
                self.flaws = [Flaw("stuck", "*", "the episode does not end")]
                heap.clear()

    def run(self) -> None:
        """Play the episode: the faults, then the healing, then the last word of every caller."""
        self._schedule_jobs()
        self._schedule_clocks()
        self._run_out()
        self._heal()
        for _ in range(1 if self.careless else 6):
            self._last_words()
            if self.careless or not judge(self):
                break
        self.tally.deliveries = sum(
            len(claim.asked) + len(claim.reversals) for claim in self.claims.values()
        )

    def _schedule_clocks(self) -> None:
        """Have the wall clock set in some episodes, and the machine started anew in some."""
        rng = random.Random(f"clocks {self.rng.random()}")
        if rng.random() < 0.4:
            for _ in range(rng.randrange(1, 5)):
                by = rng.choice((-DAY, -3600.0, -QUIET, -20.0, 20.0, QUIET, 3600.0, DAY))
                self.at(rng.uniform(0, 2000), self._step_clock, by)
        if rng.random() < 0.2:
            self.at(rng.uniform(0, 2000), self._start_anew)

    def _step_clock(self, by: float) -> None:
        self._fault("clock stepped")
        self.clock.stepped += by
        self.tell("*", f"the wall clock is set by {by:g} s")

    def _start_anew(self) -> None:
        self._fault("machine started anew")
        for worker in self.workers:
            self._crash(worker, "with the machine")
        self.clock.boot += 1

    def _heal(self) -> None:
        self.healed = True
        self.odds = Odds()
        self.down_from = NEVER
        self.clock.t += 40 * DAY
        self.erp.heal()
        self.tell("*", "everything is healed")

    def _last_words(self) -> None:
        """Reconcile, let people settle, and submit what must stand."""
        self._books_close()
        self.clock.t += QUIET + TIMEOUT + self.traits.index_lag
        self._demand(self.clock.t, Job("reconcile", (), again=0))
        self._run_out()
        self.clock.t += QUIET + TIMEOUT
        self._people_look()
        self._run_out()
        self._learn_the_rest()
        self.flaws += disagreements(self)  # before a new call can mend what should not be broken
        for claim in self.claims.values():
            job = Job("submit", (claim.id,), (claim.highest,), again=1)
            self._demand(self.clock.t, job)
            self._run_out()
            for revision in sorted(claim.reversals):
                self._demand(self.clock.t, Job("reverse", (claim.id,), (revision,), again=1))
                self._run_out()
        self._books_close()
        self._learn_the_rest()

    def _learn_the_rest(self) -> None:
        """Refresh what lives; where the ERP cannot be asked, people tell what they see."""
        for known in list(self.journal.select(LEDGER, tuple(LIVE))):
            if self.traits.capabilities.can_query:
                self._launch(
                    Job("refresh", (known.key.claim_id,), again=0), refresh(known, self.rules)
                )
            else:
                self._person_tells(known)
            self._run_out()

    def _books_close(self) -> None:
        for document in self.erp.by_number.values():
            if document.kind is _K.ACKNOWLEDGED:
                self.erp.change(document, _K.POSTED)

    # --- callers and their processes --------------------------------------------------------

    def _start(self, job: Job) -> None:
        """A caller asks for something, in some process."""
        self.tally.calls += 1
        for plan in self._plans(job):
            self._launch(job, plan)

    def _launch(self, job: Job, plan: Any) -> None:
        worker = self.rng.choice(self.workers)
        task = Task(worker, job, plan)
        worker.tasks[task] = None
        if self.story is not None:
            for claim in job.claims or ("*",):
                self.tell(claim, f"{worker.name} {job.verb} {job.revisions or ''}")
        self._advance(task, None)

    def _plans(self, job: Job) -> Iterator[Any]:
        if self.careless:
            yield from self._careless_plans(job)
            return
        if job.verb == "reconcile":
            for unfinished in list(self.journal.select(LEDGER, UNFINISHED)):
                yield reconcile(unfinished, self.rules)
        elif job.verb == "changes":
            for news in list(self.erp.changes):  # old ones too: late and repeated news do no harm
                known = self.journal.find(LEDGER, news.reference or "")
                if known is not None:
                    yield absorb(known, news, self.rules)
        elif job.verb == "refresh":
            for claim_id in job.claims:
                for known in self.journal.history(LEDGER, claim_id).submissions:
                    if known.state in LIVE:
                        yield refresh(known, self.rules)
        elif job.verb == "reverse":
            claim = self.claims[job.claims[0]]
            draft = claim.drafts[job.revisions[0]]
            claim.reversals.add(job.revisions[0])
            yield reverse(draft.key, draft.voucher.posting_date, "", self.rules)
        else:
            drafts = []
            for claim_id, revision in zip(job.claims, job.revisions, strict=True):
                claim = self.claims[claim_id]
                claim.asked.add(revision)
                drafts.append(Draft(claim.drafts[revision]))
            if job.verb == "batch":
                yield submit_batch(drafts, self.rules)
            else:
                wanted = drafts[0].submission
                yield submit(wanted.key, wanted.digest, lambda: drafts[0], self.rules)

    def _careless_plans(self, job: Job) -> Iterator[Any]:
        if job.verb == "submit":
            claim = self.claims[job.claims[0]]
            claim.asked.add(job.revisions[0])
            yield naive.submit(claim.drafts[job.revisions[0]], self.memory, self.rules)
        elif job.verb == "reverse":
            claim = self.claims[job.claims[0]]
            claim.reversals.add(job.revisions[0])
            posted = self.memory.posted.get(claim.drafts[job.revisions[0]].key)
            if posted is not None:
                yield naive.reverse(posted, self.memory, self.rules)

    def _advance(self, task: Task, answer: Any, error: BaseException | None = None) -> None:
        """Let a plan go on until it waits for something."""
        rng, odds, plan = self.rng, self.odds, task.plan
        while task.alive:
            try:
                step = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as end:
                self._ended(task, end.value)
                return
            except (ClaimBridgeError, KeyboardInterrupt) as failure:
                self._failed(task, failure)
                return
            answer = error = None
            self.tally.steps += 1
            if self.tally.steps > ENDLESS:
                return
            luck = rng.random()
            if luck < odds.crash:
                self._crash(task.worker, f"before {type(step).__name__}")
                return
            if luck > 1 - odds.interrupt and task.broken_off:
                self._crash(task.worker, "of a second interruption")
                return
            if luck > 1 - odds.interrupt:
                task.broken_off = True
                self._fault("call broken off")
                error = KeyboardInterrupt()
                if isinstance(step, Exchange) and luck > 1 - odds.interrupt / 2:
                    self._after(rng.uniform(0, self.longest_life), self.arrive_unheard, step)
                if isinstance(step, (Exchange, Pause)) or luck > 1 - odds.interrupt / 2:
                    continue
            if isinstance(step, Exchange):
                self._exchange(task, step)
                if luck < 2 * odds.crash:
                    self._after(rng.uniform(0, 2), self._crash, task.worker, "in an exchange")
                return
            if isinstance(step, Pause):
                self._after(step.seconds, self._advance, task, True)
                return
            if isinstance(step, AtOnce):
                answer = self._write_all(task, step)
                if answer is None:
                    self._crash(task.worker, "in the midst of several writes")
                    return
            else:
                answer = self._write(task, step)
            if isinstance(answer, JournalError):
                answer, error = None, answer
                continue
            if luck < 2 * odds.crash:
                self._crash(task.worker, f"after {type(step).__name__}")
                return
            if luck < 0.3:
                stalls = luck < 2 * odds.crash + odds.stall
                wait = rng.uniform(0, 500) if stalls else rng.uniform(0, 0.05)
                if stalls:
                    self._fault("process stalled")
                self._after(wait, self._advance, task, answer, error)
                return

    def _write_all(self, task: Task, together: AtOnce) -> list[Any] | None:
        """Perform steps one by one; None when the process dies in between."""
        answers = []
        for step in together.steps:
            if answers and self.rng.random() < self.odds.crash:
                return None
            answers.append(self._write(task, step))
        return answers

    def _write(self, task: Task, step: Step[Any]) -> Any:
        """Return the journal's answer, or the JournalError that it raised."""
        assert isinstance(step, Access)  # what is no exchange and no pause
        try:
            answer = step.perform(task.worker.journal)
        except JournalError as refusal:
            if "another owner" not in refusal.message:  # a broken-off begin() cannot know whose
                self.flaws.append(Flaw("unlawful", refusal.claim_id or "*", str(refusal)))
                self.tell(refusal.claim_id or "*", f"FLAW {refusal}")
            return refusal
        if self.story is not None and answer is not None and hasattr(step, "changed"):
            self._tell_write(task.worker, step)
        return answer

    def _tell_write(self, worker: Worker, step: Any) -> None:
        for one in step.changed:
            self.tell(
                one.key.claim_id,
                f"{worker.name} journal: r{one.key.revision} {one.key.purpose} {one.state} "
                f"#{one.attempt} {one.detail}",
            )

    def _ended(self, task: Task, value: Any) -> None:
        task.worker.tasks.pop(task, None)
        if task.job.verb == "batch":
            for end in value:
                if isinstance(end, ClaimBridgeError):
                    self._count_error(end)
        if self.story is not None:
            for claim in task.job.claims:
                self.tell(claim, f"{task.worker.name} {task.job.verb} done")

    def _failed(self, task: Task, failure: BaseException) -> None:
        task.worker.tasks.pop(task, None)
        if self.story is not None:
            claim = getattr(failure, "claim_id", None) or "*"
            self.tell(claim, f"{task.worker.name} {task.job.verb} raised {failure!r:.200}")
        self._count_error(failure)
        self._ask_again(task.job, getattr(failure, "retry_after", None), failure)

    def _count_error(self, failure: BaseException) -> None:
        self.tally.errors[getattr(failure, "code", type(failure).__name__)] += 1

    def _ask_again(self, job: Job, retry_after: float | None, failure: object = None) -> None:
        """The caller, or its supervisor, tries again: at once, when told to, or much later."""
        rng = self.rng
        if job.again <= 0 or job.verb not in ("submit", "batch", "reverse"):
            return
        if isinstance(failure, LedgerRejection) and rng.random() < 0.5:
            return
        wait = rng.choice((0.01, rng.uniform(0, 60), rng.uniform(0, 2 * QUIET)))
        if self.healed:
            wait = retry_after or 1.0
        elif retry_after is not None and rng.random() < 0.7:
            wait = max(0.0, retry_after - rng.choice((0.0, 0.0, rng.uniform(0, 40))))
        self._demand(self.clock.t + wait, msgspec.structs.replace(job, again=job.again - 1))

    def _crash(self, worker: Worker, when: str) -> None:
        self._fault("crash")
        if self.tally.faults["crash"] == MOST_CRASHES:  # a crash brings work, and work crashes
            self.odds = msgspec.structs.replace(self.odds, crash=0.0)
        if self.story is not None:
            self.tell("*", f"{worker.name} dies {when}")
        worker.journal.abandon_flights()
        dead, worker.tasks = worker.tasks, {}
        for task in dead:
            task.alive = False
            if self.rng.random() < 0.7:
                self._ask_again(task.job, None)
        for task in dead:
            task.plan.close()  # RuntimeError if it went on yielding: nobody performs its steps now
        if self.rng.random() < 0.5:
            self._demand(self.clock.t + self.rng.uniform(0, 400), Job("reconcile", ()))

    # --- the network ------------------------------------------------------------------------

    def _fault(self, kind: str) -> None:
        self.tally.faults[kind] += 1

    def _exchange(self, task: Task, step: Exchange) -> None:
        """Decide the fate of one request, and when its sender hears what."""
        rng = self.rng
        self.tally.requests += 1
        luck = rng.random()
        fault = ""
        if luck < self.odds.network:
            fault = rng.choice(self.favourites if rng.random() < 0.6 else FAULTS)
        elif luck < self.odds.network + self.odds.throttle:
            self._fault("throttled")
            wait = rng.choice((None, 1.0, 20.0, 25.0, 90.0))
            busy = Outcome(kind=_K.UNAVAILABLE, retry_after=wait, text="busy")
            self._tell_exchange(task, step, "throttled")
            self._after(0.1, self._advance, task, (busy,))
            return
        if self.down_from <= self.clock.t < self.down_until and fault != "request lost":
            fault = "not delivered"
        self._tell_exchange(task, step, fault or "sent")
        Fate(self, task, step, fault).play()

    def _tell_exchange(self, task: Task, step: Exchange, fate: str) -> None:
        if self.story is not None:
            for one in step.submissions:
                what = f"{step.verb} {one.reference} #{one.attempt}"
                self.tell(one.key.claim_id, f"{task.worker.name} asks: {what}: {fate}")

    def arrive(self, step: Exchange, most: int | None = None) -> tuple[Outcome, ...]:
        """Let the ERP take a request in; ``most`` is how many of its documents, None for all."""
        now = self.clock.t
        if step.verb == "query":
            asked = (self.erp.query(one.reference, now) for one in step.submissions)
            return tuple(outcome for said in asked for outcome in said)
        outcomes = []
        for one in step.submissions[:most]:
            outcome = self.erp.take(step.verb, one, now)
            outcomes.append(outcome)
            if step.verb == "reverse" and outcome.kind is _K.POSTED:
                self.tally.reversals += 1
            if self.story is not None:
                self.tell(
                    one.key.claim_id,
                    f"ERP: {step.verb} {one.reference} -> {outcome.kind} "
                    f"{outcome.journal_entry or ''} {'; '.join(map(str, outcome.reasons))}",
                )
        return tuple(outcomes)

    def arrive_unheard(self, step: Exchange) -> None:
        """Let a request arrive that its sender has given up."""
        if not self.is_down():
            self.arrive(step)

    def is_down(self) -> bool:
        """Whether the ERP is out of reach now."""
        return self.down_from <= self.clock.t < self.down_until

    # --- people -----------------------------------------------------------------------------

    def _person_reverses(self, claim: Claim) -> None:
        for revision, draft in claim.drafts.items():
            for document in self.erp.live(draft.reference):
                if document.kind is not _K.ACKNOWLEDGED:
                    self._fault("reversed by a person")
                    claim.by_person.add(revision)
                    self.erp.reverse_by_person(document)
                    self.tell(claim.id, f"a person reverses {document.entry}")
                    return

    def _people_look(self) -> None:
        """People look into the ERP for everything that is parked."""
        if self.careless:
            return
        for parked in list(self.journal.select(LEDGER, (State.PARKED,))):
            self.tally.parked[_why(parked.detail)] += 1
            self._launch(
                Job("settle", (parked.key.claim_id,), again=0),
                settle_by_hand(parked.key, self._seen(parked), self.rules),
            )

    def _person_tells(self, known: Submission) -> None:
        seen = self._seen(known)
        if seen.kind is _K.REVERSED or (known.journal_entry is None and seen.journal_entry):
            self._launch(
                Job("settle", (known.key.claim_id,), again=0),
                settle_by_hand(known.key, seen, self.rules),
            )

    def _seen(self, known: Submission) -> Outcome:
        held = self.erp.by_reference.get(known.reference, [])
        live = [one for one in held if not one.reversals]
        if live:
            return Outcome(kind=_K.POSTED, journal_entry=live[-1].entry, text="seen by a person")
        if held and known.key.purpose is Purpose.POST:
            return Outcome(kind=_K.REVERSED, journal_entry=held[-1].entry, text="seen by a person")
        return Outcome(kind=_K.NOT_DELIVERED, text="a person found nothing")

    # --- the story --------------------------------------------------------------------------

    def tell(self, claim_id: str, what: str) -> None:
        """Add a line to the story, when it is being told."""
        if self.story is not None:
            self.story.append(f"{claim_id:>10} {self.clock.t:14.3f}  {what}")


class Fate:
    """What becomes of one request and its reply."""

    def __init__(self, episode: Episode, task: Task, step: Exchange, fault: str) -> None:
        self.episode = episode
        self.task = task
        self.step = step
        rng = episode.rng
        self.there = rng.uniform(0.01, 0.5)
        self.back = rng.uniform(0.01, 0.5)
        self.fault = self._possible(fault)
        if self.fault:
            episode._fault(self.fault)

    def _possible(self, fault: str) -> str:
        """Leave out what cannot happen to this request, or what no client could survive."""
        many = len(self.step.submissions) > 1
        if fault.startswith("batch") and not many:
            return "reply lost"
        asking = self.step.verb == "query"
        if asking and ("late" in fault or "duplicated" in fault or "lost" in fault):
            return "request lost"
        if asking and fault == "reply contradicts itself":
            return "reply half read"
        unique = self.episode.traits.capabilities.unique_reference
        if fault == "request duplicated" and not unique:
            return "reply lost"
        return fault

    def play(self) -> None:
        """Schedule the arrival at the ERP and the answer to the sender."""
        episode, rng = self.episode, self.episode.rng
        fault = self.fault
        after, now = episode._after, episode.clock.t
        if fault == "not delivered":
            self._answer_in(0.05, Outcome(kind=_K.NOT_DELIVERED, text="refused"))
        elif fault == "request lost":
            self._answer_in(rng.choice((0.1, TIMEOUT)), _nothing("lost"))
        elif fault.startswith("request late"):
            heard = rng.choice((0.1, 0.1, TIMEOUT))
            life = rng.uniform(0.5, episode.longest_life)
            if fault.endswith("second"):
                life = episode.longest_life - rng.choice((0.0, 0.5, 2.0, 10.0))
            episode.at(now + life, episode.arrive_unheard, self.step)
            self._answer_in(heard, _nothing("reset"))
        elif fault == "slow":
            self.there = rng.choice((0.1, rng.uniform(0.01, 29)))
            self.back = rng.uniform(0.01, 30)
            after(self.there, self._arrive)
        else:
            after(self.there, self._arrive)

    def _answer_in(self, seconds: float, *outcomes: Outcome) -> None:
        self.episode._after(seconds, self.episode._advance, self.task, outcomes)

    def _arrive(self) -> None:
        episode, step, fault = self.episode, self.step, self.fault
        if episode.is_down():
            self._answer_in(0.1, _nothing("reset"))
            return
        most = None
        if fault == "batch cut short":
            most = episode.rng.randrange(len(step.submissions))
        outcomes = episode.arrive(step, most)
        if fault in ("reply lost", "reply half read", "batch cut short"):
            self._answer_in(episode.rng.choice((0.1, TIMEOUT)), _nothing(fault))
        elif fault == "reply after the time-out":
            self._answer_in(TIMEOUT, _nothing("timed out"))
        elif fault == "reply names a wrong reference":
            wrong = tuple(msgspec.structs.replace(one, reference="SOMEONE") for one in outcomes)
            self._answer_in(self.back, *wrong)
        elif fault == "reply contradicts itself":
            other = msgspec.structs.replace(outcomes[0], journal_entry=JournalEntry("777"))
            self._answer_in(self.back, *outcomes, other)
        elif fault == "batch reply partial":
            self._answer_in(self.back, *outcomes[: episode.rng.randrange(len(outcomes))])
        elif fault == "request duplicated":
            self._duplicated(outcomes)
        else:
            self._answer_in(self.back, *outcomes)

    def _duplicated(self, outcomes: tuple[Outcome, ...]) -> None:
        """The second copy meets what the first left; one of the two answers comes back."""
        if all(one.kind not in (_K.REJECTED,) for one in outcomes):
            again = self.episode.arrive(self.step)
            later = self.episode.rng.uniform(0, QUIET)
            self.episode._after(later, self.episode.arrive_unheard, self.step)
            outcomes = self.episode.rng.choice((outcomes, again))
        self._answer_in(self.back, *outcomes)


def _nothing(text: str) -> Outcome:
    return Outcome(kind=_K.UNKNOWN, text=text)


def _traits(rng: random.Random, recipe: int) -> Traits:
    can_query, unique = recipe < 2, recipe % 2 == 0
    return Traits(
        capabilities=Capabilities(
            can_query=can_query,
            can_reverse=True,
            can_list_changes=rng.random() < 0.5,
            unique_reference=unique,
            batch=rng.choice((1, 8)),
        ),
        acknowledges=rng.random() < 0.3 and can_query,
        tells_totals=rng.random() < 0.7,
        numbers_duplicates=rng.random() < 0.7,
        checks_business_first=rng.random() < 0.5,
        keeps_refused=rng.random() < 0.3,
        index_lag=rng.choice((0.0, 0.0, 1.0, 30.0)),
    )


def _odds(rng: random.Random) -> Odds:
    bad = rng.choice((0.0, 0.1, 0.3, 1.0))
    return Odds(
        crash=0.04 * bad * rng.random(),
        interrupt=0.03 * bad * rng.random(),
        stall=0.02 * bad * rng.random(),
        network=0.6 * bad * rng.random(),
        throttle=0.3 * bad * rng.random(),
    )


def _why(detail: str) -> str:
    """Return a reason without what differs from case to case."""
    for known, name in _REASONS:
        if known in detail:
            return name
    return detail[:60]


_REASONS = (
    ("cannot be asked by reference", "answer lost, ERP cannot be asked"),
    ("already had", "unexplained duplicate"),
    ("second sending was refused", "refused after a lost answer"),
    ("with other amounts", "other amounts under our reference"),
    ("two different things", "two documents under our reference"),
)


__all__ = ["QUIET", "RECIPES", "Claim", "Episode", "Tally"]
