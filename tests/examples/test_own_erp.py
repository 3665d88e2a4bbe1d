"""``examples/own_erp.py``: a profile in one file is all that a new ERP takes."""

from __future__ import annotations

import ast
import datetime as dt
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.examples.books import BooksResponder

from claimbridge import (
    Claim,
    Client,
    ContractDrift,
    Ledger,
    LedgerConfig,
    LedgerRejection,
    SchemaViolation,
    State,
)
from claimbridge.cli import main
from claimbridge.profiles import load_profile
from claimbridge.sandbox import Sandbox
from claimbridge.testing.conformance import ConformanceCase, conformance_cases

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIM = Claim.from_json((EXAMPLES / "claims/travel-cn.json").read_bytes())


@pytest.fixture
def own_erp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The example copied into a folder on the Python path, as an engineer would."""
    for name in ("own_erp.py", "own_erp.wsdl", "chart.toml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_erp", raising=False)
    return "own_erp:OwnErp"


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with Sandbox(profiles=[BooksResponder()]) as running:
        yield running


@pytest.fixture
def ledger(own_erp: str, erp: Sandbox, tmp_path: Path) -> Iterator[Client]:
    config = tmp_path / "claimbridge.toml"
    config.write_text(
        f'[ledger.CN01]\nprofile = "{own_erp}"\nendpoint = "{erp.url("own-erp")}"\n'
        'chart = "chart.toml"\nbackoff = 0.01\n'
    )
    with Client.from_config(config) as client:
        yield client


def test_it_posts(ledger: Client, erp: Sandbox) -> None:
    """Twice the same claim: one entry, with the ERP's number."""
    ack = ledger.submit(CLAIM)
    assert ledger.submit(CLAIM) == ack
    assert (ack.state, str(ack.journal_entry)) == (State.POSTED, "0000001")
    assert erp.requests() == {"PostEntry": 1}


@pytest.mark.parametrize("fault", ["commit-then-drop@1", "drop-before-commit@1", "half-reply@1"])
def test_a_lost_answer_is_resolved_by_asking(ledger: Client, erp: Sandbox, fault: str) -> None:
    """The profile says that the ERP can be asked; the rest is claimbridge's."""
    erp.set_faults(fault)
    assert ledger.submit(CLAIM).state is State.POSTED
    assert len(erp.ledger()) == 1
    assert erp.requests()["FindEntries"] == 1


def test_a_refusal_in_a_normal_reply(ledger: Client) -> None:
    """An HTTP 200 without a number is no success; the ERP's words arrive."""
    with pytest.raises(LedgerRejection) as caught:
        ledger.submit(msgspec.structs.replace(CLAIM, posting_date=dt.date(2025, 12, 31)))
    told = [str(reason) for reason in caught.value.reasons]
    assert told == ["period 2025-12 is closed; open from 2026-01"]


def test_what_its_contract_forbids_names_the_claim_field(ledger: Client, erp: Sandbox) -> None:
    """The facets of the ERP's own WSDL are checked before anything is sent."""
    with pytest.raises(SchemaViolation) as caught:
        ledger.submit(msgspec.structs.replace(CLAIM, title="t" * 200))
    assert [finding.claim_field for finding in caught.value.findings][:1] == ["title"]
    assert erp.requests() == {}


def example() -> Any:
    """The profile of the example as it stands there."""
    spec = importlib.util.spec_from_file_location("example_own_erp", EXAMPLES / "own_erp.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.OwnErp()


@pytest.mark.parametrize("case", conformance_cases(example(), responder=BooksResponder()), ids=str)
def test_it_conforms(case: ConformanceCase) -> None:
    """The whole conformance suite, as an engineer runs it on a profile of his own."""
    case.run()


def test_load_profile_takes_it_by_name(own_erp: str) -> None:
    """``module:attribute`` is all that a configuration needs."""
    assert load_profile(own_erp).name == "own-erp"


def test_the_profile_stays_short() -> None:
    """The class that is copied has about forty lines of code."""
    tree = ast.parse((EXAMPLES / "own_erp.py").read_text(encoding="utf-8"))
    (profile,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert (profile.end_lineno or 0) - profile.lineno <= 50


def test_its_contract_may_be_a_locked_folder(
    own_erp: str, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 1 of docs/own-erp.md: what ``contract lock`` wrote is named as it stands."""
    folder = tmp_path / "contracts" / "erp"
    assert main(["contract", "lock", str(EXAMPLES / "own_erp.wsdl"), "--into", str(folder)]) == 0
    profile = load_profile(own_erp)
    monkeypatch.setattr(type(profile), "contract", str(folder))
    for case in conformance_cases(profile):
        case.run()
    assert main(["contract", "check", "--profile", own_erp, str(folder)]) == 0
    config = LedgerConfig(endpoint="http://127.0.0.1/")
    assert Ledger(config, profile=profile).setup.contract.operations.keys() == {
        "PostEntry",
        "FindEntries",
    }
    wsdl = next(folder.rglob("*.wsdl"))
    wsdl.write_bytes(wsdl.read_bytes() + b"<!-- changed -->")
    with pytest.raises(ContractDrift):
        _ = Ledger(config, profile=profile).setup.contract
