"""What all tests share: where third-party data lies, and which peer programs run here.

Nothing third-party is copied into the repository. ``CLAIMBRIDGE_CONTRACTS`` and
``CLAIMBRIDGE_VECTORS`` name the folders; without them they are looked for beside the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import pytest
from tests.quick import is_quick

BESIDE = Path(__file__).resolve().parents[2] / "shared"


def locate(name: str) -> Path:
    """Return where shared data ``name`` lies (``contracts/…``, ``vectors/…``), present or not."""
    area, _, rest = name.partition("/")
    folder = os.environ.get(f"CLAIMBRIDGE_{area.upper()}")
    return (Path(folder) if folder else BESIDE / area) / rest


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """``shared("contracts/sap-journal-entry/2024.wsdl")``: its path; skips where it is absent."""

    def find(name: str) -> Path:
        path = locate(name)
        if not path.exists():
            area = name.partition("/")[0].upper()
            pytest.skip(f"{name} is not on this machine; CLAIMBRIDGE_{area} names its folder")
        return path

    return find


@pytest.fixture(scope="session")
def peer() -> Callable[..., str]:
    """``peer("php")``: the program's path; skips where it is missing.

    Further arguments are a probe that must exit 0: ``peer("php", "--ri", "soap")``. With
    ``CLAIMBRIDGE_REQUIRE_PEERS=1`` a missing peer fails, so that CI cannot skip it by accident.
    """

    def find(program: str, *probe: str) -> str:
        path = shutil.which(program)
        if path and (not probe or _succeeds(path, *probe)):
            return path
        missing(f"the peer {' '.join((program, *probe))} does not run on this machine")

    return find


def missing(why: str) -> NoReturn:
    """Skip the test for want of a peer; with ``CLAIMBRIDGE_REQUIRE_PEERS=1``, fail it."""
    if os.environ.get("CLAIMBRIDGE_REQUIRE_PEERS") == "1":
        pytest.fail(why)
    pytest.skip(why)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the quick tests their mark."""
    for item in items:
        if is_quick(item.nodeid):
            item.add_marker(pytest.mark.quick)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show whose signatures are accepted by whom, as the tests with the judges saw it."""
    passed_or_not = (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed"))
    seen = [
        value
        for report in passed_or_not
        for name, value in report.user_properties
        if name == "signatures"
    ]
    if seen:
        terminalreporter.section("signatures: we are accepted by / we accept (-: not asked)")
        for line in _matrix(seen):
            terminalreporter.write_line(line)


def _matrix(
    seen: Iterable[tuple[str, str, str, dict[str, list[bool]]]],
) -> Iterable[str]:
    """Yield the lines of a table: a row per kind and algorithm, a column per judge.

    A mark is + where the signature was accepted and its forgery refused, ! where not, and - where
    the judge does not know the kind or the algorithm.
    """
    marks = {
        (kind, algorithm, judge, way): "+" if verdicts == [True, False] else "!"
        for judge, kind, way, by_algorithm in seen
        for algorithm, verdicts in by_algorithm.items()
    }
    judges = list(dict.fromkeys(judge for _, _, judge, _ in sorted(marks)))
    yield f"{'kind':<12}{'algorithm':<16}" + "".join(f"{judge:<12}" for judge in judges)
    for kind, algorithm in sorted({row[:2] for row in marks}):
        cells = (
            "/".join(marks.get((kind, algorithm, judge, way), "-") for way in ("theirs", "ours"))
            for judge in judges
        )
        yield f"{kind:<12}{algorithm:<16}" + "".join(f"{cell:<12}" for cell in cells)
