"""docs/chart.md names every key of a chart and every field of an expression."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from claimbridge.mapping.chart.files.layout import KEYED, LISTED, SINGLE, IntercompanyTable
from claimbridge.mapping.chart.when import WHEN_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "chart.md").read_text(encoding="utf-8")
TABLES = {**SINGLE, **KEYED, **LISTED, "company.X.intercompany.Y": IntercompanyTable}


@pytest.mark.parametrize("name", TABLES)
def test_every_key_is_on_the_page(name: str) -> None:
    """In code, so that it can be searched for."""
    keys = [field.name for field in msgspec.structs.fields(TABLES[name])]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


def test_every_field_of_an_expression_is_on_the_page() -> None:
    """Those that a when may name."""
    assert [name for name in WHEN_FIELDS if f"`{name}`" not in PAGE] == []
