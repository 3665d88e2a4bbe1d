"""An ERP on loopback, with disturbances to order, that judges requests on its own.

    with Sandbox(faults="commit-then-drop@1") as erp:
        ...  # submit to erp.url("reference")
        assert len(erp.ledger()) == 1

It checks schema, signatures and business rules itself, and keeps a ledger, in memory or in a file
that survives ``kill -9``. It performs every disturbance on the wire. ``claimbridge sandbox`` serves
the same. For an ERP of your own, write a ``Responder``.

It needs the extra ``cli``, for starlette and uvicorn. What a ``Responder`` is made of needs none,
so each name is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from claimbridge.errors import requires_extra

if TYPE_CHECKING:
    from claimbridge.sandbox.hesi.books import Node
    from claimbridge.sandbox.hesi.hooks import HookSettings
    from claimbridge.sandbox.hesi.service import Hesi
    from claimbridge.sandbox.http.control import LedgerRow
    from claimbridge.sandbox.kit.books import ErpBooks
    from claimbridge.sandbox.kit.disturbances import (
        DISTURBANCES,
        Disturbance,
        OperationKind,
        parse_disturbances,
    )
    from claimbridge.sandbox.kit.documents import (
        ErpDocument,
        ErpPosting,
        ErpVoucher,
        Objection,
        Series,
    )
    from claimbridge.sandbox.kit.manner import Manner
    from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall, Responder
    from claimbridge.sandbox.kit.rules import ErpRules
    from claimbridge.sandbox.server import PROFILES, Sandbox

_NAMES: Final = {
    "http.control": ("LedgerRow",),
    "hesi.books": ("Node",),
    "hesi.hooks": ("HookSettings",),
    "hesi.service": ("Hesi",),
    "kit.books": ("ErpBooks",),
    "kit.documents": ("ErpDocument", "ErpPosting", "ErpVoucher", "Objection", "Series"),
    "kit.disturbances": ("DISTURBANCES", "OperationKind", "Disturbance", "parse_disturbances"),
    "kit.manner": ("Manner",),
    "kit.responder": ("ErpAnswer", "ErpCall", "Desk", "Responder"),
    "kit.rules": ("ErpRules",),
    "server": ("PROFILES", "Sandbox"),
}
_HOME_OF: Final = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "DISTURBANCES",
    "PROFILES",
    "Desk",
    "Disturbance",
    "ErpAnswer",
    "ErpBooks",
    "ErpCall",
    "ErpDocument",
    "ErpPosting",
    "ErpRules",
    "ErpVoucher",
    "Hesi",
    "HookSettings",
    "LedgerRow",
    "Manner",
    "Node",
    "Objection",
    "OperationKind",
    "Responder",
    "Sandbox",
    "Series",
    "parse_disturbances",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for; raises MissingExtra without its extra."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'claimbridge.sandbox' has no attribute {name!r}")
    with requires_extra("cli", need="the sandbox needs starlette and uvicorn"):
        value = getattr(import_module(f"claimbridge.sandbox.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
