"""``probe`` beside other probes: ids that meet, what is unfinished, and what was left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from tests.cli.conftest import Folder, Run
from tests.cli.probing import ASKABLE, CHOICE, STEPS, configure, effects, probed, steps

from claimbridge import Client
from claimbridge.errors import ConflictingSubmission
from claimbridge.sandbox import PROFILES, Sandbox
from claimbridge.submission import ProbeChoice, probe
from claimbridge.submission.decisions.probe_claims import new_id

TAXI = ProbeChoice(company="CN01", type="taxi", employee="E1024")
LEAVE = "--without-reversal"
Draw = Callable[..., None]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An ERP whose replies are as untidy as life."""
    with Sandbox(lifelike=True) as erp:
        yield erp


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Have these ids drawn next, the last one for ever."""

    def draw(*ids: str) -> None:
        left = list(ids)
        drawn = lambda *day: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731  # a stub
        monkeypatch.setattr(probe, "new_id", drawn)

    return draw


def other_machine(folder: Folder, sandbox: Sandbox, profile: str) -> None:
    """From now on the journal is another one, which has seen nothing."""
    configure(folder, sandbox, profile, journal="sqlite:///other.db")


def states(sandbox: Sandbox) -> dict[str, str]:
    """The vouchers of a ledger and their states; what takes them back is left out."""
    posted, _ = effects(sandbox.ledger())
    return {one.reference: one.state for one in sandbox.ledger() if one.reference in posted}


# --- ids ------------------------------------------------------------------------------------


def test_ids_do_not_meet() -> None:
    """Ten thousand probes, drawn anywhere at any time, have ids of their own."""
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert {len(one) for one in ids} == {13}
    assert all(one.startswith("PROBE-") for one in ids)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_reference_is_the_id(folder: Folder, sandbox: Sandbox, profile: str) -> None:
    """With the mark of its reversal too, whatever the ERP's limit: people recognise both."""
    configure(folder, sandbox, profile)
    with Client.from_config(folder.config, new_journal=True) as client:
        document = client.intend_probe(TAXI, is_reversed=False).document
        limit = client.ledger.rules.capabilities.reference_length
    assert document.reference == document.key.claim_id
    assert len(f"{document.reference}.X1") <= limit


@pytest.mark.parametrize("profile", ASKABLE)
def test_two_machines_draw_the_same_id(
    run: Run, folder: Folder, sandbox: Sandbox, draw: Draw, profile: str
) -> None:
    """The second one draws another, and says so; the first one's voucher stays the first one's."""
    theirs, ours = "PROBE-K7TQ2XD", "PROBE-BBBBBBB"
    draw(theirs)
    configure(folder, sandbox, profile)
    assert probed(run, LEAVE).code == 0
    other_machine(folder, sandbox, profile)
    draw(theirs, ours)
    ended = probed(run, LEAVE)
    assert (ended.code, steps(ended)) == (0, STEPS[:3]), ended.records[-1]
    assert ended.records[0]["claim"] == theirs
    assert {one["claim"] for one in ended.records[1:]} == {ours}
    assert f"as {ours}: the ERP had another's document as {theirs}" in ended.records[1]["text"]
    assert list(states(sandbox)) == [theirs, ours]
    assert {one["claim"] for one in run("journal", "list", "--json").records} == {ours}


@pytest.mark.parametrize("profile", ASKABLE)
def test_another_machines_voucher_is_never_reversed(
    run: Run, folder: Folder, sandbox: Sandbox, draw: Draw, profile: str
) -> None:
    """Though each id that is drawn is taken: nothing is sent, nothing adopted, exit 1."""
    if profile in {"yonyou-nc", "in-string"}:
        pytest.skip("it takes nothing back")
    draw("PROBE-K7TQ2XD")
    configure(folder, sandbox, profile)
    assert probed(run, LEAVE).code == 0
    before = states(sandbox)
    other_machine(folder, sandbox, profile)
    ended = probed(run)
    assert (ended.code, ended.records[-1]["code"]) == (1, "CB-458")
    assert states(sandbox) == before
    assert len(sandbox.ledger()) == 1
    assert run("journal", "list", "--json").records == []


def test_what_is_found_before_it_was_sent_is_not_ours(
    folder: Folder, sandbox: Sandbox, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two draw the same id and ask at the same moment: what submit adopts is not gone on with."""
    draw("PROBE-K7TQ2XD")
    configure(folder, sandbox, "sap-bapi")
    with Client.from_config(folder.config, new_journal=True) as client:
        next(client.probe(client.intend_probe(TAXI)))
    other_machine(folder, sandbox, "sap-bapi")

    def not_seen(self: object, claim: object, document: object) -> Iterator[object]:
        yield from ()
        return claim, document.key  # type: ignore[attr-defined]  # a submission

    monkeypatch.setattr(probe._Probe, "_untaken", not_seen)
    with Client.from_config(folder.config, new_journal=True) as client:
        intention = client.intend_probe(TAXI)
        with pytest.raises(ConflictingSubmission) as caught:
            list(client.probe(intention))
        assert caught.value.code == "CB-458"
        draw("PROBE-BBBBBBB")
        assert client.intend_probe(TAXI).document.reference == "PROBE-BBBBBBB"
    assert states(sandbox) == {"PROBE-K7TQ2XD": "posted"}


def test_an_earlier_form_of_the_id_is_gone_on_with(
    run: Run, folder: Folder, sandbox: Sandbox, draw: Draw
) -> None:
    """What an earlier version began and did not finish is found."""
    draw("PROBE-1130-K7")
    configure(folder, sandbox, "reference")
    sandbox.set_faults("fault@2")
    assert probed(run).code == 1
    draw("PROBE-BBBBBBB")
    again = probed(run)
    assert (again.code, again.records[0]["goes_on"]) == (0, True)
    assert again.records[0]["claim"] == "PROBE-1130-K7"


# --- without reversal -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "lost", "state"),
    [
        ("reference", "reverse:commit-then-drop@1,query:drop-before-commit@3", "reversing"),
        ("netsuite", "upsert:commit-then-drop@2,query:drop-before-commit@4", "reversing"),
        ("netsuite", "query:drop-before-commit@4", "reversed"),
        ("workday", "query:drop-before-commit@4", "reversed"),
    ],
)
def test_a_reversal_under_way_is_finished(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str, lost: str, state: str
) -> None:
    """Its answer was lost; --without-reversal comes too late, and does not say "left"."""
    configure(folder, sandbox, profile)
    sandbox.set_faults(lost)
    assert probed(run).code == 3
    assert run("journal", "list", "--json").records[0]["state"] == state
    sandbox.set_faults("")
    told = run("probe", "CN01", "--yes", *CHOICE, LEAVE)
    assert "Its reversal is under way or done, and is finished" in told.out
    assert "left in the books" not in told.out
    assert told.code == 0
    assert "✓ reversed" in told.out
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


def test_a_parked_reversal_is_not_told_as_left(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """An ERP that cannot be asked: a person looks for the reversal, with or without the option."""
    configure(folder, sandbox, "sap-journal-entry")
    sandbox.set_faults("commit-then-drop@2")
    for further in ((), (LEAVE,)):
        ended = probed(run, *further)
        assert (ended.code, ended.records[-1]["code"]) == (3, "CB-421")
        assert ended.records[-1]["step"] == "reversed"
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


def test_a_reversal_that_begins_meanwhile(folder: Folder, sandbox: Sandbox) -> None:
    """One agrees to leave it while another takes it back: what is true is told."""
    configure(folder, sandbox, "reference")
    with Client.from_config(folder.config) as client:
        next(client.probe(client.intend_probe(TAXI)))
        leaving = client.intend_probe(TAXI, is_reversed=False)
        assert [one.name for one in client.probe(client.intend_probe(TAXI))] == STEPS
        told = list(client.probe(leaving))
    assert [one.name for one in told] == ["posted", "reversed", "found_reversed"]
    assert all(one.is_proven for one in told)
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


@pytest.mark.parametrize("profile", ["sap-bapi", "sap-journal-entry", "netsuite", "workday"])
def test_an_unfinished_one_is_finished_first(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Killed after its posting: --without-reversal leaves that one, and posts no other."""
    configure(folder, sandbox, profile)
    with Client.from_config(folder.config, new_journal=True) as client:
        next(client.probe(client.intend_probe(TAXI)))
    left = probed(run, LEAVE)
    assert (left.code, left.records[0]["goes_on"]) == (0, True)
    assert len(sandbox.ledger()) == 1
    second = probed(run, LEAVE)
    assert (second.code, second.records[0]["goes_on"]) == (0, False)
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize("profile", ["reference", "sap-journal-entry", "workday"])
def test_what_was_left_on_purpose_stays(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Later probes take back their own voucher alone; `claimbridge reverse` takes this one."""
    configure(folder, sandbox, profile)
    left = probed(run, LEAVE)
    assert (left.code, steps(left)) == (0, STEPS[:3])
    reference = left.records[0]["reference"]
    assert f"claimbridge reverse {reference}" in left.records[-1]["text"]
    for _ in range(2):
        ended = probed(run)
        assert (ended.code, ended.records[0]["goes_on"]) == (0, False)
    assert [len(part) for part in effects(sandbox.ledger())] == [3, 2]
    assert states(sandbox)[reference] == "posted"
    assert run("status", reference).code == 0  # to ask for it changes nothing of that
    assert probed(run).records[0]["goes_on"] is False
    assert run("reverse", reference).code == 0


# --- among many -----------------------------------------------------------------------------


def test_no_other_claim_is_read(
    folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding an unfinished probe reads the probes' claims, however many others there are."""
    configure(folder, sandbox, "reference")
    with Client.from_config(folder.config) as client:
        next(client.probe(client.intend_probe(TAXI)))
        book = client.journal.books()[0].id
        read: list[str] = []
        history = type(client.journal).history

        def counted(self: object, book: str, claim_id: str) -> object:
            read.append(claim_id)
            return history(self, book, claim_id)  # type: ignore[arg-type]  # the journal itself

        def forbidden(*_: object, **__: object) -> None:
            raise AssertionError("reads all submissions of the book")

        monkeypatch.setattr(type(client.journal), "history", counted)
        monkeypatch.setattr(type(client.journal), "select", forbidden)
        known = client.intend_probe(TAXI).document
    assert (known.key.book, read) == (book, [known.key.claim_id])


def test_the_oldest_unfinished_one_comes_first(
    run: Run, folder: Folder, sandbox: Sandbox, draw: Draw
) -> None:
    """Of several, begun by two at once, in the order of their beginning, not of their letters."""
    configure(folder, sandbox, "reference")
    with Client.from_config(folder.config) as client:
        intentions = []
        for claim_id in ("PROBE-ZZZZZZZ", "PROBE-BBBBBBB"):
            draw(claim_id)
            intentions.append(client.intend_probe(TAXI))
            time.sleep(0.01)
        for one in intentions:
            next(client.probe(one))
    gone_on = [probed(run).records[0]["claim"] for _ in range(2)]
    assert gone_on == ["PROBE-ZZZZZZZ", "PROBE-BBBBBBB"]
