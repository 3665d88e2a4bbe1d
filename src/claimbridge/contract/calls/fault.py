"""An ERP's answer that a call failed, whatever wire it came over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply


class Fault(msgspec.Struct, frozen=True, eq=False):
    """What an ERP says went wrong, in the place of a reply.

    ``code`` names the kind of failure in the wire's or the ERP's own words (SOAP: ``Client``,
    ``Server``, ``Receiver`` …), "" where there is none; ``subcodes`` refine it (SOAP 1.2),
    outermost first. ``reason`` is the ERP's sentence, "" where it gives none. ``detail`` is what it
    adds in the contract's own names, None where it adds nothing. ``at_door`` says that, by the
    wire's own standard, our credentials were refused, and the content was not looked at.
    ``of_security`` says that its code is one of the wire's for security. Without ``at_door`` it
    proves nothing: it may be about a second copy of the message, or about the answer.
    """

    code: str
    reason: str
    detail: Reply | None = None
    subcodes: tuple[str, ...] = ()
    at_door: bool = False
    of_security: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """Every name of the failure: the code's parts between dots, and the subcodes'."""
        names = (self.code, *self.subcodes)
        return frozenset(part for name in names for part in name.split(".") if part)


__all__ = ["Fault"]
