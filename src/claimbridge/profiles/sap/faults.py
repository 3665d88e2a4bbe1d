"""What a fault of SAP's web service runtime proves.

The runtime knows three places where a call can end:

- at the door: whoever called was not let in, and nothing began;
- in the message: class Client or Sender, the request is wrong;
- inside: "Web service processing error" hides what happened. The application may have committed
  before, so this is doubt, whatever class it comes under.

An application whose own call ends at another's door says so in the same words. So the door counts
only if the whole fault says nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from claimbridge.profiles.kit.reading import not_let_in, read_untyped, unknown

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.model import Outcome

# The ABAP runtime as a client says so when the server behind it answered with this HTTP status
# (SAP wiki "Execute or test the Service Consumer"). RFC 9110 §15.5.2: after 401 "the request has
# not been applied"; §15.5.8 the same of 407. 403 stands apart, as in ``soap.http``: a firewall that
# inspects answers sends it after the ERP has committed. 404 is no answer about credentials.
_TURNED_AWAY: Final = re.compile(
    r'SRT: Unsupported xstream found: \(?"?HTTP Code '
    r'(?:401(?: : Unauthorized)?|407(?: : Proxy Authentication Required)?)"?\)?',
    re.I,
)
# SOAP 1.2 part 1 §5.4.6: Receiver is what SOAP 1.1 calls Server.
_OF_THE_RUNTIME: Final = frozenset({"Server", "Receiver"})
# In any language the sentence ends with the time of the entry in SAP's log: fourteen digits.
_PROCESSING: Final = re.compile(r"web\s*service\s+processing\s+error|UTC\D{0,40}\d{14}", re.I)


def read_sap_fault(fault: Fault) -> Outcome:
    """Return what a fault proves: not let in, REJECTED, or UNKNOWN; see the module."""
    if _PROCESSING.search(fault.reason):
        return unknown(f"a {fault.code} fault: {fault.reason}")
    if _is_turned_away(fault):
        return not_let_in(
            f"SAP did not let us in: {fault.reason}; check user and password in [ledger.X.auth], "
            "and the user's roles (S_SERVICE)"
        )
    return read_untyped(fault)


def _is_turned_away(fault: Fault) -> bool:
    """Say whether the whole fault is the runtime's word that a door was shut, and nothing else."""
    plain = fault.code in _OF_THE_RUNTIME and not fault.subcodes and fault.detail is None
    return plain and _TURNED_AWAY.fullmatch(" ".join(fault.reason.split())) is not None
