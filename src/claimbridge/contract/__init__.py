"""An ERP's contract: loaded from a closed bundle, written to strictly, read from tolerantly.

The rooms, from below: its ``files``; the ``outline`` of its schemas, and their ``patterns``; its
``calls``, ``encoded`` calls, and documents inside ``strings``; the ``pruned`` part in use. Callers
use ``contract``; ``study`` answers what a contract says and what changed in it.
"""

from claimbridge.contract.base.operation import Operation
from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.contract import Contract
from claimbridge.contract.files.bundle import Bundle

__all__ = ["Bundle", "Contract", "Operation", "Reply"]
