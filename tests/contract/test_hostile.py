"""A hostile contract is refused in bounded time and memory; no file outside is read, none asked.

Each case runs in a process of its own, watched by an audit hook that sees every file that Python
opens, its own libraries' aside, and every name and address that it asks for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

SAMPLE = Path(__file__).parent / "data" / "sample"
MEGABYTE = 1_000_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")

WATCHED = """
import json, resource, sys
from claimbridge.cli import main
good, inside, *command = sys.argv[1:]
main(["contract", "show", good])        # imports everything and warms it up
main(["contract", "lock", good, "--into", inside + "/warm"])
seen = []
def peak():
    # Not ru_maxrss: a process begins with its parent's.
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000
def hook(event, args):
    if event == "open" and not str(args[0]).startswith((inside, sys.prefix, sys.base_prefix)):
        seen.append(str(args[0]))
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        seen.append(f"{event} {args[1:] if event != 'socket.getaddrinfo' else args}")
sys.addaudithook(hook)
before = resource.getrusage(resource.RUSAGE_SELF)
code = main(command)
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "code": code,
    "seen": [place for place in seen if not place.endswith((".py", "/status"))],
    "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    "megabytes": peak(),
}))
"""


class Ended(msgspec.Struct):
    """How a watched command ended."""

    code: int
    seen: list[str]
    seconds: float
    megabytes: float
    err: str = ""


Watch = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for one hostile contract; the sample's schemas are in it."""
    made = tmp_path / "inside" / "erp"
    (made / "types").mkdir(parents=True)
    for path in (SAMPLE / "types").iterdir():
        (made / "types" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "secret.xsd").write_bytes((SAMPLE / "types" / "codes.xsd").read_bytes())
    return made


@pytest.fixture
def watch(folder: Path) -> Watch:
    """``watch("lock", source, "--into", target)``: the command, watched, within a minute."""

    def run(*command: str | Path) -> Ended:
        script = [sys.executable, "-c", WATCHED, str(SAMPLE), str(folder.parent), "contract"]
        done = subprocess.run(
            [*script, *map(str, command)], capture_output=True, text=True, timeout=60, check=True
        )
        ended = msgspec.convert(json.loads(done.stdout.splitlines()[-1]), Ended)
        ended.err = done.stderr
        return ended

    return run


def _wsdl(**changes: str) -> str:
    text = (SAMPLE / "service.wsdl").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def _importing(location: str) -> str:
    return (SAMPLE / "service.wsdl").read_text().replace("types/types.xsd", location)


def _refused(ended: Ended, code: str) -> None:
    assert ended.code == 2, ended.err
    assert code in ended.err
    assert "Traceback" not in ended.err
    assert ended.seen == []
    assert ended.seconds < 20
    assert ended.megabytes < 500


@pytest.mark.parametrize("command", ["lock", "show"])
@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "../../secret.xsd",
        "types/../../../secret.xsd",
        "%2e%2e/%2e%2e/secret.xsd",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.example.invalid/",
        "http://[::1",
        "//169.254.169.254/a.xsd",
        "jar:file:///etc/passwd!/a",
        "link.xsd",
    ],
)
def test_a_way_out_is_refused_and_not_gone(
    watch: Watch, folder: Path, command: str, location: str
) -> None:
    """Files and addresses outside the contract are named in the error, and left alone."""
    (folder / "link.xsd").symlink_to(folder.parent.parent / "secret.xsd")
    (folder / "service.wsdl").write_text(_importing(location))
    target = ("--into", folder.parent / "made") if command == "lock" else ()
    _refused(watch(command, folder / "service.wsdl", *target), "CB-214")
    assert not (folder.parent / "made").exists()


def test_a_metadata_address_is_refused_even_where_it_was_allowed(
    watch: Watch, folder: Path
) -> None:
    """No option makes a machine's own credentials a schema."""
    (folder / "service.wsdl").write_text(_importing("https://169.254.169.254/a.xsd"))
    allowed = ("--into", folder.parent / "made", "--allow-host", "169.254.169.254")
    _refused(watch("lock", folder / "service.wsdl", *allowed), "CB-214")


def test_a_wsdl_that_imports_itself_is_read_once(watch: Watch, folder: Path) -> None:
    """A circle of imports means nothing and does no harm: the contract is locked."""
    itself = '<import namespace="urn:sample:service" location="service.wsdl"/>\n  <types>'
    (folder / "service.wsdl").write_text(
        _wsdl(**{"<types>": itself}).replace("types/types.xsd", "./types/../types/types.xsd")
    )
    types = folder / "types" / "types.xsd"
    again = '<xs:include schemaLocation="types.xsd"/>'
    head, mark, tail = types.read_text().partition("<xs:import")
    assert mark
    types.write_text(f"{head}{again}{mark}{tail}")
    ended = watch("lock", folder / "service.wsdl", "--into", folder.parent / "made")
    assert (ended.code, ended.seen) == (0, [])
    assert watch("show", folder.parent / "made").code == 0


@pytest.mark.parametrize("kind", ["wide", "deep"])
def test_ten_thousand_imports_come_to_an_end(watch: Watch, folder: Path, kind: str) -> None:
    """More documents than any contract has are refused, beside each other or in a chain."""
    for number in range(10_000):
        following = f'<xs:include schemaLocation="{number + 1}.xsd"/>' if kind == "deep" else ""
        (folder / f"{number}.xsd").write_text(
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:n">'
            f"{following}</xs:schema>"
        )
    imports = "".join(
        f'<xs:import namespace="urn:n" schemaLocation="{number}.xsd"/>'
        for number in range(10_000 if kind == "wide" else 1)
    )
    mark = '<xs:import namespace="urn:sample:types"'
    (folder / "service.wsdl").write_text(_wsdl(**{mark: imports + mark}))
    for command in (("show",), ("lock", "--into", folder.parent / "made")):
        _refused(watch(command[0], folder / "service.wsdl", *command[1:]), "CB-212")


def test_a_hundred_megabytes_are_refused_unread(watch: Watch, folder: Path) -> None:
    """A file beyond the limit is not read into memory."""
    with (folder / "service.wsdl").open("wb") as file:
        file.truncate(100 * MEGABYTE)
    ended = watch("lock", folder / "service.wsdl", "--into", folder.parent / "made")
    _refused(ended, "CB-212")
    assert ended.megabytes < 200


@pytest.mark.parametrize("imported", [False, True])
def test_what_never_ends_is_not_read(watch: Watch, folder: Path, imported: bool) -> None:
    """A pipe that nobody writes to, as the WSDL or among what it imports."""
    name = "types/codes.xsd" if imported else "pipe.wsdl"
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    wsdl = folder / ("service.wsdl" if imported else name)
    for command in (("show",), ("lock", "--into", folder.parent / "made")):
        _refused(watch(command[0], wsdl, *command[1:]), "CB-213")


def test_a_hundred_megabytes_in_many_files_are_refused(watch: Watch, folder: Path) -> None:
    """The limit holds for all files together."""
    padding = f"<!--{' ' * 9 * MEGABYTE}-->"
    for number in range(12):
        (folder / f"{number}.xsd").write_text(
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{padding}</xs:schema>'
        )
    mark = '<xs:import namespace="urn:sample:types"'
    imports = "".join(f'<xs:import schemaLocation="{number}.xsd"/>' for number in range(12))
    (folder / "service.wsdl").write_text(_wsdl(**{mark: imports + mark}))
    _refused(watch("show", folder / "service.wsdl"), "CB-212")


TWICE = '<service name="{name}"><port name="Q" binding="tns:B11"/></service></definitions>'


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ("two services", "CB-215", "two services"),
        ("no port", "CB-215", "SOAP"),
        ("broken type", "CB-215", "Absent"),
        ("broken facet", "CB-215", ""),
        ("malformed", "CB-212", "well-formed"),
        ("no message", "CB-215", "message"),
        ("html", "CB-212", "HTML"),
        ("bomb", "CB-212", "DOCTYPE"),
    ],
)
@pytest.mark.parametrize("command", ["lock", "show"])
def test_a_wsdl_without_meaning_is_told(
    watch: Watch, folder: Path, command: str, change: str, code: str, word: str
) -> None:
    """Each defect has one error of ours that says which; nothing is locked."""
    (folder / "service.wsdl").write_text(_broken(change))
    more = ("--into", folder.parent / "made") if command == "lock" else ("--operation", "Post")
    ended = watch(command, folder / "service.wsdl", *more)
    _refused(ended, code)
    assert word in ended.err
    assert not (folder.parent / "made").exists()


def _broken(change: str) -> str:
    text = (SAMPLE / "service.wsdl").read_text()
    name = text.partition('<service name="')[2].partition('"')[0]
    soap = "http://schemas.xmlsoap.org/wsdl/soap"
    return {
        "two services": text.replace("</definitions>", TWICE.format(name=name)),
        "no port": text.replace(f"{soap}/", "urn:other").replace(f"{soap}12/", "urn:other12"),
        "broken type": text.replace('type="t:Amount"', 'type="t:Absent"'),
        "broken facet": text.replace('maxOccurs="3"', 'maxOccurs="minus three"'),
        "malformed": text.replace("</types>", "</typos>"),
        "no message": text.replace('message="tns:PostIn"', 'message="tns:Absent"'),
        "html": "<!doctype html><html><body>Please log in</body></html>",
        "bomb": f'<!DOCTYPE d [<!ENTITY a "{"a" * 99}">]>{text.partition("?>")[2]}',
    }[change]


class _Server:
    """A server that leads astray; ``asked`` are the paths that it was asked for."""

    def __init__(self, location: str) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                try:
                    if self.path == "/huge.xsd":
                        for _ in range(200):
                            self.wfile.write(b" " * MEGABYTE)
                    else:
                        self.wfile.write(_importing(location).encode())
                except OSError:
                    outer.asked.append("hung up")

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def astray() -> Iterator[Callable[[str], _Server]]:
    """``astray("file:///etc/passwd")``: a server whose WSDL imports that."""
    started: list[_Server] = []

    def start(location: str) -> _Server:
        started.append(_Server(location))
        return started[-1]

    yield start
    for server in started:
        server.http.shutdown()
        server.http.server_close()


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:9/a.xsd",
        "https://other.example.invalid/a.xsd",
        "ftp://127.0.0.1/a.xsd",
        "http://[::1",
    ],
)
def test_a_server_cannot_send_us_elsewhere(
    watch: Watch, folder: Path, astray: Callable[[str], _Server], location: str
) -> None:
    """What an address leads to is fetched from its own origin, and nothing else is asked."""
    server = astray(location)
    port = server.http.server_address[1]
    address = f"http://127.0.0.1:{port}/service?wsdl"
    ended = watch("lock", address, "--into", folder.parent / "made")
    assert (ended.code, "CB-214" in ended.err) == (2, True), ended.err
    assert server.asked == ["/service?wsdl"]
    assert all(f"'127.0.0.1', {port}" in place for place in ended.seen), ended.seen
    assert not (folder.parent / "made").exists()


def test_an_endless_document_is_cut_off(
    watch: Watch, folder: Path, astray: Callable[[str], _Server]
) -> None:
    """A server that sends 200 MB is hung up on at the limit."""
    server = astray("huge.xsd")
    address = f"http://127.0.0.1:{server.http.server_address[1]}/service?wsdl"
    ended = watch("lock", address, "--into", folder.parent / "made")
    assert (ended.code, "CB-219" in ended.err) == (2, True), ended.err
    assert ended.megabytes < 300
    assert server.asked == ["/service?wsdl", "/huge.xsd", "hung up"]


def _doubling(kind: str, opening: str, closing: str) -> str:
    """Return thirty components, each of which holds the next one twice: 2**30 parts on a page."""
    return "".join(
        f"<xs:{kind} name='X{number}'>{opening.format(number + 1)}{closing}</xs:{kind}>"
        for number in range(30)
    )


@pytest.mark.parametrize(
    "components",
    [
        _doubling(
            "group", "<xs:sequence><xs:group ref='X{0}'/><xs:group ref='X{0}'/>", "</xs:sequence>"
        )
        + "<xs:group name='X30'><xs:sequence><xs:element name='A'/></xs:sequence></xs:group>",
        _doubling(
            "attributeGroup", "<xs:attributeGroup ref='X{0}'/><xs:attributeGroup ref='X{0}'/>", ""
        )
        + "<xs:attributeGroup name='X30'><xs:attribute name='A'/></xs:attributeGroup>",
        _doubling("simpleType", "<xs:union memberTypes='X{0} X{0}'/>", "")
        + "<xs:simpleType name='X30'><xs:restriction base='xs:int'/></xs:simpleType>",
    ],
    ids=["groups", "attribute groups", "unions"],
)
def test_a_schema_that_doubles_at_every_step_is_refused(
    watch: Watch, folder: Path, components: str
) -> None:
    """What would fill any memory when put together is refused before anybody tries."""
    (folder / "bomb.xsd").write_text(
        f"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{components}</xs:schema>"
    )
    mark = '<xs:import namespace="urn:sample:types"'
    imports = '<xs:import schemaLocation="bomb.xsd"/>'
    (folder / "service.wsdl").write_text(_wsdl(**{mark: imports + mark}))
    ended = watch("lock", folder / "service.wsdl", "--into", folder.parent / "made")
    _refused(ended, "CB-215")
    assert ended.megabytes < 200
