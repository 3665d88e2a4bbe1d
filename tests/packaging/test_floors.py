"""The lowest versions that an installation may have."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[2] / "setup.cfg"
SAFE = {
    "rfc3161-client": ((1, 0, 3), "earlier ones accept altered timestamps (CVE-2025-52556)"),
    "urllib3": ((2, 7), "earlier ones have no limit on what a reply unpacks to"),
    "aiohttp": ((3, 13, 4), "earlier ones read hostile answers wrongly"),
}


def declared() -> dict[str, list[str]]:
    """Every requirement by its package, of the product and of every extra."""
    settings = configparser.ConfigParser()
    settings.read(SETTINGS, encoding="utf-8")
    extras = settings["options.extras_require"]
    lines = [settings["options"]["install_requires"], *extras.values()]
    found: dict[str, list[str]] = {}
    for line in (one for text in lines for one in text.split()):
        name = re.match(r"[\w-]+", line)
        assert name is not None, line
        found.setdefault(name[0], []).append(line[name.end() :])
    return found


@pytest.mark.parametrize("package", SAFE)
def test_no_unsafe_version_is_taken(package: str) -> None:
    """Wherever the package is named, for users and for developers."""
    least, why = SAFE[package]
    limits = declared()[package]
    assert limits
    for limit in limits:
        match = re.fullmatch(r">=([\d.]+)", limit)
        assert match is not None, limit
        assert tuple(map(int, match[1].split("."))) >= least, why


def test_every_dependency_has_a_lowest_version() -> None:
    """Without one nobody can say what an installation runs on."""
    assert [name for name, limits in declared().items() if not all(">=" in o for o in limits)] == []
