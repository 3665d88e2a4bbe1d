"""What commands say of books: ledgers that were renamed, moved, or taken out of the file."""

from __future__ import annotations

import subprocess
import sys

from rich.cells import cell_len
from tests.cli.conftest import Folder, Run
from tests.cli.test_terminal import on_terminal

from claimbridge.sandbox import Sandbox


def rename(folder: Folder, old: str, new: str) -> None:
    """Call the ledger otherwise in the configuration."""
    text = folder.config.read_text().replace(f"[ledger.{old}]", f"[ledger.{new}]")
    folder.config.write_text(text)


def test_a_renamed_ledger_goes_on(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """Another process finds the book by its place, and nothing is posted again."""
    claim = folder.claim(id="EXP-B1")
    assert run("submit", claim).code == 0
    rename(folder, "CN01", "SHANGHAI")
    before = len(sandbox.ledger())
    again = subprocess.run(
        [sys.executable, "-m", "claimbridge.cli", "submit", str(claim), "--json"],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0
    assert "SHANGHAI" in again.stderr  # the journal has learnt the name, and says so once
    assert run("submit", claim).err == ""
    assert len(sandbox.ledger()) == before
    assert run("status", "EXP-B1", "--no-ask", "--json").record["state"] == "posted"
    assert run("journal", "list", "--json").record["claim"] == "EXP-B1"
    found = {one["what"]: one for one in run("doctor", "--json").records}
    assert found["book"]["verdict"] == "ok"
    assert "also known as CN01" in found["book"]["text"]


def test_a_book_that_no_ledger_means_is_told(run: Run, folder: Folder) -> None:
    """By ``doctor`` and by every command that sends, with what to do; never as an exit code."""
    assert run("submit", folder.claim(id="EXP-B2")).code == 0
    rename(folder, "CN01", "HK01")
    folder.config.write_text(folder.config.read_text().replace('"http', '"https'))
    advice = "claimbridge journal rename CN01 NEW"
    (told,) = [one for one in run("doctor", "--json").records if one["what"] == "books"]
    assert told["verdict"] == "warning"
    assert advice in told["text"]
    assert "1 submission of ledger CN01" in told["text"]
    for command in (["submit", folder.claim(id="EXP-B3")], ["reconcile"], ["reverse", "EXP-B2"]):
        assert advice in run(*command).err
    assert advice in run("submit", folder.claim(id="EXP-B2")).err
    refused = run("submit", folder.claim(id="EXP-B2"), "--json")
    assert refused.record["code"] == "CB-457"
    assert (refused.record["state"], refused.code) == (None, 1)


def test_rename_moves_a_name(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The file's new name means what the old one meant, though the ERP has moved with it."""
    claim = folder.claim(id="EXP-B4")
    assert run("submit", claim).code == 0
    rename(folder, "CN01", "SHANGHAI")
    with Sandbox() as moved:
        folder.config.write_text(
            folder.config.read_text().replace(f":{sandbox.port}/", f":{moved.port}/")
        )
        assert run("submit", claim).code == 1  # another place, another name: CB-457
        done = run("journal", "rename", "CN01", "SHANGHAI", "--json")
        assert (done.code, done.record["names"]) == (0, ["SHANGHAI"])
        assert done.record["states"] == {"posted": 1}
        assert run("submit", claim).code == 0
        assert moved.ledger() == []
    unknown = run("journal", "rename", "CN01", "OTHER")
    assert unknown.code == 2
    assert "CB-233" in unknown.err
    assert "SHANGHAI" in unknown.err


def test_two_books_with_claims_stay_two(run: Run, folder: Folder) -> None:
    """Claims never change their book: each is known to the ERP by what was sent."""
    assert run("submit", folder.claim(id="EXP-B5")).code == 0
    with Sandbox() as other:
        more = f'[ledger.HK01]\nendpoint = "{other.url("reference")}"\nchart = "chart.toml"\n'
        folder.config.write_text(folder.config.read_text() + more + 'journal="sqlite:///claims.db"')
        assert (
            run(
                "submit",
                folder.claim("mileage-en", id="EXP-B6", company="CN01"),
                "--ledger",
                "HK01",
            ).code
            == 0
        )
        for arguments in (["rename", "CN01", "HK01"], ["rename", "HK01", "CN01"]):
            refused = run("journal", *arguments)
            assert (refused.code, "CB-233" in refused.err) == (2, True)
    listed = run("journal", "books", "--json").records
    assert [one["names"] for one in listed] == [["CN01"], ["HK01"]]
    assert [one["states"] for one in listed] == [{"posted": 1}] * 2
    assert all(one["configured"] for one in listed)


def test_moved_says_that_it_is_the_same_book(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """A ledger whose ERP has another address posts nothing until a person has said so."""
    claim = folder.claim(id="EXP-B7")
    assert run("submit", claim).code == 0
    here = sandbox.url("reference")
    folder.configure(endpoint=here, book="main")
    refused = run("submit", claim, "--json")
    assert (refused.code, refused.record["code"]) == (2, "CB-232")
    (found,) = [one for one in run("doctor", "--json").records if one["what"] == "book"]
    assert found["verdict"] == "failure"
    assert run("status", "EXP-B7", "--no-ask").code == 2
    assert run("journal", "show", "EXP-B7", "--json").records  # looking is always possible
    assert run("journal", "moved", "CN01", "--json").record["within"] == "main"
    assert run("submit", claim).code == 0
    assert run("journal", "moved", "CN01").code == 0


def test_books_fit_a_terminal(run: Run, folder: Folder) -> None:
    """At 80 columns nothing is cut: ids, places and advice go on below."""
    assert run("submit", folder.claim(id="EXP-B8")).code == 0
    (listed,) = run("journal", "books", "--json").records
    lines = on_terminal(80, "journal", "books")
    assert max(map(cell_len, lines)) <= 80
    shown = "".join("".join(lines).split())
    for whole in (listed["book"], "CN01", "1posted"):
        assert whole in shown
    rename(folder, "CN01", "HK01")
    folder.config.write_text(folder.config.read_text() + 'book = "x"\n')
    lines = on_terminal(80, "doctor")
    assert max(map(cell_len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_help_has_an_example(run: Run) -> None:
    """Each new command says how it is called."""
    for name in ("books", "rename", "moved"):
        assert f"claimbridge journal {name}" in run("journal", name, "--help").out
