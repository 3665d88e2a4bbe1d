"""The tree of commands, as cyclopts has it; each command's code is loaded when it is called."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, Group, Parameter

from claimbridge.cli.catalogue import GROUPS, TREES, Command


def build() -> App:
    """Return the tree of commands."""
    root = App(
        name="claimbridge",
        help="Approved expense claims into any ERP's ledger, exactly once in effect.\n\n"
        "Exit codes: 0 done · 1 refused for a business reason · 2 usage or configuration · "
        "3 outcome unknown · 4 not delivered",
        version=_version,
        help_format="markdown",
        version_flags=["--version"],
        default_parameter=Parameter(show_default=_default_text),
        suppress_keyboard_interrupt=False,  # ``main`` says what was under way
    )
    titles = (*GROUPS, "Contracts")
    groups = {title: Group(title, sort_key=order) for order, title in enumerate(titles)}
    for title, commands in GROUPS.items():
        with_commands(root, commands, groups[title])
    for name, tree in TREES.items():
        group = groups[tree.title]
        app = App(name=name, help=tree.about, group=group, sort_key=tree.position)
        with_commands(app, tree.commands, None)
        root.command(app)
    options = Group("Options", sort_key=len(groups))
    for flag in ("--help", "--version"):
        root[flag].group = options
    return root


def with_commands(app: App, commands: Iterable[Command], group: Group | None) -> None:
    """Add commands to a tree, each loaded when it is called."""
    for order, command in enumerate(commands):
        app.command(
            f"claimbridge.cli.{command.place}",
            name=command.name,
            help=f"{command.summary}\n\nExample: `{command.example}`",
            group=group,
            sort_key=order,
        )


def _version() -> str:
    try:
        return version("claimbridge")
    except PackageNotFoundError:
        return "not installed"


def _default_text(default: object) -> object:
    """Return a default as help shows it; what merely means "not given" is not shown."""
    return None if default in (False, "", [], None) else default


__all__ = ["build", "with_commands"]
