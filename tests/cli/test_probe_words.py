"""What a probe says and keeps is true, and the command that it names goes on with it."""

from __future__ import annotations

import io
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Folder, Run
from tests.cli.probing import CHOICE, MUTE, ONE_WAY, configure, effects, probed

from claimbridge import Client
from claimbridge.cli.probe_words import command_again
from claimbridge.errors import JournalError
from claimbridge.model import State
from claimbridge.sandbox import Sandbox
from claimbridge.submission import ProbeChoice
from claimbridge.submission.decisions import probe_claims

TAXI = ProbeChoice(company="CN01", type="taxi", employee="E1024")
LEAVE = "--without-reversal"
NOTHING_KNOWN: dict[str, dict[str, Any]] = {"in-string": {"options": {"duplicate_values": []}}}
"""Profiles whose ERP could refuse duplicates, told that it does not."""


class Terminal(io.StringIO):
    """A person at stdin."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as erp:
        yield erp


def detail(run: Run) -> str:
    """What the journal keeps of the newest probe's voucher."""
    (held,) = (one for one in run("journal", "list", "--json").records if one["purpose"] == "post")
    return str(held["detail"])


# --- what is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "kept"),
    [
        ("reference", "probed: found, reversed, found reversed"),
        ("sap-journal-entry", "probed: reversed; the ERP cannot be asked"),
    ],
)
def test_the_journal_keeps_what_was_proven(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str, kept: str
) -> None:
    """No probe is recorded as found where nobody could be asked."""
    configure(folder, sandbox, profile)
    assert probed(run).code == 0
    assert detail(run) == kept
    again = probed(run)
    assert again.records[0]["goes_on"] is False


def test_a_probe_that_went_on_keeps_what_it_proved(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """The voucher was not looked for again once its reversal was under way."""
    configure(folder, sandbox, "netsuite")
    sandbox.set_faults("query:drop-before-commit@4")
    assert probed(run).code == 3
    sandbox.set_faults("")
    ended = run("probe", "CN01", "--yes", *CHOICE)
    assert (ended.code, "✓ found\n" in ended.out) == (0, False)
    assert "was found" not in ended.out
    assert detail(run) == "probed: reversed, found reversed"


@pytest.mark.parametrize("sentence", ["probed: found, reversed, and found reversed", "probed: new"])
def test_an_end_is_known_by_its_first_word(
    folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, sentence: str
) -> None:
    """Whatever an earlier or a later version says after it."""
    configure(folder, sandbox, "sap-journal-entry")
    monkeypatch.setattr(
        "claimbridge.submission.probe.ended_detail", lambda *_, **__: sentence, raising=True
    )
    with Client.from_config(folder.config, new_journal=True) as client:
        list(client.probe(client.intend_probe(TAXI)))
        (book,) = client.journal.books()
        for claim_id in client.journal.claims(book.id, "PROBE-"):
            history = client.journal.history(book.id, claim_id)
            assert history.submissions[0].state is State.REVERSED
            assert history.submissions[0].detail == sentence
            assert probe_claims.unfinished(history) is None


# --- again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", sorted(ONE_WAY))
def test_what_cannot_be_reversed_is_gone_on_with(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """A lost answer is parked: the probe says so again, with or without the option."""
    configure(folder, sandbox, profile, **NOTHING_KNOWN.get(profile, {}))
    sandbox.set_faults("commit-then-drop@1")
    ended = probed(run, LEAVE)
    assert (ended.code, ended.records[-1]["code"]) == (3, "CB-421")
    assert f"`claimbridge probe CN01 {' '.join(CHOICE)} {LEAVE}` again" in ended.records[-1]["text"]
    again = probed(run)
    assert (again.code, again.records[-1]["code"]) == (3, "CB-421")
    assert again.records[0] | {"goes_on": True, "is_reversed": False} == again.records[0]
    assert again.records[0]["claim"] == ended.records[0]["claim"]
    assert len(effects(sandbox.ledger())[0]) == 1


def test_the_command_is_named_with_its_options(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """Another configuration, a ledger of production, a voucher that stays: typed as it is shown."""
    configure(folder, sandbox, "reference", production=True)
    config = folder.config.rename(folder.path / "test client.toml")
    sandbox.set_faults("submit:commit-then-drop@1,query:drop-before-commit@2")
    ended = probed(run, "--config", config, LEAVE, "--yes-in-production", "--wait", "5")
    assert ended.code == 3, ended.records
    text = ended.records[-1]["text"]
    command = text.partition("`")[2].partition("`")[0]
    words = shlex.split(command)
    assert words[:3] == ["claimbridge", "probe", "CN01"]
    assert words[words.index("--config") + 1] == str(config)
    assert {LEAVE, "--yes-in-production"} <= set(words)
    sandbox.set_faults("")
    again = run(*words[1:], "--yes", "--json")
    assert (again.code, again.records[0]["goes_on"]) == (0, True)


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({"config": Path("claimbridge.toml"), "wait": 60.0}, "claimbridge probe CN01"),
        ({"type": "", "like": None, "without_reversal": False}, "claimbridge probe CN01"),
        ({"like": Path("./-")}, "claimbridge probe CN01 --like -"),
        ({"employee": "王 一"}, "claimbridge probe CN01 --employee '王 一'"),
        ({"cost_centre": "-1"}, "claimbridge probe CN01 --cost-centre=-1"),
        ({"wait": 5.0, "yes_in_production": True},
         "claimbridge probe CN01 --wait 5 --yes-in-production"),
    ],
)  # fmt: skip
def test_what_is_left_out_of_the_command(options: dict[str, Any], command: str) -> None:
    """Options as they are when nobody gives them; the rest as a shell takes it."""
    assert command_again("CN01", options) == command


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_other_commands_read_the_same_configuration(
    run: Run, folder: Folder, sandbox: Sandbox, is_elsewhere: bool
) -> None:
    """What settles a parked probe works as it is shown, but for the number."""
    configure(folder, sandbox, "yonyou-nc")
    config = folder.config.rename(folder.path / "nc.toml") if is_elsewhere else folder.config
    given = ("--config", config) if is_elsewhere else ()
    sandbox.set_faults("drop-before-commit@1")
    ended = probed(run, LEAVE, *given)
    shown = ended.records[-1]["text"].split("`")
    (settle,) = (one for one in shown if one.endswith("--not-posted"))
    told = run("probe", "CN01", "--yes", *CHOICE, *given).out
    assert "Whether this one was, somebody has to look first." in told
    assert "It is left" not in told
    time.sleep(2.5)  # what was lost may still arrive until then
    assert run(*shlex.split(settle)[1:]).code == 0
    again = probed(run, *given)
    assert (again.code, again.records[0]["goes_on"]) == (0, True)
    assert len(sandbox.ledger()) == 1


# --- before consent -------------------------------------------------------------------------


@pytest.mark.parametrize("profile", sorted(MUTE))
def test_a_new_journal_is_asked_about_before_consent(
    run: Run, folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """Nobody says yes in vain; the command that works is named whole."""
    configure(folder, sandbox, profile, **NOTHING_KNOWN.get(profile, {}))
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    further = [LEAVE] if profile in ONE_WAY else []
    refused = run("probe", "CN01", *CHOICE, *further)
    assert "Post it?" not in refused.err
    assert refused.err[:6] == "CB-236"
    assert "submit with" not in refused.err
    words = " ".join((*CHOICE, *further))
    assert f"`claimbridge probe CN01 {words} --new-journal`" in refused.err
    assert sandbox.requests() == {}
    with (
        Client.from_config(folder.config) as client,
        pytest.raises(JournalError, match="new_journal=True"),
    ):
        client.intend_probe(TAXI, is_reversed=False)
    assert run("probe", "CN01", *CHOICE, *further, "--new-journal", "--yes").code == 0


@pytest.mark.parametrize("profile", ["sap-journal-entry", "in-string", "reference"])
def test_no_more_is_promised_than_the_erp_can(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Found only where the ERP can be asked; what a person has to do is said before."""
    configure(folder, sandbox, profile)
    further = [LEAVE] if profile in ONE_WAY else []
    told = run("probe", "CN01", *CHOICE, *further, "--new-journal", "--yes").out
    promise, _, rest = told.partition("\n")
    assert ("found" in promise) is (profile not in MUTE)
    assert rest.startswith("This ERP cannot be asked, so you look for it") is (profile in MUTE)


@pytest.mark.parametrize("is_one", [True, False])
def test_production_is_a_line_of_its_own(
    run: Run, folder: Folder, sandbox: Sandbox, is_one: bool
) -> None:
    """Who says yes has read it."""
    configure(folder, sandbox, "reference", production=is_one)
    told = run("probe", "CN01", *CHOICE, "--yes", "--yes-in-production").out
    lines = [line.split()[0] for line in told.splitlines() if line.startswith("  ")]
    assert ("production" in lines) is is_one
    assert probed(run, "--yes-in-production").records[0]["is_production"] is is_one


# --- Ctrl-C ---------------------------------------------------------------------------------


def test_an_interrupt_names_the_probe(
    run: Run, folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ERP is asked: the same command, which goes on."""
    configure(folder, sandbox, "reference")

    def interrupted(*_: object, **__: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr("claimbridge.submission.probe.refresh", interrupted)
        ended = probed(run, "--date", "2026-03-31")
    assert ended.code == 130
    assert "may be in the books" in ended.err
    assert f"`claimbridge probe CN01 {' '.join(CHOICE)} --date 2026-03-31` again" in ended.err
    assert "reconcile" not in ended.err
    assert probed(run).records[0]["goes_on"] is True


def test_an_interrupt_at_the_question_sends_nothing(
    run: Run, folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to look for what was not sent."""

    class Interrupted(Terminal):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    configure(folder, sandbox, "reference")
    monkeypatch.setattr("sys.stdin", Interrupted())
    ended = run("probe", "CN01", *CHOICE)
    assert ended.code == 130
    assert "nothing was sent" in ended.err
    assert "reconcile" not in ended.err
    assert sandbox.requests() == {}
