"""Lifelike replies look like those of real servers, and say what the tidy ones say."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from lxml import etree

from claimbridge.sandbox import Manner
from claimbridge.sandbox.http.front import packed
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.http.untidy import untidy
from claimbridge.sandbox.kit.hand import Hand
from claimbridge.soap.http import accept
from claimbridge.soap.transport import HttpAnswer
from claimbridge.xmlio import canonical, parse

REPLIES = sorted((Path(__file__).parents[1] / "fixtures/soap").rglob("reply.xml"))
SEEDS = range(12)


def said(one: etree._Element) -> object:
    """What an element says: names, values with their namespaces, and children in order."""
    children = [child for child in one if isinstance(child.tag, str)]
    text = "".join(map(str, one.xpath("text()")))
    value = "" if children and not text.strip() else named(one, text)
    attributes = sorted((key, named(one, value)) for key, value in one.attrib.items())
    return one.tag, attributes, value, [said(child) for child in children]


def named(one: etree._Element, value: str) -> str:
    """A value with the namespace in place of its prefix, if it has one that is declared."""
    prefix, _, rest = value.strip().partition(":")
    uri = one.nsmap.get(prefix)
    return f"{{{uri}}}{rest}" if rest and uri else value


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: "-".join(path.parts[-4:-1]))
def test_another_hand_says_the_same(path: Path) -> None:
    """Whatever prefixes, white space and escapes a hand has, the document's meaning stays."""
    root = parse(path.read_bytes())
    for seed in SEEDS:
        draw = random.Random(seed)
        written = Hand.drawn(draw).write(root, draw)
        assert said(parse(written.encode())) == said(root), written


@pytest.mark.parametrize("path", REPLIES[::7], ids=lambda path: "-".join(path.parts[-4:-1]))
def test_what_was_packed_is_unpacked(path: Path) -> None:
    """In any encoding and any parts, our transport takes out the very document."""
    for seed in SEEDS:
        manner = Manner(lifelike=True, seed=seed)
        envelope = untidy(path.read_bytes(), manner)
        sent = packed(SandboxReply(status=200, body=envelope, content_type="text/xml"), manner)
        answer = HttpAnswer(200, {"content-type": sent.content_type}, sent.body)
        reply = accept(answer, now=dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
        assert canonical(parse(reply.body)) == canonical(parse(envelope))


def test_replies_are_compressed_for_whom_takes_that() -> None:
    """Some replies come compressed, and only to a client that says that it takes them."""
    reply = SandboxReply(status=200, body=REPLIES[0].read_bytes(), content_type="text/xml")
    manners = [Manner(lifelike=True, seed=seed) for seed in SEEDS]
    taken = [packed(reply, one, gzip_taken=True).headers for one in manners]
    assert 0 < sum("Content-Encoding" in headers for headers in taken) < len(manners)
    assert all("Content-Encoding" not in packed(reply, one).headers for one in manners)


def test_a_tidy_manner_changes_nothing() -> None:
    """Without lifelike no byte is touched."""
    content = REPLIES[0].read_bytes()
    reply = SandboxReply(status=200, body=content, content_type="text/xml")
    assert untidy(content, Manner()) == content
    assert packed(reply, Manner()) == reply
    assert Manner().choose("x", "tidy", "other") == "tidy"
    assert not Manner().happens("x", chance=1)


def test_the_same_manner_writes_the_same() -> None:
    """Seed and turn decide everything; another turn writes in another way."""
    content = REPLIES[0].read_bytes()
    written = [
        untidy(content, Manner(lifelike=True, seed=1, turn=turn)) for turn in (1, 1, 2, 3, 4)
    ]
    assert written[0] == written[1]
    assert len(set(written)) > 2


def test_what_is_signed_is_not_touched() -> None:
    """A document that holds a signature stays byte for byte what it was."""
    signed = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r>'
        b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></r></e:Body></e:Envelope>'
    )
    assert untidy(signed, Manner(lifelike=True, seed=3)) == signed
