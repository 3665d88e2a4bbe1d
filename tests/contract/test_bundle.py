"""A contract is a closed set of files: nothing outside it is opened, and a changed file is told."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ContractDrift, ContractError

SAMPLE = Path(__file__).parent / "data" / "sample"
IMPORT = 'schemaLocation="types/types.xsd"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample contract that a test may break."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "contract"))


def _fails(source: Path | Bundle) -> ContractError:
    with pytest.raises(ContractError) as caught:
        Contract.load(source)
    return caught.value


def _lock(folder: Path) -> None:
    listed = sorted(path for path in folder.rglob("*") if path.suffix in {".wsdl", ".xsd"})
    lines = [
        f'"{path.relative_to(folder).as_posix()}" = '
        f'"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        for path in listed
    ]
    (folder / "contract.toml").write_text(
        'wsdl = "service.wsdl"\n[files]\n' + "\n".join(lines) + "\n"
    )


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("../outside.xsd", "CB-214"),
        ("types/../../outside.xsd", "CB-214"),
        ("%2e%2e/outside.xsd", "CB-214"),
        ("/etc/passwd", "CB-214"),
        ("file:///etc/passwd", "CB-214"),
        ("http://127.0.0.1:9/types.xsd", "CB-214"),
        ("https://erp.example.invalid/types.xsd", "CB-214"),
        ("\\\\host\\share\\types.xsd", "CB-214"),
        ("types/absent.xsd", "CB-213"),
        ("types", "CB-213"),
    ],
)
def test_a_reference_outside_the_bundle_is_refused(folder: Path, location: str, code: str) -> None:
    """Addresses, absolute paths, ways out by .. and missing files are named in the error."""
    (folder.parent / "outside.xsd").write_bytes((folder / "types" / "codes.xsd").read_bytes())
    wsdl = folder / "service.wsdl"
    wsdl.write_text(wsdl.read_text().replace(IMPORT, f'schemaLocation="{location}"'))
    error = _fails(wsdl)
    assert error.code == code
    assert location.rpartition("/")[2] in str(error)


def test_names_in_memory_are_held_to_the_same_rule() -> None:
    """A file held under a name outside the bundle is not in it."""
    bundle = Bundle.from_files("a.wsdl", {"../b.xsd": b"<a/>", "c/d.xsd": b"<d/>"})
    assert bundle.read("c/../c/d.xsd") == b"<d/>"
    for name in ("../b.xsd", "c/../../b.xsd", "/b.xsd"):
        with pytest.raises(ContractError) as caught:
            bundle.read(name)
        assert caught.value.code == "CB-214"


def test_a_wsdl_import_outside_the_bundle_is_refused(folder: Path) -> None:
    """wsdl:import is followed inside the bundle only."""
    wsdl = folder / "service.wsdl"
    found = '<import namespace="urn:x" location="http://127.0.0.1:9/x.wsdl"/>\n  <types>'
    wsdl.write_text(wsdl.read_text().replace("<types>", found))
    assert _fails(wsdl).code == "CB-214"


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    """A symbolic link inside the folder to a file outside it is not followed."""
    outside = folder.parent / "outside.xsd"
    shutil.move(folder / "types" / "types.xsd", outside)
    (folder / "types" / "types.xsd").symlink_to(outside)
    assert _fails(folder / "service.wsdl").code == "CB-214"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<!DOCTYPE html><html><body>Login</body></html>", "HTML"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", "HTML"),
        (b"<HTML><BODY>502 Bad Gateway<br></BODY></HTML>", "HTML"),
        (b"<a/>", "neither WSDL"),
        (b"", "well-formed"),
        (b"\x00\x01binary", "well-formed"),
        (b"<description xmlns='http://www.w3.org/ns/wsdl'/>", "neither WSDL"),
        (b'<!DOCTYPE x [<!ENTITY e "1">]><definitions/>', "DOCTYPE"),
    ],
)
def test_what_is_no_wsdl_is_said_to_be_none(tmp_path: Path, content: bytes, word: str) -> None:
    """An HTML page saved as WSDL is called what it is."""
    (tmp_path / "x.wsdl").write_bytes(content)
    error = _fails(tmp_path / "x.wsdl")
    assert error.code == "CB-212"
    assert word in str(error)


@pytest.mark.filterwarnings("ignore:The wsdl.operation")
def test_a_wsdl_without_meaning_is_one_error_of_ours(folder: Path) -> None:
    """What zeep or libxml2 cannot read is a ContractError with the cause behind it."""
    wsdl = folder / "service.wsdl"
    text = wsdl.read_text()
    wsdl.write_text(text.replace('message="tns:PostIn"', 'message="tns:Absent"'))
    assert _fails(wsdl).code == "CB-215"
    wsdl.write_text(text.replace('type="t:Amount"', 'type="t:Absent"'))
    error = _fails(wsdl)
    assert error.code == "CB-215"
    assert error.__cause__ is not None
    wsdl.write_text('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>')
    assert _fails(wsdl).code == "CB-215"


def test_a_folder_needs_one_wsdl(folder: Path) -> None:
    """A folder with one WSDL is that contract; with two, the caller must say which."""
    assert "Post" in Contract.load(folder).operations
    shutil.copy(folder / "service.wsdl", folder / "other.wsdl")
    assert _fails(folder).code == "CB-213"
    assert _fails(folder / "absent.wsdl").code == "CB-213"


def test_a_locked_contract_is_checked_file_by_file(folder: Path) -> None:
    """Any changed or missing file of a locked contract is named before it is used."""
    _lock(folder)
    assert "Post" in Contract.load(folder).operations
    codes = folder / "types" / "codes.xsd"
    codes.write_bytes(codes.read_bytes() + b"\n")
    with pytest.raises(ContractDrift, match=r"types/codes\.xsd") as caught:
        Contract.load(folder)
    assert caught.value.code == "CB-211"
    codes.unlink()
    with pytest.raises(ContractDrift, match=r"types/codes\.xsd"):
        Contract.load(folder)


def test_a_locked_contract_reads_only_what_it_lists(folder: Path) -> None:
    """A file that lies in the folder but not in the lock is not part of the contract."""
    _lock(folder)
    lock = folder / "contract.toml"
    lock.write_text(re.sub(r'"types/codes.xsd".*\n', "", lock.read_text()))
    assert _fails(folder).code == "CB-213"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wsdl = 1",
        "[files]",
        'wsdl = "a"\n[files]\n"a" = "md5:00"',
        "= =",
        'wsdl = "a"\nfiles=1',
    ],
)
def test_a_broken_lock_is_one_error_of_ours(folder: Path, text: str) -> None:
    """contract.toml in another form is refused with the form it needs."""
    (folder / "contract.toml").write_text(text)
    assert _fails(folder).code == "CB-218"


def test_the_shipped_contract_is_found_in_its_package() -> None:
    """The reference WSDL and the schemas beside it load from the installed package."""
    contract = Contract.load(Bundle.from_package("voucher-service.wsdl"))
    assert {"SubmitVoucher", "QueryVouchers"} <= contract.operations.keys()
    assert _fails(Bundle.from_package("absent.wsdl")).code == "CB-213"


def test_several_schemas_of_one_namespace_count_as_one() -> None:
    """Inline schemas without locations find each other, even two of one namespace."""
    text = (SAMPLE / "service.wsdl").read_text()
    extra = (
        '<xs:schema targetNamespace="urn:sample:parties" xmlns:q="urn:sample:parties">'
        '<xs:simpleType name="More"><xs:restriction base="xs:string"/></xs:simpleType>'
        "</xs:schema></types>"
    )
    files = {
        "service.wsdl": text.replace("</types>", extra)
        .replace('name="Born" type="xs:date"', 'name="Born" type="p:More"')
        .encode()
    }
    for path in (SAMPLE / "types").iterdir():
        files[f"types/{path.name}"] = path.read_bytes()
    contract = Contract.load(Bundle.from_files("service.wsdl", files))
    assert contract.check(b"<x/>")


LOAD_AND_CHECK = """
import os, sys
from claimbridge.contract import Contract
from claimbridge.errors import ClaimBridgeError
def use(path):
    try:
        contract = Contract.load(path)
    except ClaimBridgeError as error:
        print(error.code)
        return
    body = contract.render("Post", {"Employee": "E1"})
    print(len(contract.check(body)))
use(sys.argv[1])                        # imports and warms everything up
os.access("/the-watch-begins-here", os.F_OK)
for path in sys.argv[2:]:
    use(path)
"""


def test_loading_opens_no_socket_and_no_file_outside(
    folder: Path, tmp_path: Path, peer: Callable[..., str]
) -> None:
    """Seen by the kernel: a load, a hostile load and a check touch the bundle's files only."""
    strace = peer("strace", "true")
    hostile = Path(shutil.copytree(SAMPLE, tmp_path / "hostile"))
    wsdl = hostile / "service.wsdl"
    wsdl.write_text(wsdl.read_text().replace(IMPORT, 'schemaLocation="http://127.0.0.1:9/a.xsd"'))
    trace = tmp_path / "trace.txt"
    watched = [str(folder / "service.wsdl"), str(wsdl)]
    command = [strace, "-f", "-s", "500", "-o", str(trace), "-e", "trace=%file,%network"]
    (tmp_path / "use.py").write_text(LOAD_AND_CHECK)  # not -c: strace prints the command
    script = [sys.executable, str(tmp_path / "use.py"), str(SAMPLE / "service.wsdl"), *watched]
    done = subprocess.run([*command, *script], check=True, capture_output=True, text=True)
    assert done.stdout.split()[-1] == "CB-214"
    before, marker, after = trace.read_text().partition("the-watch-begins-here")
    assert marker
    # Before it, importing urllib3 has bound a socket to learn whether there is IPv6.
    assert not re.search(r"\b(socket|connect|sendto)\(", after)
    assert "connect(" not in before
    opened = set(re.findall(r'open(?:at)?\([^"\n]*"([^"]+)"', after))
    assert {path for path in opened if path.startswith(str(folder))}
    # xml.xsd is a document of the W3C's that xmlschema ships; zeep's own code may be compiled.
    strangers = {
        path
        for path in opened
        if not path.startswith((str(folder), str(hostile))) and not path.endswith("/XML/xml.xsd")
    }
    assert strangers == set()


AUDIT = """
import sys
watching = []
def hook(event, args):
    if not watching or not event.startswith(("socket.", "open")):
        return
    if event.startswith("socket.") or not str(args[0]).startswith({inside!r}):
        if not str(args[0]).endswith("/XML/xml.xsd"):
            sys.stderr.write(event + " " + str(args[0]) + "\\n")
sys.addaudithook(hook)
"""


def test_nothing_is_opened_while_sockets_raise(folder: Path) -> None:
    """Seen by Python: a load raises no socket event and opens no file outside the bundle."""
    hook = AUDIT.format(inside=str(folder))
    script = hook + LOAD_AND_CHECK.replace("for path in", "watching.append(1)\nfor path in")
    command = [sys.executable, "-c", script, str(SAMPLE / "service.wsdl")]
    done = subprocess.run(
        [*command, str(folder / "service.wsdl")], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert len(done.stdout.split()) == 2


def test_a_wsdl_in_a_folder_wsdl_reads_the_xsd_beside_it_and_nothing_else(tmp_path: Path) -> None:
    """The layout wsdl/ and xsd/ works by path; a third folder beside them stays outside."""
    (tmp_path / "wsdl").mkdir()
    (tmp_path / "xsd").mkdir()
    (tmp_path / "other").mkdir()
    for place in ("wsdl/a.wsdl", "xsd/a.xsd", "other/secret"):
        (tmp_path / place).write_bytes(place.encode())
    bundle = Bundle.from_path(tmp_path / "wsdl" / "a.wsdl")
    assert bundle.read(bundle.resolve("../xsd/a.xsd", bundle.entry)) == b"xsd/a.xsd"
    with pytest.raises(ContractError):
        bundle.read(bundle.resolve("../other/secret", bundle.entry))


def test_our_own_contracts_load_by_their_path_in_a_checkout() -> None:
    """The reference contract can be named as a file, as any other contract can."""
    wsdl = Path(__file__).parents[2] / "wsdl" / "voucher-service.wsdl"
    assert "SubmitVoucher" in Contract.load(wsdl).operations
