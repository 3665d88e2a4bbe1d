"""Whether a reply is the ERP's own: judged before anything in it is read.

A reply that does not verify proves nothing: the voucher may be posted, or not. So each failure is
an error that leaves the outcome unknown, and never a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from claimbridge.clock import Clock
from claimbridge.errors import ClaimBridgeError, SignatureInvalid
from claimbridge.signing import Policy, Verified, Verifier
from claimbridge.signing.xades import CLOCK_SKEW
from claimbridge.soap.addressing import relates_to
from claimbridge.soap.envelope import Envelope, open_body, open_envelope
from claimbridge.soap.faults import Fault

FirstSight = Callable[[str, datetime], bool]
"""Keeps a reply's seal until a moment; False when it was there: ``Journal.first_sight``."""


class Authenticator:
    """Opens the replies of one ledger by the policy for their signatures; threads may share it."""

    def __init__(self, policy: Policy, *, clock: Clock) -> None:
        self._policy = policy
        self._verifier = Verifier(policy, clock=clock)
        self._clock = clock

    def open(self, data: bytes, *, message_id: str, first_sight: FirstSight) -> Envelope:
        """Return what was signed of a reply: its Body, in its place, and nothing of its Header.

        ``message_id`` is what our request called itself, "" when it had no name. Raises
        SignatureInvalid and SignerUntrusted as ``Verifier.verify`` does, and SignatureInvalid
        CB-343 for a repeat, CB-344 for the answer to another request, CB-347 for a Fault that
        nobody we trust has signed; DocumentError when it is no envelope.
        """
        try:
            verified = self._verifier.verify(data)
        except ClaimBridgeError as error:
            _surface_fault(data, error)
            raise
        _check_relation(data, message_id)
        self._check_first(verified, first_sight)
        return open_body(verified.content)

    def _check_first(self, verified: Verified, first_sight: FirstSight) -> None:
        """Refuse a reply that was seen before.

        Without a maximum age nothing in a reply need be of its own moment: two honest answers to
        one question may be the same to the byte, so a repeat says nothing.
        """
        if self._policy.max_age is None:
            return
        lasts = timedelta(seconds=self._policy.max_age) + 2 * CLOCK_SKEW
        if not first_sight(verified.seal, self._clock.now() + lasts):
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


def _told(fault: Fault) -> str:
    detail = f" [{fault.detail.local}]" if fault.detail is not None else ""
    return f"{fault.code or 'without a code'}{detail}: {fault.reason[:500] or 'no text'}"


def _check_relation(data: bytes, message_id: str) -> None:
    """Refuse a reply that says it answers another request than ours.

    The Header may be unsigned: it is read only to refuse. Where the ERP signs RelatesTo, it can be
    neither altered nor left out, for the signature covers it.
    """
    named = relates_to(open_envelope(data).headers) if message_id else ()
    if named and message_id not in named:
        raise SignatureInvalid(
            f"the reply answers another request ({named[0][:80]!r}, ours is {message_id!r})",
            code="CB-344",
        )
