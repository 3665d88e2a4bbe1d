"""The drill of drifted replies, in short; and that it can tell."""

from __future__ import annotations

import random
import warnings
from functools import partial

import pytest
from tests.drills.drift import drill
from tests.drills.drifted.cases import cases

from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.testing.drift import DriftingReply, ReadingVerdict, judge
from claimbridge.xmlio import parse


def test_no_drifted_reply_is_read_wrong() -> None:
    """600 mutated replies of all profiles: right, or an explicit unknown where evidence is gone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tally = drill(cases(), mutations=600, seed=7, with_zeep=False, lifelike=True)
    assert [(case, how, verdict) for case, how, verdict, _ in tally.bad] == []
    counted = sum(sum(one.values()) for one in tally.verdicts.values())
    assert counted >= 600
    assert sum(one[ReadingVerdict.RIGHT] for one in tally.verdicts.values()) > 400


POSTED = Outcome(
    kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("100", "C1", "2026")
)
UNKNOWN = Outcome(kind=OutcomeKind.UNKNOWN, reference="R")
OTHER = Outcome(kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("101", "C1"))
BARE = Outcome(
    kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("100", "", "2026")
)
REFUSED = Outcome(kind=OutcomeKind.REJECTED, reference="R")


@pytest.mark.parametrize(
    ("after", "gone", "verdict"),
    [
        ((POSTED,), None, ReadingVerdict.RIGHT),
        ((UNKNOWN,), {"100"}, ReadingVerdict.UNKNOWN),
        ((UNKNOWN,), None, ReadingVerdict.NEEDLESS),
        ((OTHER,), {"100"}, ReadingVerdict.WRONG),
        ((REFUSED,), {"100"}, ReadingVerdict.WRONG),
        ((), {"R"}, ReadingVerdict.UNKNOWN),
        ((), None, ReadingVerdict.WRONG),
        ((BARE,), {"C1"}, ReadingVerdict.RIGHT),
        ((BARE,), {"100"}, ReadingVerdict.WRONG),
        ((POSTED, OTHER), None, ReadingVerdict.WRONG),
    ],
)
def test_the_judge_can_tell(
    after: tuple[Outcome, ...], gone: set[str] | None, verdict: ReadingVerdict
) -> None:
    """Another number, another fate, a part lost that was there: wrong; and so on."""
    assert judge((POSTED,), after, gone=gone) is verdict


REPEATED = Outcome(
    kind=OutcomeKind.DUPLICATE, reference="R", journal_entry=JournalEntry("100", "C1")
)


@pytest.mark.parametrize(
    ("gone", "verdict"),
    [
        ({"100"}, ReadingVerdict.UNKNOWN),
        ({"C1"}, ReadingVerdict.WRONG),
        (None, ReadingVerdict.WRONG),
    ],
)
def test_a_repeat_may_lose_its_number_only_where_it_is_gone(
    gone: set[str] | None, verdict: ReadingVerdict
) -> None:
    """That the document is there stays true without its number."""
    bare = Outcome(kind=OutcomeKind.DUPLICATE, reference="R")
    assert judge((REPEATED,), (bare,), gone=gone) is verdict


ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r><text>{}</text>'
    "</r></e:Body></e:Envelope>"
)


@pytest.mark.parametrize(
    "document", ['{"code": "0", "number": "7"}', "<d><code>0</code><number>7</number></d>"]
)
def test_a_document_in_a_string_is_mutated_too(document: str) -> None:
    """A reader that believes in a number it did not find is seen; one that does not is right."""
    reply = ENVELOPE.format(document.replace("<", "&lt;")).encode()

    def read(data: bytes, *, otherwise: Outcome) -> tuple[Outcome, ...]:
        text = parse(data).findtext(".//{*}text") or ""
        try:
            number = read_inner(text).text("number")
        except DocumentError:
            return (UNKNOWN,)
        if not number:
            return (otherwise,)
        entry = JournalEntry(number)
        return (Outcome(kind=OutcomeKind.POSTED, reference="R", journal_entry=entry),)

    for otherwise, worst in ((UNKNOWN, ReadingVerdict.UNKNOWN), (OTHER, ReadingVerdict.WRONG)):
        drifting = DriftingReply(reply, read=partial(read, otherwise=otherwise))
        found = [drifting.drift(random.Random(n)) for n in range(300)]
        inside = [one for one in found if b"number" not in one.reply and b"code" in one.reply]
        assert {one.verdict for one in inside} == {worst}
        assert any(one.verdict is ReadingVerdict.RIGHT for one in found if one.reply != reply)
