"""The port to what travels: a wire writes the message of a request, and opens its reply.

SOAP is the first wire. Who builds requests and who reads replies know this port alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from claimbridge.clock import Clock
from claimbridge.config import LedgerConfig, read_password
from claimbridge.contract import Contract, Operation, Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.ledger.credentials import reply_policy
from claimbridge.soap.authenticator import Authenticator
from claimbridge.soap.security import username_token
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.soap.wire import SoapWire


class OpenReply(Protocol):
    """A reply that a wire has opened: whose it is was judged; what it says was not read yet."""

    @property
    def drift(self) -> tuple[str, ...]:
        """What was wrong with how the reply was written or sent, a sentence each."""
        ...

    @property
    def bound(self) -> bool:
        """Whether the reply is one to its own question, for certain."""
        ...

    @property
    def seal(self) -> str:
        """What the reply is known by if it comes again; "" where a repeat does not matter."""
        ...

    @property
    def until(self) -> datetime | None:
        """Until when the seal is to be remembered; None where there is none."""
        ...

    def content(self, contract: Contract) -> Reply | Fault:
        """Return what the reply says, by what a contract has where."""
        ...


class Wire(Protocol):
    """How one ledger's requests and replies travel; threads may share it."""

    def message(
        self, operation: Operation, body: bytes, *, address: str, headers: Sequence[bytes] = ()
    ) -> HttpMessage:
        """Return the message of one attempt; ``headers`` are the profile's own, for this wire.

        ``address`` is that of another port of the ERP, "" for the ledger's own endpoint.
        """
        ...

    def open(self, answer: HttpAnswer, message: HttpMessage) -> OpenReply:
        """Return the reply that answers a message, opened.

        Raises a DeliveryError for an answer without a reply. Where replies are signed, one that
        does not verify says nothing. Raises DocumentError or SigningError.
        """
        ...

    def open_bytes(self, data: bytes) -> OpenReply:
        """Return a saved reply, whoever wrote it."""
        ...

    def body_in(self, data: bytes) -> bytes:
        """Return what a request says by the contract, of a whole message or of that alone."""
        ...


def open_wire(config: LedgerConfig, *, clock: Clock) -> Wire:
    """Return the wire of a ledger. Raises ConfigurationError where its trust cannot be read."""
    policy = reply_policy(config)
    return SoapWire(
        version=config.soap,
        addressing=config.replies is not None and config.replies.addressing,
        token=_username_token(config, clock),
        authenticator=Authenticator(policy, clock=clock) if policy is not None else None,
        clock=clock,
    )


def _username_token(config: LedgerConfig, clock: Clock) -> Callable[[], bytes] | None:
    auth = config.auth
    if auth is None or auth.kind != "username-token":
        return None

    def token() -> bytes:
        password = read_password(auth.password, config, what="auth.password")
        return username_token(auth.user, password, digest=auth.digest, clock=clock)

    return token
