"""What profiles share in reading replies: ambiguous parts, and faults without a typed detail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from claimbridge.errors import ClaimError, DocumentError
from claimbridge.model import Outcome, OutcomeKind, Reason

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

Read = Callable[["Reply", int], Outcome]
"""Reads one document's part of a reply; the number is its ``item``."""


def legible(read: Read, part: Reply, number: int) -> Outcome:
    """Return what ``read`` makes of a part.

    A part that says two things at once, or that holds an unreadable amount, is UNKNOWN.
    """
    try:
        return read(part, number)
    except (DocumentError, ClaimError) as error:
        return unknown(error.message, item=number)


def unknown(text: str, *, reference: str | None = None, item: int = 1) -> Outcome:
    """Return the outcome without evidence either way, and why; reference "" counts as none."""
    return Outcome(kind=OutcomeKind.UNKNOWN, reference=reference or None, text=text, item=item)


def not_let_in(text: str, *, reference: str | None = None, item: int = 1) -> Outcome:
    """Return the outcome of a request that the ERP refused at its door, before doing anything.

    A wrong password, a missing permission: nothing was posted, and the same request fails again
    until somebody changes the set-up. ``text`` says what the ERP said, and what to set.
    """
    return Outcome(
        kind=OutcomeKind.NOT_DELIVERED,
        reference=reference or None,
        text=text,
        retry_is_useless=True,
        item=item,
    )


def of_several(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return what a reply to several documents says; an outcome without a reference is UNKNOWN.

    Otherwise a refusal without a reference would count as a refusal of the whole request.
    """
    return tuple(one if one.reference is not None else _without_name(one) for one in outcomes)


def _without_name(outcome: Outcome) -> Outcome:
    if outcome.kind is OutcomeKind.UNKNOWN:
        return outcome
    why = "; ".join(map(str, outcome.reasons)) or outcome.text
    text = f"the reply says {outcome.kind} of a document that it does not name: {why}"
    return unknown(text, item=outcome.item)


# SOAP 1.1 §4.4.1, SOAP 1.2 part 1 §5.4.6: the envelope itself was refused, unread.
_UNREAD: Final = frozenset({"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})
# SOAP 1.1 §4.4.1: Client faults "indicate that the message was incorrectly formed"; SOAP 1.2
# part 1 §5.4.6 says the same of Sender, and of the classes that refuse a message unprocessed.
_REFUSING: Final = _UNREAD | {"Client", "Sender"}


def read_untyped(fault: Fault, *, typed: bool = False) -> Outcome:
    """Return REJECTED when the fault's class blames our message, else UNKNOWN; words do not count.

    NOT_DELIVERED where our credentials were refused (WS-Security's codes for that, HTTP 401). Any
    other code of WS-Security's is UNKNOWN: it may be about a second copy of the request, or about
    the answer.

    A Server or Receiver fault does not say how far the processing went: it may come after the
    commit. ``typed``: this ERP's faults about documents carry typed details, and one of them says
    that a document is there already. A fault without a known detail may be that one, changed.
    """
    if fault.at_door:
        return not_let_in(
            "the ERP refuses our credentials, or the message's security header: "
            f"{fault.reason or fault.code}; check user, password, signing key and the clock of "
            "this machine"
        )
    if fault.of_security:
        code = ".".join((fault.code, *fault.subcodes))
        return unknown(f"a fault of a message's security ({code}), maybe not ours: {fault.reason}")
    # SOAP 1.1 §4.4.1: "Client.Authentication" refines Client.
    if fault.code.partition(".")[0] in (_UNREAD if typed else _REFUSING):
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(Reason(fault.reason, code=fault.code),))
    return unknown(f"a {fault.code} fault: {fault.reason}")
