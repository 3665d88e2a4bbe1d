"""Performing one exchange with the ERP: one call as a rule, a conversation where a profile says so.

No I/O: what must be sent is yielded to the client, as every step of a plan is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.errors import ClaimBridgeError, DeliveryError, NotDelivered, OutcomeUnknown
from claimbridge.ledger.message import Message
from claimbridge.ledger.outcomes import not_built, outcome_of, unknown
from claimbridge.ledger.sessions import Session
from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.profiles.abilities import begin
from claimbridge.profiles.conversation import Began, LogIn, Wait
from claimbridge.submission import Built, Confirm, NoteJob, Pause, Plan, Post

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.ledger.reading import Answers
    from claimbridge.soap.envelope import Envelope
    from claimbridge.soap.transport import HttpReply

log = logging.getLogger("claimbridge.ledger")


_OPEN: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.UNDER_WAY})
_TURN: Final = 0.02
"""Seconds between two looks at whether another has logged in."""
_BY_STATUS: Final = frozenset({"CB-409", "CB-417", "CB-418", "CB-442", "CB-443"})
"""What the transport concludes from an HTTP status alone."""


class Ended(Exception):
    """A call that got no usable answer: the conversation is over, with this outcome."""

    def __init__(self, error: DeliveryError, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.error = error
        self.outcome = outcome


class Exchanging:
    """One exchange under way; never shared.

    ``flights`` are the attempts that it carries: they must be ours still when a call leaves.
    ``book`` is the id of the book that it is about.
    """

    def __init__(self, ledger: Answers, flights: tuple[Submission, ...] = (), *, book: str) -> None:
        self._ledger = ledger
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
        self._job = ""
        """The ERP's job that holds what was sent, "" where there is none."""

    def perform(self, built: Built) -> Plan[tuple[Outcome, ...]]:
        """Hold the profile's conversation about the request that goes out as ``built``."""
        outcomes = yield from self._converse(built)
        if not self._job:
            return outcomes
        return tuple(
            msgspec.structs.replace(one, job=self._job) if one.kind in _OPEN else one
            for one in outcomes
        )

    def _converse(self, built: Built) -> Plan[tuple[Outcome, ...]]:
        profile, request = self._ledger.profile, built.request
        talk = begin(profile, request)
        answer: Reply | Fault | None = None
        try:
            while True:
                asked = talk.send(answer)
                answer = None
                if isinstance(asked, Wait):
                    yield from self._wait(asked.seconds)
                elif isinstance(asked, Began):
                    yield from self._note(asked.job)
                elif isinstance(asked, LogIn):
                    yield from self._log_in(again=True)
                else:
                    # What carries vouchers is never harmless, whatever a profile says of it.
                    own = built if asked is request else self._ledger.built(asked)
                    harmless = asked.harmless and asked is not request
                    answer = yield from self.call(own, harmless=harmless)
        except StopIteration as end:
            return self._read(end.value)
        except Ended as end:
            return (end.outcome,)
        except ClaimBridgeError as error:
            return (self._failed(error),)
        except Exception as error:
            log.exception("profile %s failed in an exchange", profile.name)
            text = f"profile {profile.name} failed on the {self._stage}: {error!r}"
            return (self._failed(OutcomeUnknown(text)),)

    def _note(self, job: str) -> Plan[None]:
        """Know the job that holds what was sent, in the journal too, whatever becomes of us."""
        self._job = job
        if self._flights:
            yield from NoteJob(self._flights, job)

    def _read(self, found: object) -> tuple[Outcome, ...]:
        """Return the outcomes that a profile has read; what are none prove nothing."""
        try:
            return self.judged(outcomes_in(found))
        except TypeError as error:
            text = f"profile {self._ledger.profile.name} failed on the {self._stage}: {error}"
            return (self._failed(OutcomeUnknown(text)),)

    def judged(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return outcomes with what is known of the answers that they were read from.

        What has no number of the ERP's form is no success; what was tolerated is told.
        """
        outcomes = self._ledger.proven(outcomes)
        if self._bound:
            return outcomes
        return tuple(msgspec.structs.replace(one, bound=False) for one in outcomes)

    @property
    def _stage(self) -> str:
        return "reply" if self._left else "request"

    def _failed(self, error: ClaimBridgeError) -> Outcome:
        """Return what an error of building or reading means: nothing, while nothing has left."""
        return unknown(error.message, code=error.code) if self._left else not_built(error)

    def _wait(self, seconds: float) -> Plan[None]:
        if not (yield from Pause(seconds)):
            over = NotDelivered("the time allowed for the call is over")
            raise self._ended(over, harmless=True)

    def call(self, built: Built, *, harmless: bool) -> Plan[Reply | Fault]:
        """Make one call and return its answer; raises Ended where there is none.

        Raises ClaimBridgeError for an answer that cannot be read, or is none to this call.
        """
        if self._ledger.has_sessions and not self._session.id:
            yield from self._log_in(again=False)
        session = self._session
        message = self._ledger.message(
            built, book=self._book, session=session.id, cookies=session.cookies
        )
        if not harmless:
            message = yield from self._still_ours(message)
        self._before = (self._effect, self._left)
        self._left = self._left or not harmless
        envelope = yield from self._sent(message, session, harmless=harmless)
        self._effect = self._effect or not harmless
        answer = self._ledger.answer(envelope, asked=message.operation)
        self._ledger.note_drift(answer, asked=message.operation)
        return answer

    def _still_ours(self, message: Message) -> Plan[Message]:
        """Return the message, stamped, if nobody has taken its attempts over; else raise Ended.

        A process that stood still may have been taken for dead meanwhile.
        """
        if not self._flights:
            return message
        checked = self._ledger.clock.uptime()
        if not (yield from Confirm(self._flights)):
            taken = NotDelivered(
                "the attempt is no longer this process's own: another has taken the claim over, or "
                "the lock file beside the journal is gone; nothing was sent"
            )
            raise self._ended(taken, harmless=True)
        return msgspec.structs.replace(message, checked=checked)

    def _sent(self, message: Message, session: Session, *, harmless: bool) -> Plan[Envelope]:
        post: Post[Message, HttpReply] = Post(message)
        try:
            reply = yield from post
            answer = yield from self._ledger.open(message, reply)
        except DeliveryError as error:
            raise self._ended(error, harmless=harmless) from error
        session.take(answer.cookies, now=self._ledger.clock.now())
        self._ledger.drifts.tell(answer.drift)
        self._bound = self._bound and answer.bound
        return answer.envelope

    def _log_in(self, *, again: bool) -> Plan[None]:
        if again:
            # The profile says that the call before had no effect; those before it may have had.
            self._effect, self._left = self._before
            self._ledger.sessions.drop(self._session)
        sessions = self._ledger.sessions
        try:
            try:
                while not sessions.begin(self):
                    yield from self._wait(_TURN)
                self._session = sessions.current or (yield from self._begun())
                sessions.keep(self._session)
            finally:
                sessions.end(self)
        finally:
            sessions.end(self)  # where the first was interrupted

    def _begun(self) -> Plan[Session]:
        session = Session()
        try:
            message = self._ledger.log_in_message(book=self._book)
            envelope = yield from self._sent(message, session, harmless=True)
            session.id = self._ledger.read_log_in(envelope, asked=message.operation)
            return session
        except DeliveryError as error:
            raise self._ended(error, harmless=True) from error
        except ClaimBridgeError as error:
            lost = NotDelivered(f"no session could be begun: {error.message}")
            raise self._ended(lost, harmless=True) from error

    def _ended(self, error: DeliveryError, *, harmless: bool) -> Ended:
        """Return the end of the conversation.

        What was answered before may have had an effect; a harmless call by itself has none.
        """
        outcome = outcome_of(error)
        if self._ledger.replies_are_signed and error.code in _BY_STATUS:
            # Anybody on the way can write a status line, also after the ERP has committed.
            outcome = unknown(f"{error.message} (nobody signed that answer, so it proves nothing)")
        lost = outcome.kind is OutcomeKind.UNKNOWN
        if self._effect and not lost:
            outcome = unknown(f"the conversation broke off midway: {error.message}")
        elif lost and harmless and not self._effect:
            outcome = msgspec.structs.replace(outcome, kind=OutcomeKind.NOT_DELIVERED)
        return Ended(error, outcome)


def outcomes_in(found: object) -> tuple[Outcome, ...]:
    """Return what a profile has read as outcomes; raises TypeError where it is something else."""
    if not isinstance(found, (tuple, list)) or not all(isinstance(one, Outcome) for one in found):
        raise TypeError(f"it reads a {type(found).__name__}, and not outcomes")
    return tuple(found)
