"""The page about mapping: its tables are the postings of the cases that they link to."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/mapping/cases"
TABLE = re.compile(r"\(\[`([\w-]+)`\]\([^)]+\)\)\n\n((?:\|.*\n)+)")


def test_the_tables_are_those_of_the_cases() -> None:
    """Sentence, role, account, side, amount and what else is said, in order."""
    page = (ROOT / "docs/mapping.md").read_text()
    found = TABLE.findall(page)
    assert len(found) == page.count("| role |") > 20
    for name, rows in found:
        case = json.loads((CASES / f"{name}.json").read_text())
        assert f"{case['says']} ([`{name}`]" in page
        shown = [_shown(row) for row in rows.splitlines()[2:]]
        assert shown == [_written(text) for text in case["postings"]], name


def _shown(row: str) -> list[str]:
    role, account, debit, credit, besides = (cell.strip() for cell in row.strip("|").split("|"))
    side = "debit" if debit else "credit"
    return [role, account, side, debit or credit, *filter(None, besides.split(", "))]


def _written(text: str) -> list[str]:
    words = [word.replace("=", " ") for word in text.split()]
    return [word for word in words if not word.startswith("source ")]
