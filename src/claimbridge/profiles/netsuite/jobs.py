"""Jobs of NetSuite: a list of records is taken in, and asked for until it is written."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final

from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles.conversation import Began, Wait, answer_to
from claimbridge.profiles.kit.reading import unknown
from claimbridge.profiles.netsuite.replies import job_of, read_fault
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

CHECK: Final = "checkAsyncStatus"
RESULT: Final = "getAsyncResult"
_ENDED: Final = frozenset({"finished", "finishedWithErrors", "failed"})
_FIRST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 15.0


class JobFirst(Request, frozen=True, kw_only=True):
    """The question for a job, and the one for its records that follows once it has ended."""

    question: Request


def job_under_way(
    asked: JobFirst,
) -> Generator[Request, Reply | Fault | None, tuple[Outcome, ...]]:
    """Return that a job is queued or running, or cannot be asked for; () once it has ended."""
    job = asked.body["jobId"]
    answer = yield from answer_to(asked)
    if isinstance(answer, Fault):
        outcome = read_fault(answer)
        if outcome.kind is not OutcomeKind.UNKNOWN:
            return (outcome,)
        text = f"job {job} cannot be asked for: {answer.reason}; look for the job in NetSuite"
        return (unknown(text),)
    status = job_of(answer)[1]
    if status in _ENDED:
        return ()
    return (Outcome(kind=OutcomeKind.UNDER_WAY, text=status, job=job),)


def follow_job(
    reply: Reply, read: Callable[[Reply], tuple[Outcome, ...]]
) -> Generator[Request | Wait | Began, Reply | Fault | None, tuple[Outcome, ...]]:
    """Ask for a job until it is done; then ``read`` its results, however the job ended."""
    job, status = job_of(reply)
    if not job:
        return (unknown("NetSuite names no job"),)
    yield Began(job)
    seconds = _FIRST_WAIT
    while status not in _ENDED:
        yield Wait(seconds)
        seconds = min(seconds * 2, _LONGEST_WAIT)
        check = Request(operation=CHECK, body={"jobId": job}, harmless=True)
        answer = yield from answer_to(check)
        if not isinstance(answer, Fault):
            status = job_of(answer)[1]
        elif read_fault(answer).kind is not OutcomeKind.UNAVAILABLE:
            return (unknown(f"job {job} cannot be asked for: {answer.reason}"),)
    result = Request(operation=RESULT, body={"jobId": job, "pageIndex": "1"}, harmless=True)
    answer = yield from answer_to(result)
    if isinstance(answer, Fault):
        return (unknown(f"job {job} gives no result: {answer.reason}"),)
    return read(answer)
