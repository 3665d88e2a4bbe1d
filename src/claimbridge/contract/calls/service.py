"""What is known of a contract once its WSDL was read, from zeep or from data kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from claimbridge.contract.calls.shape import Leaf, Types
from claimbridge.contract.operation import Operation


class Lookup(Types, Protocol):
    """What a contract knows of its global elements and types."""

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        ...


class Service(msgspec.Struct, frozen=True):
    """What a WSDL offers.

    ``unsupported`` names the operations that are not document/literal, with their style.
    ``answers`` are the ``{namespace}name`` of every reply and fault that is declared.
    """

    operations: Mapping[str, Operation]
    endpoints: Mapping[str, str]
    unsupported: Mapping[str, str]
    answers: tuple[str, ...]
    shapes: Lookup


__all__ = ["Lookup", "Service"]
