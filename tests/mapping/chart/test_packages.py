"""A workbook costs bounded memory and time, whatever its parts hold; nothing in them is obeyed."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.workbook import workbook_grids

openpyxl: Any = pytest.importorskip("openpyxl")

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def sheet(rows: str, more: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>'


def package(**parts: str | bytes) -> bytes:
    """Return a workbook with one cell, some of whose parts are others."""
    book = openpyxl.Workbook()
    book.active["A1"] = "key"
    whole = io.BytesIO()
    book.save(whole)
    made = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
        for name in set(parts) - set(old.namelist()):
            new.writestr(name, parts[name])
    return made.getvalue()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "cells": (package(**{SHEET: sheet("<row>" + "<c/>" * 2_000_000 + "</row>")}), "elements"),
    "elements in a part that is not needed": (
        package(**{"docProps/custom.xml": "<a>" + "<b/>" * 900_000 + "</a>"}),
        "elements",
    ),
    "elements in all parts": (
        package(**{f"xl/media/{n}.xml": "<a>" + "<b/>" * 90_000 + "</a>" for n in range(9)}),
        "elements",
    ),
    "attributes": (
        package(
            **{
                SHEET: sheet(
                    "<row>"
                    + ("<c " + " ".join(f'a{i}=""' for i in range(200)) + "/>") * 7_000
                    + "</row>"
                )
            }
        ),
        "attributes in all",
    ),
    "a long cell": (
        package(**{SHEET: sheet(f'<row><c t="str"><v>{"x" * 32_768}</v></c></row>')}),
        "length of one text",
    ),
    "a cell of many runs": (
        package(
            **{
                SHEET: sheet(
                    '<row><c t="inlineStr"><is>'
                    + f"<r><t>{'x' * 30_000}</t></r>" * 900
                    + "</is></c></row>"
                )
            }
        ),
        "27,000,000 characters",
    ),
    "a text in many cells": (
        package(
            **{
                STRINGS: f'<sst xmlns="{MAIN}"><si><t>{"_x000D_a" * 4_000}</t></si></sst>',
                SHEET: sheet(("<row>" + '<c t="s"><v>0</v></c>' * 20 + "</row>") * 1_000),
                "[Content_Types].xml": (
                    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                    '<Default Extension="rels" ContentType='
                    '"application/vnd.openxmlformats-package.relationships+xml"/>'
                    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
                    'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
                    '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.'
                    'openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
                ),
            }
        ),
        "more than 33,554,432 characters",
    ),
    "merged cells": (
        package(**{SHEET: sheet("", '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')}),
        "merges 17,179,869,184 cells",
    ),
    "styles": (
        package(
            **{
                STYLES: f'<styleSheet xmlns="{MAIN}"><cellXfs>'
                + '<xf numFmtId="0"/>' * 70_000
                + "</cellXfs></styleSheet>"
            }
        ),
        "more than 65,490 styles",
    ),
    "a DOCTYPE in a part that is not needed": (
        package(**{"docProps/app.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
        "its part docProps/app.xml declares a document type",
    ),
    "a DOCTYPE in UTF-16 without a mark": (
        package(
            **{
                SHEET: (
                    '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]>'
                    + sheet('<row><c t="str"><v>&b;</v></c></row>')
                ).encode("utf-16-le")
            }
        ),
        f"its part {SHEET} declares a document type",
    ),
    "Strict Open XML": (
        package(
            **{
                "xl/workbook.xml": '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main">'
                "<sheets/></workbook>"
            }
        ),
        'saved as "Strict Open XML"',
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_would_cost_too_much_is_refused(what: str) -> None:
    """CB-260, in words, with the limit: by elements, attributes, characters, cells and styles."""
    data, told = HOSTILE[what]
    with pytest.raises(ConfigurationError) as refused:
        workbook_grids(data, file="cn.xlsx")
    assert refused.value.code == "CB-260"
    assert told in refused.value.message
    assert refused.value.message.startswith("cn.xlsx: ")


def test_links_drawings_and_row_heights_are_left_alone() -> None:
    """A link over all cells would make each of them; what no chart is read from is not read."""
    rows = '<row r="1" ht="5" s="1" customFormat="1"><c r="A1" t="str"><v>key</v></c></row>'
    links = '<hyperlinks><hyperlink ref="A1:XFD1048576" location="a"/></hyperlinks>'
    (grid,) = workbook_grids(package(**{SHEET: sheet(rows, links)}), file="cn.xlsx")
    assert grid.rows == ((1, ("key",)),)


READ = """
import resource, sys
from pathlib import Path
from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.workbook import workbook_grids
data = Path(sys.argv[1]).read_bytes()
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    workbook_grids(data, file="cn.xlsx")
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "rows", ["<c/>" * 6_000_000, "<c><v>1</v></c>" * 3, ('<c s="0" t="n"><v>1</v></c>' * 390_000)]
)
def test_the_memory_of_a_workbook_is_bounded(tmp_path: Path, rows: str) -> None:
    """A process that may have 1 GB reads, or refuses, the worst that fits the limits."""
    file = tmp_path / "cn.xlsx"
    cells = rows if len(rows) > 100 else f"<row>{rows}</row>" * 130_000
    file.write_bytes(package(**{SHEET: sheet(f"<row>{cells}</row>" if len(rows) > 100 else cells)}))
    ended = subprocess.run(
        [sys.executable, "-c", READ, file], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_000_000
