from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from claimbridge.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"CB-\d{3}")
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.fixture
def playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a checkout, whose ledger CN01 is a sandbox and whose journal is its own."""
    for name in ("examples", "tests", "wsdl", "xsd"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAIMBRIDGE_CN01_JOURNAL", f"sqlite:///{tmp_path / 'claims.db'}")
    return tmp_path


@by_name
def test_python_blocks_run(
    page: Path,
    playground: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every Python block of a page runs as it stands, one after the other."""
    with Sandbox() as erp:
        monkeypatch.setenv("CLAIMBRIDGE_CN01_ENDPOINT", erp.url("reference"))
        document = Sybil(parsers=[PythonCodeBlockParser()]).parse(page)
        for example in document.examples():
            example.evaluate()
        if page.name == "README.md":
            assert len(erp.ledger()) == 1
            assert "EXP-2026-0042" in capsys.readouterr().out


def test_readme_commands_run(playground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``$ claimbridge`` line of the README ends with success."""
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"^\$ (claimbridge .*)$", text, re.MULTILINE)
    assert len(commands) >= 4
    with Sandbox() as erp:
        monkeypatch.setenv("CLAIMBRIDGE_CN01_ENDPOINT", erp.url("reference"))
        for command in commands:
            line = command.replace("claimbridge", f"{sys.executable} -m claimbridge.cli", 1)
            ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
            assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


@by_name
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_error_code_is_documented() -> None:
    """docs/errors.md lists the codes that the source uses, and no others."""
    sources = (ROOT / "src").rglob("*.py")
    used = {code for source in sources for code in CODE.findall(source.read_text())}
    listed = set(CODE.findall((ROOT / "docs" / "errors.md").read_text()))
    assert listed == used
