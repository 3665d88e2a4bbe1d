"""What a contract's WSDL offers to be called."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from claimbridge.contract.base.operation import Operation


class Service(msgspec.Struct, frozen=True):
    """The operations of a WSDL, and its ports' addresses by SOAP version (``"1.1"``, ``"1.2"``).

    ``unsupported`` names the operations that are not document/literal, with their style.
    """

    operations: Mapping[str, Operation]
    endpoints: Mapping[str, str]
    unsupported: Mapping[str, str]

    @property
    def answers(self) -> tuple[str, ...]:
        """The ``{namespace}name`` of every reply and fault."""
        names = (name for one in self.operations.values() for name in (one.output, *one.faults))
        return tuple(dict.fromkeys(filter(None, names)))


__all__ = ["Service"]
