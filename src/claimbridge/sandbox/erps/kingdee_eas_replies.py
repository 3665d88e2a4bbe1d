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
    """What EAS says of one voucher; ``place`` is type, year and period, ``key`` its id or ""."""

    reference: str
    code: str
    place: tuple[str, str, str] = ("null", "0", "0")
    text: str = ""
    number: str = ""
    key: str = ""


def answer_to(call: ErpCall, saved: Sequence[EasResult], refused: Sequence[EasResult]) -> ErpAnswer:
    """Return the results in the form of the service that was called."""
    if call.operation == IMPORT_JSON:
        return _in_json(call, saved, refused)
    results = [*saved, *refused]
    if call.body.find("voucherCols") is not None:
        return _rows_of(call, results)
    return strings_answer(call, ["||".join(_parts(one)) for one in results])


def strings_answer(call: ErpCall, strings: Sequence[str]) -> ErpAnswer:
    """Return an answer of strings as Axis 1.4 writes it: members have the array's own name.

    Other servers call them ``item``.
    """
    member = _member(call)
    members = "".join(_string(member, one) for one in strings)
    return _array(call, f"[{len(strings)}]", members)


def _parts(one: EasResult) -> list[str]:
    return [one.code, *one.place, one.text, *filter(None, (one.number, one.key))]


def _member(call: ErpCall) -> str:
    return call.manner.choose("member", f"{call.operation}Return", "item", "string")


def _array(call: ErpCall, sizes: str, members: str) -> ErpAnswer:
    name = f"{call.operation}Return"
    kinds = f'soapenc:arrayType="xsd:string{sizes}" xsi:type="soapenc:Array"'
    return _reply(call, f"<{name} {kinds}>{members}</{name}>")


def _string(name: str, text: str) -> str:
    return f'<{name} xsi:type="xsd:string">{escape(text)}</{name}>'


def _reply(call: ErpCall, content: str) -> ErpAnswer:
    response = f"ns1:{call.operation}Response"
    return ErpAnswer(
        content=f'<{response} xmlns:ns1="{FACADE}" {NAMES}>{content}</{response}>'.encode()
    )


def _rows_of(call: ErpCall, results: Sequence[EasResult]) -> ErpAnswer:
    """Return rows of strings, our number first; what is missing is nil."""
    member = _member(call)
    rows = ""
    for one in results:
        kind, year, period = one.place
        cells = [one.reference, kind, year, period, one.code, one.text, one.number]
        cells += [one.key] if one.key else []
        texts = "".join(
            _string(member, cell) if cell and cell != "null" else f'<{member} xsi:nil="true"/>'
            for cell in cells
        )
        kinds = f'soapenc:arrayType="xsd:string[{len(cells)}]" xsi:type="soapenc:Array"'
        rows += f"<{member} {kinds}>{texts}</{member}>"
    return _array(call, f"[][{len(results)}]", rows)


def _in_json(call: ErpCall, saved: Sequence[EasResult], refused: Sequence[EasResult]) -> ErpAnswer:
    """Return ``sucs`` and ``errs``; some say a refusal in a sentence, others in an object."""
    in_words = call.manner.choose("errors", True, False)
    held = {
        "sucs": {
            str(n): {"voucherNumber": one.reference, "number": one.number, "id": one.key}
            for n, one in enumerate(saved, start=1)
        },
        "errs": {
            str(n): f"{one.code}: {one.text}"
            if in_words
            else {"code": one.code, "message": one.text}
            for n, one in enumerate(refused, start=2)
        },
    }
    text = escape(json.dumps(held, ensure_ascii=call.manner.choose("escapes", False, True)))
    name = f"{IMPORT_JSON}Return"
    return _reply(call, f'<{name} xsi:type="xsd:string">{text}</{name}>')
