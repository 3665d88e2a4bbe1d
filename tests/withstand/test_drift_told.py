"""A reply that has drifted from the contract is read, and somebody is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.withstand.scene import claim, configured, ledger_of

from claimbridge import ContractDriftWarning
from claimbridge.client import Client
from claimbridge.ledger.drifts import Drifts
from claimbridge.model import State
from claimbridge.sandbox import Sandbox


def test_each_difference_is_told_once_and_counted(
    new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Three drifted acknowledgements: three postings, one warning for each difference."""
    tidy = Sandbox(profiles=["reference"])  # nothing but the fault differs from the contract
    with tidy as erp, ExitStack() as open_:
        config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")
        client = open_.enter_context(Client(config, ledger=ledger_of(config)))
        client.submit(claim(new_id()))
        assert client.contract_drifts() == {}
        erp.set_faults("drift")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            states = [client.submit(claim(new_id())).state for _ in range(3)]
        erp.set_faults("")
        counts = client.contract_drifts()
    assert states == [State.POSTED] * 3
    assert counts
    assert set(counts.values()) == {3}
    ours = [str(one.message) for one in told if one.category is ContractDriftWarning]
    assert len(ours) == len(counts)
    assert all(any(difference in text for text in ours) for difference in counts)


def test_a_warning_made_an_error_costs_no_reply() -> None:
    """Under ``-W error`` the differences are counted all the same, and nothing is raised."""
    drifts = Drifts("CN01")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drifts.note(["a", "b", "a"])
    assert drifts.counts() == {"a": 2, "b": 1}


def test_a_server_that_invents_names_does_not_fill_the_memory() -> None:
    """A thousand differences are told apart, no more."""
    drifts = Drifts("CN01")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        drifts.note(f"n{number} is not in the contract" for number in range(5000))
    assert len(drifts.counts()) == len(told) == 1000
