from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import version

import pytest
from cyclopts import App
from tests.cli.conftest import Run

from claimbridge.cli.catalogue import CONTRACT, GROUPS, HESI, INTAKE, JOURNAL, Command
from claimbridge.cli.tree import build

COMMANDS = [((one.name,), one) for group in GROUPS.values() for one in group]
COMMANDS += [(("intake", one.name), one) for one in INTAKE]
COMMANDS += [(("hesi", one.name), one) for one in HESI]
COMMANDS += [(("journal", one.name), one) for one in JOURNAL]
COMMANDS += [(("contract", one.name), one) for one in CONTRACT]
EACH = pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS]
)


@EACH
def test_help_of_every_command_shows_an_example(
    run: Run, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], command: Command
) -> None:
    """A user sees from ``--help`` alone what to type."""
    monkeypatch.setenv("COLUMNS", "200")
    shown = run(*path, "--help")
    assert shown.code == 0
    assert f"Example: {command.example}" in shown.out
    assert command.summary in shown.out
    assert shown.err == ""


@EACH
def test_the_example_is_a_call_that_the_command_accepts(
    path: tuple[str, ...], command: Command
) -> None:
    """An example that names an option which no longer exists is found here."""
    said = command.example.partition(" > ")[0]
    assert said.startswith(f"claimbridge {' '.join(path)}")
    build().parse_args(said.removeprefix("claimbridge "), exit_on_error=False, print_error=False)


@EACH
def test_help_promises_what_the_code_promises(path: tuple[str, ...], command: Command) -> None:
    """The line in the list of commands is the first line of the function's docstring."""
    module, _, name = command.place.partition(":")
    found = getattr(importlib.import_module(f"claimbridge.cli.{module}"), name)
    function = found.default_command if isinstance(found, App) else found
    documented = inspect.getdoc(function)
    assert documented is not None
    assert documented.splitlines()[0] == command.summary


def test_help_lists_every_command_with_what_it_does(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page is the map of the command."""
    monkeypatch.setenv("COLUMNS", "200")
    shown = run("--help").out
    for path, command in COMMANDS:
        assert path[0] in shown
        assert len(path) > 1 or command.summary in shown
    assert "4 not delivered" in shown


def test_help_comes_at_once() -> None:
    """No command's code is loaded for the list of commands, and none of the slow libraries."""
    slow = ("zeep", "lxml", "starlette", "signxml", "cryptography", "claimbridge.client")
    script = (
        "import sys; from claimbridge.cli import main; main(['--help']); "
        f"print([name for name in {slow} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_version(run: Run) -> None:
    """``--version`` prints the installed version and nothing else."""
    assert run("--version").out.strip() == version("claimbridge")
