"""What is printed never changes what is done, nor the exit code that tells of it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.cli.conftest import EXAMPLES, Folder, Run
from tests.cli.test_write_backs import put

from claimbridge.cli import main
from claimbridge.cli.catalogue import commands
from claimbridge.cli.outlet import Outlet
from claimbridge.clock import SYSTEM
from claimbridge.profiles.reference.profile import Reference
from claimbridge.sandbox import Sandbox
from claimbridge.sources.base.writeback import WriteBackState
from claimbridge.sources.record import SqliteRecord

INBOX: Final = '[source.inbox]\nkind = "folder"\nledger = "CN01"\npath = "inbox"\nsettle = 0\n'
OUTPUTS: Final = ("full", "closed", "gbk", "ascii", "latin-1")


@contextmanager
def stdout(kind: str) -> Iterator[None]:
    """Let stdout be a full disk, a pipe without a reader, or a file; in an encoding that lacks."""
    if kind == "closed":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open("/dev/full" if kind == "full" else os.devnull, os.O_WRONLY)
    encoding = {"full": "ascii", "closed": "gbk"}.get(kind, kind)
    broken = io.TextIOWrapper(io.BufferedWriter(io.FileIO(write, "wb")), encoding=encoding)
    before, sys.stdout = sys.stdout, broken
    try:
        yield
    finally:
        assert sys.stdout is broken
        sys.stdout = before
        broken.close()  # whatever is kept back still has a place to go to


def unlike(folder: Folder, claim: str) -> Path:
    """Write a claim with an invoice of its own."""
    first = json.loads((EXAMPLES / "claims/travel-cn.json").read_text())["lines"][0]
    document = {"kind": "vat_special", "number": f"INV-{claim}", "date": "2026-03-11"}
    content = {"title": "差旅 ✈ é", "total": 1060, "lines": [first | {"documents": [document]}]}
    return folder.claim(id=claim, **content)


class Blind(Reference):
    """An ERP that cannot be asked: what is lost is parked."""

    capabilities = msgspec.structs.replace(
        Reference.capabilities, can_query=False, unique_reference=False, can_list_changes=False
    )


Arranged = Callable[[], Any]
"""What became of it: read after the command."""


class Stage:
    """A folder with a ledger, ready for any command that acts; each ``do_…`` arranges one."""

    def __init__(self, folder: Folder, sandbox: Sandbox, run: Run) -> None:
        self.folder, self.sandbox, self.run = folder, sandbox, run

    def submissions(self) -> Any:
        """What the journal and the ERP hold."""
        told = self.run("journal", "list", "--json").records
        kept = sorted((one["claim"], one["state"], one["purpose"]) for one in told)
        return kept, len(self.sandbox.ledger())

    def posted(self, *claims: str) -> None:
        """Post claims."""
        for name in claims:
            assert self.run("submit", unlike(self.folder, name)).code == 0

    def doubted(self, claim: str) -> None:
        """Post a claim whose answers are lost."""
        self.sandbox.set_faults("submit:commit-then-drop,query:drop-before-commit")
        assert self.run("submit", "--new-journal", unlike(self.folder, claim)).code == 3
        self.sandbox.set_faults("")

    def source(self) -> None:
        """Configure a folder as a source, with one good claim and one that is none."""
        endpoint = self.sandbox.url("reference")
        self.folder.configure(INBOX, endpoint=endpoint)
        inbox = self.folder.path / "inbox"
        inbox.mkdir()
        (inbox / "good.json").write_text(unlike(self.folder, "EXP-GOOD").read_text())
        closed = self.folder.claim(
            id="EXP-OLD", posting_date="2025-12-31", line={"date": "2025-12-30"}
        )
        shutil.copy(closed, inbox / "old.json")

    def arrivals(self) -> Any:
        """What the record holds."""
        told = self.run("intake", "list", "--json").records
        return sorted((one["claim"], one["state"]) for one in told), self.submissions()

    def do_submit(self) -> tuple[list[Any], Arranged]:
        """Several claims, of which one is refused."""
        closed = self.folder.claim(posting_date="2025-12-31", line={"date": "2025-12-30"})
        return ["submit", *sorted(EXAMPLES.glob("claims/*.json"))[:3], closed], self.submissions

    def do_reverse(self) -> tuple[list[Any], Arranged]:
        """A posted claim."""
        self.posted("EXP-R")
        return ["reverse", "EXP-R", "--reason", "付重了 ✗ é"], self.submissions

    def do_probe(self) -> tuple[list[Any], Arranged]:
        """A voucher there and back."""
        arguments = ["--company", "CN01", "--type", "taxi", "--employee", "E1", "--yes"]
        return ["probe", "CN01", *arguments], lambda: [one.state for one in self.sandbox.ledger()]

    def do_codes(self) -> tuple[list[Any], Arranged]:
        """A list of records that the ERP has, kept beside the configuration."""
        self.folder.configure(endpoint=self.sandbox.url("netsuite"), profile="netsuite")
        kept = self.folder.path / "claimbridge-codes-CN01.json"
        return ["codes", "CN01", "account"], lambda: list(json.loads(kept.read_text())["lists"])

    def do_reconcile(self) -> tuple[list[Any], Arranged]:
        """Two claims in doubt."""
        self.doubted("EXP-D1")
        self.doubted("EXP-D2")
        return ["reconcile"], self.submissions

    def do_intake(self) -> tuple[list[Any], Arranged]:
        """A pass over two files."""
        self.source()
        return ["intake"], self.arrivals

    def do_intake_retry(self) -> tuple[list[Any], Arranged]:
        """A parked claim."""
        self.source()
        assert self.run("intake").code == 1
        return ["intake", "retry", "EXP-OLD"], self.arrivals

    def do_intake_refuse(self) -> tuple[list[Any], Arranged]:
        """A parked claim."""
        self.source()
        assert self.run("intake").code == 1
        return ["intake", "refuse", "EXP-OLD", "--reason", "已付 ✓"], self.arrivals

    def do_intake_write_backs(self) -> tuple[list[Any], Arranged]:
        """Something that waits for a person."""
        self.folder.configure(
            '[source.hesi]\nkind = "hesi"\nledger = "CN01"',
            'app_key = "env:NONE"\napp_secret = "env:NONE"',
            endpoint=self.sandbox.url("reference"),
        )
        record = SqliteRecord(self.folder.path / "claims.db")
        put(
            record,
            "ID-1",
            WriteBackState.SENDING,
            WriteBackState.PARKED,
            reason="单据不是已支付状态",
        )
        record.close()

        def seen() -> Any:
            told = self.run("intake", "write-backs", "--json").records
            return [(one["key"], one["state"]) for one in told]

        return ["intake", "write-backs", "--retry", "ID-1"], seen

    def do_journal_settle(self) -> tuple[list[Any], Arranged]:
        """A parked claim."""
        self.folder.configure(endpoint=self.sandbox.url("reference"), profile=f"{__name__}:Blind")
        self.doubted("EXP-S")
        arguments = ["journal", "settle", "EXP-S", "--revision", "1", "--posted", "000001"]
        return arguments, self.submissions

    def do_journal_rename(self) -> tuple[list[Any], Arranged]:
        """A ledger that is called otherwise now."""
        self.posted("EXP-N")
        text = self.folder.config.read_text()
        self.folder.config.write_text(text.replace("[ledger.CN01]", '[ledger."上海"]'))
        return ["journal", "rename", "CN01", "上海"], self.books

    def do_journal_moved(self) -> tuple[list[Any], Arranged]:
        """A ledger whose book is elsewhere now."""
        self.posted("EXP-M")
        self.folder.configure(endpoint=self.sandbox.url("reference"), book="主账簿")
        return ["journal", "moved", "CN01"], self.books

    def do_journal_restored(self) -> tuple[list[Any], Arranged]:
        """An older copy of the journal."""
        self.posted("EXP-J1")
        kept = self.folder.path / "older.db"
        shutil.copy(self.folder.path / "claims.db", kept)
        self.posted("EXP-J2")
        shutil.copy(kept, self.folder.path / "claims.db")
        until = SYSTEM.now().isoformat()
        return ["journal", "restored", "--until", until], self.submissions

    def do_contract_lock(self) -> tuple[list[Any], Arranged]:
        """A contract beside the examples."""
        into = self.folder.path / "locked"
        arguments = ["contract", "lock", EXAMPLES / "own_erp.wsdl", "--into", into]
        return arguments, lambda: sorted(path.name for path in into.iterdir())

    def do_chart_test(self) -> tuple[list[Any], Arranged]:
        """An example claim without expectations."""
        cases = self.folder.path / "chart.cases"
        cases.mkdir()
        claim = json.loads((EXAMPLES / "claims/travel-cn.json").read_text())
        case = cases / "one.json"
        case.write_text(json.dumps({"claim": claim}))
        return ["chart", "test", "chart.toml", "--write"], lambda: "postings" in case.read_text()

    def books(self) -> Any:
        """What the books are called, and where they are."""
        told = self.run("journal", "books", "--json").records
        return [(one["names"], one["within"]) for one in told]


ACTING: Final = [" ".join(names) for names, command in commands() if command.acts]


@pytest.mark.parametrize("output", ["full", "closed"])
@pytest.mark.parametrize("command", ACTING)
def test_work_ends_as_it_would(
    folder: Folder, sandbox: Sandbox, run: Run, capfd: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    command: str, output: str,
) -> None:  # fmt: skip
    """Of every command that acts, end and exit code are those with a terminal that takes all."""
    name = "do_" + re.sub(r"\W", "_", command)
    arguments, seen = getattr(Stage(folder, sandbox, run), name)()
    wanted = run(*arguments).code, seen()

    with Sandbox() as other:
        monkeypatch.chdir(tmp_path_factory.mktemp("other"))
        stage = Stage(Folder(Path.cwd(), other.url("reference")), other, run)
        arguments, seen = getattr(stage, name)()
        capfd.readouterr()
        with stdout(output):
            code = main([str(argument) for argument in arguments])
        told = capfd.readouterr().err
        assert (code, seen()) == wanted
    assert "the exit code is the work's" in told
    assert "Traceback" not in told


def test_every_command_that_acts_is_walked() -> None:
    """A new one has a stage here, and says that it acts."""
    looking = {
        "doctor", "status", "map", "preview", "validate", "schema", "reply", "sign", "verify",
        "demo", "sandbox", "contract show", "contract diff", "contract check", "contract types",
        "intake list", "chart check", "hesi fields", "hesi claims", "journal list", "journal show",
        "journal invoices", "journal books",
    }  # fmt: skip
    assert {" ".join(names) for names, _ in commands()} == looking | set(ACTING)
    staged = {name[3:] for name in vars(Stage) if name.startswith("do_")}
    assert staged == {re.sub(r"\W", "_", name) for name in ACTING}


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_lost_outcome_stays_3(
    folder: Folder, sandbox: Sandbox, run: Run, output: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A script never reads "a business no" where money may have moved."""
    sandbox.set_faults("submit:commit-then-drop,query:drop-before-commit")
    claims = [*map(str, sorted(folder.path.glob("claims/*.json")))]
    with stdout(output):
        assert main(["submit", *claims]) == 3
    sandbox.set_faults("")
    told = run("journal", "list", "--json", "--state", "in_doubt").records
    assert len(told) == len(sandbox.ledger()) > 5


def test_a_process_ends_so_too(folder: Folder, sandbox: Sandbox) -> None:
    """Not even the interpreter's last flush, of a full disk, changes the code."""
    for redirected in (">/dev/full", "| head -c 0", ">&-", ">/dev/full 2>&1", ">&- 2>&-"):
        claim = unlike(folder, f"EXP-{len(sandbox.ledger())}")
        script = f"set -o pipefail; '{sys.executable}' -m claimbridge submit {claim} {redirected}"
        assert subprocess.run(["bash", "-c", script], stderr=subprocess.DEVNULL).returncode == 0
    assert len(sandbox.ledger()) == 5


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "latin-1"])
def test_json_is_the_same_in_every_encoding(folder: Folder, encoding: str) -> None:
    r"""What an encoding lacks stands as ``\uXXXX``, in pairs where need be."""
    claim = folder.claim(title="住宿 ✓ é 😀")
    printed = {}
    for name in ("utf-8", encoding):
        done = subprocess.run(
            [sys.executable, "-m", "claimbridge", "map", "--chart", "chart.toml", "--json", claim],
            env={**os.environ, "PYTHONIOENCODING": name},
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        printed[name] = json.loads(done.stdout.decode(name))
    assert printed[encoding] == printed["utf-8"]


def test_people_are_told_what_their_encoding_lacks(folder: Folder) -> None:
    """Once, on stderr; the command's own marks have plain forms and need no word."""

    def shown(claim: Path, encoding: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "claimbridge", "map", "--chart", "chart.toml", claim],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode(encoding), done.stderr.decode(encoding)

    out, err = shown(folder.claim(title="é 住宿"), "gbk")
    assert "住宿" in out
    assert err == ""
    out, err = shown(folder.claim(title="住宿"), "latin-1")
    assert "\\u4f4f\\u5bbf" in out
    assert err.count("which lacks some characters") == 1


@pytest.mark.parametrize("arguments", [("schema", "claim"), ("sign",)])
def test_a_document_that_is_not_written_whole_is_no_success(
    folder: Folder, arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the document is the whole work, a full disk is its failure (2, CB-295)."""
    from claimbridge.signing.keys import throwaway

    if arguments == ("sign",):
        key = folder.write("key.pem", throwaway.make().pem())
        document = folder.write("v.xml", b"<v/>")
        arguments = ("sign", "--identity", str(key), str(document))
    with stdout("full"):
        assert main(arguments) == 2
    assert "CB-295" in capfd.readouterr().err
    with stdout("closed"):
        assert main(arguments) == 0
    assert capfd.readouterr().err == ""


def test_an_outlet_spells_and_drops() -> None:
    """A lone surrogate, of a file's name, does not stop a message; nor does a closed stream."""
    raw = io.BytesIO()
    out = Outlet(io.TextIOWrapper(raw, encoding="utf-8"))
    out.write("a\udc80b")
    out.flush()
    assert raw.getvalue() == b"a\\udc80b"
    assert out.lacking
    raw.close()
    out.write("more")
    out.flush()
    assert out.failed is not None
    Outlet(None).write("nobody reads it")


SAMPLES: Final = {
    "submit": (),
    "preview": ("--chart", "chart.toml"),
    "map": ("--chart", "chart.toml"),
    "validate": (),
}


@pytest.mark.parametrize("command", SAMPLES)
def test_a_dash_reads_a_claim_from_stdin(folder: Folder, command: str) -> None:
    """``… | claimbridge submit -`` takes what it is given."""
    ended = piped(folder.claim().read_bytes(), command, *SAMPLES[command], "-")
    assert ended.returncode == 0, ended.stderr


def test_a_dash_reads_other_files_from_stdin(folder: Folder) -> None:
    """Charts, contracts, maps, replies and signed documents too."""
    claim = folder.claim()
    chart = folder.chart.read_bytes()
    wsdl = (EXAMPLES / "own_erp.wsdl").read_bytes()
    assert piped(chart, "map", "--chart", "-", claim).returncode == 0
    assert piped(chart, "preview", "--chart", "-", claim).returncode == 0
    assert piped(chart, "chart", "check", "-").returncode == 0
    assert b"6602" in piped(b"6602.01\n", "chart", "check", "chart.toml", "--accounts", "-").stdout
    assert b"PostEntry" in piped(wsdl, "contract", "show", "-").stdout
    assert piped(wsdl, "contract", "diff", EXAMPLES / "own_erp.wsdl", "-").returncode == 0
    assert piped(wsdl, "contract", "lock", "-", "--into", "locked").returncode == 0
    assert piped(wsdl, "contract", "types", "PostEntry", "--contract", "-").returncode == 0
    fault = b"<not-xml"
    assert piped(fault, "reply", "-").returncode == 3
    assert piped(fault, "verify", "--trust", folder.claim(), "-").returncode == 2


def piped(data: bytes, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command with ``data`` on stdin."""
    return subprocess.run(
        [sys.executable, "-m", "claimbridge", *map(str, arguments)], input=data, capture_output=True
    )
