"""From Hesi into the ledger and back, as configured: every document once, whatever happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from claimbridge.cli import main
from claimbridge.client import Client
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.errors import ConfigurationError
from claimbridge.sandbox import Hesi, Node, Sandbox
from claimbridge.sources.base.writeback import OPEN, WriteBackState
from claimbridge.sources.hesi.hook import open_hook
from claimbridge.sources.hesi.kind import hesi_source
from claimbridge.sources.hints import SourceWithHints
from claimbridge.sources.intake import Intake, IntakeItem
from claimbridge.sources.record import ArrivalState, MemoryRecord, SqliteRecord
from claimbridge.sources.settings import SourceConfig, load_source

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
MANAGER, EBOT, CASHIER = (
    Node("FLOW:1", "部门经理"), Node("FLOW:2", "ERP", ebot=True), Node("FLOW:3", "出纳支付"),
)  # fmt: skip
DOCUMENT = json.loads((EXAMPLES / "hesi/B26000101.json").read_text(encoding="utf-8"))


class Whole:
    """A Hesi, an ERP, and an intake between them."""

    def __init__(self, folder: Path, hesi: Hesi, sandbox: Sandbox) -> None:
        self.folder, self.hesi, self.sandbox = folder, hesi, sandbox
        ledger = LedgerConfig(
            name="CN01",
            endpoint=sandbox.url("reference"),
            chart=str(EXAMPLES / "chart.toml"),
            journal=f"sqlite:///{folder / 'claims.db'}",
            timeouts=Timeouts(connect=1, total=2),
        )
        self.client = Client(ledger)
        self.record = SqliteRecord(folder / "claims.db")
        self.config: SourceConfig
        self.source: SourceWithHints
        self.configure()

    def configure(self, **options: Any) -> None:
        (self.folder / "secret").write_text("sandbox-secret\n", encoding="utf-8")
        (self.folder / "key").write_text("sandbox-app-key", encoding="utf-8")
        (self.folder / "sign").write_text("sandbox-sign-key", encoding="utf-8")
        self.config = SourceConfig(
            name="hesi",
            kind="hesi",
            ledger="CN01",
            folder=str(self.folder),
            options={
                "address": self.sandbox.url("hesi"),
                "app_key": "file:key",
                "app_secret": "file:secret",
                "map": str(EXAMPLES / "hesi-map.toml"),
                "rate": 1000,
                "retries": 2,
                "backoff": 0.01,
                "quiet": 0,
                "timeouts": {"connect": 1, "total": 1},
                **options,
            },
        )
        self.source = hesi_source(self.config, self.record)

    def put(self, number: int, *nodes: Node) -> str:
        code = f"B{number:08}"
        self.hesi.put(
            code,
            form={**DOCUMENT["form"], "code": code},
            owner=DOCUMENT["owner"],
            state="approving",
            nodes=nodes or (MANAGER, CASHIER),
        )
        self.hesi.agree(code, by="corp:zhao.min")
        return code

    def run(self) -> list[IntakeItem]:
        self.intake = Intake(
            self.source, config=self.config, record=self.record, clients=lambda _: self.client
        )
        return list(self.intake.run())

    def state(self, code: str) -> str:
        state: str = self.hesi.details(code)["state"]
        return state

    def close(self) -> None:
        self.source.close()
        self.client.close()
        self.record.close()


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    hesi = Hesi(late=0)
    with Sandbox(profiles=["reference"], hesi=hesi) as sandbox:
        made = Whole(tmp_path, hesi, sandbox)
        yield made
        sandbox.set_faults("")
        made.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_once_whatever_is_lost(whole: Whole, seed: int) -> None:
    """Answers lost on both sides: one journal entry and one number for each document."""
    codes = [whole.put(number) for number in range(12)]
    for code in codes:
        whole.hesi.pay(code)
    whole.sandbox.set_faults(
        "commit-then-drop%0.3,drop-before-commit%0.2,write_back:commit-then-drop%0.3,"
        "write_back:drop-before-commit%0.3,write_back:html-200%0.2,read:drop-before-commit%0.1",
        seed=seed,
    )
    for _ in range(8):
        whole.run()
    whole.sandbox.set_faults("")
    whole.run()
    assert len(whole.sandbox.ledger()) == len(codes)
    entries = {str(one.journal_entry).partition(" / ")[0] for one in whole.sandbox.ledger()}
    shown = whole.hesi.documents()
    assert {one["voucherNo"] for one in shown} == entries
    assert all(len(one["effects"]) == 1 for one in shown)
    assert all(
        one.state is WriteBackState.DONE
        for code in codes
        for one in whole.record.write_backs_of("hesi", code)
    )


def test_a_ticket_on_two_documents(whole: Whole) -> None:
    """It has Hesi's id and no number: the second document is parked, by the first one's name."""
    detail = DOCUMENT["form"]["details"][0]
    ticket = {"type": "exist", "invoices": [{"invoiceId": "ID_train_4711"}]}
    ridden = {**detail, "feeTypeForm": {**detail["feeTypeForm"], "invoiceForm": ticket}}
    details = [ridden, *DOCUMENT["form"]["details"][1:]]
    for code in ("B26000708", "B26000709"):
        form = {**DOCUMENT["form"], "code": code, "details": details}
        whole.hesi.put(
            code, form=form, owner=DOCUMENT["owner"], state="approving", nodes=(MANAGER, CASHIER)
        )
        whole.hesi.agree(code, by="corp:zhao.min")
        whole.hesi.pay(code)
    ends = {one.arrival.claim_id: one.arrival for one in whole.run()}
    assert ends["B26000708"].state is ArrivalState.ACCEPTED
    second = ends["B26000709"]
    assert (second.state, second.code) == (ArrivalState.PARKED, "CB-530")
    assert "ID_train_4711" in second.reason
    assert "B26000708" in second.reason
    assert [one.reference for one in whole.sandbox.ledger()] == ["B26000708"]


def test_our_own_number_is_no_news(whole: Whole) -> None:
    """Writing a number changes the document: it is read again, and nothing is done again."""
    whole.hesi.pay(whole.put(1))
    whole.run()
    assert whole.intake.report.brought_back == 1
    calls = whole.sandbox.requests()
    whole.run()
    assert whole.intake.report.brought_back == 0
    whole.run()
    again = whole.sandbox.requests()
    assert again["SubmitVoucher"] == calls["SubmitVoucher"] == 1
    assert again["hesi_voucher"] == calls["hesi_voucher"] == 1
    assert len(whole.sandbox.ledger()) == 1


def test_a_corrected_document_gets_the_new_number(whole: Whole) -> None:
    """Changed after it was posted: reversed, posted anew, and the new number replaces ours."""
    code = whole.put(1)
    whole.hesi.pay(code)
    whole.run()
    details = whole.hesi.details(code)["form"]["details"]
    details[0]["feeTypeForm"]["amount"]["standard"] = "33"
    whole.hesi.modify(
        code,
        {
            "details": details,
            "expenseMoney": {**DOCUMENT["form"]["expenseMoney"], "standard": "153.50"},
            "payMoney": {**DOCUMENT["form"]["payMoney"], "standard": "153.50"},
        },
    )
    whole.sandbox.set_faults("write_back:commit-then-drop@1")
    whole.run()
    whole.run()
    assert [one.purpose for one in whole.sandbox.ledger()] == ["post", "reverse", "post"]
    numbers = [effect.content["number"] for effect in whole.hesi.effects(code)]
    assert numbers == ["000001", "000003"]
    held = whole.record.write_backs_of("hesi", code)
    assert [one.content["number"] for one in held] == ["000001", "000003"]
    assert {one.state for one in held} == {WriteBackState.DONE}


def test_a_reversal_shows_its_number(whole: Whole) -> None:
    """Reversed in the ledger alone: Hesi shows the reversal's number, the record both."""
    code = whole.put(1)
    whole.hesi.pay(code)
    whole.run()
    ack = whole.client.reverse(code)
    assert ack.journal_entry is not None
    whole.run()
    assert whole.hesi.documents()[0]["voucherNo"] == ack.journal_entry.number == "000002"
    assert len(whole.record.write_backs_of("hesi", code)) == 2
    whole.run()
    assert len(whole.sandbox.ledger()) == 2


def test_a_claim_is_posted_at_its_step_and_then_agreed_to(whole: Whole) -> None:
    """At the EBot node of the ledger: posted first, agreed to then, numbered once it is paid."""
    whole.configure(node="ERP", sign_key="file:sign")
    early = whole.put(1, MANAGER, MANAGER, EBOT, CASHIER)
    ready = whole.put(2, MANAGER, EBOT, CASHIER)
    (handled,) = whole.run()
    assert (handled.arrival.key, handled.error) == (ready, None)
    assert [whole.state(code) for code in (early, ready)] == ["approving", "paying"]
    assert len(whole.sandbox.ledger()) == 1
    comment = whole.hesi.details(ready)["logs"][-1]["attributes"]["comment"]
    assert comment.startswith("posted as 000001")
    assert whole.hesi.documents()[1]["voucherNo"] == ""
    whole.hesi.pay(ready)
    whole.run()
    assert whole.hesi.documents()[1]["voucherNo"] == "000001"
    assert len(whole.sandbox.ledger()) == 1
    assert whole.record.open_write_backs("hesi") == ()


def test_a_claim_that_cannot_be_posted_goes_back(whole: Whole) -> None:
    """Refused at its step with the reason; mended and handed in again it is posted."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    details = whole.hesi.details(code)["form"]["details"]
    whole.hesi.put(code, form={"details": details[:1]})
    whole.run()
    assert whole.state(code) == "rejected"
    comment = whole.hesi.details(code)["logs"][-1]["attributes"]["comment"]
    assert "CB-108" in comment
    whole.run()
    (kept,) = [one for one in whole.record.find("hesi", code) if not one.withdrawn]
    assert kept.state is ArrivalState.WITHDRAWN, "what went back is nobody's to retry"
    whole.hesi.put(code, form={"details": details}, state="approving", nodes=[EBOT, CASHIER])
    whole.run()
    assert whole.state(code) == "paying"
    assert len(whole.sandbox.ledger()) == 1


def test_the_period_is_the_chart_s_own(whole: Whole) -> None:
    """A fiscal year that begins in April has other periods than the calendar's months."""
    chart = (EXAMPLES / "chart.toml").read_bytes() + b'\n[periods]\nstart = "04-01"\n'
    config = msgspec.structs.replace(
        whole.client.ledger.setup.config, chart=str(whole.folder / "chart.toml")
    )
    (whole.folder / "chart.toml").write_bytes(chart)
    whole.client.close()
    whole.client = Client(config)
    code = whole.put(1)
    whole.hesi.pay(code)
    whole.run()
    status = whole.client.status(code, ask=False)
    assert status.posting_date is not None
    period = whole.client.ledger.setup.chart.period_of(status.posting_date)
    assert whole.hesi.documents()[0]["fiscalPeriod"] == period
    assert period != f"{status.posting_date:%Y-%m}"


def test_a_reason_from_the_mapping_is_in_the_words_of_the_form(whole: Whole) -> None:
    """What the chart has no account for is named by detail and 费用类型, also in the comment."""
    whole.configure(node="ERP", sign_key="file:sign", map=_map_with_odd_type(whole.folder))
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    (handled,) = whole.run()
    assert handled.arrival.state is ArrivalState.PARKED
    assert "detail 1 (费用类型 NEVER-SEEN)" in handled.arrival.reason
    assert "line 1" not in handled.arrival.reason
    comment = whole.hesi.details(code)["logs"][-1]["attributes"]["comment"]
    assert "detail 1 (费用类型 NEVER-SEEN)" in comment


def _map_with_odd_type(folder: Path) -> str:
    text = (EXAMPLES / "hesi-map.toml").read_text(encoding="utf-8")
    path = folder / "odd.toml"
    path.write_text(text.replace("[line]", '[line]\ntype = { value = "NEVER-SEEN" }', 1), "utf-8")
    return str(path)


def test_a_document_rejected_after_we_agreed_is_a_persons_business(whole: Whole) -> None:
    """The cashier sends back what is in the ledger already: it is parked, not forgotten."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.run()
    assert len(whole.sandbox.ledger()) == 1
    whole.hesi.put(code, state="rejected")
    (handled,) = whole.run()
    assert (handled.arrival.state, handled.arrival.code) == (ArrivalState.PARKED, "CB-537")


def _back(whole: Whole, code: str, action: str) -> None:
    """Let a person take a document from its step, as the log shows it."""
    document = whole.hesi._document(code)
    state = {"freeflow.reject": "rejected", "freeflow.retract": "draft"}.get(action, "approving")
    books = whole.hesi._books
    with books.lock:
        following = document.nodes[0] if state == "approving" else None
        books.move(document, state=state, node=following)
        books.log(document, action, node=None, following=following)


BACK = ["freeflow.reject", "freeflow.retract", "freeflow.back"]


@pytest.mark.parametrize("action", BACK)
def test_what_went_back_while_the_ledger_was_down_is_not_posted(whole: Whole, action: str) -> None:
    """A person took it from our step, where it waited for the ledger: it is withdrawn."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.sandbox.set_faults("throttle%1")
    (waiting,) = whole.run()
    assert waiting.arrival.state is ArrivalState.READ
    _back(whole, code, action)
    whole.sandbox.set_faults("")
    whole.run()
    whole.run()
    assert [one.state for one in whole.record.find("hesi", code)] == [ArrivalState.WITHDRAWN] * 2
    assert whole.sandbox.ledger() == []
    whole.hesi.put(code, state="approving", nodes=[EBOT, CASHIER])
    whole.run()
    assert whole.state(code) == "paying"
    assert len(whole.sandbox.ledger()) == 1


@pytest.mark.parametrize("action", [*BACK, ""])
def test_what_goes_back_behind_the_list_is_not_posted(
    whole: Whole, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Right before it is sent it is read again, as the list may not tell, or not be read."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.sandbox.set_faults("throttle%1")
    whole.run()
    whole.sandbox.set_faults("")
    with monkeypatch.context() as patched:
        patched.setattr(whole.source._source, "arrivals", lambda *, since: iter(()))
        if action:
            _back(whole, code, action)
            (handled,) = whole.run()
            assert (handled.arrival.state, handled.arrival.code) == (ArrivalState.READ, "CB-545")
            whole.run()
            assert whole.record.open("hesi") == ()
            assert whole.sandbox.ledger() == []
        else:
            whole.run()
            assert len(whole.sandbox.ledger()) == 1


def test_what_cannot_be_read_again_waits(whole: Whole) -> None:
    """Hesi is down, the ledger is not: nobody knows whether the document still waits there."""
    whole.configure(node="ERP", sign_key="file:sign", retries=0)
    codes = [whole.put(number, MANAGER, EBOT, CASHIER) for number in range(5)]
    whole.sandbox.set_faults("throttle%1")
    whole.run()
    calls = whole.sandbox.requests().get("hesi_details", 0)
    whole.sandbox.set_faults("read:html-200%1")
    handled = whole.run()
    assert [one.arrival.state for one in handled] == [ArrivalState.READ] * 5
    assert whole.sandbox.ledger() == []
    assert whole.sandbox.requests()["hesi_details"] - calls == 3, "then none was asked for"
    whole.sandbox.set_faults("")
    whole.run()
    assert len(whole.sandbox.ledger()) == len(codes)


def test_what_we_agreed_to_is_not_withdrawn_at_a_later_step(whole: Whole) -> None:
    """Our node is not the last: at the next one the document is on its way, not taken back."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, Node("FLOW:9", "总经理"), CASHIER)
    whole.run()
    assert whole.state(code) == "approving"
    whole.record.hint("hesi", [code])
    assert whole.run() == []
    assert whole.intake.report.troubles == []
    whole.hesi.agree(code)
    whole.record.hint("hesi", [code])
    assert whole.run() == []
    _back(whole, code, "freeflow.reject")
    (handled,) = whole.run()
    assert (handled.arrival.state, handled.arrival.code) == (ArrivalState.PARKED, "CB-537")


def _refusal_that_waits(whole: Whole) -> tuple[str, ArrivalState]:
    """Park a claim for its chart, while Hesi takes no decision; mend the chart."""
    good = whole.client.ledger.setup.config
    odd = (EXAMPLES / "chart.toml").read_text(encoding="utf-8").replace("taxi", "cab")
    (whole.folder / "odd.toml").write_text(odd, encoding="utf-8")
    whole.configure(node="ERP", sign_key="file:sign", retries=0)
    whole.client.close()
    whole.client = Client(msgspec.structs.replace(good, chart=str(whole.folder / "odd.toml")))
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.sandbox.set_faults("hesi_approval:refuse-connection%1")
    (handled,) = whole.run()
    (waiting,) = whole.record.open_write_backs("hesi")
    assert waiting.content["action"] == "refuse"
    whole.client.close()
    whole.client = Client(good)
    return code, handled.arrival.state


@pytest.mark.parametrize("down", ["hesi_approval:refuse-connection%1", ""])
def test_a_refusal_that_waits_is_not_sent_once_the_claim_is_posted(whole: Whole, down: str) -> None:
    """Hesi was down, and the claim was retried and posted meanwhile: it is agreed to."""
    code, state = _refusal_that_waits(whole)
    assert state is ArrivalState.PARKED
    (parked,) = whole.record.find("hesi", code)
    whole.record.retry(parked)
    whole.sandbox.set_faults(down)
    (handled,) = whole.run()
    assert handled.arrival.state is ArrivalState.ACCEPTED
    refusal = whole.record.write_backs_of("hesi", code)[0]
    assert (refusal.state, refusal.content["action"]) == (WriteBackState.SUPERSEDED, "refuse")
    whole.sandbox.set_faults("")
    whole.run()
    assert whole.state(code) == "paying"
    assert [one.content["action"] for one in whole.hesi.effects(code)] == ["accept"]


def test_a_refusal_waits_no_longer_than_its_reason(whole: Whole) -> None:
    """While the retried claim may be in the ledger it is not sent back; once refused anew it is."""
    code, _ = _refusal_that_waits(whole)
    whole.record.retry(whole.record.find("hesi", code)[0])
    whole.sandbox.set_faults("throttle%1")
    (handled,) = whole.run()
    assert handled.arrival.state is ArrivalState.READ
    assert whole.hesi.effects(code) == []
    assert whole.state(code) == "approving"
    whole.sandbox.set_faults("")
    whole.record.end(handled.arrival, ArrivalState.PARKED, code="CB-108", reason="mend line 2")
    whole.run()
    assert whole.state(code) == "rejected"
    (effect,) = whole.hesi.effects(code)
    assert "mend line 2" in effect.content["comment"]


def test_what_was_reversed_is_not_agreed_to(whole: Whole) -> None:
    """An approval that waited must not send on to the cashier what is in no ledger any more."""
    whole.configure(node="ERP", sign_key="file:sign", retries=0)
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.sandbox.set_faults("hesi_approval:refuse-connection%1")
    whole.run()
    assert len(whole.sandbox.ledger()) == 1
    whole.client.reverse(code)
    whole.sandbox.set_faults("")
    whole.run()
    assert whole.state(code) == "approving"
    assert whole.hesi.effects(code) == []


def test_what_comes_back_to_our_step_unchanged_is_agreed_to_again(whole: Whole) -> None:
    """A later step sent it back to ours: one decision for each time that it comes there."""
    whole.configure(node="ERP", sign_key="file:sign")
    code = whole.put(1, MANAGER, EBOT, CASHIER)
    whole.run()
    assert whole.state(code) == "paying"
    for times in (2, 3):
        document, books = whole.hesi._document(code), whole.hesi._books
        with books.lock:
            books.move(document, state="approving", node=EBOT)
            books.log(document, "freeflow.back", node=CASHIER, following=EBOT)
        whole.sandbox.set_faults("hesi_approval:commit-then-drop@1")
        whole.run()
        whole.sandbox.set_faults("")
        assert whole.state(code) == "paying"
        whole.record.hint("hesi", [code])
        whole.run()
        assert [one.content["action"] for one in whole.hesi.effects(code)] == ["accept"] * times
    whole.hesi.pay(code)
    whole.run()
    whole.run()
    assert len(whole.sandbox.ledger()) == 1
    assert {one.state for one in whole.record.write_backs_of("hesi", code)} == {WriteBackState.DONE}
    assert len(whole.hesi.effects(code)) == 4, "three decisions and the number"


def test_a_number_waits_for_a_document_that_is_not_paid_yet(whole: Whole) -> None:
    """What is read before it is paid waits with its number, through any number of passes."""
    whole.configure(states=["paying", "paid"])
    code = whole.put(1)
    for _ in range(3):
        whole.run()
    (waiting,) = whole.record.write_backs_of("hesi", code)
    assert waiting.state in OPEN
    assert waiting.attempt == 0, "it was not even tried"
    assert "hesi_voucher" not in whole.sandbox.requests()
    whole.hesi.pay(code)
    whole.run()
    assert whole.hesi.documents()[0]["voucherNo"] == "000001"


def test_many_that_wait_cost_few_calls(whole: Whole) -> None:
    """Numbers of documents that nobody has paid yet are asked about 50 at a time."""
    whole.configure(states=["paying", "paid"])
    codes = [whole.put(number) for number in range(120)]
    whole.run()
    before = whole.sandbox.requests()
    whole.run()
    after = whole.sandbox.requests()
    assert after["hesi_states"] - before["hesi_states"] == 3
    assert after.get("hesi_details", 0) == before.get("hesi_details", 0)
    whole.hesi.pay(codes[7])
    whole.run()
    assert whole.hesi.documents()[7]["voucherNo"]


TOML = """
[ledger.CN01]
endpoint = "http://127.0.0.1:9/reference"
journal = "sqlite:///claims.db"
[source.hesi]
kind = "hesi"
ledger = "CN01"
app_key = "file:key"
app_secret = "file:secret"
"""


def test_the_receiver_of_a_configured_hesi(tmp_path: Path) -> None:
    """It needs a sign key, and keeps its hints where the intake finds them."""
    (tmp_path / "claimbridge.toml").write_text(TOML, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="CB-560"):
        open_hook(tmp_path / "claimbridge.toml")
    (tmp_path / "sign").write_text("sandbox-sign-key\n", encoding="utf-8")
    keyed = TOML + 'sign_key = "file:sign"\n'
    (tmp_path / "claimbridge.toml").write_text(keyed, encoding="utf-8")
    hook = open_hook(tmp_path / "claimbridge.toml")
    assert "HesiHook" in repr(hook)
    assert (tmp_path / "claims.db").exists()


def test_a_node_without_a_key_is_refused(tmp_path: Path) -> None:
    """Hesi takes no decision without the key: found when the source is opened."""
    (tmp_path / "claimbridge.toml").write_text(TOML + 'node = "ERP"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="node needs sign_key"):
        hesi_source(load_source(tmp_path / "claimbridge.toml", "hesi"), MemoryRecord())


def test_a_retry_reads_with_a_mended_map(whole: Whole, capfd: pytest.CaptureFixture[str]) -> None:
    """What became no claim is read again at its retry; nobody has to touch it in Hesi."""
    code = whole.put(1)
    whole.hesi.pay(code)
    path = whole.folder / "map.toml"
    text = (EXAMPLES / "hesi-map.toml").read_text(encoding="utf-8")
    path.write_text(re.sub("(?m)^payment = .*", 'payment = { value = "odd" }', text), "utf-8")
    whole.configure(map=str(path))
    (handled,) = whole.run()
    assert (handled.arrival.state, handled.arrival.code) == (ArrivalState.PARKED, "CB-520")
    config = whole.folder / "claimbridge.toml"
    ledger = whole.client.ledger.setup.config
    address = whole.sandbox.url("hesi")
    config.write_text(
        TOML.replace("http://127.0.0.1:9/reference", ledger.endpoint).replace(
            "[source.hesi]", f'chart = "{ledger.chart}"\n[source.hesi]'
        )
        + f'address = "{address}"\nmap = "{path}"\n',
        encoding="utf-8",
    )
    assert main(["intake", "retry", code, "--config", str(config)]) == 1
    assert "becomes 'odd'" in capfd.readouterr().out
    path.write_text(text, encoding="utf-8")
    whole.sandbox.set_faults("read:html-200%1")
    assert main(["intake", "retry", code, "--config", str(config)]) != 0
    whole.sandbox.set_faults("")
    assert main(["intake", "retry", code, "--config", str(config)]) == 0
    assert whole.record.find("hesi", code)[0].state is ArrivalState.READ
    whole.source.close()
    whole.configure(map=str(path))
    (handled,) = whole.run()
    assert (handled.arrival.state, handled.arrival.code) == (ArrivalState.ACCEPTED, "")
    assert len(whole.sandbox.ledger()) == 1
