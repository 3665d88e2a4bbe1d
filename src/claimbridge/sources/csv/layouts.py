"""Claims in files: JSON, CSV and XML, each in one layout. docs/sources.md shows them.

One claim that is wrong does not spoil the others of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from claimbridge import xmlio
from claimbridge.errors import ClaimBridgeError, ClaimError, DocumentError
from claimbridge.mapping.chart.files.cells import UnreadableCell, decode_text
from claimbridge.model import Claim
from claimbridge.sources.csv.claims import claims_in_rows

ClaimOrError = Claim | ClaimBridgeError
"""A claim, or why it is none."""

SUFFIXES: Final = (".json", ".jsonl", ".csv", ".xml")

_LISTS: Final = {
    "lines": "line",
    "documents": "document",
    "items": "item",
    "taxes": "tax",
    "allocations": "allocation",
    "advances": "advance",
    "payees": "payee",
}
"""What repeats, and what one of it is called in XML."""


def claims_in(data: bytes, *, suffix: str, what: str) -> Iterator[ClaimOrError]:
    """Yield the claims of a file, in their order; for each that is none, why.

    ``suffix`` is one of SUFFIXES, ``what`` names the file. Raises ClaimError CB-536 or
    DocumentError where the file as a whole cannot be read.
    """
    if suffix == ".xml":
        yield from _from_xml(data, what)
        return
    text = _text_of(data, what)
    if suffix == ".csv":
        yield from claims_in_rows(text, what=what)
    elif suffix == ".jsonl":
        for line in text.split("\n"):  # a text of JSON may hold the others that end lines
            if line.strip():
                yield _claim(line)
    else:
        yield from _from_json(text, what)


def _text_of(data: bytes, what: str) -> str:
    try:
        return decode_text(data)
    except UnreadableCell as error:
        raise ClaimError(f"{what}: {error}", code="CB-564") from error


# JSON: one claim, a list of claims, or {"claims": [...]}


def _from_json(text: str, what: str) -> Iterator[ClaimOrError]:
    if not text.strip():
        raise _unreadable(f"{what} is empty")
    try:
        if text.lstrip().startswith("["):
            raws = msgspec.json.decode(text, type=list[msgspec.Raw])
        else:
            fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            if set(fields) != {"claims"}:
                yield _claim(text)
                return
            raws = msgspec.json.decode(fields["claims"], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        # What seems to be one claim is refused in the words of one, with its id if it shows.
        if not text.lstrip().startswith("["):
            yield _claim(text)
            return
        raise _unreadable(f"{what} is not JSON: {error}") from error
    for raw in raws:
        yield _claim(bytes(raw))


def _claim(data: bytes | str) -> ClaimOrError:
    try:
        return Claim.from_json(data)
    except ClaimBridgeError as error:
        return error


# XML: elements named like the JSON


def _with_types(claim: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the texts of cells as the types that a claim is made of; amounts stay texts."""
    return {**claim, "revision": _whole(claim["revision"]), "lines": [_yes_no(x) for x in lines]}


def _whole(text: object) -> object:
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,12}", text) else text


def _yes_no(line: dict[str, Any]) -> dict[str, Any]:
    if "personal" not in line:
        return line
    return {**line, "personal": {"true": True, "false": False}.get(line["personal"].lower())}


def _from_xml(data: bytes, what: str) -> Iterator[ClaimOrError]:
    root = xmlio.parse(data, what=what)
    name = xmlio.local_name(root)
    if name not in ("claim", "claims"):
        raise DocumentError(
            f"{what}: its root is {name}, where claim or claims should be", code="CB-543"
        )
    for element in [root] if name == "claim" else root:
        if not xmlio.local_name(element):
            continue
        try:
            yield Claim.from_dict(_from_element(_plain(element, what)))
        except ClaimBridgeError as error:
            yield error


def _from_element(plain: object) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise _unreadable("a claim without elements")
    lines = plain.get("lines")
    claim = {"revision": "1", **plain}
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        return {**claim, "revision": _whole(claim["revision"])}
    typed_claim = _with_types(claim, lines)
    for line in typed_claim["lines"]:
        if isinstance(line.get("items"), list):
            line["items"] = [_yes_no(i) if isinstance(i, dict) else i for i in line["items"]]
    return typed_claim


def _plain(element: Any, what: str) -> Any:
    """Return an element as what the JSON would hold: a text, a list, or fields by name."""
    name = xmlio.local_name(element)
    children = [child for child in element if xmlio.local_name(child)]
    if name == "dimensions":
        return {child.get("name", ""): _text(child) for child in children}
    if name in _LISTS:
        wrong = [child for child in children if xmlio.local_name(child) != _LISTS[name]]
        if wrong:
            stranger = xmlio.local_name(wrong[0])
            raise _unreadable(f"{what}: {name} holds {stranger}, where {_LISTS[name]} should be")
        return [_plain(child, what) for child in children]
    if not children:
        return _text(element)
    fields: dict[str, Any] = {}
    for child in children:
        field = xmlio.local_name(child)
        if field in fields:
            raise _unreadable(f"{what}: {field} stands twice in one {name}")
        value = _plain(child, what)
        if value != "":
            fields[field] = value
    return fields


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _unreadable(why: str) -> ClaimError:
    return ClaimError(why, code="CB-536")


__all__ = ["SUFFIXES", "ClaimOrError", "claims_in"]
