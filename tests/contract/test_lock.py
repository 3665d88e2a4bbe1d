"""A lock holds a contract's files as they are, needs nothing else, and appears whole or not."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import ssl
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.soap.authority import Authority

from claimbridge.contract import Contract
from claimbridge.contract.study import lock as locking
from claimbridge.contract.study.lock import lock
from claimbridge.errors import ClaimBridgeError, ContractDrift, ContractError
from claimbridge.soap.transport.download import Downloads

SAMPLE = Path(__file__).parent / "data" / "sample"
AT = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
SHARED = [
    "sap-journal-entry/2020.wsdl",
    "sap-journal-entry/2024.wsdl",
    "netsuite-2023.2/netsuite.wsdl",
    "workday-financial-management-v30/Financial_Management.wsdl",
    "kingdee-eas/EASLogin_2021.wsdl",
    "kingdee-eas/WSGLWebServiceFacade.wsdl",
    "in-string/LoadService.wsdl",
    "in-string/reim.wsdl",
]


def _no_fetch(address: str) -> bytes:
    raise AssertionError(f"a file asked for {address}")


def _held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Server:
    """A server of documents by path and query; ``asked`` are the requests in order."""

    def __init__(self, documents: dict[str, bytes], tls: ssl.SSLContext | None = None) -> None:
        self.documents = documents
        self.asked: list[str] = []
        self.status = 200
        self.wait = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                time.sleep(outer.wait)
                found = outer.documents.get(self.path)
                self.send_response(outer.status if found is not None else 404)
                self.send_header("Content-Length", str(len(found or b"")))
                if outer.status // 100 == 3:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                with suppress(OSError):  # who waits no longer
                    self.wfile.write(found or b"")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """``serve({"/a?wsdl": b"…"})``: a server on loopback for the test's time."""
    started: list[Server] = []

    def start(documents: dict[str, bytes], tls: ssl.SSLContext | None = None) -> Server:
        started.append(Server(documents, tls))
        return started[-1]

    yield start
    for server in started:
        server.end()


def _published(base: str = "") -> dict[str, bytes]:
    """Return the sample as servers publish a contract: every file a query of one address."""
    wsdl = (SAMPLE / "service.wsdl").read_text()
    types = (SAMPLE / "types" / "types.xsd").read_text()
    assert "types/types.xsd" in wsdl
    assert '"codes.xsd"' in types
    return {
        "/erp/voucher?wsdl": wsdl.replace("types/types.xsd", f"{base}voucher?xsd=1").encode(),
        "/erp/voucher?xsd=1": types.replace('"codes.xsd"', f'"{base}voucher?xsd=2"').encode(),
        "/erp/voucher?xsd=2": (SAMPLE / "types" / "codes.xsd").read_bytes(),
    }


def test_a_lock_holds_the_files_byte_for_byte_and_contract_toml_and_nothing_else(
    tmp_path: Path,
) -> None:
    """What is written is what was there; contract.toml says from where, when, and what."""
    made = lock(SAMPLE / "service.wsdl", into=tmp_path / "a" / "erp", fetch=_no_fetch, at=AT)
    held = _held(tmp_path / "a")
    toml = tomllib.loads(held.pop("erp/contract.toml").decode())
    assert held == {f"erp/{name}": content for name, content in _held(SAMPLE).items()}
    assert toml["locked"] == {"from": str(SAMPLE / "service.wsdl"), "at": AT}
    assert toml["wsdl"] == "service.wsdl"
    assert toml["files"].keys() == made.files.keys() == _held(SAMPLE).keys()
    assert [(port["name"], port["binding"]) for port in toml["port"]] == [
        ("P11", "SOAP 1.1"),
        ("P12", "SOAP 1.2"),
    ]
    assert "Post" in toml["port"][0]["operations"]


def test_a_lock_opens_where_its_source_is_gone(tmp_path: Path) -> None:
    """Afterwards only the lock is needed; a file of it that changed is refused by name."""
    source = Path(shutil.copytree(SAMPLE, tmp_path / "source"))
    lock(source, into=tmp_path / "erp", fetch=_no_fetch, at=AT)
    shutil.rmtree(source)
    assert "Post" in Contract.load(tmp_path / "erp").operations
    codes = tmp_path / "erp" / "types" / "codes.xsd"
    codes.write_bytes(codes.read_bytes() + b" ")
    with pytest.raises(ContractDrift, match=r"types/codes\.xsd") as caught:
        Contract.load(tmp_path / "erp")
    assert caught.value.code == "CB-211"


@pytest.mark.parametrize("name", SHARED)
def test_real_contracts_lock_and_open(
    name: str, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    """Every real contract locks, rpc and SOAP-encoded ones too, and opens as it did before."""
    source = shared(f"contracts/{name}")
    made = lock(source, into=tmp_path / "erp", fetch=_no_fetch, at=AT)
    for file in made.files:
        assert (tmp_path / "erp" / file).read_bytes() == (source.parent / file).read_bytes()
    before, after = Contract.load(source), Contract.load(tmp_path / "erp")
    assert after.operations == before.operations
    assert made.offer.operations()


def test_an_address_is_fetched_once_and_locked(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """Files that are queries of one address get names of their own; each is asked for once."""
    server = serve(_published())
    made = lock(
        f"http://127.0.0.1:{server.port}/erp/voucher?wsdl",
        into=tmp_path / "erp",
        fetch=Downloads(),
        at=AT,
    )
    assert sorted(server.asked) == sorted(_published())
    assert sorted(made.files) == ["voucher-xsd-1.xsd", "voucher-xsd-2.xsd", "voucher.wsdl"]
    assert (tmp_path / "erp/voucher.wsdl").read_bytes() == _published()["/erp/voucher?wsdl"]
    server.documents.clear()
    contract = Contract.load(tmp_path / "erp")
    plain = Contract.load(SAMPLE)
    body = plain.render("Post", {"Employee": "E1"})
    assert contract.render("Post", {"Employee": "E1"}) == body
    assert contract.check(body) == plain.check(body) != ()
    assert len(server.asked) == 3


def test_a_lock_from_an_address_can_be_locked_again(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """A folder with addresses in its lock is a source like any other."""
    server = serve(_published())
    address = f"http://127.0.0.1:{server.port}/erp/voucher?wsdl"
    first = lock(address, into=tmp_path / "one", fetch=Downloads(), at=AT)
    again = lock(tmp_path / "one", into=tmp_path / "two", fetch=_no_fetch, at=AT)
    assert again.files == first.files
    assert "Post" in Contract.load(tmp_path / "two").operations


def test_over_tls_the_server_must_be_trusted(serve: Callable[..., Server], tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused; with its anchor the same lock works."""
    authority = Authority("Own")
    server = serve(_published(), authority.server(tmp_path))
    address = f"https://localhost:{server.port}/erp/voucher?wsdl"
    with pytest.raises(ContractError, match="trusted") as caught:
        lock(address, into=tmp_path / "erp", fetch=Downloads(), at=AT)
    assert caught.value.code == "CB-219"
    assert server.asked == []
    assert not (tmp_path / "erp").exists()
    lock(address, into=tmp_path / "erp", fetch=Downloads(ca=authority.pem), at=AT)
    assert "Post" in Contract.load(tmp_path / "erp").operations


def test_another_server_is_asked_only_where_it_was_allowed(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """An import that leads to another origin is refused, unless the user names its host."""
    other = serve(_published())
    server = serve(_published(f"http://127.0.0.1:{other.port}/erp/"))
    address = f"http://127.0.0.1:{server.port}/erp/voucher?wsdl"
    with pytest.raises(ContractError, match="--allow-host 127") as caught:
        lock(address, into=tmp_path / "erp", fetch=Downloads(), at=AT)
    assert caught.value.code == "CB-214"
    assert other.asked == []
    lock(
        address,
        into=tmp_path / "erp",
        fetch=Downloads(),
        at=AT,
        hosts=[f"127.0.0.1:{other.port}"],
    )
    assert other.asked == ["/erp/voucher?xsd=1", "/erp/voucher?xsd=2"]
    assert "Post" in Contract.load(tmp_path / "erp").operations


@pytest.mark.parametrize(
    ("status", "words"),
    [(302, "redirect"), (401, "credentials"), (404, "404"), (500, "500")],
)
def test_every_other_answer_than_a_document_is_told(
    serve: Callable[..., Server], tmp_path: Path, status: int, words: str
) -> None:
    """A redirect is not followed; a login, an error and a missing page are called what they are."""
    server = serve(_published())
    server.status = status
    address = f"http://127.0.0.1:{server.port}/erp/voucher?wsdl"
    if status == 404:
        address += "&token=secret"
    with pytest.raises(ContractError, match=words) as caught:
        lock(address, into=tmp_path / "erp", fetch=Downloads(), at=AT)
    assert caught.value.code == "CB-219"
    assert "secret" not in str(caught.value)
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_slow_server_and_an_endless_one_come_to_an_end(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """All documents together have one deadline."""
    server = serve(_published())
    server.wait = 0.4
    began = time.monotonic()
    with pytest.raises(ContractError) as caught:
        lock(
            f"http://127.0.0.1:{server.port}/erp/voucher?wsdl",
            into=tmp_path / "erp",
            fetch=Downloads(seconds=0.6),
            at=AT,
        )
    assert caught.value.code == "CB-219"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("address", ["http://erp.example.invalid/a?wsdl", "https://u:p@h/a?wsdl"])
def test_an_unsafe_address_is_refused_before_any_connection(address: str, tmp_path: Path) -> None:
    """Unencrypted servers elsewhere and passwords in an address are refused, the latter unseen."""
    with pytest.raises(ClaimBridgeError) as caught:
        lock(address, into=tmp_path / "erp", fetch=Downloads(), at=AT)
    assert caught.value.code == "CB-280"
    assert "u:p" not in str(caught.value)


def test_an_older_lock_gives_way_only_when_asked_and_nothing_else_ever(tmp_path: Path) -> None:
    """A folder with files of the user's is never touched; a lock only with replace."""
    target = tmp_path / "erp"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    for replace in (False, True):
        assert _refused(target, replace=replace) == "CB-290"
    (target / "notes.txt").unlink()
    lock(SAMPLE, into=target, fetch=_no_fetch, at=AT)
    before = _held(target)
    assert _refused(target, replace=False) == "CB-290"
    (target / "notes.txt").write_text("mine")
    assert _refused(target, replace=True) == "CB-290"
    (target / "notes.txt").unlink()
    lock(SAMPLE, into=target, fetch=_no_fetch, at=AT + dt.timedelta(days=1), replace=True)
    after = _held(target)
    assert after.pop("contract.toml") != before.pop("contract.toml")
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["erp"]


def _refused(target: Path, *, replace: bool) -> str:
    before = _held(target)
    with pytest.raises(ContractError) as caught:
        lock(SAMPLE, into=target, fetch=_no_fetch, at=AT, replace=replace)
    assert _held(target) == before
    return caught.value.code


@pytest.mark.parametrize("older", [False, True])
def test_a_lock_killed_at_any_write_leaves_no_half_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, older: bool
) -> None:
    """Whichever file it was at, the folder is as before: absent, or the older lock whole."""
    target = tmp_path / "erp"
    if older:
        lock(SAMPLE, into=target, fetch=_no_fetch, at=AT)
    for survived in range(4):
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(locking, "_write", _dying_after(survived))
            lock(SAMPLE, into=target, fetch=_no_fetch, at=AT, replace=True)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert target.exists() is older
        if older:
            assert "Post" in Contract.load(target).operations


def _dying_after(survived: int) -> Callable[[Path, bytes], None]:
    """A write that dies as by kill -9, in the middle of a file, after so many whole ones."""
    write, left = locking._write, iter(range(survived))

    def dying(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            path.write_bytes(content[: len(content) // 2])
            os._exit(9)
        write(path, content)

    return dying


@pytest.mark.parametrize(
    "text",
    [
        "#" * 5_000_001,
        f"wsdl = {'[' * 5000}{']' * 5000}",
        'wsdl = "a.wsdl"\n[files]\n"a.wsdl" = "sha256:00"\n',
        'wsdl = "{hash}"\n[locations]\n"https://e/" = "absent.xsd"\n',
        "locations = 5",
    ],
    ids=["large", "deep", "short hash", "location", "no table"],
)
def test_a_broken_contract_toml_is_one_error_of_ours(tmp_path: Path, text: str) -> None:
    """Whatever stands in a contract.toml, it is refused in bounded memory with what it needs."""
    (tmp_path / "contract.toml").write_text(text)
    with pytest.raises(ContractError) as caught:
        Contract.load(tmp_path)
    assert caught.value.code == "CB-218"


@pytest.mark.parametrize(
    "name", ["../outside.xsd", "/etc/passwd", "link.xsd", "https://127.0.0.1:9/a.xsd"]
)
def test_a_lock_that_lists_files_outside_is_refused(tmp_path: Path, name: str) -> None:
    """A lock cannot make claimbridge read beyond its folder, whatever hash it gives."""
    erp = tmp_path / "erp"
    erp.mkdir()
    (tmp_path / "outside.xsd").write_text("<a/>")
    (erp / "link.xsd").symlink_to(tmp_path / "outside.xsd")
    zeros = "0" * 64
    (erp / "contract.toml").write_text(f'wsdl = "{name}"\n[files]\n"{name}" = "sha256:{zeros}"\n')
    with pytest.raises(ContractError) as caught:
        Contract.load(erp)
    assert caught.value.code == "CB-214"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A refusal of the system is an error of ours."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractError, match=r"Not a directory|File exists") as caught:
        lock(SAMPLE, into=tmp_path / "file" / "erp", fetch=_no_fetch, at=AT)
    assert caught.value.code == "CB-291"
