"""What the worst inputs cost: peak memory and CPU of each, in a process of its own.

    python -m tests.benchmarks.inputs [--scale 1.0] [NAME …]

Each input is the largest, or the most expensive one known, that fits the limits, or goes just
beyond them; ``--scale`` makes them smaller. Peak memory is what reading adds to the process: the
input itself and Python's modules are there before. A verdict is "read", or the code of the refusal.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

ENVELOPE: Final = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body>'
    b"</s:Envelope>"
)
NAMES: Final = [chr(code) for code in (*range(97, 123), *range(65, 91))]
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
XSD: Final = "http://www.w3.org/2001/XMLSchema"


class Input(NamedTuple):
    """One input: who reads it, and how it is made."""

    reader: str
    make: Callable[[float], bytes]


def _repeated(one: bytes, count: float) -> bytes:
    return ENVELOPE % (b"<a>" + one * int(count) + b"</a>")


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 9)


def _attributes(count: float) -> bytes:
    element = b"<b" + b"".join(b' %s="1"' % name.encode() for name in NAMES) + b"/>"
    return _repeated(element, count / len(NAMES))


def _deep(scale: float) -> bytes:
    levels = range(int(150 * scale) + 1)
    heads = (
        b"<b" + b"".join(b' xmlns:n%d_%d="urn:%d"' % (level, i, i) for i in range(60)) + b">"
        for level in levels
    )
    return b"".join(heads) + b"<n0_0:c/>" * int(200_000 * scale) + b"</b>" * len(levels)


def _workbook(parts: dict[str, str]) -> bytes:
    import openpyxl

    plain, made = io.BytesIO(), io.BytesIO()
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
    return made.getvalue()


def _sheet(rows: str, more: str = "") -> bytes:
    text = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>'
    return _workbook({"xl/worksheets/sheet1.xml": text})


def _rows(cell: str, count: float) -> bytes:
    return _sheet(f"<row>{cell * 20}</row>" * int(count / 20))


def _styles(count: float) -> bytes:
    inner = '<xf numFmtId="0"/>' * int(count)
    text = f'<styleSheet xmlns="{MAIN}"><cellXfs>{inner}</cellXfs></styleSheet>'
    return _workbook({"xl/styles.xml": text})


def _contract(schema: str) -> bytes:
    return f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:t"><types>
<xs:schema xmlns:xs="{XSD}" targetNamespace="urn:t" elementFormDefault="qualified">{schema}
<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" type="t:T"/></xs:sequence>
</xs:complexType></xs:element></xs:schema></types>
<message name="m"><part name="p" element="t:a"/></message>
<portType name="P"><operation name="o"><input message="t:m"/></operation></portType>
<binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="o"><soap:operation soapAction=""/><input><soap:body use="literal"/></input>
</operation></binding><service name="S"><port name="X" binding="t:B">
<soap:address location="https://e.example/"/></port></service></definitions>""".encode()


def _children(kind: str, count: float, more: str = "") -> bytes:
    inner = "".join(f'<xs:element name="e{i}" type="xs:string" {more}/>' for i in range(int(count)))
    return _contract(f'<xs:complexType name="T"><xs:{kind}>{inner}</xs:{kind}></xs:complexType>')


def _values(count: float) -> bytes:
    inner = "".join(f'<xs:enumeration value="v{i}"/>' for i in range(int(count)))
    return _contract(
        f'<xs:simpleType name="T"><xs:restriction base="xs:string">{inner}</xs:restriction>'
        "</xs:simpleType>"
    )


def _signed(scale: float) -> bytes:
    """Return a pin, a null byte, and a document; its signature holds what nobody signed."""
    from claimbridge.signing import Identity, Signer
    from claimbridge.signing.keys.throwaway import make

    made = make()
    signed = Signer(Identity.from_pem(made.pem())).sign(
        b"<Voucher><Reference>EXP-1</Reference></Voucher>"
    )
    within = b"<!---->" * int(240_000 * scale) + b"</ds:Signature>"
    return made.pin + b"\0" + signed.replace(b"</ds:Signature>", within)


INPUTS: Final[dict[str, Input]] = {
    "reply: elements, each with an attribute and a text": Input(
        "reply", lambda scale: _repeated(b'<b c="1">1</b> ', 249_000 * scale)
    ),
    "reply: the same, 50 MB of text": Input(
        "reply", lambda scale: _repeated(b'<b c="1">%s</b> ' % (b"x" * 180), 249_000 * scale)
    ),
    "reply: elements and all attributes": Input(
        "reply", lambda scale: _repeated(b'<b c="1" d="2">1</b> ', 249_000 * scale)
    ),
    "reply: attributes beyond the limit in all": Input(
        "reply", lambda scale: _attributes(7_000_000 * scale)
    ),
    "reply: gzip, attributes beyond": Input(
        "gzip", lambda scale: _gzip(_attributes(7_000_000 * scale))
    ),
    "reply: gzip, all within": Input(
        "gzip", lambda scale: _gzip(_repeated(b'<b c="1" d="2">1</b> ', 249_000 * scale))
    ),
    "reply: gzip, beyond 50 MB": Input(
        "gzip", lambda scale: _gzip(_repeated(b"x" * 1000, 600_000 * scale))
    ),
    "reply: gzip, empty members": Input(
        "gzip", lambda scale: gzip.compress(b"") * int(2_700_000 * scale)
    ),
    "reply: namespaces, deep": Input("reply", _deep),
    "reply: end tags alone": Input("reply", lambda scale: b'<a b="=">' + b"</" * int(2e7 * scale)),
    "signed: a signature full of comments": Input("verify", _signed),
    "workbook: empty cells": Input("workbook", lambda scale: _rows("<c/>", 750_000 * scale)),
    "workbook: cells with attributes": Input(
        "workbook", lambda scale: _rows('<c s="0" t="n"><v>1</v></c>', 390_000 * scale)
    ),
    "workbook: cells beyond": Input("workbook", lambda scale: _rows("<c/>", 6_000_000 * scale)),
    "workbook: rows": Input(
        "workbook", lambda scale: _sheet('<row ht="5"/>' * int(790_000 * scale))
    ),
    "workbook: merged without end": Input(
        "workbook",
        lambda _: _sheet("", '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
    ),
    "workbook: a cell of 9,000,000": Input(
        "workbook",
        lambda scale: _sheet(
            f'<row><c t="inlineStr"><is><t>{"x" * int(9e6 * scale)}</t></is></c></row>'
        ),
    ),
    "workbook: styles": Input("workbook", lambda scale: _styles(65_000 * scale)),
    "contract: 1,000 optional children": Input(
        "contract", lambda scale: _children("sequence", 1_000 * scale, 'minOccurs="0"')
    ),
    "contract: a choice of 20,000": Input(
        "contract", lambda scale: _children("choice", 20_000 * scale)
    ),
    "contract: 50,000 values": Input("contract", lambda scale: _values(50_000 * scale)),
    "contract: 200,000 values": Input("contract", lambda scale: _values(200_000 * scale)),
}


def _read_reply(data: bytes) -> None:
    from claimbridge.soap.envelope import open_envelope

    open_envelope(data)


def _read_gzip(data: bytes) -> None:
    from claimbridge.soap.transport.answer import ReplyBody

    body = ReplyBody("gzip", limit=50_000_000, place="erp.example")
    for at in range(0, len(data), 65_536):
        body.add(data[at : at + 65_536])
    _read_reply(body.whole())


def _verify(data: bytes) -> None:
    from claimbridge.signing import Policy, verify

    pin, _, document = data.partition(b"\0")
    verify(document, Policy(pin=pin))


def _read_workbook(data: bytes) -> None:
    from claimbridge.mapping.chart.files.workbook import workbook_grids

    workbook_grids(data, file="chart.xlsx")


def _read_contract(data: bytes) -> None:
    from claimbridge.contract import Contract

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "erp.wsdl")
        path.write_bytes(data)
        Contract.load(path).check(b'<a xmlns="urn:t"><b>v1</b></a>')


READERS: Final = {
    "reply": _read_reply,
    "gzip": _read_gzip,
    "verify": _verify,
    "workbook": _read_workbook,
    "contract": _read_contract,
}


class Cost(NamedTuple):
    """What reading one input cost; ``size`` in bytes, ``peak`` in MB, ``cpu`` in seconds."""

    name: str
    size: int
    peak: float
    cpu: float
    verdict: str


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, scale: float) -> Cost:
    """Return what an input costs this process, which is to end with it."""
    given = INPUTS[name]
    data = _made_elsewhere(name, scale)
    _warm(given.reader)
    from claimbridge.errors import ClaimBridgeError

    before, started = _peak(), time.process_time()
    verdict = "read"
    try:
        READERS[given.reader](data)
    except ClaimBridgeError as error:
        verdict = error.code
    return Cost(name, len(data), _peak() - before, time.process_time() - started, verdict)


def _made_elsewhere(name: str, scale: float) -> bytes:
    """Return an input; another process makes it, for making costs memory too."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.inputs", "--make", file.name,
             "--scale", str(scale), name],
            check=True,
        )  # fmt: skip
        return Path(file.name).read_bytes()


def _warm(reader: str) -> None:
    """Read a small input first: modules are loaded once, whatever is read."""
    small: dict[str, Callable[[], bytes]] = {
        "reply": lambda: ENVELOPE % b"<a/>",
        "gzip": lambda: _gzip(ENVELOPE % b"<a/>"),
        "verify": lambda: _signed(0),
        "workbook": lambda: _workbook({}),
        "contract": lambda: _values(2),
    }
    READERS[reader](small[reader]())


def main() -> None:
    """Print a row for each input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of a name; default all")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        Path(options.make).write_bytes(INPUTS[options.names[0]].make(options.scale))
        return
    if options.one:
        print(json.dumps(measure(options.names[0], options.scale)))
        return
    wide = max(map(len, INPUTS))
    print(f"{'input':{wide}}  {'bytes':>11}  {'peak MB':>8}  {'CPU s':>6}  verdict")
    for name in INPUTS:
        if options.names and not any(part in name for part in options.names):
            continue
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.inputs", "--one",
             "--scale", str(options.scale), name],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        cost = Cost(*json.loads(done.stdout))
        print(
            f"{cost.name:{wide}}  {cost.size:11,}  {cost.peak:8.0f}  {cost.cpu:6.2f}  "
            f"{cost.verdict}",
            flush=True,
        )


if __name__ == "__main__":
    main()
