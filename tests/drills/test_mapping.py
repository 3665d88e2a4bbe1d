"""The drill of mapping, briefly: that it runs and finds nothing, and that it can find something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from tests.drills import mapping
from tests.drills.mapping import drill

from claimbridge.mapping.postings import costs, line_decision, settlement
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder
from claimbridge.mapping.taxes import levies
from claimbridge.model.money import EXACT, rounded


def test_random_claims_map_right() -> None:
    """Most claims are mapped, the rest refused for a reason; no voucher is wrong."""
    tally = drill(400, seed=3)
    assert tally.bad == []
    assert tally.mapped > 250
    assert tally.postings > 6 * tally.mapped


def _carelessly(
    amount: Decimal, weights: Sequence[Decimal], currency: str, remainder: str
) -> list[Decimal]:
    """Divide as if rounding each part by itself were enough."""
    whole = sum(weights, Decimal(0))
    return [
        rounded(EXACT.divide(EXACT.multiply(amount, one), whole), currency) if whole else whole
        for one in weights
    ]


def _nothing(*_: object, **__: object) -> Decimal:
    return Decimal(0)


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (line_decision, "divide", _carelessly),
        (levies, "divide", _carelessly),
        (settlement, "post_advances", lambda _: (Decimal(0), Decimal(0))),
        (VoucherBuilder, "at_own_rate", _nothing),
        (VoucherBuilder, "at_own_rate", lambda _, amount, __: amount),
        (costs, "_post_non_deductible_tax", _nothing),
    ],
)
def test_the_drill_can_fail(
    module: object, name: str, broken: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these mistakes in the mapping is found out."""
    monkeypatch.setattr(module, name, broken)
    assert drill(600, seed=3).bad


def test_the_command_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It exits with 1 and shows the claim; with 0 when nothing is wrong."""
    monkeypatch.setattr("sys.argv", ["mapping", "--claims", "60", "--seed", "3"])
    assert mapping.main() == 0
    assert "violations          0" in capsys.readouterr().out
    monkeypatch.setattr(costs, "_post_non_deductible_tax", _nothing)
    assert mapping.main() == 1
    assert '{"id":"D' in capsys.readouterr().out
