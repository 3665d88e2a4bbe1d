"""No text of an ERP makes a terminal obey it, or looks like a line of ours."""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, Run

from claimbridge.errors import spelt

HOSTILE = "no\u009b2J\u0085\u202edetsop\u202c\u2028\u200b\n✓ EXP-2026-0042: posted"
SPELT = "no<U+009B>2J<U+0085><U+202E>detsop<U+202C><U+2028><U+200B><U+000A>✓ EXP-2026-0042: posted"
ESCAPED = r"no\u009b2J\u0085\u202edetsop\u202c\u2028\u200b\n✓ EXP-2026-0042: posted"
REFUSAL = """<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<soap:Fault><faultcode>soap:Client</faultcode><faultstring>refused</faultstring><detail>
<s:RejectedFault xmlns:s="urn:claimbridge:voucher-service:1"><s:Reference>{reference}</s:Reference>
<s:Reason><v:Code xmlns:v="urn:claimbridge:voucher:1">other</v:Code>
<v:Text xmlns:v="urn:claimbridge:voucher:1">{text}</v:Text></s:Reason></s:RejectedFault></detail>
</soap:Fault></soap:Body></soap:Envelope>"""
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e]")


def refusal(reference: str) -> bytes:
    return REFUSAL.format(reference=reference, text=HOSTILE).encode()


class Refusing(BaseHTTPRequestHandler):
    """An ERP that refuses every voucher, in words of its own."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        found = re.search(rb"Reference[^>]*>([^<]+)<", asked)
        answer = refusal(found[1].decode() if found else "")
        self.send_response(500)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing(folder: Folder) -> Iterator[Folder]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        source = ['[source.inbox]\nkind = "folder"\nledger = "CN01"\npath = "inbox"\nsettle = 0.0']
        endpoint = f"http://127.0.0.1:{server.server_address[1]}/"
        folder.configure(*source, endpoint=endpoint)
        yield folder
        server.shutdown()
        thread.join()


def check(shown: str, *, json_lines: bool) -> None:
    """Fail unless the ERP's text is there, whole, on one line, with nothing that is obeyed."""
    assert not _OBEYED.search(shown)
    assert (ESCAPED if json_lines else SPELT) in shown
    assert not any(line.startswith("✓ EXP-2026-0042") for line in shown.splitlines())
    if json_lines:
        assert any(HOSTILE in str(value) for value in _texts(json.loads(shown)))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)]


def test_a_saved_reply(run: Run, folder: Folder) -> None:
    """What a Fault says is spelt for people, and escaped for scripts."""
    saved = folder.write("reply.xml", refusal("EXP-2026-0042"))
    check(run("reply", saved).out, json_lines=False)
    check(run("reply", "--json", saved).out, json_lines=True)


@pytest.mark.parametrize("machine", [False, True], ids=["people", "json"])
def test_what_a_submission_leaves_behind(run: Run, refusing: Folder, machine: bool) -> None:
    """Submitting, its standing, and the journal show the same text, none of it raw."""
    more = ["--config", refusing.config, *(["--json"] if machine else [])]
    submitted = run("submit", *more, refusing.claim())
    assert submitted.code == 1
    shown = submitted.out if machine else submitted.out + submitted.err
    check(shown, json_lines=machine)
    claim = json.loads((refusing.path / "claim.json").read_text())["id"]
    for asked in (("status", *more, claim), ("journal", "show", *more, claim)):
        told = run(*asked)
        assert not _OBEYED.search(told.out + told.err), asked
        assert "detsop" in told.out, asked
    listed = run("journal", "list", *more)
    assert not _OBEYED.search(listed.out + listed.err)


def test_the_intake_and_its_reason_files(run: Run, refusing: Folder) -> None:
    """What is parked is told with the ERP's text spelt, on the terminal and beside the file."""
    inbox = refusing.path / "inbox"
    inbox.mkdir()
    refusing.claim().rename(inbox / "claim.json")
    more = ["--config", refusing.config]
    passed = run("intake", *more)
    assert not _OBEYED.search(passed.out + passed.err)
    check(passed.out + passed.err, json_lines=False)
    check(run("intake", "list", *more).out, json_lines=False)
    listed = run("intake", "list", "--json", *more)
    assert not _OBEYED.search(listed.out)
    (reason,) = (inbox / "refused").glob("*.txt")
    told = reason.read_text(encoding="utf-8")
    assert "<U+202E>detsop" in told
    assert not _OBEYED.search(told)
    assert len(told.splitlines()) == 2
    assert reason.stat().st_mode & 0o777 == 0o600
    assert (inbox / "refused").stat().st_mode & 0o777 == 0o700


def test_every_control_and_format_character_is_spelt() -> None:
    """All of Unicode's categories Cc, Cf, Zl and Zp, but for the tabulator."""
    raw = [
        character
        for character in map(chr, range(0x110000))
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"}
        and spelt(f"a{character}b", breaks=True) == f"a{character}b"
    ]
    assert raw == ["\t"]


def test_a_files_name(run: Run, tmp_path: Path) -> None:
    """A name may hold every character too."""
    file = tmp_path / "a\u202egnp.\x1b[31m\n✓ done.xml"
    file.write_bytes(b"<a/>")
    told = run("validate", file)
    assert not _OBEYED.search(told.out + told.err)
    assert not any(line.startswith("✓ done") for line in told.out.splitlines())
