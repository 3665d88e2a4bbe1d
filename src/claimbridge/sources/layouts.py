"""Claims in files: JSON, CSV and XML, each in one layout. docs/sources.md shows them.

One claim that is wrong does not spoil the others of its file.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from claimbridge import xmlio
from claimbridge.errors import ClaimBridgeError, ClaimError, DocumentError
from claimbridge.model import Claim

Found = Claim | ClaimBridgeError
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
_DELIMITERS: Final = ",;\t"
_LIMIT: Final = threading.Lock()
"""Held by whoever has changed the csv module's limit."""


def claims_in(data: bytes, *, suffix: str, what: str) -> Iterator[Found]:
    """Yield the claims of a file, in their order; for each that is none, why.

    ``suffix`` is one of SUFFIXES, ``what`` names the file. Raises ClaimError CB-536 or
    DocumentError where the file as a whole cannot be read.
    """
    if suffix == ".xml":
        yield from _from_xml(data, what)
        return
    text = _text_of(data, what)
    if suffix == ".csv":
        yield from _from_csv(text, what)
    elif suffix == ".jsonl":
        for line in text.splitlines():
            if line.strip():
                yield _claim(line)
    else:
        yield from _from_json(text, what)


def _text_of(data: bytes, what: str) -> str:
    """Return text in UTF-8, with or without a mark, in UTF-16 with one, or in GB18030."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable(f"{what} is neither UTF-8 nor GB18030; save it as UTF-8")


# JSON: one claim, a list of claims, or {"claims": [...]}


def _from_json(text: str, what: str) -> Iterator[Found]:
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
        # What seems to be one claim is told in the words of one, with its id if it shows.
        if not text.lstrip().startswith("["):
            yield _claim(text)
            return
        raise _unreadable(f"{what} is not JSON: {error}") from error
    for raw in raws:
        yield _claim(bytes(raw))


def _claim(data: bytes | str) -> Found:
    try:
        return Claim.from_json(data)
    except ClaimBridgeError as error:
        return error


# CSV: a row for each line of a claim; the claim's own columns are repeated


_Row = tuple[int, tuple[str, ...]]
"""A row's number, as spreadsheets count, and its cells."""


def _from_csv(text: str, what: str) -> Iterator[Found]:
    with _long_cells(len(text)):
        names, groups = _grouped(text, what)
    if not groups:
        raise _unreadable(f"{what} has no rows under its header")
    for group in groups.values():
        yield _from_rows([(number, _filled(names, cells)) for number, cells in group])


def _grouped(text: str, what: str) -> tuple[list[str], dict[tuple[str, str], list[_Row]]]:
    """Return the header's names, and the rows of each claim by its id and revision."""
    header, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    groups: dict[tuple[str, str], list[_Row]] = {}
    texts: dict[str, str] = {}  # the same text once, however many rows repeat it
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_header(names, what)
        for row in reader:
            cells = tuple(texts.setdefault(cell, cell) for cell in map(str.strip, row))
            if not any(cells):
                continue
            if len(cells) != len(names):
                raise _unreadable(
                    f"{what}, row {reader.line_num} has {len(cells)} cells, the header "
                    f"{len(names)}; look for a separator inside a text without quotes"
                )
            found = dict(zip(names, cells, strict=True))
            key = (found["id"], found.get("revision", ""))
            groups.setdefault(key, []).append((reader.line_num, cells))
    except csv.Error as error:
        raise _unreadable(f"{what}, row {reader.line_num} is not CSV: {error}") from error
    return names, groups


@contextlib.contextmanager
def _long_cells(most: int) -> Iterator[None]:
    """Let cells be as long as the whole text, so that one too long is its own claim's trouble.

    The csv module has one limit for the whole process: it is given back as it was.
    """
    with _LIMIT:
        before = csv.field_size_limit(max(most, csv.field_size_limit()))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _filled(names: list[str], cells: tuple[str, ...]) -> dict[str, str]:
    return {name: cell for name, cell in zip(names, cells, strict=True) if cell}


def _check_header(names: list[str], what: str) -> None:
    twice = {name for name in names if names.count(name) > 1}
    missing = [name for name in ("id", "line.type", "line.amount") if name not in names]
    if twice or missing:
        fault = f"has no column {missing[0]}" if missing else f"has {min(twice)} twice"
        raise _unreadable(f"{what}: its header {fault}; see docs/sources.md for the columns")


def _from_rows(rows: list[tuple[int, dict[str, str]]]) -> Found:
    """Return the claim of rows that share id and revision."""
    first_number, first = rows[0]
    head = {name: cell for name, cell in first.items() if not _is_of_line(name)}
    claim_id = first.get("id") or None
    lines = []
    for number, cells in rows:
        for name in sorted(head.keys() | {name for name in cells if not _is_of_line(name)}):
            if cells.get(name, "") != head.get(name, ""):
                return ClaimError(
                    f"{name}: row {number} says {_short(cells.get(name))}, row {first_number} of "
                    f"the same claim {_short(head.get(name))}; let both say the same",
                    code="CB-536",
                    claim_id=claim_id,
                )
        lines.append(_line(cells))
    try:
        return Claim.from_dict(_typed({"revision": "1", **_fields(head)}, lines))
    except ClaimBridgeError as error:
        return error


def _is_of_line(name: str) -> bool:
    return name.startswith(("line.", "document."))


def _line(cells: Mapping[str, str]) -> dict[str, Any]:
    line = {
        name.removeprefix("line."): cell for name, cell in cells.items() if name.startswith("line.")
    }
    document = {
        name.removeprefix("document."): cell
        for name, cell in cells.items()
        if name.startswith("document.")
    }
    made = _fields(line)
    if document:
        made["documents"] = [document]
    return made


def _fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return cells as fields; the columns ``dimensions.NAME`` are one."""
    found: dict[str, Any] = {}
    for name, cell in cells.items():
        outer, dot, inner = name.partition(".")
        if dot and outer == "dimensions":
            found.setdefault("dimensions", {})[inner] = cell
        else:
            found[name] = cell
    return found


def _typed(claim: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the texts of cells as the types that a claim is made of; amounts stay texts."""
    return {**claim, "revision": _whole(claim["revision"]), "lines": [_yes_no(x) for x in lines]}


def _whole(text: object) -> object:
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,12}", text) else text


def _yes_no(line: dict[str, Any]) -> dict[str, Any]:
    if "personal" not in line:
        return line
    return {**line, "personal": {"true": True, "false": False}.get(line["personal"].lower())}


# XML: elements named like the JSON


def _from_xml(data: bytes, what: str) -> Iterator[Found]:
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
    found = _typed(claim, lines)
    for line in found["lines"]:
        if isinstance(line.get("items"), list):
            line["items"] = [_yes_no(i) if isinstance(i, dict) else i for i in line["items"]]
    return found


def _plain(element: Any, what: str) -> Any:
    """Return an element as what the JSON would hold: a text, a list, or fields by name."""
    name = xmlio.local_name(element)
    children = [child for child in element if xmlio.local_name(child)]
    if name == "dimensions":
        return {child.get("name", ""): _text(child) for child in children}
    if name in _LISTS:
        wrong = [child for child in children if xmlio.local_name(child) != _LISTS[name]]
        if wrong:
            found = xmlio.local_name(wrong[0])
            raise _unreadable(f"{what}: {name} holds {found}, where {_LISTS[name]} should be")
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


def _short(text: str | None) -> str:
    return repr(text[:40]) if text else "nothing"


def _unreadable(why: str) -> ClaimError:
    return ClaimError(why, code="CB-536")


__all__ = ["SUFFIXES", "Found", "claims_in"]
