"""Random charts: the index finds what a walk over the rows finds, in whatever file they stand."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mapping.charts import CHART, chart, claim, line

from claimbridge.errors import ConfigurationError, MappingError
from claimbridge.mapping import Chart
from claimbridge.mapping.chart.boxes import ALL, box_of, example, intersection, remainder
from claimbridge.mapping.chart.facts import CONDITIONS, Facts, facts_of
from claimbridge.mapping.chart.rows import ANY, ExpenseRow, RowIndex, Window
from claimbridge.mapping.chart.when import When
from claimbridge.model import Claim

FIRST = dt.date(2026, 1, 1)
VALUES = {
    "company": ["CN01", "CN02"],
    "department": ["RD", "QA", "HR"],
    "project": ["P1", "P2"],
    "employee": ["E7", "E8"],
    "grade": ["5", "6"],
    "country": ["CN", "DE"],
    "payment": ["employee", "company_card"],
}
WHENS = ["amount > 3", "refund", 'text =~ "a.*"', "(quantity ?? 0) > 1", 'department == "RD"']
(BASE,) = chart(more='[[expense]]\ntype = "x"\naccount = "1"\n')._rules.rows.of_type("x")
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Ranges of amounts and dates, some open, none empty."""
    over = draw(st.none() | st.integers(0, 5))
    up_to = draw(st.none() | st.integers(1 if over is None else over + 1, 7))
    first = draw(st.none() | st.integers(0, 5))
    last = draw(st.none() | st.integers(first or 0, 7))
    return Window(
        None if over is None else Decimal(over),
        None if up_to is None else Decimal(up_to),
        None if first is None else FIRST + dt.timedelta(days=first),
        None if last is None else FIRST + dt.timedelta(days=last),
    )


@st.composite
def rows(draw: st.DrawFn, *, with_when: bool = True) -> list[ExpenseRow]:
    """Rows of one type with random conditions, a few of each."""
    made = []
    for number in range(draw(st.integers(1, 9))):
        stated = draw(st.sets(st.sampled_from(CONDITIONS), max_size=3))
        conditions = tuple(
            frozenset(draw(st.sets(st.sampled_from(VALUES[name]), min_size=1)))
            if name in stated
            else None
            for name in CONDITIONS
        )
        when = draw(st.none() | st.sampled_from(WHENS)) if with_when else None
        made.append(
            msgspec.structs.replace(
                BASE,
                number=number,
                account=f"A{number}",
                conditions=conditions,
                window=draw(st.just(ANY) | windows()),
                when=None if when is None else When.parse(when),
            )
        )
    return made


@st.composite
def claims(draw: st.DrawFn) -> tuple[Claim, dt.date]:
    """A claim of one line of type x, and its posting date."""

    def one(name: str) -> str:
        return draw(st.sampled_from(VALUES[name])) if draw(st.booleans()) else ""

    units = draw(st.integers(-700, 700))
    given_line = line(
        "x",
        str(Decimal(units or 1).scaleb(-2)),
        department=one("department"),
        project=one("project"),
        payment=draw(st.sampled_from(VALUES["payment"])),
        company=one("company"),
        text=draw(st.sampled_from(["", "abc", "b"])),
        quantity=draw(st.none() | st.just(Decimal(2))),
    )
    given_claim = claim(
        given_line,
        department=one("department"),
        employee=draw(st.sampled_from([*VALUES["employee"], "E9"])),
        grade=one("grade"),
        country=one("country"),
    )
    return given_claim, FIRST + dt.timedelta(days=draw(st.integers(-1, 9)))


def facts(case: tuple[Claim, dt.date]) -> Facts:
    """Return the facts of the claim's line."""
    return facts_of(case[0], case[0].lines[0], case[1])


def walk(members: list[ExpenseRow], given_facts: Facts) -> ExpenseRow | None:
    """Return the first row that fits, by looking at every one."""
    return next((row for row in members if fits(row, given_facts)), None)


def fits(row: ExpenseRow, given_facts: Facts) -> bool:
    """Return whether a row answers for a line of its type."""
    exact = zip(row.conditions, given_facts.exact, strict=True)
    return (
        all(values is None or fact in values for values, fact in exact)
        and row.window.takes(given_facts.amount, given_facts.posting)
        and (row.when is None or row.when.holds(given_facts))
    )


@some
@given(rows(), st.lists(claims(), min_size=1, max_size=8))
def test_the_index_finds_what_a_walk_finds(
    members: list[ExpenseRow], cases: list[tuple[Claim, dt.date]]
) -> None:
    """The first row that fits, or none."""
    index = RowIndex(members)
    for case in cases:
        assert index.find(facts(case)) is walk(members, facts(case))


@some
@given(rows(), st.lists(claims(), min_size=1, max_size=8))
def test_a_row_that_is_refused_as_unreachable_never_wins(
    members: list[ExpenseRow], cases: list[tuple[Claim, dt.date]]
) -> None:
    """Not by the single row that hides it, nor by several."""
    index = RowIndex(members)
    hidden = [row for _, row in index.unreachable()]
    for row, earlier in index.meetings("x"):
        before = [other for other in earlier if other.when is None or other.when == row.when]
        if remainder(box_of(row), map(box_of, before)) == []:
            hidden.append(row)
        else:
            assert row not in [one for _, one in index.unreachable()]
    for case in cases:
        assert index.find(facts(case)) not in hidden


@some
@given(rows())
def test_the_axes_compare_rows_as_one_by_one(members: list[ExpenseRow]) -> None:
    """Which earlier rows hide one, and which have something in common with it."""
    index = RowIndex(members)
    hidden = {
        row.number: next((one.number for one in members[:place] if one.takes_all_of(row)), None)
        for place, row in enumerate(members)
    }
    found = {row.number: earlier.number for earlier, row in index.unreachable()}
    assert found == {row: by for row, by in hidden.items() if by is not None}
    for place, (row, meeting) in enumerate(index.meetings("x")):
        common = [
            one for one in members[:place] if intersection(box_of(one), box_of(row)) is not None
        ]
        assert list(meeting) == common


@some
@given(windows(), windows())
def test_a_window_covers_what_it_takes_all_of(one: Window, other: Window) -> None:
    """No amount and no day within the other is outside, and the other way round."""
    points = [
        (Decimal(amount), FIRST + dt.timedelta(days=day))
        for amount in range(9)
        for day in range(-1, 9)
    ]
    assert one.covers(other) == all(one.takes(*at) for at in points if other.takes(*at))


@some
@given(rows(with_when=False), st.lists(claims(), min_size=1, max_size=8))
def test_what_is_left_over_is_what_no_row_takes(
    members: list[ExpenseRow], cases: list[tuple[Claim, dt.date]]
) -> None:
    """Every example of a gap falls through; where there is no gap, nothing does."""
    left = remainder(ALL, map(box_of, members))
    assert left is not None
    for box in left:
        exact, amount, day = example(box)
        base = facts((claim(line("x", "1")), FIRST))
        shown = base._replace(exact=exact, amount=amount, posting=day or FIRST)
        assert walk(members, shown) is None
    for case in cases:
        if walk(members, facts(case)) is None:
            assert left


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Expense rows as tables of TOML, for types a and b."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        row: dict[str, Any] = {"type": draw(st.sampled_from("ab")), "account": f"00{number}"}
        for name in draw(st.sets(st.sampled_from(CONDITIONS), max_size=2)):
            row[name] = sorted(draw(st.sets(st.sampled_from(VALUES[name]), min_size=1)))
        window = draw(windows())
        named = zip(("amount_over", "amount_up_to", "valid_from", "valid_to"), window, strict=True)
        row.update({name: bound for name, bound in named if bound is not None})
        if draw(st.booleans()):
            row["tax_rate"] = Decimal(draw(st.integers(0, 10**6))).scaleb(-6)
            row["deductible"] = Decimal(draw(st.integers(0, 1000))).scaleb(-3)
        if draw(st.booleans()):
            row["when"] = draw(st.sampled_from(WHENS))
        made.append(row)
    return made


def as_toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return f"'{value}'" if isinstance(value, str) else str(value)


def as_cell(value: object) -> object:
    """Return a value as a workbook keeps it."""
    if isinstance(value, list):
        return "，".join(value)
    return float(value) if isinstance(value, Decimal) else value


def loaded(path: Path) -> Chart | str:
    """Return the chart, or the code of what it is refused for."""
    try:
        return Chart.load(path)
    except ConfigurationError as error:
        return error.code


@settings(some, max_examples=30)
@given(made=tables(), cases=st.lists(claims(), min_size=1, max_size=4))
def test_toml_csv_and_excel_map_alike(
    made: list[dict[str, Any]],
    cases: list[tuple[Claim, dt.date]],
    tmp_path_factory: Any,
) -> None:
    """The same rows in three kinds of file are refused alike, and map every claim alike."""
    folder = tmp_path_factory.mktemp("charts")
    head = CHART.split("[[expense]]")[0]
    text = "".join(
        "[[expense]]\n" + "".join(f"{key} = {as_toml(value)}\n" for key, value in row.items())
        for row in made
    )
    (folder / "toml.toml").write_text(head + text, "utf-8")
    keys = list(dict.fromkeys(key for row in made for key in row))
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(keys)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(keys)
    for row in made:
        cells = [row.get(key) for key in keys]
        writer.writerow(["; ".join(one) if isinstance(one, list) else one for one in cells])
        book.active.append([as_cell(one) for one in cells])
    (folder / "rows.csv").write_text(lines.getvalue(), "utf-8")
    book.save(folder / "rows.xlsx")
    for kind in ("csv", "xlsx"):
        (folder / f"{kind}.toml").write_text(
            head.replace("[chart]", f'[chart]\nrows = "rows.{kind}"'), "utf-8"
        )
    charts = [loaded(folder / f"{name}.toml") for name in ("toml", "csv", "xlsx")]
    if isinstance(charts[0], str):
        assert charts == [charts[0]] * 3
        return
    for case, posting in cases:
        typed = msgspec.structs.replace(case.lines[0], type="a")
        dated = msgspec.structs.replace(case, lines=(typed,), posting_date=posting)
        assert len({mapped(one, dated) for one in charts if isinstance(one, Chart)}) == 1


def mapped(subject: Chart, given_claim: Claim) -> bytes | str:
    """Return the voucher's bytes, or the code of what it is refused for."""
    try:
        return msgspec.json.encode(subject.map(given_claim).voucher)
    except MappingError as error:
        return error.code
