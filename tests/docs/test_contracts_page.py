"""What the page on contracts shows is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "contracts.md"
CONSOLE = re.compile(r"^```console\n\$ claimbridge (.+)\n((?:.*\n)*?)```$", re.MULTILINE)


def test_the_pages_commands_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each console block is run, one after the other; a line "…" stands for any lines."""
    for name in ("wsdl", "xsd", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    blocks = CONSOLE.findall(PAGE.read_text())
    assert len(blocks) >= 5
    for command, shown in blocks:
        line = f"{sys.executable} -m claimbridge.cli {command}"
        ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        lines = (
            r"(?:.*\n)*?" if line == "…\n" else re.escape(line) for line in shown.splitlines(True)
        )
        pattern = "".join(lines)
        assert re.fullmatch(pattern, _trimmed(ended.stdout)), f"{command}\n{ended}"


def test_the_lock_that_the_page_shows_is_toml() -> None:
    """The example of a contract.toml has the keys that a lock has."""
    (text,) = re.findall(r"^```toml\n(wsdl = (?:.*\n)*?)```$", PAGE.read_text(), re.MULTILINE)
    assert list(tomllib.loads(text)) == ["wsdl", "locked", "files", "locations", "port"]


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
