"""An ERP's contract: loaded from a closed bundle, written to strictly, read from tolerantly.

The rooms, from below: ``files`` a contract consists of; the ``outline`` of its schemas and their
``patterns``; ``calls`` by it, ``encoded`` ones, and documents inside ``strings``; the ``pruned``
part that is in use; ``contract`` for those who call; ``study`` for those who ask what it says.
"""

from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.contract import Contract
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.operation import Operation

__all__ = ["Bundle", "Contract", "Operation", "Reply"]
