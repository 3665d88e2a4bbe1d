"""``reply`` prints each document's outcome by its own name; the exit code is what it proves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Folder, Run

from claimbridge.contract.calls.replies import Reply
from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.profiles.reference.profile import Reference

RECORDED = EXAMPLES.parent / "tests/fixtures/soap"
POSTED = RECORDED / "reference/SubmitVoucher/accepted/reply.xml"
EXIT_CODES = {
    OutcomeKind.POSTED: 0,
    OutcomeKind.ACKNOWLEDGED: 0,
    OutcomeKind.PAID: 0,
    OutcomeKind.REVERSED: 0,
    OutcomeKind.REJECTED: 1,
    OutcomeKind.ABSENT: 1,
    OutcomeKind.DUPLICATE: 3,
    OutcomeKind.UNDER_WAY: 3,
    OutcomeKind.UNKNOWN: 3,
    OutcomeKind.UNAVAILABLE: 4,
    OutcomeKind.NOT_DELIVERED: 4,
}


class Saying(Reference):
    """Reads the same outcome from whatever it is given."""

    def __init__(self, *, kind: OutcomeKind, useless: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self.useless = useless

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        return (
            Outcome(
                kind=self.kind,
                journal_entry=JournalEntry("000042", "CN01", "2026"),
                text="so it says",
                retry_is_useless=self.useless,
            ),
        )


def test_every_kind_has_an_exit_code() -> None:
    """A new kind is decided here too."""
    assert set(EXIT_CODES) == set(OutcomeKind)


@pytest.mark.parametrize("kind", OutcomeKind)
def test_each_kind_is_printed_by_its_own_name(run: Run, folder: Folder, kind: OutcomeKind) -> None:
    """The name as it is in JSON, in words for people; both end alike."""
    asked = ("reply", "--profile", f"{__name__}:Saying", "--option", f"kind={kind}", POSTED)
    told, shown = run(*asked, "--json"), run(*asked)
    assert told.record["outcome"] == kind
    assert (told.code, shown.code) == (EXIT_CODES[kind], EXIT_CODES[kind])
    assert shown.out.startswith(f"{POSTED}: {kind.replace('_', ' ')} 000042 / CN01 / 2026\n")


def test_what_is_useless_to_repeat_is_told(run: Run, folder: Folder) -> None:
    """Credentials or rights must be fixed first."""
    asked = (
        "reply", "--profile", f"{__name__}:Saying",
        "--option", "kind=not_delivered", "--option", "useless=true", POSTED,
    )  # fmt: skip
    assert run(*asked, "--json").record["retry_is_useless"] is True
    assert ": not delivered, useless to repeat 000042" in run(*asked).out


@pytest.mark.parametrize(
    ("profile", "case", "outcome"),
    [
        ("reference", "QueryVouchers/absent", "absent"),
        ("reference", "SubmitVoucher/accepted", "posted"),
        ("reference", "SubmitVoucher/duplicate", "duplicate"),
        ("workday", "Submit_Accounting_Journal/accepted", "acknowledged"),
        ("workday", "Get_Journals/absent", "absent"),
    ],
)
def test_recorded_replies(run: Run, folder: Folder, profile: str, case: str, outcome: str) -> None:
    """As the ERPs themselves answer."""
    reply: Path = RECORDED / profile / case / "reply.xml"
    ended = run("reply", "--profile", profile, "--json", reply)
    assert (ended.record["outcome"], ended.code) == (outcome, EXIT_CODES[OutcomeKind(outcome)])
