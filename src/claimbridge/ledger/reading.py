"""Reading what a ledger answers, and what it means where no answer of the ERP says it."""

from __future__ import annotations

import logging

from claimbridge.contract import Contract, Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import (
    ClaimBridgeError,
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.ledger.setup import NOT_BUILT, Setup
from claimbridge.ledger.wire import OpenReply
from claimbridge.model import Finding, Outcome, OutcomeKind
from claimbridge.profiles.kit.forms import judge_entry

log = logging.getLogger("claimbridge.ledger")


class Reader:
    """Reads what one ledger answers, by its setup; no I/O. Threads may share it."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._profile = setup.profile

    def content(self, reply: OpenReply, *, asked: str | None) -> Reply | Fault:
        """Return what an opened reply says; ``asked`` None takes a reply to any operation.

        Raises OutcomeUnknown for the reply to another operation.
        """
        contract = self._contract(asked)
        content = reply.content(contract)
        if asked is None or isinstance(content, Fault):
            return content
        if contract.operations[asked].output.rpartition("}")[2] != content.local:
            raise OutcomeUnknown(f"the reply {content.local} does not answer {asked}")
        return content

    def answer(self, reply: OpenReply, *, asked: str) -> Reply | Fault:
        """Return what the reply to a call says, and report where it differs from the contract."""
        content = self.content(reply, asked=asked)
        if isinstance(content, Reply):
            drift = self._contract(asked).drift(content.element)
            if drift:
                self._setup.drifts.note(drift)
        return content

    def _contract(self, asked: str | None) -> Contract:
        contract = self._setup.contract
        known = asked is None or asked in contract.operations
        return contract if known else self._setup.own_contract

    def outcomes(self, answer: object) -> tuple[Outcome, ...]:
        """Return the outcomes that a profile has read, by the form of this ERP's numbers.

        An outcome is a success only with a number of that form (see ``profiles.kit.forms``). What
        was tolerated is reported. Raises TypeError for what is no outcomes.
        """
        if not isinstance(answer, (tuple, list)) or not all(
            isinstance(outcome, Outcome) for outcome in answer
        ):
            raise TypeError(f"it reads a {type(answer).__name__}, and not outcomes")
        form = self._profile.capabilities.entry
        outcomes = tuple(judge_entry(outcome, form) for outcome in answer)
        drift = [sentence for outcome in outcomes for sentence in outcome.drift]
        if drift:
            self._setup.drifts.report(drift)
        return outcomes

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply says, whoever wrote it; what is unclear is UNKNOWN.

        ``asked`` None accepts a reply to any operation.
        """
        try:
            reply = self._setup.wire.open_bytes(data)
            content = self.content(reply, asked=asked)
            self._setup.drifts.report(reply.drift)
            if isinstance(content, Fault):
                return self.outcomes((self._profile.read_fault(content),))
            return self.outcomes(self._profile.read(content))
        except ClaimBridgeError as error:
            return (unknown(error.message, code=error.code),)
        except Exception as error:
            log.exception("profile %s failed to read a reply", self._profile.name)
            return (unknown(f"profile {self._profile.name} failed on the reply: {error!r}"),)

    def check_document(self, data: bytes) -> tuple[Finding, ...]:
        """Return what the contract finds wrong with a request: a message, or its body alone.

        Raises DocumentError when it is no XML.
        """
        return self._setup.contract.check(self._setup.wire.body_in(data))


def outcome_of(error: DeliveryError) -> Outcome:
    """Return what a failed transport means for the documents of the request."""
    if isinstance(error, LedgerUnavailable):
        kind, wait = OutcomeKind.UNAVAILABLE, error.retry_after
    elif isinstance(error, NotDelivered):
        kind, wait = OutcomeKind.NOT_DELIVERED, None
    else:
        kind, wait = OutcomeKind.UNKNOWN, None
    return Outcome(
        kind=kind,
        text=error.message,
        code=error.code,
        retry_after=wait,
        retry_is_useless=isinstance(error, DeliveryRefused),
    )


def not_built(error: ClaimBridgeError) -> Outcome:
    """Return what a request that could not be built means: nothing left this machine."""
    return Outcome(
        kind=OutcomeKind.NOT_DELIVERED,
        text=f"the request could not be built: {error.message}",
        code=NOT_BUILT,
        retry_is_useless=True,
    )


def unknown(text: str, *, code: str = "") -> Outcome:
    """Return what an unreadable or missing reply means: the ERP may hold the documents."""
    telling = code.startswith(("CB-42", "CB-3"))  # the others say what is wrong with documents
    return Outcome(kind=OutcomeKind.UNKNOWN, text=text, code=code if telling else "")


def of_question(outcome: Outcome) -> Outcome:
    """Return what an outcome means as the answer to a question about documents.

    A refusal that names no document refuses the question, and says nothing of any document.
    """
    if outcome.kind is not OutcomeKind.REJECTED or outcome.reference is not None:
        return outcome
    words = outcome.text or "; ".join(map(str, outcome.reasons))
    return unknown(f"the ERP refuses the question: {words or 'no reason given'}")
