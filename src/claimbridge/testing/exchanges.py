"""Recorded exchanges: ``<profile>/<operation>/<case>/{request.xml,reply.xml,case.toml}``.

``claimbridge sandbox --record DIR`` writes them; so may you, from what your ERP said. A case.toml
may add an ``[[expect]]`` table per document of the reply, in the words of ``claimbridge reply``:

    [[expect]]
    outcome = "posted"
    journal_entry = "0100000008 / 1410 / 2024"
    reasons = ["605(RW): Document posted successfully"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.model import Outcome
from claimbridge.xmlio import canonical, parse


class RecordedExchange(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange as recorded.

    ``reply`` None means that none came in full. ``expected`` is empty when the case expects
    nothing in particular. ``about`` is the whole case.toml.
    """

    profile: str
    operation: str
    case: str
    request: bytes
    reply: bytes | None
    expected: tuple[dict[str, Any], ...]
    about: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.profile}/{self.operation}/{self.case}"


def load_exchanges(folder: Path) -> Iterator[RecordedExchange]:
    """Yield every exchange recorded below ``folder``, in the order of their names.

    Raises ConfigurationError naming the file that cannot be read.
    """
    for about_file in sorted(folder.glob("*/*/*/case.toml")):
        place = about_file.parent
        try:
            about = tomllib.loads(about_file.read_text(encoding="utf-8"))
            request = (place / "request.xml").read_bytes()
            replies = [
                p.read_bytes() for p in (place / "reply.xml", place / "reply.txt") if p.exists()
            ]
        except (OSError, ValueError) as error:  # ValueError: of TOML, of UTF-8
            raise ConfigurationError(f"{place}: {error}", code="CB-250") from error
        yield RecordedExchange(
            profile=place.parent.parent.name,
            operation=place.parent.name,
            case=place.name,
            request=request,
            reply=replies[0] if replies else None,
            expected=tuple(about.get("expect", ())),
            about=about,
        )


def shown_outcomes(outcomes: tuple[Outcome, ...]) -> tuple[dict[str, Any], ...]:
    """Return outcomes in the words of an ``[[expect]]`` table; empty fields are left out."""
    return tuple(
        {
            name: value
            for name, value in (
                ("outcome", str(outcome.kind)),
                ("reference", outcome.reference),
                ("journal_entry", str(outcome.journal_entry) if outcome.journal_entry else None),
                ("reasons", [str(reason) for reason in outcome.reasons]),
                ("retry_after", outcome.retry_after),
            )
            if value
        }
        for outcome in outcomes
    )


def assert_same_xml(one: bytes, other: bytes) -> None:
    """Assert that two documents are the same after canonicalisation; show the first difference."""
    left, right = (canonical(parse(document)).decode() for document in (one, other))
    if left == right:
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    around = slice(max(0, at - 60), at + 60)
    raise AssertionError(
        f"the documents differ at character {at}:\n  {left[around]}\n  {right[around]}"
    )
