"""An ERP's contract: loaded from a closed bundle, rendered to strictly, read from tolerantly."""

from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.contract import Contract
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.operation import Operation

__all__ = ["Bundle", "Contract", "Operation", "Reply"]
