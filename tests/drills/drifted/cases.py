"""The replies that are mutated: all recorded ones, and real ones of ERPs where they lie."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tests.conftest import locate
from tests.site import SITE

from claimbridge.config import LedgerConfig
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimBridgeError
from claimbridge.ledger import Ledger
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.soap.envelope import open_envelope
from claimbridge.testing.exchanges import load_exchanges

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/soap"
_REAL = {
    "sap-journal-entry": (
        ("2020.wsdl", "reply-error-2020.xml"),
        ("2020.wsdl", "reply-success-2024.xml"),
        ("2024.wsdl", "reply-error-2020.xml"),
        ("2024.wsdl", "reply-success-2024.xml"),
    )
}


class Case(msgspec.Struct, frozen=True, eq=False):
    """A reply, what the profile reads from it, and by which contract."""

    name: str
    ledger: Ledger
    wsdl: str
    operation: str
    reply: bytes
    outcomes: tuple[Outcome, ...]


@functools.cache
def ledger(profile: str, wsdl: str = "") -> Ledger:
    """A ledger of ``profile``, by its own contract or that at ``wsdl``."""
    found = load_profile(profile, SITE.get(profile, {}))
    bundle = Bundle.from_path(wsdl) if wsdl else Bundle.from_package(found.contract)
    options = SITE.get(profile, {})
    config = LedgerConfig(profile=profile, endpoint="http://127.0.0.1:9/", options=options)
    return Ledger(config, profile=found, contract=Contract.load(bundle))


def cases() -> Iterator[Case]:
    """Yield every reply that says something for certain; what says nothing cannot lose it."""
    for exchange in load_exchanges(FIXTURES):
        # What was recorded drifted has been mutated already.
        if exchange.reply is None or exchange.about.get("drift", False):
            continue
        if _is_envelope(exchange.reply):
            yield from _case(
                str(exchange), exchange.profile, "", exchange.operation, exchange.reply
            )
    for profile, replies in _REAL.items():
        folder = locate(f"contracts/{profile}")
        for wsdl, reply in replies:
            if (folder / reply).exists():
                name, data = f"{profile}: {reply} by {wsdl}", (folder / reply).read_bytes()
                yield from _case(name, profile, str(folder / wsdl), "", data)


def _case(name: str, profile: str, wsdl: str, operation: str, reply: bytes) -> Iterator[Case]:
    read = ledger(profile, wsdl)
    outcomes = read.read_bytes(reply)
    # Several that name no reference: who sent them cannot tell them apart either, and asks.
    told = len(outcomes) == 1 or all(one.reference is not None for one in outcomes)
    if told and any(one.kind is not OutcomeKind.UNKNOWN for one in outcomes):
        operation = operation or next(iter(read.setup.contract.operations))
        yield Case(name, read, wsdl, operation, reply, outcomes)


def _is_envelope(reply: bytes) -> bool:
    try:
        open_envelope(reply)
    except ClaimBridgeError:
        return False
    return True
