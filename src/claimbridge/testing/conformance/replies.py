"""Checks of a profile's reading: nonsense, other replies, and recorded ones that drifted."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator

import msgspec

from claimbridge.errors import ContractDriftWarning
from claimbridge.ledger import Ledger
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.testing.conformance.subject import Nonconformity, Subject, read
from claimbridge.testing.drift import DriftingReply, ReadingVerdict
from claimbridge.testing.exchanges import RecordedExchange, load_exchanges, shown_outcomes

MUTATIONS = 60
"""How often each recorded reply is mutated."""
_FRAME = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body>'
    "</e:Envelope>"
)
_NONSENSE = (
    "",
    "OK",
    "<html><body>Welcome</body></html>",
    "<ok/>",
    _FRAME.format(""),
    _FRAME.format("<ok/>"),
    _FRAME.format('<r xmlns="urn:another"><Status>OK</Status><Number>1</Number></r>'),
)
_FAULT = "<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring></e:Fault>"
_CERTAIN = frozenset(OutcomeKind) - {OutcomeKind.UNKNOWN, OutcomeKind.UNAVAILABLE}


def nonsense(subject: Subject) -> None:
    """Nothing, HTML and the replies of other services are UNKNOWN, never an exception."""
    ledger = subject.ledger()
    for text in _NONSENSE:
        _uncertain(read(ledger, text.encode()), text or "no reply at all")


def empty(subject: Subject) -> None:
    """The contract's own replies, with nothing in them, are UNKNOWN: no entry is no evidence."""
    ledger = subject.ledger()
    for operation, text in _empty_replies(ledger):
        _uncertain(read(ledger, text.encode()), f"an empty reply to {operation}")


def bare_fault(subject: Subject) -> None:
    """A technical Fault without a detail proves nothing: neither success nor absence."""
    outcomes = read(subject.ledger(), _FRAME.format(_FAULT).encode())
    _uncertain(outcomes, "a Server fault without a detail")


def recording(subject: Subject, exchange: RecordedExchange) -> None:
    """A recorded reply is read as its case expects; mutated ones are never silently read wrong."""
    assert exchange.reply is not None
    own = exchange.about.get("options", {})
    ledger = msgspec.structs.replace(subject, options={**subject.options, **own}).ledger()
    if exchange.expected and shown_outcomes(ledger.read_bytes(exchange.reply)) != exchange.expected:
        raise Nonconformity(f"{exchange} is not read as its case expects")
    drifts(ledger, exchange.reply, str(exchange))


def drifts(ledger: Ledger, reply: bytes, name: str) -> None:
    """Mutate a reply as other versions of its ERP would write it; judge each reading."""
    before = read(ledger, reply)
    named = len(before) == 1 or all(one.reference is not None for one in before)
    if not named or all(one.kind is OutcomeKind.UNKNOWN for one in before):
        return  # a reply without certain outcomes has nothing to lose
    drifting = DriftingReply(reply, read=lambda data: read(ledger, data) or (_UNREAD,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ContractDriftWarning)
        for number in range(MUTATIONS):
            draw = random.Random(f"{name}:{number}")  # noqa: S311 - repeatable, no secret
            drifted = drifting.drift(draw)
            if drifted.verdict in {ReadingVerdict.WRONG, ReadingVerdict.NEEDLESS}:
                raise Nonconformity(
                    f"{name}, {drifted.how}: read {drifted.verdict}, "
                    f"{shown_outcomes(drifted.outcomes)} for {shown_outcomes(before)}: "
                    f"{drifted.reply.decode(errors='replace')[-500:]}"
                )


_UNREAD = Outcome(kind=OutcomeKind.UNKNOWN, text="unread")


def exchanges(subject: Subject) -> Iterator[RecordedExchange]:
    """Yield the profile's recorded exchanges that have a reply."""
    name = subject.open_profile().name
    for exchange in load_exchanges(subject.recorded) if subject.recorded else ():
        drifted = exchange.about.get("drift", False)  # has been mutated already
        if exchange.profile == name and exchange.reply is not None and not drifted:
            yield exchange


def _empty_replies(ledger: Ledger) -> Iterator[tuple[str, str]]:
    for name, operation in ledger.setup.contract.operations.items():
        space, _, local = operation.output.rpartition("}")
        declared = f' xmlns="{space[1:]}"' if space else ""
        yield name, _FRAME.format(f"<{local}{declared}/>")


def _uncertain(outcomes: tuple[Outcome, ...], of: str) -> None:
    for one in outcomes:
        if one.kind in _CERTAIN:
            raise Nonconformity(f"{of} is read as {one.kind}, without evidence: {of[:200]}")
