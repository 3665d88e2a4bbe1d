"""The five exit codes, each by a real end; scripts decide by them."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, Run

from claimbridge.cli.exit_codes import worst
from claimbridge.sandbox import Sandbox


def test_0_done(run: Run, folder: Folder) -> None:
    """Everything was accepted."""
    assert run("submit", *sorted(folder.path.glob("claims/*.json"))).code == 0


def test_1_a_business_no(run: Run, folder: Folder) -> None:
    """The ERP, or our own check, refused the claim."""
    closed = folder.claim(posting_date="2025-12-31", line={"date": "2025-12-30"})
    ended = run("submit", "--json", closed)
    assert ended.code == 1
    assert ended.record["state"] == "rejected"
    assert ended.record["code"] == "CB-430"
    assert ended.record["reasons"] == ["period-closed: period 2025-12 is closed; open from 2026-01"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("submit",),
        ("submit", "--nope", "x"),
        ("schema", "invoice"),
        ("status", "X", "--config", "nowhere.toml"),
        ("verify", "x.xml"),
        ("sandbox", "--faults", "earthquake"),
        ("preview", "--chart", "chart.toml", "--profile", "none", "claims/travel-cn.json"),
    ],
)
def test_2_usage_or_configuration(run: Run, folder: Folder, arguments: tuple[str, ...]) -> None:
    """The call or the set-up is wrong: the message says how, on stderr."""
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.strip()


def test_a_usage_error_names_the_help_that_helps(run: Run, folder: Folder) -> None:
    """A wrong call of ``journal settle`` sends the user to that command's help."""
    assert "claimbridge journal settle --help" in run("journal", "settle", "EXP-1").err


def test_3_outcome_unknown(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The answer was lost and asking brings none: money may have moved."""
    sandbox.set_faults("submit:commit-then-drop,query:drop-before-commit")
    ended = run("submit", "--json", folder.claim())
    assert ended.code == 3
    assert ended.record["state"] == "in_doubt"
    sandbox.set_faults("")
    assert run("reconcile").code == 0
    assert run("status", "EXP-2026-0042", "--json").record["state"] == "posted"


def test_4_not_delivered(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """It never reached the ERP: nothing was posted, and the claim waits."""
    sandbox.set_faults("refuse-connection")
    ended = run("submit", "--json", folder.claim())
    assert ended.code == 4
    assert (ended.record["state"], ended.record["code"]) == ("pending", "CB-413")
    assert sandbox.ledger() == []


def test_the_state_is_what_the_journal_holds(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """A script that reads "state" learns of the claim, not of the class of an error."""
    assert run("submit", folder.claim()).code == 0
    folder.configure(endpoint="http://127.0.0.1:9/reference")
    asked = run("status", "--json", "EXP-2026-0042")
    assert (asked.code, asked.record["state"]) == (4, "posted")
    folder.configure(endpoint=sandbox.url("reference"))
    sandbox.set_faults("reverse:commit-then-drop,query:drop-before-commit")
    taken = run("reverse", "--json", "EXP-2026-0042")
    assert (taken.code, taken.record["reference"]) == (3, "EXP-2026-0042.x1")
    assert taken.record["state"] == "in_doubt"
    other = folder.claim(title="another one")
    assert run("submit", "--json", other).record["state"] is None
    unknown = run("status", "--json", "EXP-NONE")
    assert (unknown.code, unknown.record["state"]) == (1, None)


def test_an_earlier_revision_is_not_taken_for_the_one_that_failed(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """Revision 2 was never sent: that revision 1 is posted is not its state."""
    assert run("submit", folder.claim()).code == 0
    sandbox.set_faults("refuse-connection")
    ended = run("submit", "--json", folder.claim(revision=2, title="Trip, corrected"))
    assert ended.code == 4
    assert ended.record["state"] == "pending"


def test_several_items_end_as_the_worst_of_them() -> None:
    """An unknown outcome outweighs all else: it is the one to look after."""
    assert worst([0, 0]) == 0
    assert worst([0, 1, 4]) == 4
    assert worst([4, 2, 1]) == 2
    assert worst([1, 2, 3, 4, 0]) == 3
    assert worst([]) == 0


def test_a_reader_that_goes_away_is_no_error(folder: Folder) -> None:
    """``claimbridge schema claim | head -1`` ends quietly."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "claimbridge.cli", "schema", "claim"],
        stdout=write,
        stderr=subprocess.PIPE,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_ends_the_sandbox_without_a_traceback(tmp_path: Path) -> None:
    """Ctrl-C is the way to end the sandbox, so it is no failure."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbridge.cli", "sandbox", "--port", "0"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    assert process.stderr is not None
    for announced in iter(process.stderr.readline, ""):
        if "Ctrl-C" in announced:
            break
    process.send_signal(2)
    _, rest = process.communicate(timeout=20)
    os.close(terminal)
    assert (process.returncode, rest) == (0, "")


@pytest.mark.parametrize(("option", "tidy"), [("--tidy", True), ("--lifelike", False)])
def test_the_sandbox_is_as_untidy_as_it_is_told(option: str, tidy: bool) -> None:
    """With --lifelike replies differ from one another in how they are sent; with --tidy not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbridge.cli", "sandbox", "--port", "0", "--seed", "1", option],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        announced = iter(process.stderr.readline, "")
        address = next(line for line in announced if line.startswith("reference:")).split()[1]
        for line in announced:
            if "Ctrl-C" in line:
                break
        ask = (
            b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
            b'<q:ListChangesRequest xmlns:q="urn:claimbridge:voucher-service:1">'
            b"<q:Limit>1</q:Limit></q:ListChangesRequest></e:Body></e:Envelope>"
        )
        sent = urllib.request.Request(address, ask, {"Content-Type": "text/xml"})
        replies = {urllib.request.urlopen(sent).read() for _ in range(4)}
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert (len(replies) == 1) is tidy


@pytest.mark.parametrize("module", ["cyclopts", "rich.console"])
@pytest.mark.parametrize("start", ["claimbridge", "claimbridge.cli"])
def test_an_interrupt_while_it_loads_ends_without_a_traceback(
    tmp_path: Path, folder: Folder, module: str, start: str
) -> None:
    """Ctrl-C right after return is pressed meets imports, and no work."""
    interrupting = tmp_path / "early" / module.partition(".")[0]
    interrupting.mkdir(parents=True)
    (interrupting / "__init__.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, "-m", start, "map", "--chart", folder.chart, folder.claim()],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "early")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted")
    assert "Traceback" not in done.stderr


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    """Without the extra, the command says which one it needs."""
    program = (
        "import sys; sys.modules['cyclopts'] = None\n"
        "from claimbridge.cli import main; sys.exit(main(['demo']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, "claimbridge[cli]" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr
