"""The forms in which EAS's services answer: strings, rows of strings, JSON in a string."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape  # it writes only; nothing is parsed with it

from claimbridge.sandbox.kit.responder import ErpAnswer, ErpCall

IMPORT: Final = "importVoucher"
IMPORT_JSON: Final = "nImportVoucher"
FACADE: Final = "http://webservice.app.gl.fi.eas.kingdee.com"
NAMES: Final = (
    'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
)


class EasResult(NamedTuple):
    """What EAS says of one voucher; ``place`` is type, year and period."""

    reference: str
    code: str
    place: tuple[str, str, str] = ("null", "0", "0")
    text: str = ""
    number: str = ""


def answer_to(call: ErpCall, saved: Sequence[EasResult], refused: Sequence[EasResult]) -> ErpAnswer:
    """Return the results in the form of the service that was called."""
    if call.operation == IMPORT_JSON:
        return _in_json(saved, refused)
    results = [*saved, *refused]
    if call.body.find("voucherCols") is not None:
        return _rows_of(results)
    return strings_answer(IMPORT, ["||".join(_parts(one)) for one in results])


def _parts(one: EasResult) -> list[str]:
    return [one.code, *one.place, one.text, *([one.number] if one.number else [])]


def _in_json(saved: Sequence[EasResult], refused: Sequence[EasResult]) -> ErpAnswer:
    held = {
        "sucs": {
            str(n): {"voucherNumber": one.reference, "number": one.number, "id": f"vch{n}AAA="}
            for n, one in enumerate(saved, start=1)
        },
        "errs": {str(n): f"{one.code}: {one.text}" for n, one in enumerate(refused, start=2)},
    }
    text = escape(json.dumps(held, ensure_ascii=False))
    return ErpAnswer(
        content=(
            f'<ns1:{IMPORT_JSON}Response xmlns:ns1="{FACADE}" {NAMES}><{IMPORT_JSON}Return '
            f'xsi:type="xsd:string">{text}</{IMPORT_JSON}Return></ns1:{IMPORT_JSON}Response>'
        ).encode()
    )


def _rows_of(results: Sequence[EasResult]) -> ErpAnswer:
    """Return rows of seven strings, our number first; what is missing is nil."""
    name = f"{IMPORT}Return"
    rows = ""
    for one in results:
        kind, year, period = one.place
        cells = (one.reference, kind, year, period, one.code, one.text, one.number)
        texts = "".join(
            f'<{name} xsi:type="xsd:string">{escape(cell)}</{name}>'
            if cell and cell != "null"
            else f'<{name} xsi:nil="true"/>'
            for cell in cells
        )
        rows += (
            f'<{name} soapenc:arrayType="xsd:string[7]" xsi:type="soapenc:Array">{texts}</{name}>'
        )
    return ErpAnswer(
        content=(
            f'<ns1:{IMPORT}Response xmlns:ns1="{FACADE}" {NAMES}><{name} '
            f'soapenc:arrayType="xsd:string[][{len(results)}]" xsi:type="soapenc:Array">{rows}'
            f"</{name}></ns1:{IMPORT}Response>"
        ).encode()
    )


def strings_answer(operation: str, strings: Sequence[str]) -> ErpAnswer:
    """Return an answer of strings as Axis 1.4 writes it: members have the array's own name."""
    name = f"{operation}Return"
    members = "".join(f'<{name} xsi:type="xsd:string">{escape(one)}</{name}>' for one in strings)
    return ErpAnswer(
        content=(
            f'<ns1:{operation}Response xmlns:ns1="{FACADE}" {NAMES}><{name} '
            f'soapenc:arrayType="xsd:string[{len(strings)}]" xsi:type="soapenc:Array">{members}'
            f"</{name}></ns1:{operation}Response>"
        ).encode()
    )
