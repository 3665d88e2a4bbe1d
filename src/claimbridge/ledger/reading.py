"""Reading what a ledger answers, and planning the exchanges that bring it."""

from __future__ import annotations

import logging

import msgspec

from claimbridge.contract import Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.ledger.exchange import Ended, Exchanging, outcomes_in
from claimbridge.ledger.message import Answer, Message
from claimbridge.ledger.outcomes import not_built, of_question, unknown
from claimbridge.ledger.writing import Messages
from claimbridge.model import Finding, Outcome, OutcomeKind, Submission
from claimbridge.profiles.abilities import HasSessions, ListsChanges
from claimbridge.profiles.base import Page
from claimbridge.profiles.kit.forms import judged
from claimbridge.soap.envelope import Envelope, open_envelope
from claimbridge.soap.transport import HttpReply
from claimbridge.soap.transport.charset import as_document
from claimbridge.submission import Built, Plan, recognised
from claimbridge.xmlio import canonical, local_name, parse

log = logging.getLogger("claimbridge.ledger")


class Answers(Messages):
    """What one ledger answers, by its configuration; no I/O."""

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Plan one exchange: what is sent, and what the answers say of its documents."""
        try:
            built = built or self.build(verb, submissions)
        except ClaimBridgeError as error:
            return (not_built(error),)
        book = submissions[0].key.book
        flights = () if verb == "query" else submissions
        answered = yield from Exchanging(self, flights, book=book).perform(built)
        outcomes = recognised(submissions, answered, self.profile.capabilities)
        return tuple(map(of_question, outcomes)) if verb == "query" else outcomes

    def page(self, book: str, cursor: str, limit: int) -> Plan[Page]:
        """Plan one page of changes after ``cursor`` in the book of that id.

        Raises ConfigurationError (CB-254) where the profile cannot list them; NotDelivered or
        LedgerUnavailable, and what the transport raises, when there is no page.
        """
        can_list = self.profile.capabilities.can_list_changes
        if not (can_list and isinstance(self.profile, ListsChanges)):
            raise ConfigurationError(
                f"profile {self.profile.name} cannot list changes; use status or wait",
                code="CB-254",
            )
        with self._building("the question for changes", None):
            built = self.built(self.profile.changes(cursor, limit))
        exchanging = Exchanging(self, book=book)
        try:
            answer = yield from exchanging.call(built, harmless=True)
            if isinstance(answer, Reply):
                return self._page(answer, exchanging)
            outcome = self.profile.read_fault(answer)
        except Ended as end:
            raise end.error from None
        except ClaimBridgeError as error:
            raise NotDelivered(
                f"the changes could not be read: {error.message}", code="CB-411"
            ) from error
        except Exception as error:
            log.exception("profile %s failed to read changes", self.profile.name)
            raise NotDelivered(
                f"the changes could not be read: profile {self.profile.name} failed on the reply: "
                f"{error!r}",
                code="CB-411",
            ) from error
        if outcome.kind is OutcomeKind.UNAVAILABLE:
            raise LedgerUnavailable(outcome.text, retry_after=outcome.retry_after)
        raise NotDelivered(
            f"the ERP refused to list changes: {outcome.text or answer.reason}", code="CB-411"
        )

    def _page(self, reply: Reply, exchanging: Exchanging) -> Page:
        assert isinstance(self.profile, ListsChanges)  # else no page was asked for
        page = self.profile.read_changes(reply)
        outcomes = exchanging.judged(outcomes_in(page.outcomes))
        return msgspec.structs.replace(page, outcomes=outcomes)

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply's envelope says, whoever wrote it; what is unclear is UNKNOWN.

        ``asked`` None accepts a reply to any operation.
        """
        try:
            document, drift = as_document(data, "")
            answer = self.answer(open_envelope(document), asked=asked)
            self.drifts.tell(drift)
            if isinstance(answer, Fault):
                return self.proven((self.profile.read_fault(answer),))
            return self.proven(outcomes_in(self.profile.read(answer)))
        except ClaimBridgeError as error:
            return (unknown(error.message, code=error.code),)
        except Exception as error:
            log.exception("profile %s failed to read a reply", self.profile.name)
            return (unknown(f"profile {self.profile.name} failed on the reply: {error!r}"),)

    def proven(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return outcomes by the form of this ERP's numbers, and tell what was tolerated in them.

        Success is one only with a number of that form (see ``profiles.forms``).
        """
        form = self.profile.capabilities.entry
        found = tuple(judged(one, form) for one in outcomes)
        self.drifts.tell(sentence for one in found for sentence in one.drift)
        return found

    def open(self, message: Message, reply: HttpReply) -> Plan[Answer]:
        """Return what an HTTP reply holds.

        Where replies are signed, one that does not verify says nothing, a Fault included. Raises
        DocumentError or SigningError.
        """
        if self._authenticator is None:
            return Answer(open_envelope(reply.body), reply.cookies, reply.drift)
        found = yield from self._authenticator.open(
            reply.body, book=message.book, message_id=message.id, asked=message.asked
        )
        return Answer(found.envelope, reply.cookies, reply.drift, bound=found.bound)

    def answer(self, envelope: Envelope, *, asked: str | None) -> Reply | Fault:
        """Return the reply, or the Fault, that an envelope holds; ``asked`` None takes any reply.

        Raises OutcomeUnknown for the reply to another operation.
        """
        contract = self.contract if asked is None else self._contract_with(asked)
        if envelope.fault is not None:
            return envelope.fault.neutral(contract)
        assert envelope.body is not None  # an envelope has a fault or a body
        reply = contract.reply(envelope.body)
        if asked is not None and not _answers(contract, reply, asked):
            raise OutcomeUnknown(f"the reply {reply.local} does not answer {asked}")
        return reply

    def note_drift(self, answer: Reply | Fault, *, asked: str) -> None:
        """Tell of what the ERP's reply has otherwise than the contract; it is read all the same."""
        if isinstance(answer, Reply):
            self.drifts.note(self._contract_with(asked).drift(answer.element))

    def read_log_in(self, envelope: Envelope, *, asked: str) -> str:
        """Return the session's id; raises NotDelivered or LedgerUnavailable when it is none."""
        assert isinstance(self.profile, HasSessions)  # asked only where there are sessions
        session: str = self.profile.read_log_in(self.answer(envelope, asked=asked))
        return session

    def check_document(self, data: bytes) -> tuple[Finding, ...]:
        """Return what the contract finds wrong with a request: an envelope, or its Body's child.

        Raises DocumentError when it is no XML.
        """
        root = parse(data)
        if local_name(root) == "Envelope":
            body = open_envelope(data).body
            data = canonical(body) if body is not None else data
        return self.contract.check(data)


def _answers(contract: Contract, reply: Reply, asked: str) -> bool:
    return contract.operations[asked].output.rpartition("}")[2] == reply.local
