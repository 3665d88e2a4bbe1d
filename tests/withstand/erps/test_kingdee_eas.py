"""Both clients against the sandbox's EAS: sessions, lost answers, batches, red vouchers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.scene import (
    SENDERS,
    attempted,
    claim,
    configured,
    faults,
    late,
    lifelike,
    one_effect,
    settled,
)

from claimbridge.config import AuthConfig, LedgerConfig
from claimbridge.errors import (
    ClaimBridgeError,
    DeliveryRefused,
    LedgerRejection,
    OutcomeUnknown,
)
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Sandbox
from claimbridge.sandbox.erps.kingdee_eas import LISTING, KingdeeEasResponder

NAME = "kingdee-eas"
ASKED = {"credit": -1, "listing": list(LISTING)}
PERSON: dict[str, Any] = {"credit": -1}
REPEATS = {"credit": -1, "refuses_repeats": True}

LOST = frozenset(
    {
        "refuse-connection",
        "timeout=after-commit",
        "timeout=before-commit",
        "commit-then-drop",
        "drop-before-commit",
        "half-reply=cut",
        "half-reply=malformed",
        "slow=3",
        "unsigned-fault=after-commit",
        "unsigned-fault=before-commit",
        "html-200=before-commit",
        "html-200=after-commit",
        "duplicate-reply=two-items",
        "drift",
    }
)
"""Faults after which the sender may be in doubt. That the reply names another reference makes no
difference: EAS's names none."""


@pytest.fixture(scope="module", params=[False, True], ids=["repeats", "no-repeats"])
def erp(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """An EAS that takes repeats, and one that refuses them."""
    with lifelike(profiles=[KingdeeEasResponder(refuses_repeats=request.param)]) as sandbox:
        sandbox.refuses = request.param  # type: ignore[attr-defined]  # for the tests' options
        yield sandbox


def config(sandbox: Sandbox, journal: Path, **changes: Any) -> LedgerConfig:
    settings: dict[str, Any] = {
        "endpoint": f"{sandbox.url(NAME)}/WSGLWebServiceFacade",
        "auth": AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
        "options": ASKED,
        "first_send": "send",  # the tests count and time what follows
    }
    return configured(NAME, port=sandbox.port, journal=journal / "claims.db", **settings | changes)


class SavesThenFails(KingdeeEasResponder):
    """An EAS that fails after the voucher was saved, with a sentence in the fault's detail."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__()
        self.reason, self.told = reason, told

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        answered = super().answer(call, desk)
        if call.operation != "importVoucher":
            return answered
        content = f'<e:exc xmlns:e="urn:e"><message>{self.told}</message></e:exc>'
        return ErpAnswer(content=content.encode(), fault="receiver", reason=self.reason)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize(("kind", "strikes"), [("Client", "submit:{}"), ("AsyncClient", "{}@1")])
def test_asked_a_lost_answer_is_one_voucher(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    kind: str,
    fault: str,
    strikes: str,
) -> None:
    """Where EAS may be asked, every fault ends in one voucher and its number."""
    options = ASKED | ({"refuses_repeats": True} if erp.refuses else {})  # type: ignore[attr-defined]
    with SENDERS[kind](config(erp, tmp_path, options=options)) as sender:
        struck = one_effect(sender, erp, strikes.format(fault), profile=NAME, new_id=new_id)
    if isinstance(struck.first, Acknowledgement):
        assert len(struck.held_first.posts) == 1
    entry, (document,) = struck.acknowledged().journal_entry, struck.held.posts
    assert document.journal_entry is not None
    number = document.journal_entry.partition(" / ")[0]
    assert entry is not None
    assert (entry.number, entry.company) == (f"记-3-{number}", "CN01")


@pytest.mark.parametrize("fault", list(faults()))
def test_unasked_a_lost_answer_is_for_a_person(
    new_id: Callable[[], str], tmp_path: Path, fault: str
) -> None:
    """By default EAS is not asked: at most one voucher, and what is in doubt is parked."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS["Client"](config(erp, tmp_path, options=PERSON)) as sender,
    ):
        struck = one_effect(sender, erp, f"{fault}@1", profile=NAME, new_id=new_id)
    assert isinstance(struck.end, Acknowledgement) or fault in LOST


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("options", [ASKED, REPEATS], ids=["asked", "repeats"])
def test_a_dead_session_is_begun_anew(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    """The voucher is refused without effect, EAS is logged in to, the voucher sent once more."""
    with (
        lifelike(profiles=[KingdeeEasResponder(lifetime=0.5, refuses_repeats=True)]) as erp,
        SENDERS[kind](config(erp, tmp_path, options=options)) as sender,
    ):
        sender.submit(claim("S-1"))
        time.sleep(0.6)
        sender.submit(claim("S-2"))
        assert [one.reference for one in erp.ledger()] == ["S-1", "S-2"]
        counts = erp.requests()
        assert (counts["login"], counts["importVoucher"]) == (2, 3)
        # After each import, and once before the second is sent again.
        assert counts.get("findVoucher", 0) == (3 if "listing" in options else 0)


@pytest.mark.parametrize("kind", SENDERS)
def test_unasked_a_dead_session_is_told_and_begun_anew(tmp_path: Path, kind: str) -> None:
    """Words alone send nothing twice: the caller submits again, and finds a fresh session."""
    with (
        lifelike(profiles=[KingdeeEasResponder(lifetime=0.5)]) as erp,
        SENDERS[kind](config(erp, tmp_path, options=PERSON)) as sender,
    ):
        sender.submit(claim("W-1"))
        time.sleep(0.6)
        with pytest.raises(DeliveryRefused, match="the session was dead"):
            sender.submit(claim("W-2"))
        assert (erp.requests()["login"], erp.requests()["importVoucher"]) == (2, 2)
        sender.submit(claim("W-2"))
        assert [one.reference for one in erp.ledger()] == ["W-1", "W-2"]


@pytest.mark.parametrize("reason", ["java.lang.reflect.InvocationTargetException", ""])
def test_words_after_a_voucher_was_saved_do_not_save_it_twice(tmp_path: Path, reason: str) -> None:
    """The mail server's session is not ours: a person looks, and there is one voucher."""
    told = "voucher saved; notice not sent: mail user not logged in"
    with (
        lifelike(profiles=[SavesThenFails(reason, told)]) as erp,
        SENDERS["Client"](config(erp, tmp_path, options=PERSON)) as sender,
    ):
        with pytest.raises(OutcomeUnknown):
            sender.submit(claim("N-1"))
        with pytest.raises(OutcomeUnknown):
            sender.submit(claim("N-1"))
        assert [one.reference for one in erp.ledger()] == ["N-1"]


def test_a_session_serves_many_vouchers(tmp_path: Path) -> None:
    """One login for all calls of a client."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS["Client"](config(erp, tmp_path)) as sender,
    ):
        for number in range(3):
            sender.submit(claim(f"M-{number}"))
        assert erp.requests() == {"login": 1, "importVoucher": 3, "findVoucher": 3}


def test_many_threads_log_in_once(tmp_path: Path) -> None:
    """EAS may end a user's older session when a new one begins: one logs in, the others wait."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS["Client"](config(erp, tmp_path)) as sender,
    ):
        erp.set_faults("session:slow=0.3@1")
        results = sender.submit_many([claim(f"T-{number}") for number in range(8)], batch=1)
        assert [result.error for result in results] == [None] * 8
        assert erp.requests()["login"] == 1


def test_a_wrong_password_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refused login is told; no voucher has left."""
    monkeypatch.setenv("EAS_PASSWORD", "wrong")
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS["Client"](config(erp, tmp_path)) as sender,
    ):
        with pytest.raises(DeliveryRefused, match="用户名或密码错误"):
            sender.submit(claim("W-1"))
        assert "importVoucher" not in erp.requests()
        assert sender.status("W-1").state is State.PENDING


def test_without_a_login_nothing_is_done(tmp_path: Path) -> None:
    """The sandbox is as strict as EAS: a session that it did not give is dead."""
    with lifelike(profiles=[KingdeeEasResponder(lifetime=-1)]) as erp:
        with SENDERS["Client"](config(erp, tmp_path)) as sender:
            end = attempted(sender, claim("N-1"))
        assert isinstance(end, ClaimBridgeError)
        assert erp.ledger() == []


@pytest.mark.parametrize("kind", SENDERS)
def test_a_batch_has_an_outcome_for_each(tmp_path: Path, kind: str) -> None:
    """Matched by what EAS lists afterwards, since its strings name no voucher."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS[kind](config(erp, tmp_path, options=ASKED | {"batch": 10})) as sender,
    ):
        claims: list[Any] = [claim("B-0"), late(claim("B-1")), claim("B-2")]
        results = sender.submit_many(claims, batch=3)
        assert erp.requests()["importVoucher"] == 1
        by_claim = {one.claim_id: one for one in results}
        assert isinstance(by_claim["B-1"].error, LedgerRejection)
        assert [str(one.code) for one in by_claim["B-1"].error.reasons] == ["1004"]
        numbers = {
            name: by_claim[name].acknowledgement.journal_entry.number for name in ("B-0", "B-2")
        }
        held = {one.reference: one.journal_entry for one in erp.ledger()}
        assert {n: f"记-3-{str(e).partition(' ')[0]}" for n, e in held.items()} == numbers


@pytest.mark.parametrize("kind", SENDERS)
def test_a_reversal_is_a_red_voucher(tmp_path: Path, kind: str) -> None:
    """The same accounts on the same sides with negative amounts: the balance is nil again."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS[kind](config(erp, tmp_path)) as sender,
    ):
        sender.submit(claim("R-1"))
        taken_back = sender.reverse("R-1")
        assert taken_back.reference == "R-1.X1"
        assert taken_back.journal_entry is not None
        assert taken_back.journal_entry.number == "记-3-0002"
        assert sender.status("R-1").state is State.REVERSED
        first, second = erp.ledger()
        assert (first.purpose, second.purpose) == ("post", "reverse")
        other = {"debit": "credit", "credit": "debit"}
        assert [(one["account"], other[one["side"]], one["amount"]) for one in first.postings] == [
            (one["account"], one["side"], one["amount"]) for one in second.postings
        ]


@pytest.mark.parametrize("kind", SENDERS)
def test_a_lost_reversal_is_found(tmp_path: Path, kind: str) -> None:
    """The red voucher that EAS saved is found by its reference, its amounts compared."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        SENDERS[kind](config(erp, tmp_path)) as sender,
    ):
        sender.submit(claim("R-2"))
        erp.set_faults("commit-then-drop@1")
        assert sender.reverse("R-2").journal_entry is not None
        assert len(erp.ledger()) == 2


def test_a_repeat_that_eas_refuses_is_adopted(tmp_path: Path) -> None:
    """Unasked, but set to refuse repeats: sent again, the 3100 says that it is there."""
    with (
        lifelike(profiles=[KingdeeEasResponder(refuses_repeats=True)]) as erp,
        SENDERS["Client"](config(erp, tmp_path, options=REPEATS)) as sender,
    ):
        erp.set_faults("commit-then-drop@1")
        end = settled(sender, claim("D-1"))
        assert isinstance(end, Acknowledgement)
        assert len(erp.ledger()) == 1
        assert sender.status("D-1").state is State.ACKNOWLEDGED
