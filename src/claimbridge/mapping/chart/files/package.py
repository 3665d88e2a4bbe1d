"""A workbook's package, read by the one XML parser, and written anew with what a chart needs.

openpyxl would parse the parts itself, in any encoding, with entities, links, merged areas of a
billion cells, drawings and pivot tables. So the parts are parsed here first, within limits on the
package as a whole. openpyxl gets only the parts with cells, their texts and styles.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Final

from claimbridge import xmlio
from claimbridge.errors import ConfigurationError, DocumentError
from claimbridge.mapping.chart.files.grids import MAX_BYTES, MAX_TEXT, refusal

MAX_PARTS: Final = 1000
MAX_ELEMENTS: Final = 800_000
"""Of all parts together: a cell has one, and one more for its value."""
MAX_ATTRIBUTES: Final = 1_200_000
"""Of all parts together: a cell has two or three."""
MAX_AREA: Final = 1_000_000
"""Cells from the first to the last, and of merged areas: openpyxl makes an object for each."""

MAX_STYLES: Final = 65_490
"""Formats of cells: Excel has no more."""

_STRICT: Final = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_NEEDED: Final = {
    "Types": None,
    "Relationships": None,
    "sst": None,
    "styleSheet": ("numFmts", "cellXfs"),
    "chartsheet": ("sheetViews",),
    "workbook": ("workbookPr", "bookViews", "sheets"),
    "worksheet": ("sheetData", "mergeCells"),
}
"""The root elements of the parts that openpyxl gets, and their children; None: all."""
_AREA: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


def clean(data: bytes, *, file: str) -> bytes:
    """Return a package with the parts that hold cells, each parsed and serialised in UTF-8.

    Raises ConfigurationError CB-260 for a file that is no .xlsx, is protected, holds macros or a
    DOCTYPE in any encoding, was saved as Strict Open XML, or exceeds the limits.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise refusal(file, "an old .xls, or protected by a password; save it as .xlsx without one")
    output = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(output, "w") as target:
            for name, content in _parts(package, file):
                target.writestr(name, content)
    except ConfigurationError:
        raise
    except Exception as error:  # a broken package makes zipfile raise errors of seek, struct …
        raise refusal(file, f"not an .xlsx workbook: {error}") from error
    return output.getvalue()


def _parts(package: zipfile.ZipFile, file: str) -> Iterator[tuple[str, bytes]]:
    """Yield the parts for openpyxl; each is freed before the next is read."""
    infos = package.infolist()
    _check_names(infos, file)
    left = xmlio.Limits(
        max_bytes=MAX_BYTES,
        max_elements=MAX_ELEMENTS,
        max_attributes_in_all=MAX_ATTRIBUTES,
        max_text=MAX_TEXT,
    )
    for info in infos:
        content = package.read(info)
        if not content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").startswith(b"<"):
            continue  # a picture, the printer's settings
        root = _parse(content, left, file, info.filename)
        content = _copy(root, info.filename, file)
        left = _less(left, root)
        if content:
            yield info.filename, content


def _check_names(infos: list[zipfile.ZipInfo], file: str) -> None:
    size = sum(info.file_size for info in infos)
    if len(infos) > MAX_PARTS or size > MAX_BYTES:
        raise refusal(
            file,
            f"it unpacks to {len(infos)} parts of {size:,} bytes; the limits are "
            f"{MAX_PARTS} and {MAX_BYTES:,}: delete what does not belong to the chart",
        )
    names = {info.filename.lower() for info in infos}
    if len(names) < len(infos):
        raise refusal(file, "two of its parts have one name; save it anew as .xlsx")
    if any(name.endswith("vbaproject.bin") for name in names):
        raise refusal(file, "it holds macros; save it as .xlsx")
    if "[content_types].xml" not in names:
        raise refusal(file, "a ZIP file, but no Excel workbook")


def _parse(content: bytes, limits: xmlio.Limits, file: str, name: str) -> xmlio.Element:
    try:
        return xmlio.parse(content, limits=limits, what=f"its part {name[:80]}")
    except DocumentError as error:
        if error.code == "CB-151":
            raise refusal(file, f"its part {name[:80]} declares a document type") from error
        if error.code == "CB-152":
            raise refusal(
                file, f"{error.message}; delete empty rows, columns and what does not belong to it"
            ) from error
        raise refusal(
            file, f"the workbook cannot be read: {error.message}; save it anew as .xlsx"
        ) from error


def _less(limits: xmlio.Limits, root: xmlio.Element) -> xmlio.Limits:
    """Return the limits for the parts after this one."""
    return xmlio.Limits(
        max_bytes=limits.max_bytes,
        max_elements=limits.max_elements - int(root.xpath("count(//node()[not(self::text())])")),
        max_attributes_in_all=limits.max_attributes_in_all - int(root.xpath("count(//@*)")),
        max_text=limits.max_text,
    )


def _copy(root: xmlio.Element, name: str, file: str) -> bytes:
    """Return a part with the content that a chart is read from; empty where it has none."""
    kind = xmlio.local_name(root)
    if kind not in _NEEDED or "sheets/_rels/" in name:
        return b""
    if kind == "workbook" and xmlio.namespace(root) == _STRICT:
        raise refusal(file, 'it was saved as "Strict Open XML"; save it as .xlsx')
    children = _NEEDED[kind]
    if children is not None:
        out = [at for at, child in enumerate(root) if xmlio.local_name(child) not in children]
        for at in reversed(out):
            del root[at]  # freed at once; the time of lxml's remove() grows with the square
    if kind == "worksheet":
        _check_merged(root, file, name)
        # openpyxl makes an object for each row that has a height, a style or a level.
        for row in root.iterfind("{*}sheetData/{*}row"):
            for attribute in set(row.attrib) - {"r"}:
                del row.attrib[attribute]
    if kind == "styleSheet" and sum(map(len, root)) > MAX_STYLES:
        raise refusal(file, f"it has more than {MAX_STYLES:,} styles; save it anew as .xlsx")
    return xmlio.serialised(root)


def _check_merged(sheet: xmlio.Element, file: str, name: str) -> None:
    area = 0
    for merged in sheet.iter("{*}mergeCell"):
        first, _, last = merged.get("ref", "").partition(":")
        corners = [_AREA.fullmatch(corner) for corner in (first, last or first)]
        if corners[0] is None or corners[1] is None:
            raise refusal(file, f"its part {name[:80]} merges cells that it does not name")
        (left, top), (right, bottom) = (
            (_column(each[1]), int(each[2])) for each in corners if each
        )
        area += (abs(right - left) + 1) * (abs(bottom - top) + 1)
    if area > MAX_AREA:
        raise refusal(
            file,
            f"its part {name[:80]} merges {area:,} cells, where {MAX_AREA:,} are allowed; "
            "undo the merges",
        )


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


__all__ = ["MAX_AREA", "clean"]
