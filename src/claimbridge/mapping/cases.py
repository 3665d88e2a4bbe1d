"""Example claims with expected postings, kept beside a chart, and how they differ from it.

A case is a JSON file in the folder ``<name of the chart>.cases``: ``claim``, with ``postings`` or
with the code of the ``error`` that it must end in. A posting states ``account``, ``side`` and
``amount``, and as much more of what ``claimbridge map --json`` prints as is to be compared.
``posting_date`` and ``period`` may be stated as well.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError
from claimbridge.mapping.chart.files.files import read_bytes
from claimbridge.mapping.chart_of_accounts import Chart
from claimbridge.mapping.postings.explanation import Mapped
from claimbridge.model import Claim

_COMPARED: Final = (
    "account", "side", "amount", "currency", "cost_centre", "role", "company", "partner",
    "narration",
)  # fmt: skip
_REQUIRED: Final = ("account", "side", "amount")


class ChartCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One example claim, as its file says; no ``postings`` and no ``error``: not expected yet."""

    claim: msgspec.Raw
    postings: tuple[dict[str, str], ...] | None = None
    error: str | None = None
    posting_date: str | None = None
    period: str | None = None


class CaseDifference(NamedTuple):
    """One thing that is not as expected; ``posting`` counts from 1, 0 where it is the whole claim.

    An empty text: there is none.
    """

    posting: int
    what: str
    expected: str
    found: str


class CaseResult(NamedTuple):
    """How a case ended; without differences as expected. ``written``: its file was rewritten."""

    name: str
    claim_id: str
    differences: tuple[CaseDifference, ...]
    written: bool = False


def run_cases(path: Path, *, write: bool = False) -> Iterator[CaseResult]:
    """Yield how each case beside the chart at ``path`` ends.

    With ``write`` the expectations of those that differ are replaced by what the chart gives.
    Raises ConfigurationError: CB-266 where there are no cases, or one is none or cannot be written,
    and what loading the chart and reading its files raises.
    """
    chart = Chart.load(path)
    for file in _files(path):
        case = _read(file)
        end = _map(chart, case)
        differences = tuple(_differences(case, end))
        if differences and write:
            _write(file, case, end)
        claim_id = end.voucher.claim_id if isinstance(end, Mapped) else end.claim_id or ""
        yield CaseResult(file.stem, claim_id, differences, written=bool(differences) and write)


def cases_folder(path: Path) -> Path:
    """Return the folder that the cases of a chart stand in."""
    return path.with_name(f"{path.name if path.is_dir() else path.stem}.cases")


def _files(path: Path) -> list[Path]:
    folder = cases_folder(path.absolute())
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not found:
        raise ConfigurationError(
            f'{os.fspath(path)}: no example claims; put them into {folder.name}/ as {{"claim": …}} '
            "and let `claimbridge chart test --write` fill in their postings",
            code="CB-266",
        )
    return found


def _read(file: Path) -> ChartCase:
    try:
        case = msgspec.json.decode(read_bytes(file), type=ChartCase)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ConfigurationError(f"{file}: not an example claim: {error}", code="CB-266") from error
    if case.error is not None and case.postings is not None:
        raise ConfigurationError(f"{file}: it expects postings and an error", code="CB-266")
    for number, posting in enumerate(case.postings or (), start=1):
        missing = [name for name in _REQUIRED if name not in posting]
        unknown = [name for name in posting if name not in _COMPARED]
        if missing or unknown:
            problem = f"has no {missing[0]}" if missing else f"has an unknown {unknown[0][:40]}"
            raise ConfigurationError(f"{file}: posting {number} {problem}", code="CB-266")
    return case


def _map(chart: Chart, case: ChartCase) -> Mapped | ClaimError:
    try:
        return chart.map(Claim.from_json(bytes(case.claim)))
    except ClaimError as error:
        return error


def _differences(case: ChartCase, end: Mapped | ClaimError) -> Iterator[CaseDifference]:
    if isinstance(end, ClaimError):
        if case.error != end.code:
            wanted = case.error or ("" if case.postings is None else "postings")
            yield CaseDifference(0, "error", wanted, f"{end.code} {end.message}")
        return
    if case.error is not None:
        yield CaseDifference(0, "error", case.error, "postings")
        return
    plain = end.to_dict()
    for what, stated, given in (
        ("posting date", case.posting_date, str(end.voucher.posting_date)),
        ("period", case.period, end.period or ""),
    ):
        if stated is not None and stated != given:
            yield CaseDifference(0, what, stated, given)
    yield from _posting_differences(case.postings or (), plain["postings"])


def _posting_differences(
    expected: Sequence[Mapping[str, str]], found: Sequence[Mapping[str, str]]
) -> Iterator[CaseDifference]:
    # Aligned, so that one posting too many does not make all below it different.
    pairs = difflib.SequenceMatcher(
        a=[_key(posting) for posting in expected],
        b=[_key(posting) for posting in found],
        autojunk=False,
    )
    for _, first, last, begin, end in pairs.get_opcodes():
        for offset in range(max(last - first, end - begin)):
            wanted = expected[first + offset] if first + offset < last else None
            given = found[begin + offset] if begin + offset < end else None
            number = min(begin + offset, max(end - 1, begin)) + 1
            if wanted is None or given is None:
                yield CaseDifference(number, "posting", _line(wanted), _line(given))
                continue
            for name in _COMPARED:
                if name in wanted and not _same(name, wanted[name], given.get(name, "")):
                    yield CaseDifference(number, name, wanted[name], given.get(name, ""))


def _key(posting: Mapping[str, str]) -> tuple[str, str, Decimal | str]:
    return posting["account"], posting["side"], _amount(posting["amount"])


def _same(name: str, wanted: str, found: str) -> bool:
    return wanted == found or (name == "amount" and _amount(wanted) == _amount(found))


def _amount(text: str) -> Decimal | str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _line(posting: Mapping[str, str] | None) -> str:
    if posting is None:
        return ""
    shown = ("side", "account", "amount", "currency", "cost_centre")
    return " ".join(posting[name] for name in shown if posting.get(name))


def _write(file: Path, case: ChartCase, end: Mapped | ClaimError) -> None:
    made: dict[str, Any] = {"claim": case.claim}
    if isinstance(end, ClaimBridgeError):
        made["error"] = end.code
    else:
        made["postings"] = end.to_dict()["postings"]
        made["posting_date"] = str(end.voucher.posting_date)
        if end.period is not None:
            made["period"] = end.period
    text = msgspec.json.format(msgspec.json.encode(made), indent=2)
    try:
        file.write_bytes(text + b"\n")
    except OSError as error:
        raise ConfigurationError(
            f"{file}: it cannot be written: {error.strerror or error}", code="CB-266"
        ) from error
