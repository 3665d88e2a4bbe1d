"""The forms in which EAS's services answer an import: strings, rows, objects, or JSON in a string.

``WSGLWebServiceFacade`` answers with strings, the older ``WSWSVoucher`` with rows of strings or
with objects, its ``nImportVoucher`` with JSON: ``sucs`` by number, and ``errs`` by the row that is
wrong. Which one it is, the answer itself shows. All are read by the same rules (``replies``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.profiles.kingdee.replies import (
    PARTED,
    ImportResult,
    object_result,
    result,
    row_result,
)
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

IMPORT: Final = "importVoucher"
IMPORT_JSON: Final = "nImportVoucher"
_LEAST_CELLS: Final = 5
"""A member with so many parts is a row; one with fewer is a text in a wrapper."""
_OWN_CODE: Final = r"(?!20[1-9]\d)[0-9]{4}"
"""Four digits, as all of EAS's codes; a year is none. Sockets and databases have other numbers."""
_CODED: Final = re.compile(rf"\s*({_OWN_CODE})\s*(?:[:：]|\|\|)")
"""A sentence that begins with its code; a number elsewhere may be an account's or a line's."""
_NUMBERS: Final = ("number", "easNumber", "id")
"""Members that hold what EAS gave a voucher: where one has a value, a voucher may be there."""
_CODES: Final = frozenset({"code", "errcode", "errorcode"})
"""How members are called, in small letters, that hold a code."""


class ImportRequest(Request, frozen=True, kw_only=True):
    """An import: its rows as they were built, in whatever form they travel."""

    rows: tuple[Mapping[str, Any], ...]

    @property
    def references(self) -> list[str]:
        """The references of its vouchers, in their order, each once."""
        return list(dict.fromkeys(str(row["description"]) for row in self.rows))

    @property
    def company(self) -> str:
        """The company of its first voucher."""
        return str(self.rows[0]["companyNumber"])


class ImportAnswer(msgspec.Struct, frozen=True):
    """The results in an answer, in its order, and how many of its parts are not results."""

    results: tuple[ImportResult, ...]
    others: int


def read_import(answer: Reply, request: ImportRequest | None = None) -> ImportAnswer:
    """Return what an answer to an import says, whatever form it has.

    ``request`` says what JSON leaves out: the type, year and period that the voucher was sent to.
    """
    written = [one.text() for one in answer.all(f"{IMPORT_JSON}Return")]
    found = (
        [one for text in written for one in _of_json(text, request)]
        if written
        else [one for member in members_of(answer, IMPORT) or [] for one in _of_member(member)]
    )
    known = tuple(one for one in found if one is not None)
    return ImportAnswer(known, len(found) - len(known))


def members_of(answer: Reply | Fault, operation: str) -> list[Reply] | None:
    """Return the members of an answer's array; None where it holds no array."""
    if isinstance(answer, Fault):
        return None
    arrays = answer.all(f"{operation}Return")
    if not arrays or any(array.text("@nil") in ("true", "1") for array in arrays):
        return None
    return [member for array in arrays for member in array.all("item")]


def strings_of(answer: Reply | Fault, operation: str) -> list[str] | None:
    """Return the strings of an answer; None where it holds no array of them."""
    members = members_of(answer, operation)
    return None if members is None else [text for one in members for text in _texts(one)]


def _texts(member: Reply) -> list[str]:
    """Return the text of a member, "" where it is blank; a later version may wrap the text."""
    within = member.children
    return [text for one in within for text in _texts(one)] if within else [member.text()]


def _of_member(member: Reply) -> list[ImportResult | None]:
    """Return what a member says; None for parts that are no result.

    A string without parts is not a result in any version: it says nothing.
    """
    cells = member.children
    if any(cell.local == "easNumber" for cell in cells):
        return [object_result({cell.local: cell.text() for cell in cells})]
    texts = [text for text in _texts(member) if PARTED in text]
    if len(cells) >= _LEAST_CELLS and not all(PARTED in cell.text() for cell in cells):
        return [row_result([cell.text() for cell in cells])]
    return [result(text) for text in texts]


def _of_json(written: str, request: ImportRequest | None) -> Iterator[ImportResult | None]:
    """Yield what ``sucs`` and ``errs`` say; None for what they are not known to say."""
    try:
        held = json.loads(written, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        yield None
        return
    whole = isinstance(held, dict) and all(
        isinstance(held.get(name, {}), dict) for name in ("sucs", "errs")
    )
    if not whole or not (held.get("sucs") or held.get("errs")):
        yield None
        return
    for one in held.get("sucs", {}).values():
        yield _saved(one, request)
    for one in held.get("errs", {}).values():
        yield _refused(one)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        raise ValueError("a member is given twice")
    return held


def _saved(one: object, request: ImportRequest | None) -> ImportResult | None:
    """Return a success; it names our voucher and EAS's number."""
    if not isinstance(one, dict):
        return None
    reference = str(one.get("voucherNumber") or "")
    ours = (row for row in request.rows if row["voucherNumber"] == reference) if request else ()
    sent: Mapping[str, Any] = next(iter(ours), {})
    cells = (
        reference,
        *(str(one.get(key) or sent.get(key) or "") for key in _PLACE),
        "0000",
        "",
        str(one.get("number") or ""),
    )
    return row_result(cells)


_PLACE: Final = ("voucherType", "periodYear", "periodNumber")


def _refused(one: object) -> ImportResult | None:
    """Return a refusal; without a code nobody knows whether EAS foresaw it."""
    if isinstance(one, dict):
        if any(one.get(name) for name in _NUMBERS):
            return None
        text = json.dumps(one, ensure_ascii=False)
        codes = {str(value) for name, value in one.items() if name.lower() in _CODES}
    else:
        text = str(one)
        begins = _CODED.match(text)
        codes = {begins[1]} if begins else set()
    code = codes.pop() if len(codes) == 1 else ""
    if not re.fullmatch(_OWN_CODE, code):
        return None
    return result(PARTED.join((code, "", "", "", text.replace(PARTED, " "))))


__all__ = [
    "IMPORT",
    "IMPORT_JSON",
    "ImportAnswer",
    "ImportRequest",
    "members_of",
    "read_import",
    "strings_of",
]
