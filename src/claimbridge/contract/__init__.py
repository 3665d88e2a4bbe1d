"""An ERP's contract: loaded from a closed bundle, rendered to strictly, read from tolerantly."""

from claimbridge.contract.bundle import Bundle
from claimbridge.contract.contract import Contract
from claimbridge.contract.operation import Operation
from claimbridge.contract.replies import Reply

__all__ = ["Bundle", "Contract", "Operation", "Reply"]
