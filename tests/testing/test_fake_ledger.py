"""``claimbridge.testing.FakeLedger``: what users' tests may rely on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.testing.record import EXAMPLES, claim

from claimbridge import (
    Chart,
    Claim,
    ConfigurationError,
    ConflictingSubmission,
    LedgerRejection,
    LedgerUnavailable,
    MappingError,
    NotDelivered,
    Outcome,
    OutcomeKind,
    OutcomeUnknown,
    SchemaViolation,
    State,
)
from claimbridge.testing import FakeLedger


def test_a_claim_is_posted_once(fake_ledger: FakeLedger) -> None:
    """Submitting twice leaves one entry, as with a real ledger."""
    first = fake_ledger.submit(claim())
    assert fake_ledger.submit(claim()) == first
    (entry,) = fake_ledger.erp.entries()
    assert entry.reference == first.reference == "EXP-2026-0042"
    assert entry.journal_entry == first.journal_entry
    assert entry.voucher.totals == {"CNY": Decimal("2189.00")}
    assert fake_ledger.status("EXP-2026-0042").state is State.POSTED


def test_every_fixture_begins_empty(fake_ledger: FakeLedger) -> None:
    """No test sees what another posted."""
    assert fake_ledger.erp.entries() == []
    assert fake_ledger.erp.requests == 0


def test_a_lost_answer_is_resolved_by_asking(fake_ledger: FakeLedger) -> None:
    """The real decisions run: the entry is found and adopted, nothing is posted twice."""
    fake_ledger.erp.lose_answer()
    ack = fake_ledger.submit(claim())
    assert ack.state is State.POSTED
    assert len(fake_ledger.erp.entries()) == 1
    assert fake_ledger.erp.requests == 2


def test_a_lost_request_is_sent_again_once_asked(fake_ledger: FakeLedger) -> None:
    """The fake ERP refuses duplicates, so an absent document may be sent again at once."""
    fake_ledger.erp.lose_request()
    assert fake_ledger.submit(claim()).state is State.POSTED
    assert fake_ledger.erp.requests == 3
    assert len(fake_ledger.erp.entries()) == 1


def test_a_refusal_has_its_reasons(fake_ledger: FakeLedger) -> None:
    """The order holds for one request; the next is posted."""
    fake_ledger.erp.reject("period 2026-03 is closed", "cost centre 1200 is locked")
    with pytest.raises(LedgerRejection) as caught:
        fake_ledger.submit(claim())
    told = [str(reason) for reason in caught.value.reasons]
    assert told == ["period 2026-03 is closed", "cost centre 1200 is locked"]
    assert fake_ledger.erp.entries() == []
    assert fake_ledger.submit(claim()).state is State.POSTED


def test_refused_connections_are_tried_again_then_raised(fake_ledger: FakeLedger) -> None:
    """One refusal is overcome by the client's own retries; many are NotDelivered."""
    fake_ledger.erp.refuse_connections()
    assert fake_ledger.submit(claim()).state is State.POSTED
    fake_ledger.erp.refuse_connections(times=10)
    with pytest.raises(NotDelivered):
        fake_ledger.submit(claim("mileage-en"))
    assert len(fake_ledger.erp.entries()) == 1


def test_throttling_names_the_wait(fake_ledger: FakeLedger) -> None:
    """A wait longer than the client's own patience reaches the caller."""
    fake_ledger.erp.throttle(retry_after=3600)
    with pytest.raises(LedgerUnavailable) as caught:
        fake_ledger.submit(claim())
    assert caught.value.retry_after == 3600


def test_a_later_revision_reverses_the_earlier(fake_ledger: FakeLedger) -> None:
    """A claim has one live entry: the first is marked as reversed."""
    fake_ledger.submit(claim())
    fake_ledger.submit(claim(revision=2, title="corrected"))
    assert [entry.reversed for entry in fake_ledger.erp.entries()] == [True, False, False]
    with pytest.raises(ConflictingSubmission):
        fake_ledger.submit(claim(revision=1))


def test_the_contract_is_kept(tmp_path: Path) -> None:
    """What a real ledger's contract forbids is refused here too, before it reaches the ERP."""
    place = tmp_path / "chart.toml"
    text = (EXAMPLES / "chart.toml").read_text(encoding="utf-8")
    place.write_text(text.replace('"J9"', f'"{"J9" * 9}"'), encoding="utf-8")
    with FakeLedger(chart=Chart.load(place)) as ledger:
        with pytest.raises(SchemaViolation) as caught:
            ledger.submit(claim())
        assert caught.value.findings[0].rule == "maxLength"
        assert ledger.erp.requests == 0


def test_your_own_chart_takes_the_place_of_the_plain_one() -> None:
    """With a chart its refusals are tested too; without one every expense type is known."""
    lines = claim("mileage-en").lines
    odd = claim(
        "mileage-en", lines=tuple(msgspec.structs.replace(x, type="submarine") for x in lines)
    )
    with FakeLedger() as plain:
        assert plain.submit(odd).state is State.POSTED
    with FakeLedger(chart=Chart.load(EXAMPLES / "chart.toml")) as charted:
        assert charted.submit(claim()).state is State.POSTED
        with pytest.raises(MappingError):
            charted.submit(odd)


def test_batches_and_reversal(fake_ledger: FakeLedger) -> None:
    """Everything a Client can do, it can."""
    results = list(fake_ledger.submit_many([claim(), claim("mileage-en")], batch=2))
    assert [result.error for result in results] == [None, None]
    ack = fake_ledger.reverse("EXP-2026-0042", reason="paid twice")
    assert ack.state is State.POSTED
    assert [entry.reversed for entry in fake_ledger.erp.entries()] == [True, False, False]
    assert fake_ledger.status("EXP-2026-0042").state is State.REVERSED


def test_doubt_that_stays_is_outcome_unknown(
    fake_ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where asking is lost as well, the caller learns that money may have moved."""
    answer = fake_ledger.erp.answer
    silence = (Outcome(kind=OutcomeKind.NOT_DELIVERED, text="it is down"),)
    monkeypatch.setattr(
        fake_ledger.erp,
        "answer",
        lambda verb, them: silence if verb == "query" else answer(verb, them),
    )
    fake_ledger.erp.lose_answer()
    with pytest.raises(OutcomeUnknown):
        fake_ledger.submit(claim())
    assert fake_ledger.status("EXP-2026-0042", ask=False).state is State.IN_DOUBT


@pytest.mark.parametrize(
    "given",
    [{"chart": 5}, {"chart": "nowhere.toml"}, {"name": 5}, {"time_zone": 5}, {"clock": None}],
)
def test_a_wrong_argument_is_refused_in_our_words(given: dict[str, Any]) -> None:
    """At once, and not by the first claim."""
    with pytest.raises(ConfigurationError):
        FakeLedger(**given)


def test_a_chart_may_be_named_by_its_path() -> None:
    """As everywhere else."""
    chart = Path(__file__).parents[2] / "examples/chart.toml"
    with FakeLedger(chart=str(chart)) as ledger:
        assert ledger.preview(
            Claim.from_json((chart.parent / "claims/travel-cn.json").read_bytes())
        )
