"""What a profile does with a contract: what it sends and what it reads, found by letting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Sent(msgspec.Struct, frozen=True):
    """One request that the profile really built; all as in ``profiles.Request``."""

    operation: str
    body: Mapping[str, Any]
    sources: Mapping[str, str] = {}
    port: str = ""


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """What one profile sends and reads.

    ``sent`` are requests from ordinary values, ``widest`` from values as long and large as claims
    may have them. ``read`` maps the local name of a reply or fault detail to the paths that were
    asked for below it, ``@name`` last for an attribute.
    """

    profile: str
    sent: tuple[Sent, ...]
    widest: tuple[Sent, ...] = ()
    read: Mapping[str, frozenset[tuple[str, ...]]] = {}

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations it calls, in the order of their first use."""
        return tuple(dict.fromkeys(one.operation for one in self.sent))

    @property
    def elsewhere(self) -> frozenset[str]:
        """The operations of the ERP's other ports: a contract may lack them, our own has them."""
        return frozenset(one.operation for one in self.sent if one.port)


__all__ = ["Sent", "Uses"]
