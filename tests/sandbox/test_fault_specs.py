"""SPECs of faults: what they mean, and what is refused as nonsense."""

from __future__ import annotations

import pytest

from claimbridge.errors import ConfigurationError
from claimbridge.sandbox import DISTURBANCES, OperationKind, parse_disturbances
from claimbridge.sandbox.kit.disturbances import Disturbances


def struck(spec: str, calls: int, *, seed: int | None = None) -> list[str]:
    """The fault of each of so many submissions; "" for none."""
    plan = Disturbances(parse_disturbances(spec), seed=seed)
    orders = [plan.next("SubmitVoucher", OperationKind.SUBMIT) for _ in range(calls)]
    return [order.name if order else "" for order in orders]


def test_by_number_always_and_in_order() -> None:
    """``@N`` strikes once, a bare name always; the first order of the SPEC wins."""
    assert struck("timeout@2", 3) == ["", "timeout", ""]
    assert struck("redirect@1, drift", 3) == ["redirect", "drift", "drift"]
    assert struck("", 2) == ["", ""]


def test_chance_is_repeatable_by_seed() -> None:
    """``%P`` is a probability or a percentage, and the seed fixes the draw."""
    drawn = struck("fault%0.3", 1000, seed=7)
    assert drawn == struck("fault%30", 1000, seed=7)
    assert drawn != struck("fault%30", 1000, seed=8)
    assert 230 < drawn.count("fault") < 370
    assert struck("fault%100", 3) == ["fault"] * 3


def test_other_operations() -> None:
    """A prefix chooses a kind of call, one operation, or any."""
    plan = Disturbances(parse_disturbances("query:timeout@2,SubmitVouchers:drift@1,any:slow@4"))
    calls = [
        ("SubmitVoucher", OperationKind.SUBMIT),
        ("QueryVouchers", OperationKind.QUERY),
        ("QueryVouchers", OperationKind.QUERY),
        ("SubmitVouchers", OperationKind.SUBMIT),
    ]
    names = [order.name if (order := plan.next(*call)) else "" for call in calls]
    assert names == ["", "", "timeout", "drift"]


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_variant_is_understood(name: str) -> None:
    """Each fault is accepted alone and with each of its variants, and written back as it was."""
    variants = [v for v in DISTURBANCES[name] if not v.startswith("<")]
    for spec in (name, *(f"{name}={variant}" for variant in variants)):
        (order,) = parse_disturbances(f"{spec}@3")
        assert parse_disturbances(str(order)) == (order,)


@pytest.mark.parametrize(
    "spec",
    ["lightning", "timeout@0", "timeout@x", "drift=503", "throttle=typo", "fault%101", "slow=fast"],
)
def test_nonsense_is_refused(spec: str) -> None:
    """A SPEC that means nothing is an error that names it."""
    with pytest.raises(ConfigurationError) as caught:
        parse_disturbances(spec)
    assert caught.value.code == "CB-270"
    assert spec.partition("=")[0] in caught.value.message
