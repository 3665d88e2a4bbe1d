"""What a person sees: on terminals of 80 and 130 columns, and through pipes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.cli.conftest import EXAMPLES, Folder, Run


def on_terminal(columns: int, *arguments: str | Path) -> list[str]:
    """Run the command with stdout on a terminal so wide; return what it shows, without colours."""
    terminal, theirs = pty.openpty()
    # Without LINES too, rich takes every dumb terminal to have 80 columns.
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "24", "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbridge.cli", *map(str, arguments)],
        stdout=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says EIO once the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    return shown.decode().replace("\r", "").splitlines()


@pytest.mark.parametrize("columns", [80, 130])
def test_tables_fit_and_keep_codes_and_amounts_whole(folder: Folder, columns: int) -> None:
    """At 80 columns texts give way, with "…"; accounts and amounts never do."""
    lines = on_terminal(columns, "map", "--chart", folder.chart, EXAMPLES / "claims/travel-cn.json")
    assert max(map(cell_len, lines)) <= columns
    shown = "\n".join(lines)
    for whole in ("2221.01.01", "1,000.00", "2,189.00", "1200"):
        assert whole in shown
    assert ("…" in shown) == (columns == 80)


@pytest.mark.parametrize("columns", [80, 120])
def test_reasons_are_whole_beside_their_postings(folder: Folder, columns: int) -> None:
    """Sentences go on below, within the terminal; the claim field and the row stay whole."""
    claim = EXAMPLES / "claims/travel-cn.json"
    shown = on_terminal(columns, "map", "--chart", folder.chart, "--explain", claim)
    assert max(map(cell_len, shown)) <= columns
    reasons = shown[next(i for i, line in enumerate(shown) if "claim, chart" in line) :]
    assert sum("lines[1].amount" in line for line in reasons) == 2
    assert sum("accounts.employee_payable" in line for line in reasons) == 1
    words = " ".join(" ".join(reasons).split())
    assert "…" not in words
    assert "100 % of tax 60.00" in words


def test_other_books_and_payees_have_columns_where_there_are_any(run: Run, tmp_path: Path) -> None:
    """A plain voucher is not widened by them."""
    cases = EXAMPLES.parent / "tests/mapping/cases"
    heads = {}
    for name in ("intercompany", "payees", "plain-expense"):
        claim = tmp_path / f"{name}.json"
        claim.write_text(json.dumps(json.loads((cases / claim.name).read_text())["claim"]))
        shown = run("map", "--chart", cases / "chart.toml", claim).out
        heads[name] = shown.splitlines()[1].split()
    assert "company" in heads["intercompany"]
    assert "partner" in heads["payees"]
    assert not {"company", "partner"} & {*heads["plain-expense"]}


def test_chinese_text_does_not_push_columns_out_of_line(folder: Folder) -> None:
    """A Chinese character is two columns wide: what stands right of it is aligned all the same."""
    lines = on_terminal(130, "demo")
    head = next(line for line in lines if line.startswith("claim "))
    at = cell_len(head[: head.index("entry")])
    rows = [line for line in lines if line.startswith("EXP-")]
    assert len(rows) == 11
    for line in rows:
        number = next(i for i in range(len(line)) if cell_len(line[:i]) == at)
        assert line[number : number + 6].isdigit(), line


def test_a_pipe_gets_every_text_whole(run: Run, folder: Folder) -> None:
    """A file or another program has no width: nothing is cut or wrapped for it."""
    shown = run("map", "--chart", folder.chart, EXAMPLES / "claims/travel-cn.json").out
    assert "住宿费 张晓雨 上海住宿两晚" in shown
    assert "…" not in shown
    assert "\x1b" not in shown
