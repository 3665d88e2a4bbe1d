"""A peer nobody here wrote: PHP's SoapServer serves the reference contract to the profile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from tests.profiles.samples import TRIP, reversal, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.profiles.base import Request
from claimbridge.profiles.reference import Reference
from claimbridge.soap.envelope import Envelope, build, open_envelope

CONTRACT = Contract.load(Bundle.from_package("voucher-service.wsdl"))
PROFILE = Reference()
Ask = Callable[[Request], Envelope]


@pytest.fixture(params=["1.1", "1.2"])
def ask(request: pytest.FixtureRequest, peer: Callable[..., str]) -> Ask:
    """Sends a request to PHP by one version of SOAP, and returns its answer."""
    php = peer("php", "--ri", "soap")
    wsdl = str(files("claimbridge.wsdl").joinpath("voucher-service.wsdl"))
    script = str(Path(__file__).parent / "php" / "service.php")

    def call(made: Request) -> Envelope:
        body = CONTRACT.render(made.operation, made.body)
        done = subprocess.run(
            [php, script, wsdl, request.param],
            input=build(body, version=request.param),
            capture_output=True,
            timeout=60,
        )
        assert done.stderr == b""
        return open_envelope(done.stdout)

    return call


def outcomes(answer: Envelope) -> tuple[Outcome, ...]:
    assert answer.body is not None
    assert CONTRACT.drift(answer.body) == ()
    return PROFILE.read(CONTRACT.reply(answer.body))


def test_php_takes_a_voucher_and_its_answer_is_read(ask: Ask) -> None:
    """Reference, number with its zeros, and totals come back through PHP's own types."""
    (outcome,) = outcomes(ask(PROFILE.submit([submission()])))
    assert outcome == Outcome(
        kind=OutcomeKind.POSTED,
        reference="EXP-2026-0042",
        journal_entry=JournalEntry("0000000042", "1410"),
        totals={"CNY": Decimal("1000.00")},
    )


def test_php_takes_a_batch(ask: Ask) -> None:
    """An outcome per item, in order."""
    answer = ask(PROFILE.submit([submission(reference="A"), submission(reference="B")]))
    assert [outcome.reference for outcome in outcomes(answer)] == ["A", "B"]


def test_php_answers_a_query(ask: Ask) -> None:
    """An empty element is an answer too."""
    answer = outcomes(ask(PROFILE.query(["A", "B"])))
    assert [(o.reference, o.kind) for o in answer] == [
        ("A", OutcomeKind.ABSENT),
        ("B", OutcomeKind.ABSENT),
    ]


def test_php_lists_changes(ask: Ask) -> None:
    """An empty page has its cursor."""
    answer = ask(PROFILE.changes("", 10))
    assert answer.body is not None
    page = PROFILE.read_changes(CONTRACT.reply(answer.body))
    assert (page.outcomes, page.cursor, page.more) == ((), "0-0", False)


def test_php_reverses(ask: Ask) -> None:
    """The reversal is a document of its own."""
    (outcome,) = outcomes(ask(PROFILE.reverse(reversal())))
    assert (outcome.kind, outcome.reference) == (OutcomeKind.POSTED, "EXP-2026-0042.x1")


def test_php_s_typed_fault_is_a_rejection(ask: Ask) -> None:
    """The reasons of a fault that PHP wrote from the contract are ours to show."""
    voucher = msgspec.structs.replace(TRIP, company="9999")
    answer = ask(PROFILE.submit([submission(voucher)]))
    assert answer.fault is not None
    outcome = PROFILE.read_fault(answer.fault)
    assert outcome.kind is OutcomeKind.REJECTED
    assert [(r.code, r.field) for r in outcome.reasons] == [("unknown-company", "Company")]
