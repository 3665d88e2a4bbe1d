"""docs/errors.md says of every code which class carries it, as the source does."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbridge import errors
from claimbridge.sources.record import ArrivalState, StoredArrival

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (CB-\d{3}) \| (\w+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/errors.md").read_text(encoding="utf-8"))
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.ClaimBridgeError)
}


def raised() -> Iterator[tuple[str, str, str]]:
    """Yield code, class and place of every error that the source makes with a literal code."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in CLASSES:
                continue
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value), node.func.id, f"{path.name}:{node.lineno}"


def test_each_code_has_one_row() -> None:
    """A code is looked up once; what it means and what to do stand beside it."""
    codes = [code for code, *_ in ROWS]
    assert codes == sorted(set(codes))
    assert all(meaning and advice for *_, meaning, advice in ROWS)


@pytest.mark.parametrize("kind", CLASSES)
def test_general_codes_are_those_of_the_classes(kind: str) -> None:
    """The row of a class's default code names the class, or the one that it inherits from."""
    code = CLASSES[kind].default_code
    (named,) = [name for row, name, *_ in ROWS if row == code]
    assert issubclass(CLASSES[kind], CLASSES[named])


def test_each_code_is_raised_by_the_class_that_is_documented() -> None:
    """A ticket that names a code can be answered from the page alone."""
    documented = {code: name for code, name, *_ in ROWS}
    checked = list(raised())
    assert len(checked) > 150
    wrong = [
        f"{code} is a {kind} at {place}, documented as {documented[code]}"
        for code, kind, place in checked
        if not issubclass(CLASSES[kind], CLASSES[documented[code]])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for code, kind, *_ in ROWS if code.startswith("CB-4")]
)
def test_an_end_is_read_back_as_what_it_was(code: str, kind: str) -> None:
    """What may be posted is not told as refused, nor as never delivered, on a later pass."""
    kept = StoredArrival(
        number=1,
        source="hesi",
        key="EXP-7",
        version="1",
        state=ArrivalState.PARKED,
        code=code,
        read_at=dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
        updated_at=dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
    )
    wanted = errors.NotDelivered if kind == "DeliveryRefused" else CLASSES[kind]
    assert type(kept.error()) is wanted
