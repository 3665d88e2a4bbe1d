"""One operation of a contract."""

from __future__ import annotations

from typing import Final

import msgspec

LITERAL: Final = "document/literal"
ENCODED: Final = "rpc/encoded"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, by its name in the WSDL; ``style`` is ``LITERAL`` or ``ENCODED``.

    ``input`` and ``output`` are the ``{namespace}name`` of the Body's child; ``output`` is ""
    for a one-way operation. ``faults`` are the typed details that a Fault may carry.
    ``soap_action`` is "" when the WSDL names none.
    """

    name: str
    soap_action: str
    input: str
    output: str
    faults: tuple[str, ...] = ()
    style: str = LITERAL


__all__ = ["ENCODED", "LITERAL", "Operation"]
