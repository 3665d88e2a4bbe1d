"""An ERP on loopback, with faults to order, that judges requests on its own.

    with Sandbox(faults="commit-then-drop@1") as erp:
        ...  # submit to erp.url("reference")
        assert len(erp.ledger()) == 1

It checks schema, signatures and business rules itself, keeps a ledger (in memory or in a file
that survives ``kill -9``), and performs every fault on the wire. ``claimbridge sandbox`` serves
the same; for an ERP of your own, write a ``Responder``.
"""

from claimbridge.sandbox.app import Listed
from claimbridge.sandbox.hesi.books import Node
from claimbridge.sandbox.hesi.hooks import HookSettings
from claimbridge.sandbox.hesi.service import Hesi
from claimbridge.sandbox.kit.books import Books, Document, Entry, Leg, Objection, Series
from claimbridge.sandbox.kit.disturbances import FAULTS, Kind, Order, parse_faults
from claimbridge.sandbox.kit.responder import Answer, Call, Desk, Responder
from claimbridge.sandbox.kit.rules import Rules
from claimbridge.sandbox.server import PROFILES, Sandbox

__all__ = [
    "FAULTS",
    "PROFILES",
    "Answer",
    "Books",
    "Call",
    "Desk",
    "Document",
    "Entry",
    "Hesi",
    "HookSettings",
    "Kind",
    "Leg",
    "Listed",
    "Node",
    "Objection",
    "Order",
    "Responder",
    "Rules",
    "Sandbox",
    "Series",
    "parse_faults",
]
