"""What a fault of SAP's web service runtime proves.

The runtime knows three places where a call can end:

- at the door: whoever called was not let in, and nothing began;
- in the message: class Client or Sender, the request is wrong;
- inside: "Web service processing error" hides what happened. The application may have committed
  before, so this is doubt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from claimbridge.profiles.kit.reading import not_let_in, read_untyped

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.model import Outcome

# The ABAP runtime as a client says so when the server behind it answered with this HTTP status
# (SAP wiki "Execute or test the Service Consumer"). RFC 9110 §15.5.2: after 401 "the request has
# not been applied"; §15.5.8 the same of 407. After 404 nobody was there. 403 stands apart, as in
# ``soap.http``: a firewall that inspects answers sends it after the ERP has committed.
_TURNED_AWAY: Final = re.compile(
    r"SRT: Unsupported xstream found: .{0,20}HTTP Code (?:401|404|407)\b", re.I | re.S
)


def read_sap_fault(fault: Fault) -> Outcome:
    """Return what a fault proves: not let in, REJECTED, or UNKNOWN; see the module."""
    if _TURNED_AWAY.search(fault.reason):
        return not_let_in(
            f"SAP did not let us in: {fault.reason}; check user and password in [ledger.X.auth], "
            "the user's roles (S_SERVICE), and the path of the endpoint"
        )
    return read_untyped(fault)
