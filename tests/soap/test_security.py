"""UsernameToken, by OASIS's profile, and as an implementation that is not ours reads it."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from zeep import ns
from zeep.wsse.username import UsernameToken

from claimbridge import xmlio
from claimbridge.clock import SYSTEM, Uptime
from claimbridge.errors import ConfigurationError
from claimbridge.soap.envelope import build, open_envelope
from claimbridge.soap.security import username_token

WSSE = f"{{{ns.WSSE}}}"
WSU = f"{{{ns.WSU}}}"


class Fixed:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


NOON = Fixed(datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC))


def parts(header: bytes) -> dict[str, str]:
    token = xmlio.parse(header).find(f"{WSSE}UsernameToken")
    assert token is not None
    return {xmlio.local_name(part): part.text or "" for part in token}


def test_digest_by_the_profile() -> None:
    """Base64(SHA-1(nonce + created + password)), the nonce as bytes, not as Base64 text."""
    nonce = bytes(range(16))
    read = parts(username_token("us", "pä<ss", digest=True, clock=NOON, nonce=nonce))
    assert read["Created"] == "2026-03-01T12:00:00.250Z"
    assert base64.b64decode(read["Nonce"]) == nonce
    hashed = hashlib.sha1(nonce + b"2026-03-01T12:00:00.250Z" + "pä<ss".encode()).digest()
    assert read["Password"] == base64.b64encode(hashed).decode()


def test_digest_as_zeep_makes_it() -> None:
    """zeep, given the same nonce and time, writes the same token."""
    clock = Fixed(datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8))))
    ours = username_token("us", "secret", digest=True, clock=clock, nonce=b"0123456789abcdef")
    created = parts(ours)["Created"]
    assert created == "2026-03-01T04:00:00.000Z"
    theirs = UsernameToken("us", "secret", use_digest=True, nonce="0123456789abcdef")
    theirs.created = _Said(created)
    elements = {xmlio.local_name(each): each for each in theirs._create_password_digest()}
    assert parts(ours)["Password"] == elements["Password"].text
    assert parts(ours)["Nonce"] == elements["Nonce"].text
    token = xmlio.parse(ours).find(f"{WSSE}UsernameToken")
    assert token is not None
    for name in ("Password", "Nonce"):
        mine = token.find(f"{WSSE}{name}")
        assert mine is not None
        assert dict(mine.attrib) == dict(elements[name].attrib)
    assert token.find(f"{WSU}Created") is not None


class _Said(datetime):
    """A time that zeep writes in our words: it would leave milliseconds out."""

    def __new__(cls, text: str) -> _Said:
        made = super().__new__(cls, 2026, 3, 1, tzinfo=UTC)
        made.text = text
        return made

    def replace(self, *_: object, **__: object) -> _Said:  # type: ignore[override]
        return self

    def isoformat(self, *_: object, **__: object) -> str:
        return self.text


def test_text_carries_the_password_in_xml() -> None:
    """A password with markup, blanks and line ends survives the way there."""
    password = " <&>\"' ]]>\r\n\t钱 "
    header = username_token("a&b", password, digest=False, clock=SYSTEM)
    read = parts(header)
    assert read["Password"] == password
    assert read["Username"] == "a&b"
    assert b"#PasswordText" in header


def test_every_message_has_its_own_nonce_and_time() -> None:
    """A server that refuses repeats takes every message of ours."""
    tokens = [parts(username_token("u", "p", digest=True, clock=SYSTEM)) for _ in range(100)]
    assert len({token["Nonce"] for token in tokens}) == 100
    assert all(len(base64.b64decode(token["Nonce"])) == 16 for token in tokens)


def test_it_stands_in_an_envelope_as_it_is() -> None:
    """The header is canonical by itself: in the envelope it means the same."""
    header = username_token("us", "secret", digest=True, clock=NOON)
    assert xmlio.canonical(xmlio.parse(header)) == header
    opened = open_envelope(build(b"<a/>", version="1.1", headers=[header]))
    assert xmlio.canonical(opened.headers[0]) == header


@pytest.mark.parametrize(("user", "password"), [("u", "pass\x00word"), ("u\x0b", "password")])
def test_what_xml_cannot_carry_is_a_set_up_error(user: str, password: str) -> None:
    """A control character in a password is said before anything is sent, without showing it."""
    with pytest.raises(ConfigurationError) as caught:
        username_token(user, password, digest=False, clock=SYSTEM)
    assert caught.value.code == "CB-286"
    assert "word\x00" not in str(caught.value)
    assert "pass\x00" not in str(caught.value)
