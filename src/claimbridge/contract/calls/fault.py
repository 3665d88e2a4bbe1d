"""An ERP's answer that a call failed, whatever wire it came over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply


class Fault(msgspec.Struct, frozen=True, eq=False):
    """What an ERP says went wrong, in the place of a reply.

    ``code`` names the kind of failure in the wire's or the ERP's own words (SOAP: ``Client``,
    ``Server``, ``Receiver`` …), "" where there is none. ``reason`` is the ERP's sentence, "" where
    it gives none. ``detail`` is what it adds in the contract's own names, None where it adds
    nothing.
    """

    code: str
    reason: str
    detail: Reply | None = None


__all__ = ["Fault"]
