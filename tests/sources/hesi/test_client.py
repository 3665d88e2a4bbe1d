"""Hesi's client: what it does with tokens, answers and failures, and what it never shows."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.soap.server import Server, Wire, http

from claimbridge.clock import Uptime
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    DeliveryRefused,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.sandbox import Hesi, Sandbox
from claimbridge.sandbox.hesi.service import TokenOrder
from claimbridge.sources.hesi.api.client import HesiClient, HesiKeys
from claimbridge.sources.hesi.api.http import HesiReply, HesiRequest, Secret
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.api.token import HesiToken

TOKEN = "TOKEN-7f3a:corp"
SECRET = "SECRET-91bc"
SIGN_KEY = "SIGNKEY-55de"
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def answer(content: object, status: int = 200, **headers: str) -> bytes:
    return http(status, json.dumps(content).encode(), kind="application/json", **headers)


def token_answer(token: str = TOKEN, *, seconds: float = 7200) -> dict[str, Any]:
    ends = round((NOW.timestamp() + seconds) * 1000)
    return {"value": {"accessToken": token, "refreshToken": "R-" + token, "expireTime": ends}}


class Scripted:
    """A Hesi of a few lines: tokens for all, and the answers that a test lays out, in order."""

    def __init__(self, *answers: bytes | Callable[[Wire], None]) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def __call__(self, wire: Wire) -> None:
        target = wire.head.split(b" ")[1].decode()
        self.paths.append(target.partition("?")[0].rpartition("/")[2])
        if target.endswith("getAccessToken"):
            wire.send(answer(token_answer()))
            return
        assert f"accessToken={quote(TOKEN, safe='')}" in target
        act = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(act):
            act(wire)
        else:
            wire.send(act)

    @property
    def calls(self) -> list[str]:
        """What was asked, the token aside."""
        return [path for path in self.paths if path != "getAccessToken"]


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[HesiClient, Scripted, list[float]]]]:
    """``serve(*answers)``: a client of a scripted Hesi, and the pauses that it made."""
    closing: list[Callable[[], None]] = []

    def start(
        *answers: bytes | Callable[[Wire], None], **settings: Any
    ) -> tuple[HesiClient, Scripted, list[float]]:
        script = Scripted(*answers)
        server = Server(script, tls=None, raw=False)
        pauses: list[float] = []
        given = {"rate": 1000, "timeouts": {"connect": 2, "total": 2}} | settings
        client = HesiClient(configured(server.url("/prefix"), **given), keys(), pause=pauses.append)
        closing.extend([client.close, server.stop])
        return client, script, pauses

    yield start
    for close in closing:
        close()


def configured(address: str, **given: Any) -> HesiSettings:
    table = {"app_key": "env:KEY", "app_secret": "env:SECRET", "address": address}
    return msgspec.convert(table | given, HesiSettings)


def keys(key: str = "key", secret: str = SECRET) -> HesiKeys:
    return HesiKeys(Secret(key), Secret(secret))


@pytest.fixture
def hesi() -> Iterator[tuple[Hesi, HesiClient, Sandbox]]:
    """The sandbox's Hesi, and a client of it."""
    books = Hesi(app_key="key", app_secret=SECRET, sign_key=SIGN_KEY)
    with Sandbox(profiles=["reference"], hesi=books) as sandbox:
        client = HesiClient(configured(sandbox.url("hesi"), rate=1000), keys())
        yield books, client, sandbox
        client.close()


def voucher(client: HesiClient, flow_id: str = "ID-1") -> None:
    client.put_voucher(flow_id, number="记-7", created=NOW, period="2026-11")


def approval(client: HesiClient) -> None:
    client.answer_approval(
        "ID-1", node_id="N-1", sign_key=SIGN_KEY, action="accept", comment="posted"
    )


def payment(client: HesiClient) -> None:
    client.report_payment("ID-1", paid=True)


# ---- the token


class Tokens:
    """A token with a clock of its own; ``answers`` say what each request for one gives."""

    def __init__(self, *, power_code: str = "") -> None:
        self.clock = Clock()
        self.asked: list[str] = []
        self.answer: Callable[[HesiRequest], HesiReply] = lambda request: self.granted(7200)
        self.token = HesiToken(
            keys(), self.send, lambda request: request.path, power_code=power_code,
            clock=self.clock,
        )  # fmt: skip

    def granted(self, seconds: float) -> HesiReply:
        name = f"T{len(self.asked)}"
        return HesiReply(200, None, token_answer(name, seconds=self.clock.seconds + seconds), "")

    def send(self, request: HesiRequest, token: Secret) -> HesiReply:
        self.asked.append(request.path.rpartition("/")[2])
        return self.answer(request)


def test_a_token_is_renewed_before_it_ends() -> None:
    """Two hours hold for nearly two hours; ten minutes before the end comes a new one."""
    tokens = Tokens()

    first = tokens.token.current()
    tokens.clock.seconds = 7200 - 601
    assert tokens.token.current() == first
    tokens.clock.seconds = 7200 - 599
    assert tokens.token.current() != first

    assert tokens.asked == ["getAccessToken", "getAccessToken"]


def test_a_token_is_refreshed_where_a_power_code_is_configured() -> None:
    """And asked for anew where refreshing gives none."""
    tokens = Tokens(power_code="219904")

    tokens.token.current()
    tokens.clock.seconds = 7000
    tokens.token.current()
    tokens.clock.seconds += 7000
    tokens.answer = lambda request: (
        HesiReply(403, None, {}, "") if "refresh" in request.path else tokens.granted(7200)
    )
    tokens.token.current()

    assert tokens.asked == ["getAccessToken", "refreshToken", "refreshToken", "getAccessToken"]


def test_refreshing_against_the_sandbox() -> None:
    """Two hours, then thirty-two days: the old pair goes out as Hesi wants it."""
    clock = Clock()
    books = Hesi(app_key="key", app_secret=SECRET, clock=clock)
    books.put("ID-1", state="paid")
    with Sandbox(profiles=["reference"], hesi=books) as sandbox:
        settings = configured(sandbox.url("hesi"), rate=1000, power_code="219904")
        client = HesiClient(settings, keys(), clock=clock)
        for day in (0, 0.08, 1, 30, 31.9, 33):
            clock.seconds = day * 86_400
            assert client.details("ID-1") is not None
        client.close()

        # After 0.08 days it was about to end, and refreshed; after 33 it was gone.
        counts = sandbox.requests()
        assert (counts["hesi_token"], counts["hesi_refresh"], counts["hesi_details"]) == (2, 1, 6)


def test_a_failed_renewal_does_no_harm_while_the_old_token_lives() -> None:
    """It is tried again a minute later, not at every call."""
    tokens = Tokens()
    first = tokens.token.current()
    tokens.answer = lambda request: HesiReply(503, None, None, "")

    tokens.clock.seconds = 7200 - 599
    assert [tokens.token.current() for _ in range(3)] == [first] * 3
    tokens.clock.seconds = 7201
    with pytest.raises(LedgerUnavailable):
        tokens.token.current()

    assert len(tokens.asked) == 3


def test_a_clock_that_is_wrong_does_not_ask_for_a_token_at_every_call() -> None:
    """By our clock the token ended before it was given; it is used all the same."""
    tokens = Tokens()
    tokens.answer = lambda request: tokens.granted(-9000)

    assert len({tokens.token.current().text for _ in range(5)}) == 1


def test_keys_that_hesi_refuses_are_not_tried_again_at_once() -> None:
    """An account may be locked after some attempts."""
    tokens = Tokens()
    tokens.answer = lambda request: HesiReply(403, None, {}, "")

    for _ in range(3):
        with pytest.raises(DeliveryRefused) as caught:
            tokens.token.current()
        assert caught.value.code == "CB-511"
    assert len(tokens.asked) == 1
    tokens.clock.seconds = 61
    with pytest.raises(DeliveryRefused):
        tokens.token.current()

    assert len(tokens.asked) == 2


def test_many_threads_share_one_renewal(hesi: tuple[Hesi, HesiClient, Sandbox]) -> None:
    """Twenty threads find no token, and then a dead one: one asks each time."""
    books, client, sandbox = hesi
    books.put("ID-1", state="paid")

    def all_read() -> None:
        threads = [threading.Thread(target=client.details, args=("ID-1",)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_read()
    assert sandbox.requests()["hesi_token"] == 1
    books.tokens(TokenOrder(expire=True))
    all_read()

    assert sandbox.requests()["hesi_token"] == 2


def test_a_token_that_died_early_is_renewed_once_and_the_question_repeated(
    hesi: tuple[Hesi, HesiClient, Sandbox],
) -> None:
    """A second refusal is an error, not a loop."""
    books, client, sandbox = hesi
    books.put("ID-1", state="paid")
    client.details("ID-1")

    books.tokens(TokenOrder(expire=True))
    assert client.details("ID-1") is not None
    books.tokens(TokenOrder(premature=2))
    with pytest.raises(DeliveryRefused) as caught:
        client.details("ID-1")

    assert caught.value.code == "CB-512"
    assert sandbox.requests() == {"hesi_token": 3, "hesi_details": 5}


def test_a_write_back_with_a_dead_token_is_not_repeated_by_itself(
    hesi: tuple[Hesi, HesiClient, Sandbox],
) -> None:
    """It says that nothing was written; the next attempt has a new token."""
    books, client, _ = hesi
    books.put("ID-1", state="paid")
    client.details("ID-1")
    books.tokens(TokenOrder(expire=True))

    with pytest.raises(NotDelivered) as caught:
        voucher(client)
    assert (caught.value.code, caught.value.retryable) == ("CB-525", True)
    assert books.effects("ID-1") == []
    voucher(client)

    assert [effect.kind for effect in books.effects("ID-1")] == ["voucher"]


# ---- reads


def test_the_calls(hesi: tuple[Hesi, HesiClient, Sandbox]) -> None:
    """Each read, against the sandbox's Hesi."""
    books, client, _ = hesi
    books.put("ID-1", state="paid", form={"code": "B1"})
    books.put("ID-2", state="approving")
    books.put("ID-3", state="paid")
    books.delete("ID-3")

    def ids(**given: Any) -> set[str]:
        return {found["id"] for found in client.documents(**given).documents}

    assert ids() == {"ID-1", "ID-2"}
    assert ids(active=None) == {"ID-1", "ID-2", "ID-3"}
    assert ids(active=False) == {"ID-3"}
    assert ids(states=["paid", "archived"]) == {"ID-1"}
    found = client.details("ID-1")
    assert found is not None
    assert found["form"]["code"] == "B1"
    assert client.details("ID-3") == {"id": "ID-3", "active": False}
    assert client.details("ID-9") is None
    assert [state.flow_id for state in client.approval_states(["ID-1", "ID-9", "../x"])] == ["ID-1"]
    assert client.failed_messages(since=0, until=10**13) == ()


def test_times_go_out_in_hesi_s_own_zone(serve: Callable[..., Any]) -> None:
    """Midnight in Shanghai, as ``yyyy-MM-dd HH:mm:ss``."""
    seen: list[str] = []

    def act(wire: Wire) -> None:
        seen.append(wire.head.split(b" ")[1].decode())
        wire.send(answer({"count": 0, "items": []}))

    client, _, _ = serve(act)
    client.documents(since=1792425600000)

    assert "startDate=2026-10-20+00%3A00%3A00" in seen[0]


def test_numbers_are_read_exactly(serve: Callable[..., Any]) -> None:
    """0.1 is a tenth, not the nearest binary fraction."""
    item = b'{"count": 1, "items": [{"id": "A", "amount": 0.1, "big": 12345678901234567.89}]}'
    client, _, _ = serve(http(200, item, kind="application/json"))

    (found,) = client.documents().documents

    assert found["amount"] == Decimal("0.1")
    assert found["big"] == Decimal("12345678901234567.89")


def test_reads_are_tried_again(serve: Callable[..., Any]) -> None:
    """Later each time, and as late as Hesi asks for."""
    client, script, pauses = serve(
        lambda wire: wire.reset(),
        answer({}, 502),
        answer({}, 429, Retry_After="7"),
        answer({"items": []}),
    )

    client.failed_messages(since=0, until=1)

    assert script.calls == ["outboundMessageLogs"] * 4
    assert [pause for pause in pauses if pause > 0.1] == [0.5, 1.0, 7.0]


def test_a_wait_beyond_the_limit_is_handed_to_the_caller(serve: Callable[..., Any]) -> None:
    """The pass goes on with others, and knows when to come back."""
    client, script, _ = serve(answer({}, 429, Retry_After="600"))

    with pytest.raises(LedgerUnavailable) as caught:
        client.documents()

    assert (caught.value.code, caught.value.retry_after) == ("CB-513", 600.0)
    assert len(script.calls) == 1


def test_calls_keep_to_the_rate(serve: Callable[..., Any]) -> None:
    """Whatever calls it makes, four a second are a quarter of a second apart."""
    client, _, pauses = serve(answer({"items": []}), rate=4)

    for _ in range(5):
        client.failed_messages(since=0, until=1)

    assert len(pauses) == 5, "the token is the first of six calls"
    assert pauses == sorted(pauses), "the clock stands still: each waits for one more turn"
    assert pauses[-1] == pytest.approx(5 / 4, abs=0.2)


BOMB = gzip.compress(b'{"items": "' + b"a" * 5_000_000 + b'"}')
UNREADABLE = {
    "html": (http(200, b"<html>login</html>", kind="text/html"), "CB-514"),
    "cut off": (http(200, b'{"items": [', kind="application/json"), "CB-514"),
    "a list": (answer([1]), "CB-514"),
    "no items": (answer({"count": 1}), "CB-514"),
    "items that are a text": (answer({"items": "a"}), "CB-514"),
    "deep": (http(200, b'{"items":' + b"[" * 100_000, kind="application/json"), "CB-514"),
    "too large": (http(200, b" " * 1_200_000, kind="application/json"), "CB-527"),
    "a bomb": (http(200, BOMB, kind="application/json", Content_Encoding="gzip"), "CB-527"),
    "no utf-8": (http(200, b'{"items": "\xff"}', kind="application/json"), "CB-514"),
    "half": (http(200, b"{", length=10), "CB-513"),
    "server error": (http(500, b"oops"), "CB-513"),
    "no HTTP": (b"hello\r\n\r\n", "CB-513"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_answer_may_be_anything(case: str, serve: Callable[..., Any]) -> None:
    """Whatever comes back, a read ends in one of our errors: later."""
    reply, code = UNREADABLE[case]

    def act(wire: Wire) -> None:
        wire.send(reply)
        wire.close()

    client, _, _ = serve(act, retries=0, reply_limit=1_000_000)

    with pytest.raises(LedgerUnavailable) as caught:
        client.documents()

    assert caught.value.code == code


def test_what_will_not_change_by_itself_is_not_asked_again(serve: Callable[..., Any]) -> None:
    """An unknown type, a wrong address, a redirect."""
    for reply, code in (
        (answer({"errorMessage": "参数type无法识别"}, 400), "CB-517"),
        (http(404, b""), "CB-517"),
        (http(302, b"", Location="https://elsewhere.example/?x=1"), "CB-417"),
        (http(401, b""), "CB-512"),
    ):
        client, script, _ = serve(reply)
        with pytest.raises(DeliveryRefused) as caught:
            client.documents()
        assert caught.value.code == code
        assert len(script.calls) == 1


def test_only_hesi_s_word_makes_a_document_one_that_is_not_there(serve: Callable[..., Any]) -> None:
    """Another refusal of the question says nothing about the document."""
    client, _, _ = serve(answer({"errorMessage": "无权限查看单据"}, 412))

    with pytest.raises(DeliveryRefused) as caught:
        client.details("ID-1")

    assert caught.value.code == "CB-517"


def test_an_address_that_is_not_safe_is_refused() -> None:
    """Without TLS both secrets would travel in the open; only loopback may be so."""
    with pytest.raises(ConfigurationError, match="not encrypted"):
        HesiClient(configured("http://hesi.example"), keys())
    with pytest.raises(ConfigurationError, match="has a query"):
        HesiClient(configured("https://hesi.example/?accessToken=x"), keys())


# ---- writes: one attempt, and what its answer means


def cut(wire: Wire) -> None:
    wire.reset()


def silent(wire: Wire) -> None:
    wire.hang()


DONE = answer({"value": True})
OUTCOMES: dict[str, tuple[Callable[[HesiClient], None], Any, type[Exception] | None, str]] = {
    "voucher done": (voucher, DONE, None, ""),
    "voucher refused": (
        voucher, answer({"errorCode": 400, "errorMessage": "不是已支付状态"}, 400),
        LedgerRejection, "CB-516",
    ),
    "voucher of no document": (
        voucher, answer({"errorMessage": "不存在此单据[ID-1]"}, 412), LedgerRejection, "CB-516",
    ),
    "voucher: not true": (voucher, answer({"value": False}), OutcomeUnknown, "CB-515"),
    "voucher: a no within 200": (
        voucher, answer({"errorCode": 400, "errorMessage": "参数错误"}), LedgerRejection, "CB-516",
    ),
    "voucher: trouble within 200": (
        voucher, answer({"errorCode": 500, "errorMessage": "系统异常"}), OutcomeUnknown, "CB-515",
    ),
    "voucher done, with a code of success": (
        voucher, answer({"errorCode": 0, "value": True}), None, "",
    ),
    "voucher: html": (voucher, http(200, b"<html>", kind="text/html"), OutcomeUnknown, "CB-515"),
    "voucher: cut off": (voucher, cut, OutcomeUnknown, "CB-515"),
    "voucher: no answer": (voucher, silent, OutcomeUnknown, "CB-515"),
    "voucher: gateway": (voucher, http(502, b"bad gateway"), OutcomeUnknown, "CB-515"),
    "voucher: firewall": (voucher, http(403, b"<html>"), OutcomeUnknown, "CB-515"),
    "voucher: throttled": (voucher, answer({}, 429, Retry_After="3"), LedgerUnavailable, "CB-513"),
    "voucher: no such path": (voucher, http(404, b""), DeliveryRefused, "CB-517"),
    "voucher: moved": (voucher, http(308, b""), DeliveryRefused, "CB-417"),
    "approval done": (approval, answer({"value": {"code": "204"}}), None, ""),
    "approval done, as a number": (approval, answer({"value": {"code": 204}}), None, ""),
    "approval: wrong key": (
        approval, answer({"value": {"code": "401", "message": "签名秘钥错误企业"}}),
        LedgerRejection, "CB-516",
    ),
    "approval: another step": (
        approval, answer({"value": {"code": "412", "message": "当前的审批节点不为:N-1"}}),
        LedgerRejection, "CB-516",
    ),
    "approval: failed within": (
        approval, answer({"value": {"code": "500", "message": "EBot审批失败"}}),
        OutcomeUnknown, "CB-515",
    ),
    "approval: nothing": (approval, answer({}), OutcomeUnknown, "CB-515"),
    "payment done": (payment, answer({"items": [{"id": "ID-1", "code": "R00000"}]}), None, ""),
    "payment: paid before": (
        payment, answer({"items": [{"id": "ID-1", "code": "R00002", "errorMsg": None}]}),
        LedgerRejection, "CB-516",
    ),
    "payment of another document": (
        payment, answer({"items": [{"id": "ID-2", "code": "R00000"}]}), OutcomeUnknown, "CB-515",
    ),
    "payment: items that are none": (payment, answer({"items": 3}), OutcomeUnknown, "CB-515"),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTCOMES)
def test_what_the_answer_to_a_write_means(case: str, serve: Callable[..., Any]) -> None:
    """Done, refused, unread or unknown; and whatever it was, it was tried once."""
    call, reply, kind, code = OUTCOMES[case]
    client, script, _ = serve(reply, timeouts={"connect": 1, "total": 1})

    if kind is None:
        call(client)
    else:
        with pytest.raises(ClaimBridgeError) as caught:
            call(client)
        assert type(caught.value) is kind
        assert caught.value.code == code

    assert len(script.calls) == 1


def test_a_refusal_carries_hesi_s_code_and_words(serve: Callable[..., Any]) -> None:
    """Where Hesi sends a bare code, its meaning is added."""
    client, _, _ = serve(answer({"items": [{"id": "ID-1", "code": "R00002", "errorMsg": None}]}))

    with pytest.raises(LedgerRejection) as caught:
        payment(client)

    assert str(caught.value.reasons[0]) == "R00002: 单据已支付"


def test_an_unreachable_hesi_has_got_nothing(serve: Callable[..., Any]) -> None:
    """Neither the token nor the write left."""
    client = HesiClient(configured("http://127.0.0.1:9"), keys())

    with pytest.raises(NotDelivered):
        voucher(client)
    client.close()


def test_an_empty_voucher_number_is_never_sent(serve: Callable[..., Any]) -> None:
    """Hesi would delete the number that stands there."""
    client, script, _ = serve(DONE)

    for number in ("", "  "):
        with pytest.raises(ClaimError) as caught:
            client.put_voucher("ID-1", number=number, created=NOW)
        assert caught.value.code == "CB-523"

    assert script.paths == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4)
    | st.sampled_from(["ID-1", "R00000", "204", "FAILURE", "已删除"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(
            ["value", "items", "count", "id", "flowId", "code", "state", "request", "stageName",
             "errorCode", "errorMessage", "message", "updateTime"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


ANSWERS = JSON | st.fixed_dictionaries({"value": JSON, "items": st.lists(JSON, max_size=2)})


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ANSWERS, st.sampled_from([200, 200, 200, 400, 412, 500]))
def test_whatever_json_comes_it_is_an_answer_or_one_of_our_errors(
    serve: Callable[..., Any], content: object, status: int
) -> None:
    """Members that are missing, of other types, or in other places raise nothing of Python's."""
    client, _, _ = serve(answer(content, status), retries=0)

    for call in (
        lambda: client.documents(),
        lambda: client.details("ID-1"),
        lambda: client.approval_states(["ID-1"]),
        lambda: client.failed_messages(since=0, until=1),
        lambda: voucher(client),
        lambda: approval(client),
        lambda: payment(client),
    ):
        with contextlib.suppress(ClaimBridgeError):
            call()


# ---- what is never shown


def echo(status: int) -> Callable[[Wire], None]:
    """Answer with the request itself, as some gateways do."""

    def act(wire: Wire) -> None:
        words = (wire.head + wire.body).decode("latin-1")
        wire.send(answer({"errorMessage": words, "errorCode": status}, status))

    return act


def bad_header(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nbroken header\r\n\r\n{}")


@pytest.mark.parametrize(
    "act",
    [echo(400), echo(403), echo(412), echo(500), bad_header, cut, b"no http\r\n\r\n",
     http(200, b"<html>"), http(302, b"", Location="/x"), http(200, b"{", length=9)],
    ids=["400", "403", "412", "500", "header", "reset", "no-http", "html", "moved", "half"],
)  # fmt: skip
def test_no_secret_is_shown(
    act: Any, serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither logs at DEBUG, urllib3's included, nor errors with all that hangs on them."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)

    def once(wire: Wire) -> None:
        if callable(act):
            act(wire)
        else:
            wire.send(act)
        wire.close()

    client, _, _ = serve(once, retries=0)
    shown = [repr(client), repr(vars(client)), repr(keys()), repr(configured("https://h.example"))]
    for call in (lambda: client.documents(), lambda: voucher(client), lambda: approval(client)):
        with pytest.raises(ClaimBridgeError) as caught:
            call()
        error = caught.value
        deep = traceback.TracebackException.from_exception(error, capture_locals=True)
        # Our own test holds its constants; what claimbridge hangs on the error must not.
        shown += [str(error), repr(error), repr(vars(error)), *_frames(deep)]
    shown += [record.getMessage() + str(record.args) for record in caplog.records]
    assert any("getApplyList" in text for text in shown)

    for secret in ("TOKEN-7f3a", SECRET, SIGN_KEY):
        assert not [text for text in shown if secret in text]


def test_what_hesi_gave_is_not_altered_for_a_short_secret(serve: Callable[..., Any]) -> None:
    """A sign key that is a word of the answer too: the answer counts as it came."""
    client, _, _ = serve(answer({"value": {"code": "204", "message": "done"}}))
    client.answer_approval("ID-1", node_id="N-1", sign_key="204", action="accept", comment="ok")


def _frames(found: traceback.TracebackException) -> list[str]:
    """Every local variable in the frames of claimbridge and below it, over the whole chain."""
    texts = [str(found)]
    for frame in found.stack:
        if "/tests/" not in frame.filename:
            texts += [f"{name}={value}" for name, value in (frame.locals or {}).items()]
            texts.append(frame.line or "")
    for further in (found.__cause__, found.__context__):
        if further is not None:
            texts += _frames(further)
    return texts
