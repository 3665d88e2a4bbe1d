"""Whether a reply is the ERP's own: judged before anything in it is read.

A reply that does not verify proves nothing: the voucher may be posted, or not. So each failure is
an error that leaves the outcome unknown, and never a refusal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from claimbridge.clock import Clock
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError, ConfigurationError, SignatureInvalid
from claimbridge.profiles.base import Capabilities
from claimbridge.signing import Policy, Verified, Verifier
from claimbridge.signing.form.xades import CLOCK_SKEW
from claimbridge.soap.addressing import relates_to
from claimbridge.soap.envelope import Envelope, open_body, open_envelope
from claimbridge.soap.faults import SoapFault
from claimbridge.submission import FirstSight, Plan
from claimbridge.xmlio import parse


class Authentic(msgspec.Struct, frozen=True, eq=False):
    """A reply that the ERP has signed.

    ``bound``: what is signed in it says that it answers this very request, by its RelatesTo or by
    the moment when it was made. Another may be the true answer to an earlier one.
    """

    envelope: Envelope
    bound: bool


class Authenticator:
    """Opens the replies of one ledger by the policy for their signatures; threads may share it."""

    def __init__(self, policy: Policy, *, clock: Clock) -> None:
        self._policy = policy
        self._verifier = Verifier(policy, clock=clock)
        self._clock = clock

    def open(
        self,
        data: bytes,
        *,
        book: str,
        message_id: str,
        asked: datetime | None = None,
    ) -> Plan[Authentic]:
        """Return what was signed of a reply: its Body, in its place, and nothing of its Header.

        ``book`` is the id of the book that it is about. ``message_id`` is what our request called
        itself, "" when it had no name; ``asked`` when it was made, None where its answer's moment
        says nothing. Raises SignatureInvalid and SignerUntrusted as ``Verifier.verify`` does, and
        SignatureInvalid CB-343 for a repeat, CB-344 for the answer to another request, CB-353 and
        CB-354 for one that does not say under its signature which it answers, CB-347 for a Fault
        that nobody we trust has signed; DocumentError when it is no envelope.
        """
        try:
            verified = self._verifier.verify(data)
        except ClaimBridgeError as error:
            _surface_fault(data, error)
            raise
        if message_id:
            _check_relation(verified, data, message_id)
        yield from self._check_first(verified, book)
        bound = bool(message_id) or _made_after(verified, asked)
        return Authentic(open_body(verified.content), bound)

    def _check_first(self, verified: Verified, book: str) -> Plan[None]:
        """Refuse a reply that was seen before.

        Without a maximum age nothing in a reply need be of its own moment: two honest answers to
        one question may be the same to the byte, so a repeat says nothing.
        """
        if self._policy.max_age is None:
            return
        lasts = timedelta(seconds=self._policy.max_age) + 2 * CLOCK_SKEW
        if not (yield from FirstSight(book, verified.seal, self._clock.now() + lasts)):
            raise SignatureInvalid(
                "the reply was received before: somebody repeats an old one", code="CB-343"
            )


def _surface_fault(data: bytes, why: ClaimBridgeError) -> None:
    """Raise CB-347 where an unverified reply is a Fault: people want its text, whoever wrote it."""
    try:
        fault = open_envelope(data).fault
    except ClaimBridgeError:
        return
    if fault is not None:
        raise SignatureInvalid(
            f"unauthenticated fault {_told(fault)} (it proves nothing: {why.message})",
            code="CB-347",
        ) from why


def _told(fault: SoapFault) -> str:
    detail = f" [{fault.detail.local}]" if fault.detail is not None else ""
    return f"{fault.code or 'without a code'}{detail}: {fault.reason[:500] or 'no text'}"


def _check_relation(verified: Verified, data: bytes, message_id: str) -> None:
    """Refuse a reply that does not say, under its signature, that it answers our request.

    What is not signed is read only to say why.
    """
    signed = relates_to(tuple(parse(block, what="a header block") for block in verified.blocks))
    if message_id in signed:
        return
    named = signed or relates_to(open_envelope(data).headers)
    if named and message_id not in named:
        raise SignatureInvalid(
            f"the reply answers another request ({named[0][:80]!r}, ours is {message_id!r})",
            code="CB-344",
        )
    if named:
        raise SignatureInvalid(
            "the reply's signature does not cover its RelatesTo, so anybody may have written which "
            "request it answers; let the ERP sign it, or set replies.addressing = false and "
            "replies.max_age",
            code="CB-354",
        )
    raise SignatureInvalid(
        "the reply does not say which request it answers (it has no RelatesTo); let the ERP send "
        "and sign it, or set replies.addressing = false and replies.max_age",
        code="CB-353",
    )


def _made_after(verified: Verified, asked: datetime | None) -> bool:
    """Say whether the ERP made a reply after the question, as far as two clocks can tell."""
    if asked is None or verified.created is None:
        return False
    return verified.created >= asked - CLOCK_SKEW


def can_bind(config: LedgerConfig) -> bool:
    """Say whether something in a reply can say that it answers its own question.

    Where replies are not signed, TLS alone vouches for that.
    """
    replies = config.replies
    return replies is None or replies.addressing or replies.max_age is not None


def hindsight(config: LedgerConfig) -> timedelta:
    """Return by how much an answer may be older than its question and still count as its own.

    Where nothing but two clocks says so: theirs may be ahead of ours by as much as it may be
    behind.
    """
    replies = config.replies
    if replies is None or replies.addressing or replies.max_age is None:
        return timedelta(0)
    return 2 * CLOCK_SKEW


def check_freshness(config: LedgerConfig, capabilities: Capabilities) -> None:
    """Refuse a quiet period within which a kept-back answer may still be young enough (CB-269)."""
    replies = config.replies
    asks = capabilities.can_query and not capabilities.unique_reference
    if replies is None or replies.addressing or replies.max_age is None or not asks:
        return
    least = replies.max_age + CLOCK_SKEW.total_seconds()
    if config.quiet_period < least:
        raise ConfigurationError(
            f"ledger {config.name}: this ERP does not refuse duplicates, and an old signed answer "
            f"would count for {replies.max_age:g} s after a lost sending; set quiet_period to "
            f"{least:g} s at least, replies.max_age to {config.quiet_period - 60:g} s at most, or "
            "replies.addressing = true",
            code="CB-269",
        )
