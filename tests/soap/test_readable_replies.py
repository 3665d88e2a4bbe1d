"""Every answer that can be read is read, and what is doubtful proves nothing: over a raw socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.soap.server import Server, Wire
from tests.soap.server import http as answered
from tests.withstand.scene import claim, configured, ledger_of

from claimbridge import (
    AsyncClient,
    Claim,
    Client,
    ContractDriftWarning,
    LedgerRejection,
    OutcomeUnknown,
    State,
)
from claimbridge.clock import SYSTEM
from claimbridge.config import AuthConfig, Replies
from claimbridge.errors import ClaimBridgeError, DeliveryRefused
from claimbridge.sandbox import Sandbox
from claimbridge.signing import Identity
from claimbridge.signing.keys.throwaway import make
from claimbridge.soap.http import accept
from claimbridge.soap.multipart import LONGEST_HEAD, MOST_HEADERS, MOST_PARTS
from claimbridge.soap.transport.answer import HttpAnswer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIM = Claim.from_json((EXAMPLES / "claims/travel-cn.json").read_bytes())
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BOUNDARY = "=_part.7"
UTF8 = "text/xml; charset=utf-8"
DECLARED = b'<?xml version="1.0" encoding="utf-8"?>'


def entry(number: str = "8817", more: str = "", declared: bytes = DECLARED) -> bytes:
    """An entry that the ERP has made of the claim; ``number`` may be any XML."""
    body = (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><PostEntryResponse xmlns="urn:example:books:1">'
        f"<Entry><Reference>{CLAIM.id}</Reference><Number>{number}</Number><Currency>CNY</Currency>"
        f"<Total>{CLAIM.total}</Total>{more}</Entry></PostEntryResponse></s:Body></s:Envelope>"
    )
    return declared + body.encode()


def refusal(text: str) -> bytes:
    return entry().replace(
        f"<Number>8817</Number><Currency>CNY</Currency><Total>{CLAIM.total}</Total>".encode(),
        f"<Problem>{text}</Problem>".encode(),
    )


def parts(
    root: bytes,
    *,
    start: str = '; start="<root@erp>"',
    head: str = "Content-Type: text/xml; charset=utf-8\r\nContent-ID: <root@erp>\r\n",
    first: bytes = b"",
    end: bytes = b"--",
    line: bytes = b"\r\n",
    status: int = 200,
    boundary: str = BOUNDARY,
) -> bytes:
    """An answer in parts: the root, and an attachment after it."""
    delimiter = b"--" + BOUNDARY.encode()
    slip = b"Content-Type: application/pdf" + line + b"Content-ID: <slip@erp>" + line * 2 + b"%PDF"
    pieces = [b"preamble", first, delimiter, head.encode().replace(b"\r\n", line)]
    body = line.join(pieces) + line + root + line + delimiter + line + slip + line + delimiter + end
    kind = f'multipart/related; type="text/xml"{start}; boundary="{boundary}"'
    return answered(status, body + line, kind=kind)


def named(header: str) -> str:
    return f"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <root@erp>\r\n{header}\r\n"


def to_a_question(answer: bytes) -> bytes:
    """The same of the entry, as the answer to a question for it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    body = body.replace(b"PostEntryResponse", b"FindEntriesResponse")
    head = re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


@pytest.fixture(params=[Client, AsyncClient])
def submit(
    request: pytest.FixtureRequest, serve: Callable[..., Server], tmp_path: Path
) -> Callable[[bytes], tuple[object, list[str], list[str]]]:
    """``submit(answer)``: what a client of either kind says, what it called, what it told of."""

    def submitted(answer: bytes) -> tuple[object, list[str], list[str]]:
        calls: list[str] = []

        def act(wire: Wire) -> None:
            asks = b"FindEntries" in wire.body
            calls.append("find" if asks else "post")
            wire.send(to_a_question(answer) if asks else answer)

        shutil.copy(EXAMPLES / "chart.toml", tmp_path)
        config = tmp_path / "claimbridge.toml"
        config.write_text(
            '[ledger.CN01]\nprofile = "examples.own_erp:OwnErp"\n'
            f'endpoint = "{serve(act).url()}"\nchart = "chart.toml"\nretries = 0\n'
        )
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = _submitted(request.param, config)
        drift = [str(one.message) for one in told if one.category is ContractDriftWarning]
        return found, calls, drift

    return submitted


def _submitted(kind: type, config: Path) -> object:
    async def awaited() -> object:
        async with AsyncClient.from_config(config) as client:
            return await client.submit(CLAIM)

    try:
        if kind is AsyncClient:
            return asyncio.run(awaited())
        with Client.from_config(config) as client:
            return client.submit(CLAIM)
    except ClaimBridgeError as error:
        return error


GBK = "text/xml; charset=GBK"
READ: dict[str, tuple[bytes, str]] = {
    "attachments": (parts(entry()), "several parts"),
    "no start": (parts(entry(), start=""), "several parts"),
    "start without brackets": (parts(entry(), start="; start=root@erp"), "several parts"),
    "start names no part": (parts(entry(), start='; start="<x@erp>"'), "several parts"),
    "bare line feeds": (parts(entry(), line=b"\n"), "several parts"),
    "root is not first": (
        parts(
            entry(),
            first=b"--" + BOUNDARY.encode() + b"\r\nContent-ID: <pic@erp>\r\n\r\n<no xml",
        ),
        "several parts",
    ),
    "xop": (
        parts(
            entry(
                more='<Slip><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" '
                'href="cid:slip@erp"/></Slip>'
            ),
            head='Content-Type: application/xop+xml; charset=utf-8; type="text/xml"\r\n'
            "Content-ID: <root@erp>\r\n",
        ),
        "several parts",
    ),
    "base64": (
        parts(
            base64.encodebytes(entry()).rstrip(), head=named("Content-Transfer-Encoding: base64")
        ),
        "several parts",
    ),
    "quoted printable": (
        parts(
            entry().replace(b"=", b"=3D"),
            head=named("Content-Transfer-Encoding: quoted-printable"),
        ),
        "several parts",
    ),
    "blank line before the declaration": (answered(body=b"\r\n" + entry()), "white space before"),
    "two marks": (answered(body=b"\xef\xbb\xbf" * 2 + entry()), "more than once"),
    "two marks, nothing declared": (
        answered(body=b"\xef\xbb\xbf" * 2 + entry(declared=b"")),
        "more than once",
    ),
    "declares UTF-16, is UTF-8": (
        answered(body=entry(declared=DECLARED.replace(b"utf-8", b"utf-16"))),
        "declares the encoding utf-16",
    ),
    "declares UTF-16, no header": (
        answered(body=entry(declared=DECLARED.replace(b"utf-8", b"UTF-16")), kind="text/xml"),
        "as its bytes show",
    ),
    "declares UTF-8, is UTF-16": (
        answered(body=entry().decode().encode("utf-16")),
        "as its byte order mark says",
    ),
    "declares UTF-8, is GBK": (
        answered(body=entry(more="<Memo>已过账</Memo>").decode().encode("gbk"), kind=GBK),
        "is in GBK, as its header says",
    ),
    "declares GBK, has a UTF-8 mark": (
        answered(body=b"\xef\xbb\xbf" + entry(declared=DECLARED.replace(b"utf-8", b"GBK"))),
        "as its byte order mark says",
    ),
    "encoded as utf-8": (answered(body=entry(), Content_Encoding="utf-8"), "encodes nothing"),
    "encoded as none": (answered(body=entry(), Content_Encoding="none"), "encodes nothing"),
    "a partner's element": (
        answered(body=entry(more='<Number xmlns="urn:example:partner">A-1</Number>')),
        "is in urn:example:partner",
    ),
    "full width": (answered(body=entry("８８１７")), "full-width"),
    "a mark at the end": (answered(body=entry("8817\u200b")), "invisible characters"),
}


@pytest.mark.parametrize("case", READ)
def test_what_can_be_read_is_posted(
    submit: Callable[[bytes], tuple[object, list[str], list[str]]], case: str
) -> None:
    """However it is sent, the number in an answer is read at once, and what was wrong is told."""
    answer, told = READ[case]
    found, calls, drift = submit(answer)
    assert getattr(found, "state", found) is State.POSTED
    assert str(getattr(found, "journal_entry", "")) == "8817"
    assert calls == ["post"]
    assert any(told in one for one in drift), drift


REFUSED: dict[str, tuple[bytes, str]] = {
    "attachments": (parts(refusal("period closed")), "period closed"),
    "GBK": (answered(body=refusal("科目不存在").decode().encode("gbk"), kind=GBK), "科目不存在"),
    "a fault with attachments": (
        parts(
            f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
            "<faultstring>period closed</faultstring></s:Fault></s:Body></s:Envelope>".encode(),
            status=500,
        ),
        "period closed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_read_too(
    submit: Callable[[bytes], tuple[object, list[str], list[str]]], case: str
) -> None:
    """A refusal, or a Fault, that came with attachments or in another encoding is one."""
    answer, text = REFUSED[case]
    found, calls, _ = submit(answer)
    assert isinstance(found, LedgerRejection)
    assert text in found.message
    assert calls == ["post"]


CUT = parts(entry()).partition(b"</s:Envelope>")[0] + b"</s:Envelope>"
DOUBTFUL: dict[str, bytes] = {
    **{f"number {one!a}": answered(body=entry(one)) for one in ("null", "N/A", "-", "0", "true")},
    **{
        f"number {one!a}": answered(body=entry(one))
        for one in (
            "0000000000",
            "None",
            "\u200b",
            "\xa0",
            "-1",
            "88\u200b17",
            "无",
            "８８\u202e１７",
        )
    },
    "two roots": parts(
        entry(), first=b"--" + BOUNDARY.encode() + b"\r\n" + named("").encode() + b"\r\n" + entry()
    ),
    "another boundary": parts(entry(), boundary="=_other"),
    "no end of the root": answered(
        body=CUT.partition(b"\r\n\r\n")[2],
        kind=f'multipart/related; boundary="{BOUNDARY}"',
    ),
    "root is compressed": parts(entry(), head=named("Content-Encoding: gzip")),
    "root in an unknown encoding": parts(
        entry(), head=named("Content-Transfer-Encoding: x-uuencode")
    ),
    "root in bad base64": parts(b"PD94!", head=named("Content-Transfer-Encoding: base64")),
    "root is no XML": parts(b"8817", head=named("")),
    "a header twice": parts(entry(), head=named("Content-ID: <slip@erp>")),
    "too many headers": parts(
        entry(), head=named("\r\n".join(f"X-{n}: 1" for n in range(MOST_HEADERS + 1)))
    ),
    "a header too long": parts(entry(), head=named(f"X: {'x' * LONGEST_HEAD}")),
    "too many parts": parts(
        entry(), first=(b"--" + BOUNDARY.encode() + b"\r\nX: 1\r\n\r\n\r\n") * (MOST_PARTS + 1)
    ),
    "a DOCTYPE in the root": parts(b"<!DOCTYPE a>" + entry(declared=b"")),
    "a DOCTYPE after a blank line": answered(body=b"\n" + DECLARED + b"<!DOCTYPE a>" + entry()),
    "a DOCTYPE in UTF-16 that declares UTF-8": answered(
        body=(DECLARED + b"<!DOCTYPE a>" + entry(declared=b"")).decode().encode("utf-16")
    ),
    "GBK and nobody says so": answered(
        body=entry(more="<Memo>已过账</Memo>").decode().encode("gbk"), kind=UTF8
    ),
    "deflate": answered(body=entry(), Content_Encoding="deflate"),
    "utf-8 and br": answered(body=entry(), Content_Encoding="utf-8, br"),
    "two numbers of the contract": answered(body=entry(more="<Number>8818</Number>")),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_stays_unknown(
    submit: Callable[[bytes], tuple[object, list[str], list[str]]], case: str
) -> None:
    """No number, or none that is sure, is no evidence, and the ERP is asked: never posted."""
    found, calls, _ = submit(DOUBTFUL[case])
    assert isinstance(found, OutcomeUnknown)
    assert calls == ["post", "find"]


HOSTILE: dict[str, tuple[str, bytes]] = {
    "marks": (UTF8, b"\xef\xbb\xbf" * 1_500_000),
    "white space": (UTF8, b" " * 5_000_000),
    "a declaration": (UTF8, b"<?xml " + b"encoding " * 500_000),
    "lines": (f"multipart/related; boundary={BOUNDARY}", b"\r\n" * 2_500_000),
    "almost delimiters": (
        f"multipart/related; boundary={BOUNDARY}",
        b"\n--" + BOUNDARY.encode() + b" x\n" * 300_000,
    ),
    "parameters": ("multipart/related;" + ' a="\\' * 10_000, b""),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_answer_takes_long(case: str) -> None:
    """However an answer is made, to see what it is takes a time that its size bounds."""
    kind, body = HOSTILE[case]
    began = time.process_time()
    with contextlib.suppress(OutcomeUnknown):
        accept(HttpAnswer(200, {"content-type": kind}, body, place="x"), now=SYSTEM.now())
    assert time.process_time() - began < 2.0


def test_a_401_names_the_schemes(
    submit: Callable[[bytes], tuple[object, list[str], list[str]]],
) -> None:
    """The schemes of all headers are named, and nothing of what stands beside them."""
    answer = (
        b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Negotiate\r\n"
        b'WWW-Authenticate: Digest realm="a, Basic b", nonce="sEcret=="\r\n'
        b"WWW-Authenticate: NTLM\r\n\r\n"
    )
    found, calls, _ = submit(answer)
    assert isinstance(found, DeliveryRefused)
    assert (found.code, calls) == ("CB-418", ["post"])
    assert "it takes Negotiate, Digest, NTLM" in found.message
    assert "sEcret" not in found.message
    assert "Basic" not in found.message


class Relay:
    """Passes requests on to the sandbox, and adds cookies of its own to what comes back.

    ``before`` and ``after`` stand around the ERP's cookies. ``demands`` is what each request but
    the first must return.
    """

    def __init__(self, sandbox: Sandbox, demands: str = "") -> None:
        self._sandbox = sandbox
        self._demands = demands
        self.sent: Callable[[int, bytes], bytes] = lambda status, body: answered(status, body)
        self.before: list[str] = []
        self.after: list[str] = []
        self.cookies: list[str] = []

    def __call__(self, wire: Wire) -> None:
        lines = wire.head.decode("latin-1").split("\r\n")
        heads = {
            name.title(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        cookie = heads.get("Cookie", "")
        self.cookies.append(cookie)
        if len(self.cookies) > 1 and self._demands not in cookie:
            wire.send(answered(500, b"no such node"))
            return
        kept = {k: v for k, v in heads.items() if k in {"Content-Type", "Soapaction", "Cookie"}}
        onward = http.client.HTTPConnection("127.0.0.1", self._sandbox.port, timeout=5)
        onward.request("POST", lines[0].split()[1], wire.body, kept)
        reply = onward.getresponse()
        given = [*self.before, *(reply.headers.get_all("Set-Cookie") or []), *self.after]
        body = reply.read()
        onward.close()
        head, _, body = self.sent(reply.status, body).partition(b"\r\n\r\n")
        more = "".join(f"\r\nSet-Cookie: {one}" for one in given).encode("latin-1")
        wire.send(head + more + b"\r\n\r\n" + body)


@pytest.fixture
def sap() -> Iterator[Sandbox]:
    with Sandbox(profiles=["sap-bapi"]) as running:
        yield running


COOKIES: dict[str, tuple[list[str], list[str], str]] = {
    "one beside it": (["sap-usercontext=sap-client=100; path=/"], [], "sap-usercontext=sap-cl"),
    "a date": (["LB=abc; Path=/; Expires=Mon, 07 Dec 2099 07:33:42 GMT"], [], "LB=abc"),
    "a flag": (["ROUTE=.node1; path=/; HttpOnly"], [], "ROUTE=.node1"),
    "a flag after it": ([], ["ROUTE=.node1; path=/; HttpOnly"], "ROUTE=.node1"),
    "a space": (["note=a b; path=/"], [], "note=a b"),
    "partitioned": (["a=1; Path=/; SameSite=None; Secure; Partitioned"], [], "a=1"),
    "a colon": (["tag=SID:ANON:erp_00:X1; path=/sap; HttpOnly"], [], "tag=SID:ANON:erp_00:X1"),
    "no cookie": (["nonsense; =x; \x01", "b\xe9=1"], [], ""),
}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("case", COOKIES)
def test_all_cookies_of_a_session_are_returned(
    sap: Sandbox, serve: Callable[..., Server], tmp_path: Path, kind: type, case: str
) -> None:
    """Whatever stands beside SAP's session, the commit goes into it, and the voucher is posted."""
    relay = Relay(sap)
    relay.before, relay.after, other = COOKIES[case]
    port = serve(relay).port
    config = configured("sap-bapi", port=port, journal=tmp_path / "claims.db")
    assert _in_sap(kind, config).state is State.POSTED
    assert any("sap-contextid=" in one and other in one for one in relay.cookies)
    assert relay.cookies[0] == ""


def _in_sap(kind: type, config: object) -> object:
    opened = ledger_of(config)

    async def awaited() -> object:
        async with AsyncClient(opened.setup.config, ledger=opened) as client:
            return await client.submit(claim("EXP-1"))

    if kind is AsyncClient:
        return asyncio.run(awaited())
    with Client(opened.setup.config, ledger=opened) as client:
        return client.submit(claim("EXP-1"))


def test_a_cookie_that_ends_is_returned_no_more(
    sap: Sandbox, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """A cookie that a later answer takes away is gone; one of an old date never was."""
    relay = Relay(sap)
    relay.before = ["GONE=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "TWO=1", "TWO=; Max-Age=0"]
    config = configured("sap-bapi", port=serve(relay).port, journal=tmp_path / "claims.db")
    assert _in_sap(Client, config).state is State.POSTED
    assert not any("GONE" in one or "TWO" in one for one in relay.cookies)


def test_a_logins_cookies_serve_every_exchange(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the login was given is returned with each later call of that session, and once only.

    Here a load balancer knows the node that holds the session by it.
    """
    monkeypatch.setenv("EAS_PASSWORD", "right")
    with Sandbox(profiles=["kingdee-eas"]) as eas:
        relay = Relay(eas, demands="NODE=7")
        relay.after = ["NODE=7; path=/; HttpOnly"]
        port = serve(relay).port
        config = configured(
            "kingdee-eas",
            port=port,
            endpoint=f"http://127.0.0.1:{port}/kingdee-eas/WSGLWebServiceFacade",
            options={"credit": -1},
            journal=tmp_path / "claims.db",
            auth=AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
        )
        opened = ledger_of(config)
        with Client(opened.setup.config, ledger=opened, new_journal=True) as client:
            for number in ("EXP-1", "EXP-2"):
                assert client.submit(claim(number)).state is State.POSTED
                relay.after = []
        assert relay.cookies == ["", "NODE=7", "NODE=7"]


SIGNED: dict[str, tuple[Callable[[int, bytes], bytes], bool]] = {
    "as it is": (lambda status, body: answered(status, body), True),
    "in parts": (lambda status, body: parts(body, status=status), True),
    "after a blank line": (lambda status, body: answered(status, b"\n" + body), True),
    "declared as UTF-16": (
        lambda status, body: answered(
            status, DECLARED.replace(b"utf-8", b"utf-16") + body.partition(b"?>")[2]
        ),
        True,
    ),
    "beside the root": (
        lambda status, body: parts(
            _forged(body),
            status=status,
            first=b"--" + BOUNDARY.encode() + b"\r\nContent-ID: <true@erp>\r\n\r\n" + body,
        ),
        False,
    ),
    "altered in its part": (lambda status, body: parts(_forged(body), status=status), False),
}


def _forged(body: bytes) -> bytes:
    return re.sub(rb"(Number>)[0-9]+", rb"\g<1>000777", body)


@pytest.mark.parametrize("case", SIGNED)
def test_of_a_signed_reply_the_signed_bytes_count(
    serve: Callable[..., Server], tmp_path: Path, case: str
) -> None:
    """However a signed reply is sent, what the root holds must be what was signed."""
    sent, counts = SIGNED[case]
    erp = make("erp")
    (tmp_path / "ca.pem").write_bytes(erp.trust)
    with Sandbox(profiles=["reference"], identity=Identity.from_pem(erp.pem())) as sandbox:
        relay = Relay(sandbox)
        relay.sent = sent
        config = configured(
            "reference",
            port=serve(relay).port,
            journal=tmp_path / "claims.db",
            folder=str(tmp_path),
            replies=Replies(trust="ca.pem", subjects=("erp",)),
            retries=0,
        )
        opened = ledger_of(config)
        with Client(opened.setup.config, ledger=opened) as client:
            if counts:
                assert client.submit(claim("EXP-1")).state is State.POSTED
                return
            with pytest.raises(OutcomeUnknown):
                client.submit(claim("EXP-1"))
            assert client.status("EXP-1", ask=False).state is State.IN_DOUBT
