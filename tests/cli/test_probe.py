"""``probe``: one small voucher there and back, with consent, once whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Folder, Run
from tests.cli.probing import (
    ASKABLE,
    CHOICE,
    MUTE,
    ONE_WAY,
    STEPS,
    configure,
    effects,
    probed,
    steps,
)

from claimbridge import AsyncClient, Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import ConfigurationError
from claimbridge.sandbox import PROFILES, Sandbox
from claimbridge.submission import ProbeChoice, ProbeStep

PAGE = (EXAMPLES.parent / "docs/operations.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An ERP whose replies are as untidy as life."""
    with Sandbox(lifelike=True) as erp:
        yield erp


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", [1, 2])
def test_replies_as_untidy_as_life(run: Run, folder: Folder, profile: str, seed: int) -> None:
    """The same steps; what differs from the contract is told beside them, and changes nothing."""
    with Sandbox(lifelike=True, seed=seed) as sandbox:
        configure(folder, sandbox, profile)
        ended = probed(run, *(["--without-reversal"] if profile in ONE_WAY else []))
        assert ended.code == 0, ended.records[-1]
        assert steps(ended) == (STEPS[:3] if profile in ONE_WAY else STEPS)
        posted, back = effects(sandbox.ledger())
        assert (len(posted), len(back)) == (1, 0 if profile in ONE_WAY else 1)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_erp_there_and_back(run: Run, folder: Folder, sandbox: Sandbox, profile: str) -> None:
    """Posted, found, reversed and found reversed, as far as the ERP can; one of each."""
    configure(folder, sandbox, profile)
    ended = probed(run, *(["--without-reversal"] if profile in ONE_WAY else []))
    assert ended.code == 0, ended.err
    intended, *told = ended.records
    assert steps(ended) == (STEPS[:3] if profile in ONE_WAY else STEPS)
    proven = {one["step"]: one["is_proven"] for one in told}
    assert proven["posted"] is True
    assert proven["found"] is (profile not in MUTE)
    assert proven["reversed"] is (profile not in ONE_WAY)
    posted, back = effects(sandbox.ledger())
    assert posted == [intended["reference"]]
    assert len(back) == (0 if profile in ONE_WAY else 1)
    amounts = {one["amount"] for row in sandbox.ledger() for one in row.postings}
    assert {Decimal(amount).copy_abs() for amount in amounts} == {Decimal("0.01")}
    if profile in MUTE:
        assert f"look for {intended['reference']}" in told[1]["text"]


def test_it_is_told_in_words_within_eighty_columns(
    run: Run, folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What will be sent, what remains, and each step with the ERP's own numbers."""
    ended = run("probe", "CN01", "--yes", *CHOICE, "--date", "2026-03-31")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    for told in (
        "One voucher of 0.01 CNY will be posted",
        "6602.03  0.01 CNY, cost centre 1000",
        "two documents: the voucher and its reversal",
        "✓ posted\n    journal entry 000001 / CN01 / 2026\n",
        "✓ reversed\n    by journal entry 000002 / CN01 / 2026\n",
        "✓ found reversed\n",
        "The whole way works",
    ):
        assert told in ended.out


def test_the_page_shows_what_is_shown(
    run: Run, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transcript of docs/operations.md, but for address, day and drawn letters."""
    (block,) = re.findall(r"^\$ claimbridge (probe .*?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    command, shown = block
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    with Sandbox() as tidy:
        configure(folder, tidy, "sap-bapi")
        ended = run(*command.split())
    assert ended.code == 0
    asked = f"{ended.err}yes\n"
    assert asked in shown
    assert drawn(ended.out) == drawn(shown.replace(asked, ""))
    assert max(map(len, shown.splitlines())) <= 80


def drawn(text: str) -> str:
    """Return a transcript without what is another each time."""
    text = re.sub(r"PROBE-\w{7}\b", "PROBE-XXXXXXX", text)
    text = re.sub(r"https?://\S+", "ADDRESS", text)
    return re.sub(r"20\d\d-\d\d-\d\d", "DAY", text)


# --- consent --------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A person at stdin."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code", "entries"), [("yes\n", 0, 2), ("no\n", 1, 0), ("y\n", 1, 0), ("", 1, 0)]
)
def test_a_person_says_yes_or_nothing_is_sent(
    run: Run,
    folder: Folder,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
    entries: int,
) -> None:
    """What will happen is shown before the question; only a whole yes is one."""
    configure(folder, sandbox, "reference")
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ended = run("probe", "CN01", *CHOICE)
    assert ended.code == code
    assert "Post it? Type yes: " in ended.err
    assert "will be posted" in ended.out
    assert len(sandbox.ledger()) == entries
    assert (sum(sandbox.requests().values()) == 0) is (entries == 0)


@pytest.mark.parametrize("stdin", [io.StringIO("yes\n"), None])
def test_nobody_is_waited_for(
    run: Run,
    folder: Folder,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    stdin: io.StringIO | None,
) -> None:
    """Without a terminal it ends at once and says what to say; a yes in a pipe is none."""
    configure(folder, sandbox, "reference")
    monkeypatch.setattr("sys.stdin", stdin)
    ended = run("probe", "CN01", *CHOICE)
    assert (ended.code, ended.err[:6]) == (2, "CB-278")
    assert "--yes" in ended.err
    assert sandbox.requests() == {}


def test_a_ledger_of_production_is_not_probed(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """Unless somebody insists; doctor says that it is one."""
    configure(folder, sandbox, "reference", production=True)
    refused = probed(run)
    assert (refused.code, refused.err[:6]) == (2, "CB-277")
    assert "marked production = true" in refused.err
    assert sandbox.requests() == {}
    found = {one["what"]: one["text"] for one in run("doctor", "--json").records}
    assert "--yes-in-production" in found["production"]
    assert probed(run, "--yes-in-production").code == 0
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize("profile", sorted(ONE_WAY))
def test_what_cannot_be_taken_back_is_said_before(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Nothing is sent without --without-reversal; then it says how a person takes it out."""
    configure(folder, sandbox, profile)
    refused = probed(run)
    assert (refused.code, refused.err[:6]) == (2, "CB-287")
    assert sandbox.requests() == {}
    left = probed(run, "--without-reversal")
    text = left.records[-1]["text"]
    assert "journal settle PROBE-" in text
    # The next one is another voucher: this one was left on purpose.
    again = probed(run, "--without-reversal")
    assert again.records[0]["reference"] != left.records[0]["reference"]


def test_a_report_that_cannot_be_reversed(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """NetSuite's expense reports: the capability follows the option."""
    configure(folder, sandbox, "netsuite", options={"record": "expense-report"})
    assert probed(run).code == 2
    assert sandbox.requests() == {}
    assert steps(probed(run, "--without-reversal")) == STEPS[:3]


def test_an_older_contract_without_reversals(
    run: Run, folder: Folder, sandbox: Sandbox, shared: Callable[[str], Path]
) -> None:
    """SAP's service of 2020 takes no reversal: known before anything is posted."""
    contract = shared("contracts/sap-journal-entry/2020.wsdl")
    configure(folder, sandbox, "sap-journal-entry", contract=str(contract))
    refused = probed(run)
    assert (refused.code, refused.err[:6]) == (2, "CB-287")
    assert "Reversal" in refused.err
    assert sandbox.requests() == {}


# --- what is posted -------------------------------------------------------------------------

CHART = """
[chart]
name = "one of each"
default_cost_centre = "1000"
[accounts]
employee_payable = "2241"
card_payable = "2242"
input_tax = "2221"
rounding = "6603"
[company.C1]
currency = "{currency}"
[[expense]]
type = "taxi"
name = "Taxi"
account = "6602"
tax_rate = 0.06
"""


def test_what_the_chart_leaves_open_is_asked_for(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """All that is lacking in one message, with the choices that there are."""
    configure(folder, sandbox, "reference")
    ended = run("probe", "CN01", "--yes", "--date", "2026-03-31")
    assert (ended.code, ended.err[:6]) == (2, "CB-279")
    assert "company (one of CN01, CN02, SG01)" in ended.err
    assert "taxi" in ended.err
    assert "an employee" in ended.err
    wrong = run("probe", "CN01", "--yes", "--company", "CN01", "--type", "taxii", "--employee", "E")
    assert (wrong.code, "the type of expense" in wrong.err) == (2, True)
    assert sandbox.requests() == {}


@pytest.mark.parametrize(("currency", "amount"), [("CNY", "0.01"), ("JPY", "1"), ("KWD", "0.001")])
def test_the_smallest_amount_of_the_only_choice(
    run: Run, folder: Folder, sandbox: Sandbox, currency: str, amount: str
) -> None:
    """One company, one type: nobody needs to name them; the amount is the currency's smallest."""
    folder.chart.write_text(CHART.format(currency=currency))
    configure(folder, sandbox, "reference")
    ended = run("probe", "CN01", "--yes", "--json", "--employee", "E1024")
    assert ended.code == 0, ended.err
    assert {one["amount"] for one in ended.records[0]["postings"]} == {amount}
    assert len(ended.records[0]["postings"]) == 2


def test_like_a_claim(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """Its company, employee, codes and first line; never its amounts and documents."""
    configure(folder, sandbox, "reference")
    ended = run("probe", "CN01", "--yes", "--json", "--like", folder.claim())
    assert ended.code == 0, ended.err
    intended = ended.records[0]
    assert (intended["company"], intended["employee"]) == ("CN01", "E1024")
    assert {one["amount"] for one in intended["postings"]} == {"0.01"}


@pytest.mark.parametrize("name", ["PROBE-1130-K7", "PROBE-K7TQ2XD"])
def test_a_claim_that_is_called_so_is_left_alone(
    run: Run, folder: Folder, sandbox: Sandbox, name: str
) -> None:
    """A source's own claim of that name is no probe: it is neither gone on with nor reversed."""
    configure(folder, sandbox, "reference")
    assert run("submit", folder.claim(id=name)).code == 0
    ended = probed(run)
    assert ended.code == 0
    assert ended.records[0]["goes_on"] is False
    theirs = [one for one in sandbox.ledger() if one.reference == name]
    assert [one.state for one in theirs] == ["posted"]


# --- when it goes wrong ---------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_a_refusal_is_told_with_its_reasons(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Exit 1, the ERP's words, and where to read on; the next probe is a new voucher."""
    configure(folder, sandbox, profile)
    one_way = ["--without-reversal"] if profile in ONE_WAY else []
    ended = probed(run, "--date", "2025-12-31", *one_way)
    assert (ended.code, steps(ended)) == (1, ["posted"])
    last = ended.records[-1]
    assert last["code"] == "CB-430"
    assert last["reasons"]
    (page,) = re.findall(r'"First day" in (docs/[a-z-]+\.md)', last["text"])
    assert "\n## First day\n" in (EXAMPLES.parent / page).read_text(encoding="utf-8")
    assert probed(run, *one_way).code == 0
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 0 if one_way else 1]


@pytest.mark.parametrize("profile", ["reference", "sap-journal-entry", "workday"])
def test_a_reversal_that_the_erp_refuses(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """The voucher stays, and is told as what it is; the next probe takes it back."""
    configure(folder, sandbox, profile)
    sandbox.set_faults("fault@2")
    ended = probed(run)
    assert (ended.code, steps(ended)) == (1, ["posted", "found", "reversed"])
    assert ended.records[-1]["is_proven"] is False
    (held,) = sandbox.ledger()
    assert "stays in the books as " in ended.records[-1]["text"]
    assert held.journal_entry is not None
    assert held.journal_entry.split(" / ")[0] in ended.records[-1]["text"]
    again = probed(run)
    assert (again.code, again.records[0]["goes_on"]) == (0, True)
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


@pytest.mark.parametrize("profile", ["reference", "sap-journal-entry"])
def test_what_is_not_delivered_is_sent_by_the_next_one(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """Exit 4: nothing was posted; one voucher goes once the way is open.

    Where the ERP is asked first, no voucher was begun that the next one could go on with.
    """
    configure(folder, sandbox, profile)
    sandbox.set_faults("refuse-connection")
    ended = probed(run)
    assert (ended.code, steps(ended)) == (4, ["posted"])
    assert "nothing was posted" in ended.records[-1]["text"]
    sandbox.set_faults("")
    again = probed(run)
    assert again.code == 0
    goes_on = again.records[0]["reference"] == ended.records[0]["reference"]
    assert again.records[0]["goes_on"] is goes_on is (profile in MUTE)
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


LOST = [
    "submit:commit-then-drop@1",
    "submit:drop-before-commit@1",
    "submit:half-reply@1",
    "reverse:commit-then-drop@1",
    "reverse:drop-before-commit@1",
    "query:drop-before-commit@1",
    "query:drop-before-commit@2",
    "query:drop-before-commit@3",
    "query:drop-before-commit@4",
]


@pytest.mark.parametrize("spec", LOST)
@pytest.mark.parametrize("profile", ASKABLE)
def test_a_lost_answer_never_doubles(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str, spec: str
) -> None:
    """Whatever is lost on the way: probed until it ends well, one voucher and one reversal."""
    configure(folder, sandbox, profile)
    sandbox.set_faults(spec)
    reference = ""
    for _ in range(6):
        begun = bool(sandbox.ledger())
        ended = probed(run)
        intended = ended.records[0]
        if begun:
            assert reference == intended["reference"]
        reference = intended["reference"]
        if ended.code == 0:
            break
        assert ended.code in {3, 4}
        assert ended.records[-1]["text"].strip()
        time.sleep(0.7)
    assert ended.code == 0
    posted, back = effects(sandbox.ledger())
    assert (posted, len(back)) == ([reference], 1)
    assert run("journal", "list", "--state", "in_doubt", "--json").records == []


def test_a_lost_answer_of_an_erp_that_cannot_be_asked(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """It is parked; each probe says so and posts nothing, until a person has looked."""
    configure(folder, sandbox, "sap-journal-entry")
    sandbox.set_faults("commit-then-drop@1")
    ended = probed(run)
    assert (ended.code, ended.records[-1]["code"]) == (3, "CB-421")
    assert "journal settle PROBE-" in ended.records[-1]["text"]
    again = probed(run)
    assert (again.code, again.records[-1]["code"], steps(again)) == (3, "CB-421", ["posted"])
    (held,) = sandbox.ledger()
    number, company, year = str(held.journal_entry).split(" / ")
    claim = ended.records[0]["claim"]
    settled = run("journal", "settle", claim, "--revision", "1", "--posted", number,
                  "--company", company, "--fiscal-year", year)  # fmt: skip
    assert settled.code == 0
    last = probed(run)
    assert (last.code, steps(last)) == (0, STEPS)
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


def test_a_lost_reversal_of_an_erp_that_cannot_be_asked(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """It is the reversal that a person looks for, and settles; each probe says the same."""
    configure(folder, sandbox, "sap-journal-entry")
    sandbox.set_faults("commit-then-drop@2")
    for _ in range(2):
        ended = probed(run)
        last = ended.records[-1]
        assert (ended.code, last["step"], last["code"]) == (3, "reversed", "CB-421")
        assert f"look for {ended.records[0]['reference']}.X1 in the ERP" in last["text"]
    number, company, year = str(sandbox.ledger()[1].journal_entry).split(" / ")
    claim = ended.records[0]["claim"]
    run("journal", "settle", claim, "--revision", "1", "--posted", number,
        "--company", company, "--fiscal-year", year)  # fmt: skip
    last = probed(run)
    assert (last.code, steps(last)[-1]) == (0, "found_reversed")
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


def test_what_is_not_known_is_not_told_as_no(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """A lost answer may have posted: people are not told that nothing was."""
    configure(folder, sandbox, "sap-journal-entry")
    sandbox.set_faults("commit-then-drop@1")
    ended = run("probe", "CN01", "--yes", "--new-journal", *CHOICE)
    assert ended.code == 3
    assert "! posted: not known\n" in ended.out
    assert "not posted\n" not in ended.out


def test_what_the_erp_does_not_show_is_unknown(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """Accepted, and never posted: exit 3 after the wait, and the next probe goes on with it."""
    configure(folder, sandbox, "reference")
    sandbox.set_faults(",".join(f"query:drop-before-commit@{nth}" for nth in range(2, 20)))
    ended = probed(run, "--wait", "0.3")
    assert (ended.code, steps(ended)) == (3, ["posted", "found"])
    assert "goes on with this voucher" in ended.records[-1]["text"]
    sandbox.set_faults("")
    assert probed(run).code == 0
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


@pytest.mark.parametrize("profile", ["reference", "workday"])
def test_what_waits_for_an_approval_there(run: Run, folder: Folder, profile: str) -> None:
    """Accepted and not posted: exit 3 after the wait, and what somebody there may have to do."""
    with Sandbox(holds=True) as erp:
        configure(folder, erp, profile)
        ended = probed(run, "--wait", "0.3")
        assert (ended.code, steps(ended)) == (3, ["posted", "found"])
        last = ended.records[-1]
        assert last["code"] == "CB-479"
        assert "approve" in last["text"]
        erp.advance(to="posted")
        again = probed(run, "--wait", "0.3")
        assert again.records[0]["goes_on"] is True
        assert "found" in steps(again)
        assert len(effects(erp.ledger())[0]) == 1


def test_a_test_client_that_was_set_up_anew(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """What was under way is gone: told as that, settled by a person, and then begun anew."""
    configure(folder, sandbox, "reference")
    sandbox.set_faults("fault@2")
    begun = probed(run)
    assert (begun.code, steps(begun)[-1]) == (1, "reversed")
    time.sleep(1.3)
    with Sandbox() as anew:
        configure(folder, anew, "reference")
        ended = probed(run)
        assert (ended.code, ended.records[-1]["code"]) == (3, "CB-427")
        assert "--gone" in ended.records[-1]["text"]
        assert anew.ledger() == []
        settle = ("journal", "settle", begun.records[0]["claim"], "--revision", "1", "--gone")
        assert run(*settle).code == 0
        again = probed(run)
        assert (again.code, again.records[0]["goes_on"]) == (0, False)
        assert [len(part) for part in effects(anew.ledger())] == [1, 1]


def test_two_at_once_go_on_with_one(folder: Folder, sandbox: Sandbox) -> None:
    """Two people run it again at the same moment: one voucher, one reversal, both are told."""
    configure(folder, sandbox, "reference")
    choice = ProbeChoice(company="CN01", type="taxi", employee="E1024")
    with Client.from_config(folder.config) as one, Client.from_config(folder.config) as other:
        begun = one.intend_probe(choice)
        next(one.probe(begun))

        def go_on(client: Client) -> list[ProbeStep]:
            return list(client.probe(client.intend_probe(choice)))

        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(go_on, (one, other)))
    assert {end[-1].name for end in ends} == {"found_reversed"}
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


# --- killed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "nth"), [("submit", 1), ("query", 1), ("query", 2), ("reverse", 1)]
)
def test_kill_9_in_the_middle(
    run: Run, folder: Folder, sandbox: Sandbox, operation: str, nth: int
) -> None:
    """The ERP is at work on a call when the process dies; the next probe ends what it began."""
    configure(folder, sandbox, "reference")
    sandbox.set_faults(f"{operation}:timeout=after-commit@{nth}")
    called = {"submit": "SubmitVoucher", "query": "QueryVouchers", "reverse": "ReverseVoucher"}
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbridge.cli", "probe", "CN01", "--yes", "--json", *CHOICE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while sandbox.requests().get(called[operation], 0) < nth and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)
    process.kill()
    process.wait()
    sandbox.set_faults("")
    ended = probed(run)
    assert ended.code == 0
    # The first question comes before anything is begun.
    assert ended.records[0]["goes_on"] is ((operation, nth) != ("query", 1))
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


# --- from a program -------------------------------------------------------------------------


def test_both_clients_probe_alike(folder: Folder, sandbox: Sandbox) -> None:
    """The same plan: four steps each, and the next one is another voucher."""
    configure(folder, sandbox, "reference")
    choice = ProbeChoice(company="CN01", type="taxi", employee="E1024")

    async def awaited() -> list[ProbeStep]:
        async with AsyncClient.from_config(folder.config) as client:
            intention = await client.intend_probe(choice)
            return [step async for step in client.probe(intention)]

    with Client.from_config(folder.config) as client:
        taken = list(client.probe(client.intend_probe(choice)))
    assert [one.name for one in taken] == [one.name for one in asyncio.run(awaited())] == STEPS
    assert all(one.is_proven for one in taken)
    assert [len(part) for part in effects(sandbox.ledger())] == [2, 2]


def test_an_abandoned_probe_goes_on(folder: Folder, sandbox: Sandbox) -> None:
    """Who stops after a step leaves a voucher that the next one finds."""
    configure(folder, sandbox, "reference")
    choice = ProbeChoice(company="CN01", type="taxi", employee="E1024")
    with Client.from_config(folder.config) as client:
        begun: Iterator[ProbeStep] = client.probe(client.intend_probe(choice))
        first = next(begun)
        del begun
        intention = client.intend_probe(choice)
        assert intention.claim is None
        assert intention.document.reference == first.reference
        assert [one.name for one in client.probe(intention)] == STEPS
    assert [len(part) for part in effects(sandbox.ledger())] == [1, 1]


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "1e9"])
def test_a_wait_that_never_ends_is_refused(
    run: Run, folder: Folder, sandbox: Sandbox, wait: str
) -> None:
    """Before anything is sent."""
    configure(folder, sandbox, "reference")
    ended = probed(run, "--wait", wait)
    assert (ended.code, ended.err[:6]) == (2, "CB-251")
    assert sandbox.requests() == {}


def test_a_ledger_without_a_chart(sandbox: Sandbox) -> None:
    """There is nothing to make a voucher of: told before anything else."""
    config = LedgerConfig(endpoint=sandbox.url("reference"), journal="memory:")
    with Client(config) as client, pytest.raises(ConfigurationError):
        client.intend_probe(ProbeChoice(employee="E1"))
