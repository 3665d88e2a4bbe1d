"""One episode: a few claims, several processes, one ERP, a network, and what goes wrong."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from tests.drills.simulated import naive, people
from tests.drills.simulated.clock import SimClock
from tests.drills.simulated.erp import NEVER, Erp
from tests.drills.simulated.journal import MarkedJournal
from tests.drills.simulated.network import FAULTS, TIMEOUT, Fate
from tests.drills.simulated.scene import (
    HOME,
    OTHER,
    PLACES,
    RENAMED,
    Claim,
    Odds,
    Scene,
    kinds_of,
    odds_of,
    traits_of,
)
from tests.drills.simulated.verdict import Flaw, disagreements, halves, judge, overdrawn
from tests.exchanger import Exchange, OneMessage

from claimbridge.errors import ClaimBridgeError, ClaimError, JournalError, LedgerRejection
from claimbridge.journal.memory import Shelf
from claimbridge.model import LIVE, History, Outcome, OutcomeKind, Submission, Voucher
from claimbridge.submission import (
    Access,
    AtOnce,
    BookConfig,
    Draft,
    End,
    Pause,
    Plan,
    Post,
    Recall,
    Record,
    Rules,
    Step,
    absorb,
    advance,
    documents_of,
    in_our_spelling,
    open_book,
    reconcile_claim,
    refresh,
    reverse_claim,
    submission_of,
    submit_batch,
    submit_claim,
    unfinished,
    with_journal,
    withdraw_claim,
)

QUIET = 300.0
DAY = 86_400.0
ROUNDS = 12
"""Last words at most: of a divided claim in a gap, people settle one document a round."""
QUEUED = 50.0
"""Seconds that a job waits which cannot be asked for."""
MOST_CRASHES = 30
ENDLESS = 30_000
"""Steps in one episode, where a few hundred are usual."""
NOT_NEWEST = ("CB-235", "CB-236")
UNKNOWN_EARLIER = "CB-432"
_K = OutcomeKind


class Worker:
    """A process: its view of the journal, and what it is doing."""

    def __init__(self, name: str, journal: MarkedJournal) -> None:
        self.name = name
        self.journal = journal
        self.tasks: dict[Task, None] = {}  # a dict keeps their order, for replay


class Task:
    """One plan under way in one process, step by step."""

    __slots__ = ("alive", "broken_off", "erp", "job", "plan", "worker")

    def __init__(self, worker: Worker, job: Job, plan: Any, erp: Erp) -> None:
        self.worker = worker
        self.job = job
        self.plan = plan
        self.erp = erp
        self.alive = True
        self.broken_off = False


class Job(msgspec.Struct):
    """What a caller wants of which ledger, and how often it still asks again."""

    verb: str
    claims: tuple[str, ...]
    revisions: tuple[int, ...] = ()
    again: int = 3
    ledger: str = HOME


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
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    """Deliveries in episodes of each kind."""

    def add(self, other: Tally) -> None:
        """Count what another has counted too."""
        for name in ("deliveries", "calls", "requests", "steps", "reversals"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("faults", "parked", "errors", "kinds"):
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
        self.kinds = kinds_of(rng, self.recipe)
        self.traits = traits_of(rng, self.recipe, self.kinds)
        self.odds = odds_of(rng)
        self.favourites = rng.sample(FAULTS, 2)  # each network is bad in its own way
        if rng.random() < 0.15:
            self.favourites = ["request late to the last second", "slow"]
            self.odds = Odds(network=0.6)
        self.rules = Rules(
            capabilities=self.traits.capabilities,
            quiet_period=QUIET,
            first_send="ask" if "asked first" in self.kinds else None,
            clock=self.clock,
        )
        self.ledger = OneMessage(self.rules)
        self.longest_life = QUIET - self.traits.index_lag - 0.01
        if self.traits.jobs == "job":
            self.longest_life -= QUEUED  # a job whose name was lost ends within the quiet period
        scene = Scene(rng, number, self.kinds, self.traits, vouchers)
        self.claims = {claim.id: claim for claim in scene.claims()}
        self.erp = Erp(self.traits, scene.refusals(list(self.claims.values())))
        self._erps = {PLACES[HOME]: self.erp, PLACES[OTHER]: Erp(self.traits, {})}
        journal = MarkedJournal(clock=self.clock)
        self.workers = [Worker(f"P{n}", journal.twin()) for n in range(3)]
        self.journal = journal
        self.memory = naive.Memory()
        self._backup: Shelf | None = None
        self._memorised: dict[Any, Submission] = {}
        self.down_from, self.down_until = NEVER, NEVER
        if rng.random() < 0.06:
            self.down_from = rng.uniform(0, 900)
            self.down_until = self.down_from + 30 * DAY
            self.count_fault("outage of 30 days")
        self.healed = False
        self.rounds = 0
        """How many last words were spoken before."""
        self.waits_for_word = False
        """The journal went back, and nobody has said yet how far."""
        self.told: set[str] = set()
        """Claims of which ``reconcile`` told an error in the end."""
        self.unknown_earlier: dict[str, str] = {}
        """What errors said of claims of which the ERP holds revisions unknown to the journal."""
        self.flaws: list[Flaw] = []
        """What was seen to be wrong on the way."""

    # --- where things are -------------------------------------------------------------------

    def erp_at(self, ledger: str) -> Erp:
        """Return the ERP that a ledger's name leads to."""
        return self._erps[PLACES[ledger]]

    def erp_of(self, book_id: str) -> Erp:
        """Return the ERP of a book in the journal."""
        place = next(book.place for book in self.journal.books() if book.id == book_id)
        assert place is not None
        return self._erps[place]

    def histories(self, claim_id: str) -> Iterator[History]:
        """Yield what each book of the journal has of a claim."""
        for book in self.journal.books():
            yield self.journal.history(book.id, claim_id)

    # --- setting the scene ------------------------------------------------------------------

    def _schedule_jobs(self) -> None:
        rng = self.rng
        for claim in self.claims.values():
            at = claim.at
            for revision in claim.drafts:
                if revision == claim.afterwards:
                    continue
                self.demand(at, Job("submit", (claim.id,), (revision,), ledger=self._name()))
                if rng.random() < 0.5:
                    near = at + rng.choice((0.0, 0.001, 0.3, 3.0))
                    self.demand(near, Job("submit", (claim.id,), (revision,), ledger=self._name()))
                if claim.wanders:
                    later = at + rng.choice((0.0, 0.001, 3.0, rng.uniform(0, 900)))
                    self.demand(later, Job("submit", (claim.id,), (revision,), ledger=OTHER))
                at += rng.choice((0.0, 0.01, 1.0, 60.0, QUIET, rng.uniform(0, 900)))
            self._schedule_ends(claim, at)
        if self.traits.capabilities.batch > 1 and not self.careless:
            self._schedule_batches()
        for at in (rng.uniform(0, 800), rng.uniform(300, 2000)):
            self.demand(at, Job("reconcile", ()))
            if self.traits.capabilities.can_list_changes:
                self.demand(at, Job("changes", ()))
                self.demand(at + rng.uniform(0, 100), Job("changes", ()))
            self.demand(at, Job("refresh", tuple(rng.sample(list(self.claims), 2))))
        self.at(rng.uniform(400, 2500), people.look, self)

    def _schedule_ends(self, claim: Claim, at: float) -> None:
        """Have a claim reversed, withdrawn or deleted, now and then."""
        rng = self.rng
        begun = [revision for revision in claim.drafts if revision != claim.afterwards]
        if rng.random() < 0.08:
            revision = rng.choice(begun)
            self.demand(at, Job("reverse", (claim.id,), (revision,), ledger=self._name()))
        if rng.random() < 0.08:
            self.at(at + rng.uniform(0, 400), people.reverse_in_erp, self, claim)
        withdrawn = "withdrawals" in self.kinds and not claim.wanders and rng.random() < 0.4
        if claim.afterwards or withdrawn:
            when = rng.choice((claim.at, claim.at - 1, at, rng.uniform(claim.at, at + 400)))
            job = Job("withdraw", (claim.id,), (max(begun),), ledger=self._name())
            self.demand(max(0.0, when), job)
        if "gone entries" in self.kinds and not claim.wanders and rng.random() < 0.4:
            self.at(at + rng.uniform(QUIET, 1200), people.delete_in_erp, self, claim)

    def _name(self) -> str:
        """Return one of the names of the claims' own book."""
        return RENAMED if "renamed ledger" in self.kinds and self.rng.random() < 0.5 else HOME

    def _schedule_batches(self) -> None:
        rng = self.rng
        for _ in range(4):
            some = tuple(rng.sample(list(self.claims), rng.randint(2, 8)))
            begun = [self.claims[one] for one in some]
            revisions = tuple(rng.choice([*one.drafts]) for one in begun)
            pairs = [
                (claim.id, revision)
                for claim, revision in zip(begun, revisions, strict=True)
                if len(claim.drafts[revision]) == 1 and revision != claim.afterwards
            ]
            if pairs:
                ids, numbers = zip(*pairs, strict=True)
                at = max(rng.uniform(0, 200), max(self.claims[one].at for one in ids))
                self.demand(at, Job("batch", ids, numbers, ledger=self._name()))

    def _schedule_clocks(self) -> None:
        """Have the wall clock set in some episodes, and the machine started anew in some."""
        rng = self.rng
        if "clocks and reboots" in self.kinds:
            for _ in range(rng.randrange(1, 5)):
                by = rng.choice((-DAY, -3600.0, -QUIET, -20.0, 20.0, QUIET, 3600.0, DAY))
                self.at(rng.uniform(0, 2000), self._step_clock, by)
        if rng.random() < 0.2:
            self.at(rng.uniform(0, 2000), self._start_anew)

    def _schedule_restoring(self) -> None:
        """Have the journal go back to an earlier copy, or to nothing, in some episodes."""
        if "restored journal" not in self.kinds:
            return
        copied = self.rng.uniform(0, 800)
        if self.rng.random() < 0.7:
            self.at(copied, self._back_up)
        self.at(copied + self.rng.choice((1.0, self.rng.uniform(0, 1200))), self._bring_back)

    def _back_up(self) -> None:
        self._backup = self.journal.copy()
        self._memorised = dict(self.memory.posted)
        self.tell("*", "the journal is copied")

    def _bring_back(self) -> None:
        if self.careless:
            self.memory.posted = dict(self._memorised)
            self.submit_again()
        else:
            people.bring_back(self, self._backup)

    def submit_again(self) -> None:
        """Callers submit, withdraw and reverse once more what they wanted until now."""
        rng = self.rng
        for claim in self.claims.values():
            at = self.clock.t + rng.uniform(0, 400)
            for verb, revisions in (("submit", claim.asked), ("reverse", claim.reversals)):
                for revision in sorted(revisions):
                    self.demand(at, Job(verb, (claim.id,), (revision,), ledger=self._name()))
                    at += rng.choice((0.0, 1.0, 60.0))
            if claim.taken_back:
                self.demand(at, Job("withdraw", (claim.id,), (claim.taken_back,)))

    # --- time -------------------------------------------------------------------------------

    def at(self, t: float, what: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a time."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(t, self.clock.t), self._sequence, what, arguments))

    def after(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        """Let something happen in so many seconds."""
        self.at(self.clock.t + seconds, what, *arguments)

    def demand(self, at: float, job: Job) -> None:
        """Let a caller want something at a time."""
        self.at(at, self._start, job)

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
        self._schedule_restoring()
        self._run_out()
        self._heal()
        for rounds in range(1 if self.careless else ROUNDS):
            self.rounds = rounds
            self._last_words()
            if self.careless or not judge(self):
                break
        self.tally.deliveries = sum(
            len(claim.asked) + len(claim.reversals) for claim in self.claims.values()
        )
        for kind in self.kinds:
            self.tally.kinds[kind] += self.tally.deliveries

    def _step_clock(self, by: float) -> None:
        self.count_fault("clock stepped")
        self.clock.stepped += by
        self.tell("*", f"the wall clock is set by {by:g} s")

    def _start_anew(self) -> None:
        self.count_fault("machine started anew")
        for worker in self.workers:
            self.crash(worker, "with the machine")
        self.clock.boot += 1

    def _heal(self) -> None:
        self.healed = True
        self.odds = Odds()
        self.down_from = NEVER
        self.clock.t += 40 * DAY
        for erp in self._erps.values():
            erp.heal()
        self.tell("*", "everything is healed")

    def _last_words(self) -> None:
        """Reconcile, let people settle, and submit what must stand."""
        self._books_close()
        self.clock.t += QUIET + TIMEOUT + self.traits.index_lag
        self.told.clear()
        self.demand(self.clock.t, Job("reconcile", (), again=0))
        self._run_out()
        if not self.careless:
            self.flaws += halves(self)
        self.clock.t += QUIET + TIMEOUT
        people.look(self)
        self._run_out()
        self._learn_the_rest()
        people.look(self)
        self._run_out()
        if not self.careless:
            # Before a new call can put right what should not be broken.
            self.flaws += disagreements(self)
        for claim in self.claims.values():
            self._last_words_of(claim)
        self._books_close()
        self._learn_the_rest()

    def _last_words_of(self, claim: Claim) -> None:
        jobs = []
        if claim.taken_back > claim.kept_out and claim.afterwards not in claim.asked:
            jobs.append(Job("withdraw", (claim.id,), (claim.taken_back,), again=1))
        wanted = [claim.highest] if claim.highest > claim.taken_back else []
        if claim.id in self.unknown_earlier:
            # Submitted as it was, or else reversed by a person, as the error says.
            told = self.unknown_earlier[claim.id]
            if self.rounds > 1:
                people.reverse_what_is_in_the_way(self, claim, told)
            asked = sorted(claim.asked | {claim.highest})
            wanted = [one for one in asked if one > claim.taken_back]
        jobs += [Job("submit", (claim.id,), (one,), again=1, ledger=self._name()) for one in wanted]
        for revision in sorted(claim.reversals):
            jobs.append(Job("reverse", (claim.id,), (revision,), again=1))
        if claim.wanders:
            jobs.append(Job("submit", (claim.id,), (1,), again=1, ledger=OTHER))
        for job in jobs:
            self.demand(self.clock.t, job)
            self._run_out()

    def _learn_the_rest(self) -> None:
        """Refresh what lives; where the ERP cannot be asked, people tell what they see."""
        for book in self.journal.books():
            for known in list(self.journal.select(book.id, tuple(LIVE))):
                if self.traits.capabilities.can_query:
                    job = Job("refresh", (known.key.claim_id,), again=0)
                    self._launch(job, refresh(known, self.ledger), self.erp_of(book.id))
                else:
                    people.tell_number(self, known)
                self._run_out()

    def _books_close(self) -> None:
        for erp in self._erps.values():
            for document in erp.by_number.values():
                if document.kind is _K.ACKNOWLEDGED:
                    erp.change(document, _K.POSTED)

    # --- callers and their processes --------------------------------------------------------

    def _start(self, job: Job) -> None:
        """A caller asks for something, in some process."""
        self.tally.calls += 1
        for plan, erp in self._careless_plans(job) if self.careless else self._plans(job):
            self._launch(job, plan, erp)

    def launch_for_person(self, known: Submission, plan: Any) -> None:
        """Let a person's command run."""
        job = Job("settle", (known.key.claim_id,), again=0)
        self._launch(job, plan, self.erp_of(known.key.book))

    def _launch(self, job: Job, plan: Any, erp: Erp) -> None:
        worker = self.rng.choice(self.workers)
        task = Task(worker, job, plan, erp)
        worker.tasks[task] = None
        if self.story is not None:
            for claim in job.claims or ("*",):
                self.tell(claim, f"{worker.name} {job.verb} {job.revisions or ''} {job.ledger}")
        self._advance(task, None)

    def _plans(self, job: Job) -> Iterator[tuple[Any, Erp]]:
        if job.verb == "reconcile":
            for book in self.journal.books():
                for one in list(unfinished(self.journal, book.id)):
                    yield reconcile_claim(one, self.ledger), self.erp_of(book.id)
        elif job.verb == "changes":
            yield from self._absorbing()
        elif job.verb == "refresh":
            for claim_id in job.claims:
                for history in self.histories(claim_id):
                    for known in history.submissions:
                        if known.state in LIVE:
                            yield refresh(known, self.ledger), self.erp_of(history.book)
        else:
            for claim_id, revision in zip(job.claims, job.revisions, strict=True):
                self.claims[claim_id].note(job.verb, revision)
            yield self._in_book(job), self.erp_at(job.ledger)

    def _absorbing(self) -> Iterator[tuple[Any, Erp]]:
        for book in self.journal.books():
            erp = self.erp_of(book.id)
            for news in list(erp.changes):  # old ones too: late and repeated news do no harm
                looking = submission_of(book.id, news.reference or "", self.rules)
                known = with_journal(looking, self.journal)
                if known is not None:
                    (told,) = in_our_spelling((known,), (news,), self.traits.capabilities)
                    yield absorb(known, told, self.rules), erp

    def _in_book(self, job: Job) -> Plan[Any]:
        """Plan what a client of a ledger does: open the book that the name means, then the call."""
        wanted = BookConfig(name=job.ledger, place=PLACES[job.ledger])
        book = (yield from open_book(wanted, self.clock)).book.id
        claim, revision = self.claims[job.claims[0]], job.revisions[0]
        documents = claim.documents(revision, book)
        if job.verb == "reverse":
            found = documents_of((yield from Recall(book, claim.id)), revision)
            if not found:
                raise ClaimError("nothing was submitted", code="CB-132", claim_id=claim.id)
            date = documents[0].voucher.posting_date
            return (yield from reverse_claim(found[0].key, date, "", self.ledger))
        if job.verb == "withdraw":
            return (yield from self._withdrawing(claim, revision, book))
        drafts = []
        for claim_id, number in zip(job.claims, job.revisions, strict=True):
            drafts += [Draft(one) for one in self.claims[claim_id].documents(number, book)]
        if job.verb == "batch":
            return (yield from submit_batch(drafts, self.ledger))
        key = msgspec.structs.replace(documents[0].key, part=0)
        plan = submit_claim(key, claim.digest(revision), lambda: tuple(drafts), self.ledger)
        return (yield from plan)

    def _withdrawing(self, claim: Claim, revision: int, book: str) -> Plan[None]:
        """Withdraw a claim; take back what of it is in the ledger already."""
        found = yield from withdraw_claim(
            book, claim.id, "taken back", self.rules, revision=revision
        )
        if not found:
            claim.kept_out = max(claim.kept_out, revision)
            self.tell(claim.id, f"withdrawn up to {revision}")
            return
        one = found[0]
        if one.key.revision <= revision:
            yield from reverse_claim(one.key, one.voucher.posting_date, "", self.ledger)

    def _careless_plans(self, job: Job) -> Iterator[tuple[Any, Erp]]:
        for claim_id, revision in zip(job.claims, job.revisions, strict=False):
            claim, erp = self.claims[claim_id], self.erp_at(job.ledger)
            claim.note(job.verb, revision)
            if job.verb == "submit":
                for draft in claim.documents(revision, job.ledger):
                    yield naive.submit(draft, self.memory, self.rules), erp
            elif job.verb in ("reverse", "withdraw"):
                for draft in claim.documents(revision, job.ledger):
                    posted = self.memory.posted.get(draft.key)
                    if posted is not None:
                        yield naive.reverse(posted, self.memory, self.rules), erp

    def _advance(self, task: Task, answer: Any, error: BaseException | None = None) -> None:
        """Let a plan go on until it waits for something."""
        rng, odds, plan = self.rng, self.odds, task.plan
        while task.alive:
            try:
                step = advance(plan, answer, error=error)
            except (ClaimBridgeError, KeyboardInterrupt) as failure:
                self._failed(task, failure)
                return
            if isinstance(step, End):
                self._ended(task, step.result)
                return
            answer = error = None
            self.tally.steps += 1
            if self.tally.steps > ENDLESS:
                return
            luck = rng.random()
            if luck < odds.crash:
                self.crash(task.worker, f"before {type(step).__name__}")
                return
            if luck > 1 - odds.interrupt and task.broken_off:
                self.crash(task.worker, "of a second interruption")
                return
            if luck > 1 - odds.interrupt:
                task.broken_off = True
                self.count_fault("call broken off")
                error = KeyboardInterrupt()
                if isinstance(step, Post) and luck > 1 - odds.interrupt / 2:
                    late = rng.uniform(0, self.longest_life)
                    self.after(late, self.arrive_unheard, task.erp, step.message)
                if isinstance(step, (Post, Pause)) or luck > 1 - odds.interrupt / 2:
                    continue
            if isinstance(step, Post):
                self._exchange(task, step.message)
                if luck < 2 * odds.crash:
                    self.after(rng.uniform(0, 2), self.crash, task.worker, "in an exchange")
                return
            if isinstance(step, Pause):
                self.after(step.seconds, self._advance, task, True)
                return
            if isinstance(step, AtOnce):
                answer = self._write_all(task, step)
                if answer is None:
                    self.crash(task.worker, "in the midst of several writes")
                    return
            else:
                answer = self._write(task, step)
            if isinstance(answer, ClaimBridgeError):
                answer, error = None, answer
                continue
            if luck < 2 * odds.crash:
                self.crash(task.worker, f"after {type(step).__name__}")
                return
            if luck < 0.3:
                stalls = luck < 2 * odds.crash + odds.stall
                wait = rng.uniform(0, 500) if stalls else rng.uniform(0, 0.05)
                if stalls:
                    self.count_fault("process stalled")
                self.after(wait, self._advance, task, answer, error)
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
        """Return the journal's answer, or the error of ours that it raised."""
        assert isinstance(step, Access)  # what is no exchange and no pause
        try:
            answer = step.perform(task.worker.journal)
        except JournalError as refusal:
            lawful = refusal.code in NOT_NEWEST or "another owner" in refusal.message
            if not lawful:  # a broken-off begin() cannot know whose it is
                self.flaws.append(Flaw("unlawful", refusal.claim_id or "*", str(refusal)))
                self.tell(refusal.claim_id or "*", f"FLAW {refusal}")
            return refusal
        except ClaimBridgeError as refusal:
            return refusal
        if isinstance(step, Record) and answer is not None:
            for one in step.changed:
                if one.job:
                    self._prolong(task.erp, one)
        if self.story is not None and answer is not None and hasattr(step, "seen"):
            self._tell_write(task.worker, step)
        return answer

    def _tell_write(self, worker: Worker, step: Any) -> None:
        for one in getattr(step, "changed", ()):
            self.tell(
                one.key.claim_id,
                f"{worker.name} journal: r{one.key.revision} p{one.key.part} {one.key.purpose} "
                f"{one.state} #{one.attempt} {one.detail}",
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
        claim_id = getattr(failure, "claim_id", None) or "*"
        if self.story is not None:
            self.tell(claim_id, f"{task.worker.name} {task.job.verb} raised {failure!r:.300}")
        if task.job.verb == "reconcile":
            self.told.add(claim_id)
        if getattr(failure, "code", "") == UNKNOWN_EARLIER:
            self.unknown_earlier[claim_id] = str(failure)
        self._count_error(failure)
        self._ask_again(task.job, getattr(failure, "retry_after", None), failure)

    def _count_error(self, failure: BaseException) -> None:
        self.tally.errors[getattr(failure, "code", type(failure).__name__)] += 1

    def _ask_again(self, job: Job, retry_after: float | None, failure: object = None) -> None:
        """The caller, or its supervisor, tries again: at once, when told to, or much later."""
        rng = self.rng
        if job.again <= 0 or job.verb not in ("submit", "batch", "reverse", "withdraw"):
            return
        if isinstance(failure, LedgerRejection) and rng.random() < 0.5:
            return
        wait = rng.choice((0.01, rng.uniform(0, 60), rng.uniform(0, 2 * QUIET)))
        if self.healed:
            wait = retry_after or 1.0
        elif retry_after is not None and rng.random() < 0.7:
            wait = max(0.0, retry_after - rng.choice((0.0, 0.0, rng.uniform(0, 40))))
        self.demand(self.clock.t + wait, msgspec.structs.replace(job, again=job.again - 1))

    def crash(self, worker: Worker, when: str) -> None:
        """A process dies, and comes up again."""
        self.count_fault("crash")
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
            self.demand(self.clock.t + self.rng.uniform(0, 400), Job("reconcile", ()))

    # --- the network ------------------------------------------------------------------------

    def count_fault(self, kind: str) -> None:
        """Count one thing that went wrong."""
        self.tally.faults[kind] += 1

    def count_parked(self, parked: Submission) -> None:
        """Count one submission that a person must look at."""
        self.tally.parked[_why(parked.detail)] += 1

    def _exchange(self, task: Task, step: Exchange) -> None:
        """Decide the fate of one request, and when its sender hears what."""
        rng = self.rng
        self.tally.requests += 1
        if self.waits_for_word and step.verb != "query" and not self.careless:
            told = "sent through a journal that is not the newest"
            self.flaws.append(Flaw("unlawful", step.submissions[0].key.claim_id, told))
        luck = rng.random()
        fault = ""
        if luck < self.odds.network:
            fault = rng.choice(self.favourites if rng.random() < 0.6 else FAULTS)
        elif luck < self.odds.network + self.odds.throttle:
            self.count_fault("throttled")
            wait = rng.choice((None, 1.0, 20.0, 25.0, 90.0))
            busy = Outcome(kind=_K.UNAVAILABLE, retry_after=wait, text="busy")
            self._tell_exchange(task, step, "throttled")
            self.after(0.1, self._advance, task, (busy,))
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

    def answer_in(
        self, seconds: float, task: Task, step: Exchange, outcomes: tuple[Outcome, ...]
    ) -> None:
        """Let a sender hear what the ERP said, as its ledger recognises it."""
        told = in_our_spelling(step.submissions, outcomes, self.traits.capabilities)
        self.after(seconds, self._advance, task, told)

    def arrive(self, erp: Erp, step: Exchange, most: int | None = None) -> tuple[Outcome, ...]:
        """Let the ERP take a request in; ``most`` is how many of its documents, None for all."""
        if step.verb == "query":
            return erp.query(step.submissions, self.clock.t)
        return tuple(self._take(erp, step.verb, one) for one in step.submissions[:most])

    def _take(self, erp: Erp, verb: str, one: Submission) -> Outcome:
        queues = self.traits.jobs and verb == "submit" and not self.healed
        if queues and self.rng.random() < 0.4:
            self.count_fault("queued in the ERP")
            job, outcome = erp.enqueue(one)
            late = self.rng.uniform(0, QUEUED)
            if self.traits.jobs == "reference":
                late = self.rng.choice((late, self.rng.uniform(0, 2500)))
            self.after(late, self._run_job, erp, job)
            self.tell(one.key.claim_id, f"ERP: {job} for {one.reference}, for {late:.0f} s")
            return outcome
        return self._watched(erp, verb, one, partial(erp.take, verb, one, self.clock.t))

    def _prolong(self, erp: Erp, known: Submission) -> None:
        """Let a job that the journal knows by its name wait longer than the quiet period."""
        lasts = self.traits.jobs == "job" and "restored journal" not in self.kinds
        if lasts and known.job in erp.queue and self.rng.random() < 0.5:
            self.count_fault("job beyond the quiet period")
            erp.prolonged[known.job] = self.rng.uniform(0, 2500)

    def _run_job(self, erp: Erp, job: str) -> None:
        if job in erp.prolonged:
            self.after(erp.prolonged.pop(job), self._run_job, erp, job)
            return
        one = erp.queue[job]
        self._watched(erp, "submit", one, partial(erp.run_job, job, self.clock.t))

    def _watched(
        self, erp: Erp, verb: str, one: Submission, take: Callable[[], Outcome]
    ) -> Outcome:
        before = len(erp.by_number)
        outcome = take()
        claim_id = one.key.claim_id
        if verb == "reverse" and outcome.kind is _K.POSTED:
            self.tally.reversals += 1
        if self.story is not None:
            self.tell(
                claim_id,
                f"ERP: {verb} {one.reference} -> {outcome.kind} "
                f"{outcome.journal_entry or ''} {'; '.join(map(str, outcome.reasons))}",
            )
        if verb == "submit" and len(erp.by_number) > before and not self.careless:
            if one.key.revision <= self.claims[claim_id].kept_out:
                told = f"{one.reference} was taken in after its withdrawal"
                self.flaws.append(Flaw("duplicated", claim_id, told))
            if one.invoices:
                self.flaws += overdrawn(self)
        return outcome

    def arrive_unheard(self, erp: Erp, step: Exchange) -> None:
        """Let a request arrive that its sender has given up."""
        if not self.is_down():
            self.arrive(erp, step)

    def is_down(self) -> bool:
        """Whether the ERP is out of reach now."""
        return self.down_from <= self.clock.t < self.down_until

    # --- the story --------------------------------------------------------------------------

    def tell(self, claim_id: str, what: str) -> None:
        """Add a line to the story, when it is being told."""
        if self.story is not None:
            self.story.append(f"{claim_id:>10} {self.clock.t:14.3f}  {what}")


def _why(detail: str) -> str:
    """Return a reason without what differs from case to case."""
    for known, name in _REASONS:
        if known in detail:
            return name
    return detail[:60]


_REASONS = (
    ("another journal", "of a time that the journal does not know"),
    ("cannot be asked by reference", "answer lost, ERP cannot be asked"),
    ("already had", "unexplained duplicate"),
    ("sending was refused", "refused after a lost answer"),
    ("with other amounts", "other amounts under our reference"),
    ("two different things", "two documents under our reference"),
)


__all__ = ["QUIET", "Episode", "Job", "Tally", "Task"]
