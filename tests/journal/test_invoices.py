"""An invoice is one claim's, in every journal: who has it, until when, and what part of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.journal.samples import LEDGER, changed, run, submission
from tests.journal.stores import Setting

from claimbridge.errors import ClaimError
from claimbridge.journal import Journal, SqliteJournal
from claimbridge.journal.invoices import has_it
from claimbridge.journal.sqlite.migrations import MIGRATIONS
from claimbridge.model import Book, History, InvoiceUse, JournalEntry, State, Submission

NUMBER = "26312000000000123456"
WHOLE = InvoiceUse(invoice=NUMBER, line=2, number=NUMBER)
OTHER = InvoiceUse(invoice="甲|7", line=1, number="7")
OLD = 5
"""How many migrations a journal has seen whose record of sources held invoices."""


@pytest.fixture
def journal(setting: Setting) -> Journal:
    """A journal on each store, to which the book DE01 is parallel."""
    made = setting.journal
    assert made.keep_books((), (Book(id="DE01", names=("DE01",), parallel=True),))
    return made


def part(amount: str, total: str = "1000.00", currency: str = "CNY") -> InvoiceUse:
    """Return the use of a part of the invoice."""
    return InvoiceUse(
        invoice=NUMBER,
        line=1,
        number=NUMBER,
        amount=Decimal(amount),
        total=Decimal(total),
        currency=currency,
    )


def using(claim_id: str, *uses: InvoiceUse, **more: object) -> Submission:
    """Return a submission that uses invoices, in sending."""
    return msgspec.structs.replace(submission(claim_id, **more), invoices=uses or (WHOLE,))  # type: ignore[arg-type]


def begin(journal: Journal, wanted: Submission) -> History:
    """Begin a submission; it must not be too slow."""
    key = wanted.key
    begun = journal.begin(journal.history(key.book, key.claim_id), [wanted])
    assert begun is not None
    return begun


def refused(journal: Journal, wanted: Submission) -> ClaimError:
    """Return why a submission may not begin; nothing of it was written."""
    key = wanted.key
    before = journal.history(key.book, key.claim_id)
    moves = list(journal.moves(key.book, key.claim_id))
    with pytest.raises(ClaimError) as error:
        journal.begin(before, [wanted])
    assert error.value.claim_id == key.claim_id
    assert journal.history(key.book, key.claim_id) == before
    assert list(journal.moves(key.book, key.claim_id)) == moves
    return error.value


def test_an_invoice_is_one_claims(journal: Journal) -> None:
    """Another claim is told whose it is; the claim itself, in a parallel book too, has it still."""
    begin(journal, using("A", OTHER, WHOLE))
    error = refused(journal, using("B"))
    assert error.code == "CB-530"
    assert f"line 2: invoice {NUMBER} is used by claim A already, on its line 2" in error.message
    assert refused(journal, using("B", ledger="DE01")).code == "CB-530"
    begin(journal, using("A", ledger="DE01"))
    begin(journal, msgspec.structs.replace(submission("C"), invoices=()))


@pytest.mark.parametrize(
    ("state", "free"),
    [(State.REJECTED, True), (State.IN_DOUBT, False), (State.PARKED, False),
     (State.PENDING, False), (State.ACKNOWLEDGED, False), (State.POSTED, False),
     (State.PAID, False), (State.REVERSED, True)],
)  # fmt: skip
def test_until_when(journal: Journal, state: State, free: bool) -> None:
    """It is free once nothing of the claim is, may be, or is to come into a ledger."""
    begun = begin(journal, using("A"))
    entry = JournalEntry("1") if state in (State.POSTED, State.PAID) else None
    assert journal.record(begun, [changed(begun, state, journal_entry=entry)])
    if free:
        begin(journal, using("B"))
        assert refused(journal, using("A", revision=2)).code == "CB-530"
    else:
        assert refused(journal, using("B")).code == "CB-530"


def test_while_it_is_reversed(journal: Journal) -> None:
    """It is used until the reversal is known to have taken place."""
    begun = begin(journal, using("A"))
    posted = changed(begun, State.POSTED, journal_entry=JournalEntry("1"))
    after = journal.record(begun, [posted])
    assert after is not None
    reversing = changed(after, State.REVERSING, returns_to=State.POSTED)
    after = journal.record(after, [reversing])
    assert after is not None
    assert refused(journal, using("B")).code == "CB-530"
    assert journal.record(after, [changed(after, State.REVERSED)])
    begin(journal, using("B"))


def test_every_state_is_decided() -> None:
    """What may be in a ledger has its invoices; so has what waits, unless it is out of date."""
    free = {state for state in State if not has_it(state, superseded=False)}
    assert free == {State.REJECTED, State.REVERSED}
    assert {state for state in State if not has_it(state, superseded=True)} == {
        *free,
        State.PENDING,
    }


def test_a_later_revision(journal: Journal) -> None:
    """It uses its claim's invoices again; what waited of an earlier one has none any more."""
    begun = begin(journal, using("A", WHOLE, OTHER))
    assert journal.record(begun, [changed(begun, State.PENDING)])
    assert refused(journal, using("B", OTHER)).code == "CB-530"
    begin(journal, using("A", WHOLE, revision=2))
    assert refused(journal, using("B", WHOLE)).code == "CB-530"
    begin(journal, using("B", OTHER))


def test_what_is_tried_again_is_judged_again(journal: Journal) -> None:
    """A rejected claim may find that another has its invoice; one that kept it may go on."""
    begun = begin(journal, using("A"))
    assert journal.record(begun, [changed(begun, State.REJECTED)])
    begin(journal, using("B"))
    again = msgspec.structs.replace(using("A"), attempt=2)
    assert "claim B" in refused(journal, again).message
    waiting = begin(journal, using("C", OTHER))
    assert journal.record(waiting, [changed(waiting, State.PENDING)])
    begin(journal, msgspec.structs.replace(using("C", OTHER), attempt=2))


def test_what_an_older_version_began(journal: Journal) -> None:
    """It had no uses; sent again it has, unless they are another's by now."""
    old = begin(journal, msgspec.structs.replace(submission("A"), invoices=()))
    assert journal.record(old, [changed(old, State.PENDING)])
    other = begin(journal, using("B"))
    assert "claim B" in refused(journal, using("A")).message
    assert journal.record(other, [changed(other, State.REJECTED)])
    begin(journal, using("A"))
    assert "claim A" in refused(journal, using("C")).message


def test_parts_up_to_the_total(journal: Journal) -> None:
    """Several claims may use one invoice until nothing is left; the error says what is."""
    begin(journal, using("A", part("400.00")))
    begin(journal, using("A", part("400.00"), ledger="DE01"))
    begin(journal, using("B", part("250.50")))
    error = refused(journal, using("C", part("349.51")))
    assert error.code == "CB-568"
    assert "349.50 of its total 1000.00 is left by claim A, B" in error.message
    begin(journal, using("C", part("349.50")))
    assert refused(journal, using("D", part("0.01"))).code == "CB-568"
    assert refused(journal, using("D", WHOLE)).code == "CB-530"


def test_parts_that_contradict_each_other(journal: Journal) -> None:
    """Where one does not say its part, or says another total, nothing is shared."""
    begin(journal, using("A", part("400.00")))
    assert refused(journal, using("B", part("1.00", "1000.01"))).code == "CB-569"
    assert refused(journal, using("B", part("1.00", currency="USD"))).code == "CB-569"
    begin(journal, using("W", OTHER))
    some = msgspec.structs.replace(part("1.00"), invoice=OTHER.invoice)
    assert refused(journal, using("B", some)).code == "CB-530"


def test_a_claim_may_claim_less_or_more_of_it_later(journal: Journal) -> None:
    """A part that changed with a revision is judged anew, and none is counted twice."""
    begun = begin(journal, using("A", part("400.00")))
    posted = changed(begun, State.POSTED, journal_entry=JournalEntry("1"))
    assert journal.record(begun, [posted])
    begin(journal, using("B", part("500.00")))
    assert refused(journal, using("A", part("500.01"), revision=2)).code == "CB-568"
    begin(journal, using("A", part("500.00"), revision=2))


def test_who_has_it(journal: Journal) -> None:
    """By the invoice and by its number: all who have it or had it, oldest first."""
    begun = begin(journal, using("A", OTHER, WHOLE))
    assert journal.record(begun, [changed(begun, State.REJECTED)])
    begin(journal, using("B", WHOLE))
    found = [(one.claim_id, one.state, one.use) for one in journal.invoices([NUMBER])]
    assert found == [("A", State.REJECTED, WHOLE), ("B", State.SENDING, WHOLE)]
    assert [one.use for one in journal.invoices(["7"])] == [OTHER]
    assert journal.invoices(["none"]) == ()
    assert journal.invoices([]) == ()


def test_at_once_one_has_it(journal: Journal) -> None:
    """Of claims that begin side by side one begins; an error of ours is the others' result."""

    def call(claim_id: str) -> Callable[[], History | None]:
        return lambda: journal.begin(History(LEDGER, claim_id), [using(claim_id)])

    ends = journal.at_once([call(f"C{number}") for number in range(8)])
    assert sum(isinstance(one, History) for one in ends) == 1
    assert {one.code for one in ends if isinstance(one, ClaimError)} == {"CB-530"}


def test_a_process_that_died_between_begin_and_record(tmp_path: Path) -> None:
    """Nobody knows whether the claim is in the ledger: its invoice is used."""
    path = tmp_path / "claims.db"
    run("begin_with_invoice_and_die", path, "A", NUMBER)
    journal = SqliteJournal(path)
    assert "claim A" in refused(journal, using("B")).message
    (holder,) = journal.invoices([NUMBER])
    assert holder.state is State.IN_DOUBT
    journal.close()


def _older_journal(path: Path) -> None:
    """Make a journal as the version before this one left it, with what its record held."""
    raw = sqlite3.connect(path, isolation_level=None)
    for migration in MIGRATIONS[:OLD]:
        for statement in migration:
            raw.execute(statement)
    raw.execute(f"PRAGMA application_id = {0x436C4272}")
    raw.execute(f"PRAGMA user_version = {OLD}")
    documents = [
        ("whole", 1, "posted", 0, "accepted"),
        ("long/1", 1, "posted", 2, "accepted"),
        ("long/2", 1, "reversed", 2, "accepted"),
        ("look/1", 1, "posted", 0, ""),  # a claim of that very id, and no part of "look"
        ("gone", 1, "rejected", 0, "parked"),
        ("doubt", 2, "in_doubt", 0, "read"),
    ]
    for number, (document, revision, state, parts, _) in enumerate(documents):
        raw.execute("INSERT INTO claims VALUES ('CN01', ?, 1)", (document,))
        content = json.loads(_content(document, parts))
        raw.execute(
            "INSERT INTO submissions (ledger, claim_id, revision, purpose, reference, digest, "
            "state, attempt, updated_at, content) VALUES ('CN01', ?, ?, 'post', ?, '', ?, 1, "
            "'2026-03-02T00:00:00Z', ?)",
            (document, revision, f"R{number}", state, json.dumps(content)),
        )
    for number, (claim_id, revision, end) in enumerate(
        [("whole", 1, "accepted"), ("long", 1, "accepted"), ("look", 1, "read"),
         ("gone", 1, "parked"), ("doubt", 1, "superseded")], start=1,
    ):  # fmt: skip
        raw.execute(
            "INSERT INTO arrivals (id, source, document, version, label, claim_id, revision, "
            "withdrawn, state, ignored, read_at, updated_at) VALUES (?, 's', ?, '1', '', ?, ?, 0, "
            "?, '[]', '', '')",
            (number, claim_id, claim_id, revision, end),
        )
        invoice = {1: NUMBER, 2: "044001900111:00123456", 3: "acme|7"}.get(number, f"acme|{number}")
        raw.execute("INSERT INTO invoices VALUES (?, ?, ?, 1)", (invoice, claim_id, number))
    raw.close()


def _content(claim_id: str, parts: int) -> str:
    from claimbridge.journal.sqlite.rows import encode

    content = json.loads(encode(submission(claim_id)))
    if parts:
        content["voucher"] |= {"part": int(claim_id.rpartition("/")[2]), "parts": parts}
    return json.dumps(content)


def test_what_a_record_of_an_earlier_version_held(tmp_path: Path) -> None:
    """Claims that it knew as accepted, or on their way, keep their invoices; others have none."""
    path = tmp_path / "claims.db"
    _older_journal(path)
    journal = SqliteJournal(path)
    assert "claim whole" in refused(journal, using("new")).message
    held = journal.history(LEDGER, "whole").submissions[0]
    assert held.invoices == (InvoiceUse(invoice=NUMBER, line=1, number=NUMBER),)
    paper = InvoiceUse(invoice="044001900111:00123456", line=1, number="00123456")
    assert "claim long" in refused(journal, using("new", paper)).message
    assert [(one.key.claim_id, one.key.part) for one in journal.invoices(["00123456"])] == [
        ("long", 1),
        ("long", 2),
    ]
    doubt = InvoiceUse(invoice="acme|5", line=1, number="5")
    assert "claim doubt" in refused(journal, using("new", doubt)).message
    for free in ("acme|7", "acme|4"):
        use = InvoiceUse(invoice=free, line=1, number=free)
        begin(journal, using(f"new {free}", use))
    journal.close()
