"""Every command that a page names exists, with the options that the page gives it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from cyclopts import App, CycloptsError

from claimbridge.cli.tree import build

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SHIPPED: Final = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted(path for path in (ROOT / "examples").rglob("*") if path.suffix in {".py", ".toml"}),
]
FENCE: Final = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"(?<!`)`(?!`)([^`]+)`(?!`)")
CALL: Final = re.compile(r"(?:^|[\s|;&(])(?:\$ )?claimbridge((?: [^|;&\n]+)?)", re.MULTILINE)
STOP: Final = {">", "<", "2>", ">>", "#"}
FULL: Final = re.compile(r"^\$ claimbridge( [^|;&>\n]+)", re.MULTILINE)
TREES: Final = "journal|intake|contract|chart|hesi"
IN_TEXT: Final = re.compile(rf"claimbridge ({TREES}) ([a-z][a-z-]*)")


def calls(text: str) -> Iterator[list[str]]:
    """Yield the words after ``claimbridge`` of each call in a page's blocks and inline code."""
    blocks = FENCE.findall(text)
    for block in blocks:
        for line in block.splitlines():
            shown = line.removeprefix("$ ").strip()
            if re.match(r"(.* \| )?claimbridge( |$)", shown):
                yield from map(words, CALL.findall(shown))
    for code in INLINE.findall(FENCE.sub("", text)):
        if re.match(r"claimbridge( |$)", code):
            yield from map(words, CALL.findall(code))


def words(call: str) -> list[str]:
    """Return the words of a call up to a redirection, without what is left open (…)."""
    found: list[str] = []
    for word in shlex.split(call.replace("…", " ").strip(), comments=True):
        if word in STOP or word.startswith(("2>", "&>")):
            break
        found.append(word)
    return found


def wrong(call: list[str]) -> str:
    """Return what is wrong with a call that may leave out what is required; "" for nothing."""
    tree = build()
    _, apps, rest = tree.parse_commands(call)
    app: App = apps[-1]
    if app.default_command is None:
        left = [word for word in rest if not word.startswith("--")]
        return f"there is no command {left[0]}" if left else ""
    if rest and app is tree:
        return f"there is no command {rest[0]}"
    known = {"--help", "-h", "--version"}
    takes_words = False
    for argument in app.assemble_argument_collection():
        known |= {*argument.names, *argument.negatives}
        takes_words = takes_words or argument.index is not None
    for word in rest:
        if word.startswith("--") and word.partition("=")[0] not in known:
            return f"{' '.join(call)} has no option {word}"
    if rest and not rest[0].startswith("-") and not takes_words:
        return f"{' '.join(call)}: there is no command {rest[0]}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    """By the command's own parser: command, options; in blocks and in running text."""
    found = [problem for call in calls(page.read_text()) if (problem := wrong(call))]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_to_type_parse_whole(page: Path) -> None:
    """What stands after ``$`` can be typed as it is: nothing that is required is left out."""
    found = []
    for call in FULL.findall(page.read_text()):
        if "…" in call or re.search(r"\b[A-Z]{3,}\b(?!-)", call):
            continue  # it stands for something
        try:
            build().parse_args(
                shlex.split(call, comments=True), exit_on_error=False, print_error=False
            )
        except CycloptsError as error:
            found.append(f"claimbridge{call}: {error}")
    assert found == []


def test_commands_that_messages_name_exist() -> None:
    """A sentence that sends a person to a command sends them to one that is there."""
    tree = build()
    found = set()
    for path in SHIPPED:
        for name, below in IN_TEXT.findall(path.read_text()):
            if below not in tree[name]:
                found.add(f"{path.relative_to(ROOT)}: claimbridge {name} {below}")
    assert found == set()


def test_what_does_not_exist_is_found() -> None:
    """The test itself can fail."""
    assert wrong(["journal", "list", "--state", "parked"]) == ""
    assert wrong(["status", "EXP-1", "--no-ask"]) == ""
    assert wrong(["intake"]) == ""
    assert "resettle" in wrong(["journal", "resettle", "X"])
    assert "settle" in wrong(["settle", "X"])
    assert "--nope" in wrong(["submit", "--nope"])
    assert "lst" in wrong(["intake", "lst"])
