"""One operation of a contract."""

from __future__ import annotations

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One document/literal operation, by its name in the WSDL.

    ``input`` and ``output`` are the ``{namespace}name`` of the Body's child; ``output`` is ""
    for a one-way operation. ``faults`` are the typed details that a Fault may carry.
    ``soap_action`` is "" when the WSDL names none.
    """

    name: str
    soap_action: str
    input: str
    output: str
    faults: tuple[str, ...] = ()


__all__ = ["Operation"]
