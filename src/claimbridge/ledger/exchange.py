"""Performing one exchange with the ERP: one call as a rule, a conversation where a profile says so.

No I/O: what must be sent is yielded to the client, as every step of a plan is.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from claimbridge.contract import Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    DeliveryError,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SignatureInvalid,
)
from claimbridge.ledger.reading import (
    Reader,
    not_built,
    outcome_of,
    unknown,
)
from claimbridge.ledger.sessions import Session
from claimbridge.ledger.setup import Setup
from claimbridge.ledger.wire import OpenReply
from claimbridge.ledger.writing import Writer
from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.profiles.abilities import HasSessions, ListsChanges, begin
from claimbridge.profiles.base import Page
from claimbridge.profiles.conversation import Began, LogIn, Wait
from claimbridge.profiles.request import Request
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.submission import (
    Built,
    Confirm,
    FirstSight,
    NoteJob,
    Pause,
    Plan,
    Post,
)

log = logging.getLogger("claimbridge.ledger")


_OPEN: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.UNDER_WAY})
_TURN: Final = 0.02
"""Seconds between two looks at whether another has logged in."""
_BY_STATUS: Final = frozenset({"CB-409", "CB-417", "CB-418", "CB-442", "CB-443"})
"""What a wire concludes from an HTTP status alone."""


class NoAnswer(Exception):
    """A call that got no usable answer: the conversation is over, with this outcome."""

    def __init__(self, error: DeliveryError, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.error = error
        self.outcome = outcome


class ExchangeRun:
    """One exchange under way; never shared.

    ``flights`` are the attempts that it carries: they must be ours still when a call leaves.
    ``book`` is the id of the book that it is about.
    """

    def __init__(
        self,
        setup: Setup,
        writer: Writer,
        reader: Reader,
        *,
        book: str,
        flights: tuple[Submission, ...] = (),
    ) -> None:
        self._setup = setup
        self._writer = writer
        self._reader = reader
        self._profile = setup.profile
        self._book = book
        self._flights = flights
        self._session = Session()
        """The one that is logged in to; where there is no login, one of this exchange alone."""
        self._effect = False
        """Whether a request was answered that may have changed the ledger."""
        self._left = False
        """Whether such a request was handed to the transport."""
        self._before = (False, False)
        """Both, as they were before the last call."""
        self._bound = True
        """Whether every answer is one to its own question, for certain."""
        self._failed_late = False
        """Whether a call was answered by a fault after another that may have had an effect."""
        self._job = ""
        """The ERP's job that holds what was sent, "" where there is none."""

    def perform(self, built: Built) -> Plan[tuple[Outcome, ...]]:
        """Hold the profile's conversation about the request that goes out as ``built``."""
        outcomes = yield from self._converse(built)
        if not self._job:
            return outcomes
        return tuple(
            msgspec.structs.replace(outcome, job=self._job) if outcome.kind in _OPEN else outcome
            for outcome in outcomes
        )

    def _converse(self, built: Built) -> Plan[tuple[Outcome, ...]]:
        request = built.request
        talk = begin(self._profile, request)
        answer: Reply | Fault | None = None
        try:
            while True:
                step = talk.send(answer)
                answer = None
                if isinstance(step, Wait):
                    yield from self._wait(step.seconds)
                elif isinstance(step, Began):
                    yield from self._note(step.job)
                elif isinstance(step, LogIn):
                    yield from self._log_in(again=True)
                else:
                    # What carries vouchers is never harmless, whatever a profile says of it.
                    own = built if step is request else self._writer.validate(step)
                    harmless = step.harmless and step is not request
                    answer = yield from self._call(own, harmless=harmless)
        except StopIteration as end:
            return self._read(end.value)
        except NoAnswer as end:
            return (end.outcome,)
        except ClaimBridgeError as error:
            return (self._failure(error),)
        except Exception as error:
            log.exception("profile %s failed in an exchange", self._profile.name)
            text = f"profile {self._profile.name} failed on the {self._stage}: {error!r}"
            return (self._failure(OutcomeUnknown(text)),)

    def _note(self, job: str) -> Plan[None]:
        """Know the job that holds what was sent, in the journal too, whatever becomes of us."""
        self._job = job
        if self._flights:
            yield from NoteJob(self._flights, job)

    def _read(self, answer: object) -> tuple[Outcome, ...]:
        """Return the outcomes that a profile has read; what are none prove nothing."""
        try:
            return self._evidence(answer)
        except TypeError as error:
            text = f"profile {self._profile.name} failed on the {self._stage}: {error}"
            return (self._failure(OutcomeUnknown(text)),)

    def _evidence(self, answer: object) -> tuple[Outcome, ...]:
        """Return the outcomes that a profile has read, with what is known of their answers."""
        outcomes = self._reader.outcomes(answer)
        if self._failed_late:
            outcomes = tuple(map(_not_undone, outcomes))
        if self._bound:
            return outcomes
        return tuple(msgspec.structs.replace(outcome, bound=False) for outcome in outcomes)

    @property
    def _stage(self) -> str:
        return "reply" if self._left else "request"

    def _failure(self, error: ClaimBridgeError) -> Outcome:
        """Return what an error of building or reading means: nothing, while nothing has left."""
        return unknown(error.message, code=error.code) if self._left else not_built(error)

    def _wait(self, seconds: float) -> Plan[None]:
        if not (yield from Pause(seconds)):
            over = NotDelivered("the time allowed for the call is over")
            raise self._no_answer(over, harmless=True)

    def _call(self, built: Built, *, harmless: bool) -> Plan[Reply | Fault]:
        """Make one call and return its answer; raises NoAnswer where there is none.

        Raises ClaimBridgeError for an answer that cannot be read, or is none to this call.
        """
        if not self._session.id and isinstance(self._profile, HasSessions):
            yield from self._log_in(again=False)
        message = self._writer.message(built, self._session)
        if not harmless:
            message = yield from self._confirm(message)
        self._before = (self._effect, self._left)
        self._left = self._left or not harmless
        reply = yield from self._post(message, self._session, harmless=harmless)
        self._effect = self._effect or not harmless
        content = self._reader.answer(reply, asked=built.operation)
        self._failed_late |= self._before[0] and isinstance(content, Fault)
        return content

    def _confirm(self, message: HttpMessage) -> Plan[HttpMessage]:
        """Return the message, stamped, if nobody has taken its attempts over; else raise NoAnswer.

        A process that stood still may have been taken for dead meanwhile.
        """
        if not self._flights:
            return message
        checked = self._setup.clock.uptime()
        if not (yield from Confirm(self._flights)):
            taken = NotDelivered(
                "the attempt is no longer this process's own: another has taken the claim over, or "
                "the lock file beside the journal is gone; nothing was sent"
            )
            raise self._no_answer(taken, harmless=True)
        return msgspec.structs.replace(message, checked=checked)

    def _post(self, message: HttpMessage, session: Session, *, harmless: bool) -> Plan[OpenReply]:
        post: Post[HttpMessage, HttpAnswer] = Post(message)
        try:
            answer = yield from post
            reply = self._setup.wire.open(answer, message)
            yield from self._check_first(reply)
        except DeliveryError as error:
            raise self._no_answer(error, harmless=harmless) from error
        if answer.cookies:
            session.take(answer.cookies, now=self._setup.clock.now())
        if reply.drift:
            self._setup.drifts.report(reply.drift)
        self._bound = self._bound and reply.bound
        return reply

    def _check_first(self, reply: OpenReply) -> Plan[None]:
        """Refuse a reply that was seen before."""
        if reply.until is None:
            return
        if not (yield from FirstSight(self._book, reply.seal, reply.until)):
            raise SignatureInvalid(
                "the reply was received before: somebody repeats an old one", code="CB-343"
            )

    def _log_in(self, *, again: bool) -> Plan[None]:
        sessions = self._setup.sessions
        if again:
            # The profile says that the call before had no effect; those before it may have had.
            self._effect, self._left = self._before
            sessions.drop(self._session)
        try:
            try:
                while not sessions.begin(self):
                    yield from self._wait(_TURN)
                self._session = sessions.current or (yield from self._new_session())
                sessions.keep(self._session)
            finally:
                sessions.end(self)
        finally:
            sessions.end(self)  # where the first was interrupted

    def _new_session(self) -> Plan[Session]:
        assert isinstance(self._profile, HasSessions)  # asked only where there are sessions
        session = Session()
        try:
            built = self._writer.validate(self._profile.log_in(self._setup.credentials))
            message = self._writer.message(built, session)
            reply = yield from self._post(message, session, harmless=True)
            answer = self._reader.content(reply, asked=built.operation)
            session.id = self._profile.read_log_in(answer)
            return session
        except DeliveryError as error:
            raise self._no_answer(error, harmless=True) from error
        except ClaimBridgeError as error:
            lost = NotDelivered(f"no session could be begun: {error.message}")
            raise self._no_answer(lost, harmless=True) from error

    def _no_answer(self, error: DeliveryError, *, harmless: bool) -> NoAnswer:
        """Return the end of the conversation.

        What was answered before may have had an effect; a harmless call by itself has none.
        """
        outcome = outcome_of(error)
        if self._setup.config.replies is not None and error.code in _BY_STATUS:
            # Anybody on the way can write a status line, also after the ERP has committed.
            outcome = unknown(f"{error.message} (nobody signed that answer, so it proves nothing)")
        lost = outcome.kind is OutcomeKind.UNKNOWN
        if self._effect and not lost:
            outcome = unknown(f"the conversation broke off midway: {error.message}")
        elif lost and harmless and not self._effect:
            outcome = msgspec.structs.replace(outcome, kind=OutcomeKind.NOT_DELIVERED)
        return NoAnswer(error, outcome)

    def ask(self, request: Request) -> Plan[Reply | Fault]:
        """Make one harmless call, and return its answer; raises NoAnswer where there is none."""
        with self._writer.building(f"the question {request.operation}", None):
            built = self._writer.validate(request)
        return (yield from self._call(built, harmless=True))

    def outcome_of(self, fault: Fault) -> Outcome:
        """Return what the profile makes of a fault."""
        return self._profile.read_fault(fault)

    def page(self, cursor: str, limit: int) -> Plan[Page]:
        """Bring one page of changes after ``cursor``; see ``Ledger.page``."""
        profile, name = self._profile, self._profile.name
        if not (profile.capabilities.can_list_changes and isinstance(profile, ListsChanges)):
            raise ConfigurationError(
                f"profile {name} cannot list changes; use status or wait", code="CB-254"
            )
        with self._writer.building("the question for changes", None):
            built = self._writer.validate(profile.changes(cursor, limit))
        try:
            answer = yield from self._call(built, harmless=True)
            if isinstance(answer, Reply):
                page = profile.read_changes(answer)
                outcomes = self._evidence(page.outcomes)
                return msgspec.structs.replace(page, outcomes=outcomes)
            outcome = profile.read_fault(answer)
        except NoAnswer as end:
            raise end.error from None
        except ClaimBridgeError as error:
            raise NotDelivered(
                f"the changes could not be read: {error.message}", code="CB-411"
            ) from error
        except Exception as error:
            log.exception("profile %s failed to read changes", name)
            raise NotDelivered(
                f"the changes could not be read: profile {name} failed on the reply: {error!r}",
                code="CB-411",
            ) from error
        if outcome.kind is OutcomeKind.UNAVAILABLE:
            raise LedgerUnavailable(outcome.text, retry_after=outcome.retry_after)
        raise NotDelivered(
            f"the ERP refused to list changes: {outcome.text or answer.reason}", code="CB-411"
        )


def _not_undone(outcome: Outcome) -> Outcome:
    """Return what "not let in" means after a call that may have had an effect: nothing is known."""
    if outcome.kind is not OutcomeKind.NOT_DELIVERED:
        return outcome
    return msgspec.structs.replace(
        outcome,
        kind=OutcomeKind.UNKNOWN,
        text=f"the conversation broke off midway: {outcome.text}",
        retry_is_useless=False,
    )
