"""Whether a reply in SOAP is the ERP's own: judged before anything in it is read.

A reply that does not verify proves nothing: the voucher may be posted, or not. So each failure is
an error that leaves the outcome unknown, and never a refusal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from claimbridge.clock import Clock
from claimbridge.errors import ClaimBridgeError, SignatureInvalid
from claimbridge.signing import Policy, Verified, Verifier
from claimbridge.signing.form.xades import CLOCK_SKEW
from claimbridge.soap.addressing import relates_to
from claimbridge.soap.envelope import SoapReply, open_body, open_envelope
from claimbridge.soap.faults import SoapFault
from claimbridge.xmlio import parse


class Authenticator:
    """Opens the replies of one ledger by the policy for their signatures; threads may share it."""

    def __init__(self, policy: Policy, *, clock: Clock) -> None:
        self._policy = policy
        self._verifier = Verifier(policy, clock=clock)
        self._clock = clock

    def open(
        self, data: bytes, *, message_id: str = "", asked: datetime | None = None
    ) -> SoapReply:
        """Return what was signed of a reply: its Body, in its place, and nothing of its Header.

        ``message_id`` is what our request called itself, "" when it had no name; ``asked`` when it
        was made, None where its answer's moment says nothing. Whoever takes the reply must refuse
        it if its ``seal`` was seen before.

        Raises SignatureInvalid and SignerUntrusted as ``Verifier.verify`` does. Raises
        SignatureInvalid CB-344 for the answer to another request, CB-353 and CB-354 for one that
        does not say under its signature which it answers, CB-347 for a Fault that nobody we trust
        has signed. Raises DocumentError when it is no envelope.
        """
        try:
            verified = self._verifier.verify(data)
        except ClaimBridgeError as error:
            _surface_fault(data, error)
            raise
        if message_id:
            _check_relation(verified, data, message_id)
        bound = bool(message_id) or _is_later(verified, asked)
        seal, until = self._seal(verified)
        return SoapReply(open_body(verified.content), bound=bound, seal=seal, until=until)

    def _seal(self, verified: Verified) -> tuple[str, datetime | None]:
        """Return what a reply is known by when it is repeated, and until when that matters.

        Without a maximum age nothing in a reply need be of its own moment: two honest answers to
        one question may be the same to the byte, so a repeat says nothing.
        """
        if self._policy.max_age is None:
            return "", None
        age = timedelta(seconds=self._policy.max_age) + 2 * CLOCK_SKEW
        return verified.seal, self._clock.now() + age


def _surface_fault(data: bytes, why: ClaimBridgeError) -> None:
    """Raise CB-347 where an unverified reply is a Fault: people want its text, whoever wrote it."""
    try:
        fault = open_envelope(data).fault
    except ClaimBridgeError:
        return
    if fault is not None:
        raise SignatureInvalid(
            f"unauthenticated fault {_fault_text(fault)} (it proves nothing: {why.message})",
            code="CB-347",
        ) from why


def _fault_text(fault: SoapFault) -> str:
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


def _is_later(verified: Verified, asked: datetime | None) -> bool:
    """Say whether the ERP made a reply after the question, as far as two clocks can tell."""
    if asked is None or verified.created is None:
        return False
    return verified.created >= asked - CLOCK_SKEW
