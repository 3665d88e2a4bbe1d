"""An entry that the ERP accepted and no longer has: every way says so, and one leads out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.scene import QUIET, chart, claim, configured, contract

from claimbridge.aio import AsyncClient
from claimbridge.cli.app import main
from claimbridge.client import Client
from claimbridge.errors import ConflictingSubmission, OutcomeUnknown
from claimbridge.ledger import Ledger
from claimbridge.model import Standing, State
from claimbridge.sandbox import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
ID = "EXP-1"
WAY_OUT = f"claimbridge journal settle {ID} --revision 1 --gone"


class Scene:
    """An ERP that can be set up anew at its address, and a client of either kind."""

    def __init__(self, folder: Path, profile: str, *, asynchronous: bool) -> None:
        self.folder, self.profile, self.asynchronous = folder, profile, asynchronous
        self.erp = Sandbox(lifelike=True, profiles=[profile])
        self.erp.start()
        self.journal = folder / "claims.db"

    def restore_an_empty_erp(self) -> None:
        port = self.erp.port
        self.erp.close()
        self.erp = Sandbox(lifelike=True, profiles=[self.profile], port=port)
        self.erp.start()

    def call(self, method: str, *args: Any, **given: Any) -> Any:
        """Call a method of a client that has just been opened."""
        config = configured(self.profile, port=self.erp.port, journal=self.journal)
        opened = Ledger(config, contract=contract(self.profile), chart=chart())

        async def awaited() -> Any:
            async with AsyncClient(config, ledger=opened) as client:
                return await getattr(client, method)(*args, **given)

        if self.asynchronous:
            return asyncio.run(awaited())
        with Client(config, ledger=opened) as client:
            return getattr(client, method)(*args, **given)

    def gone(self) -> Standing:
        status = self.call("settle", ID, revision=1, posted=None, gone=True)
        assert isinstance(status, Standing)
        return status


@pytest.fixture(params=["Client", "AsyncClient"])
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Scene]]:
    with contextlib.ExitStack() as stack:

        def made(profile: str) -> Scene:
            scene = Scene(tmp_path, profile, asynchronous=request.param == "AsyncClient")
            stack.callback(lambda: scene.erp.close())
            return scene

        yield made


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("profile", ["reference", "sap-bapi"])
def test_every_way_says_the_same_and_names_the_way_out(
    make: Callable[[str], Scene], profile: str, backwards: bool
) -> None:
    """Status, wait, submit, reverse and a revision name it; once settled, a revision posts."""
    scene = make(profile)
    first, second = claim(ID), claim(ID, revision=2, taxi="31.00")
    scene.call("submit", first)
    time.sleep(QUIET)
    scene.restore_an_empty_erp()
    said = set()
    day = first.posting_date
    calls: list[Callable[[], object]] = [
        lambda: scene.call("status", ID),
        lambda: scene.call("wait", ID, until=State.PAID, timeout=1),
        lambda: scene.call("submit", first),
        lambda: scene.call("reverse", ID, posting_date=day),
    ]
    revise = [lambda: scene.call("submit", second)]
    for call in calls[:: -1 if backwards else 1] + revise:
        with pytest.raises(OutcomeUnknown) as raised:
            call()
        assert raised.value.code == "CB-427"
        said.add(raised.value.message)
        known = scene.call("status", ID, ask=False)
        assert (WAY_OUT in known.detail) or known.revision == 2
    assert len(said) == 1
    assert WAY_OUT in said.pop()

    settled = scene.gone()
    assert (settled.state, settled.revision) == (State.REVERSED, 1)
    with pytest.raises(ConflictingSubmission, match="gone from the ERP") as refused:
        scene.call("submit", first)
    assert refused.value.code == "CB-453"
    assert scene.erp.ledger() == []
    assert scene.call("submit", second).state is State.POSTED
    assert len(scene.erp.ledger()) == 1


def test_what_the_erp_has_is_not_gone(make: Callable[[str], Scene]) -> None:
    """Settling as gone asks the ERP: with the entry there it is refused, and all stays."""
    scene = make("reference")
    scene.call("submit", claim(ID))
    time.sleep(QUIET)
    with pytest.raises(ConflictingSubmission) as refused:
        scene.gone()
    assert refused.value.code == "CB-454"
    assert scene.call("status", ID).state is State.POSTED


def test_what_was_just_accepted_is_not_gone_yet(make: Callable[[str], Scene]) -> None:
    """Within the quiet period an ERP may not find what it has just committed: CB-434."""
    scene = make("reference")
    scene.call("submit", claim(ID))
    scene.restore_an_empty_erp()
    with pytest.raises(OutcomeUnknown) as refused:
        scene.gone()
    assert refused.value.code == "CB-434"
    with pytest.raises(OutcomeUnknown):
        scene.call("status", ID)
    assert scene.call("status", ID, ask=False).detail == ""  # too early to be kept


def test_an_entry_that_is_found_again_is_as_it_was(make: Callable[[str], Scene]) -> None:
    """A question that the right ERP answers takes the mark away; submit returns the entry."""
    scene = make("reference")
    accepted = scene.call("submit", claim(ID))
    time.sleep(QUIET)
    right, port = scene.erp, scene.erp.port
    right.stop()
    with Sandbox(lifelike=True, profiles=["reference"], port=port), pytest.raises(OutcomeUnknown):
        scene.call("status", ID)
    right.start()
    assert WAY_OUT in scene.call("status", ID, ask=False).detail
    assert scene.call("submit", claim(ID)) == accepted
    assert scene.call("status", ID, ask=False).reasons == ()


def test_only_what_was_accepted_can_be_gone(make: Callable[[str], Scene]) -> None:
    """What was never accepted, or is over already, is refused by the state that it is in."""
    scene = make("reference")
    with pytest.raises(ConflictingSubmission, match="there is none"):
        scene.gone()
    scene.call("submit", claim(ID))
    scene.call("reverse", ID, posting_date=claim(ID).posting_date)
    with pytest.raises(ConflictingSubmission, match="reversed"):
        scene.gone()


def test_the_command_settles_and_tells(
    make: Callable[[str], Scene], capsys: pytest.CaptureFixture[str]
) -> None:
    """`journal list` and `show` give the way out as `status` does; `settle --gone` takes it."""
    scene = make("reference")
    scene.call("submit", claim(ID))
    time.sleep(QUIET)
    scene.restore_an_empty_erp()
    config = scene.folder / "claimbridge.toml"
    config.write_text(
        f'[ledger.CN01]\nprofile = "reference"\nendpoint = "{scene.erp.url()}"\n'
        f'journal = "sqlite:///claims.db"\nquiet_period = {QUIET}\ntime_zone = "Asia/Shanghai"\n'
        "timeouts = { connect = 0.5, total = 1.0 }\n"
    )

    def run(*args: str) -> tuple[int, str, str]:
        code = main([*args, "--config", str(config)])
        out, err = capsys.readouterr()
        return code, out, err

    code, _, err = run("status", ID)
    assert code == 3
    assert WAY_OUT in " ".join(err.split())
    for command in (("journal", "list"), ("journal", "show", ID)):
        code, out, _ = run(*command, "--json")
        assert any(WAY_OUT in json.loads(line)["detail"] for line in out.splitlines())
    code, out, _ = run("journal", "settle", ID, "--revision", "1", "--gone", "--json")
    assert code == 0
    assert json.loads(out)["state"] == "reversed"
    assert run("journal", "settle", ID, "--revision", "1", "--gone", "--reversed")[0] == 2
