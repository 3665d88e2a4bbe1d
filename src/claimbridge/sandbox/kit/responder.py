"""The seam for further ERPs: a Responder plays one profile's server side, without I/O of its own.

A Responder gets requests that are valid by its contract, judges them against the books, and writes
the replies. The sandbox does everything else: HTTP, SOAP, the schema check, the counts, the
disturbances. Pass an instance to ``Sandbox(profiles=[…])``, or its ``module:attribute``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec
from lxml import etree

from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import Objection
from claimbridge.sandbox.kit.manner import TIDY, Manner
from claimbridge.sandbox.kit.rules import ErpRules
from claimbridge.sandbox.kit.signatures import Signatures


class ErpCall(msgspec.Struct, frozen=True, kw_only=True):
    """One request: valid by the contract (or, for ``refuse`` and ``throttle``, perhaps not).

    ``body`` is the Body's child, an rpc/encoded one as if it were literal; ``headers`` are the
    Header's children; ``cookies`` those of the HTTP request; ``at`` is when it arrived, in UTC.
    ``manner`` is how the reply is to be written: ask it wherever real systems differ.
    """

    operation: str
    kind: OperationKind
    body: etree._Element
    at: dt.datetime
    headers: tuple[etree._Element, ...] = ()
    cookies: Mapping[str, str] = {}
    manner: Manner = TIDY


class ErpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One reply. ``content`` is the Body's child, or a Fault's detail if ``fault`` is set.

    ``fault`` names who must act: ``sender`` for a business no, ``receiver`` for a technical one.
    ``reason`` is the Fault's text for people, ``subcode`` what its code has after a dot
    (``userException``). ``headers`` go into the HTTP reply. ``encoding`` is what the ERP's server
    writes in (``gbk``); "" leaves it to the sandbox.
    """

    content: bytes
    fault: Literal["", "sender", "receiver"] = ""
    reason: str = ""
    subcode: str = ""
    headers: Mapping[str, str] = {}
    encoding: str = ""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a Responder works with.

    ``holds``: documents are taken in as ``entered``, and ``advance`` posts them later, if the ERP
    knows that state.
    """

    books: ErpBooks
    rules: ErpRules
    signatures: Signatures
    holds: bool = False


class Responder(Protocol):
    """One ERP's server side. Several threads call it at once; it keeps no state of its own."""

    @property
    def name(self) -> str:
        """The profile that it answers, and its path: ``http://127.0.0.1:N/<name>``."""
        ...

    @property
    def contract(self) -> str:
        """Its contract: a WSDL's file name in ``claimbridge.wsdl``, or a path to one."""
        ...

    @property
    def kinds(self) -> Mapping[str, OperationKind]:
        """What each operation of the contract does to the ledger."""
        ...

    @property
    def items(self) -> frozenset[str]:
        """The local names of a reply's children that show one document each."""
        ...

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the references that the request names; never raises, even for nonsense."""
        ...

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Do the work; return only what is committed already."""
        ...

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return the contract's own refusal of the whole request; None if it has none."""
        ...

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return the contract's own "come back later"; None if it has none."""
        ...
