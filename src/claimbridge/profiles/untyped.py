"""What a SOAP Fault without a typed detail says: only its class counts, never its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from claimbridge.model import Outcome, OutcomeKind, Reason

if TYPE_CHECKING:
    from claimbridge.soap.faults import Fault

# SOAP 1.1 §4.4.1: Client faults "indicate that the message was incorrectly formed"; SOAP 1.2
# part 1 §5.4.6 says the same of Sender, and of the classes that refuse a message unprocessed.
_REFUSING: Final = frozenset(
    {"Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"}
)


def read_untyped(fault: Fault) -> Outcome:
    """Return REJECTED when the fault's class blames our message, else UNKNOWN.

    A Server or Receiver fault does not say how far the processing went: it may come after the
    commit.
    """
    # SOAP 1.1 §4.4.1: "Client.Authentication" refines Client.
    if fault.code.partition(".")[0] in _REFUSING:
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(Reason(fault.reason, code=fault.code),))
    return Outcome(kind=OutcomeKind.UNKNOWN, text=f"a {fault.code} fault: {fault.reason}")
