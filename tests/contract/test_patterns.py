"""Pattern facets: as XML Schema means them, in bounded time, whatever libxml2 makes of them."""

from __future__ import annotations

import csv
import gc
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from elementpath.regex import translate_pattern
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbridge.contract import Contract
from claimbridge.contract.calls.gate import Gate
from claimbridge.contract.calls.message_rules import MessageRules
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.types import Type
from claimbridge.contract.patterns import Pattern, Undecidable, spans
from claimbridge.contract.patterns.grammar import parse

# Ordinary patterns of contracts, and what each must say of a value.
VERDICTS: Final = [
    (r"([A-Z]{2}([0-9]{2})*){1}", "AB1234", True),  # libxml2 refuses these two
    (r"(x(y)+){1}z", "xyyz", True),
    (r"([A-Z]{2}([0-9]{2})*){1}", "AB123", False),
    (r"([a-z]+)*", "a" * 40 + "1", False),  # libxml2 takes minutes over these
    (r"(\w+\s*)+", "Internationalisierungskonferenzen!", False),
    (r"(\w+\s*)+", "Taxi from the airport", True),
    (r"([\w\-\.]+)+@([\w\-]+\.)+[a-z]+", "a" * 40 + "!", False),
    (r"(a|a)*b", "a" * 60, False),
    (r"[a-z-[aeiou]]+", "xyz", True),
    (r"[a-z-[aeiou]]+", "xaz", False),
    (r"[\w-[\d_]]+", "费用", True),
    (r"[\w-[\d_]]+", "费用1", False),
    (r"\w", "+", True),  # a symbol is neither punctuation, separator nor control
    (r"\i\c*", "CN-01.a", True),
    (r"\i\c*", "1a", False),
    (r"[\i-[:]][\c-[:]]*", "a:b", False),
    (r"\p{Lu}{2}\p{Nd}+", "ÄÖ٣", True),
    (r"\P{L}+", "12-3", True),
    (r"[\p{IsCJKUnifiedIdeographs}]+", "记账凭证", True),
    (r"[^\p{IsBasicLatin}]+", "记a", False),
    (r"^a$", "^a$", True),  # these two are ordinary characters in XML Schema
    (r"^a$", "a", False),
    (r"a.c", "a\nc", False),
    (r"[^\s]+", "a b", False),
    (r"\S+", "a b", False),
    (r"\D+", "a٣", False),
    (r"", "", True),
    (r"(|a)b", "b", True),
    (r".{1,4000}", "x" * 4000, True),  # RE2 refuses counts over 1,000
    (r".{1,4000}", "x" * 4001, False),
    (r"[A-Z]{2}.{0,2000}", "AB" + "x" * 2000, True),
    (r"([0-9]{1,3},){0,1500}[0-9]{1,3}", "123," * 1500 + "9", True),
    (r"([0-9]{1,3},){0,1500}[0-9]{1,3}", "123," * 1501 + "9", False),
    (r"\w" * 10_000, "a" * 10_000, True),  # 70 MB as RE2 writes it
    (r"((a{0,1000}b?){0,1000}c)*d", "a" * 3000 + "e", False),
]


@pytest.mark.parametrize(("source", "value", "expected"), VERDICTS)
def test_a_pattern_says_what_xml_schema_means(source: str, value: str, expected: bool) -> None:
    """Each verdict is XML Schema's, within a second."""
    began = time.process_time()
    assert Pattern(source).matches(value) is expected
    assert time.process_time() - began < 5  # minutes would be the fault; a busy machine is none


@pytest.mark.parametrize(
    "source", ["(?:a)", r"\u0041", "a**", "[", "a{2", "a{3,1}", "[b-a]", ")", "[]"]
)
def test_what_is_no_pattern_is_undecidable_and_says_why(source: str) -> None:
    """A pattern that XML Schema does not know never says valid or invalid."""
    with pytest.raises(Undecidable, match="is no pattern of XML Schema"):
        Pattern(source).matches("a")


def test_a_value_that_would_take_too_long_is_undecidable() -> None:
    """The engine for large counts stops by itself."""
    began = time.process_time()
    with pytest.raises(Undecidable, match="takes too long"):
        Pattern("((((a?){0,2000}){0,2000}){0,2000}b?){2000}").matches("a" * 60_000)
    assert time.process_time() - began < 20


ATOMS: Final = [
    "a",
    "b",
    "1",
    ".",
    r"\d",
    r"\w",
    r"\s",
    "[ab]",
    "[^a]",
    "[a-c-[b]]",
    "é",
    r"\-",
    "费",
]
TEXTS: Final = ["", "a", "b", "ab", "aab1", "1 a", "費", "费b", "é1", "a-b", "abcab", "\n", " "]


@st.composite
def patterns(draw: st.DrawFn, depth: int = 2) -> str:
    """Patterns of every construct, of few characters."""
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            inner = draw(patterns(depth=depth - 1))
            atom = (
                f"({inner}|{draw(patterns(depth=depth - 1))})"
                if draw(st.booleans())
                else f"({inner})"
            )
        else:
            atom = draw(st.sampled_from(ATOMS))
        pieces.append(atom + draw(st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,2}", "{1,}"])))
    return "".join(pieces)


@settings(deadline=None, max_examples=200)
@given(source=patterns(), texts=st.lists(st.text("ab1 é费c-\n", max_size=5), max_size=5))
def test_both_engines_agree_with_xmlschema(source: str, texts: list[str]) -> None:
    """RE2, the engine of places and xmlschema's translation say the same of short texts."""
    theirs = re.compile(
        translate_pattern(source, back_references=False, lazy_quantifiers=False, anchors=False)
    )
    tree, ours = parse(source), Pattern(source)
    for text in [*TEXTS, *texts]:
        expected = theirs.fullmatch(text) is not None
        assert ours.matches(text) is expected, (source, text)
        assert spans.matches(tree, text) is expected, (source, text)


def wsdl(schema: str) -> str:
    """A contract with the operation Post, whose element has the content given."""
    return f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
      xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
      xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">
      <types><xs:schema targetNamespace="urn:t" elementFormDefault="qualified">{schema}
      <xs:element name="Done" type="xs:string"/></xs:schema></types>
      <message name="In"><part name="body" element="t:Post"/></message>
      <message name="Out"><part name="body" element="t:Done"/></message>
      <portType name="P"><operation name="Post">
        <input message="t:In"/><output message="t:Out"/></operation></portType>
      <binding name="B" type="t:P">
        <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
        <operation name="Post"><soap:operation soapAction="p"/>
          <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
        </operation></binding>
      <service name="S"><port name="P" binding="t:B"><soap:address location="https://e.example"/>
      </port></service></definitions>"""


def judged(tmp_path: Path, schema: str, body: str) -> list[tuple[str, str]]:
    """Return path and rule of what a contract with this schema forbids in a body."""
    place = tmp_path / "service.wsdl"
    place.write_text(wsdl(schema), encoding="utf-8")
    found = Contract.load(place).check(f'<Post xmlns="urn:t" {body}'.encode())
    return [(one.path, one.rule) for one in found]


CODE = (
    '<xs:simpleType name="Code"><xs:restriction base="xs:string">'
    '<xs:pattern value="[A-Z]{2}"/><xs:pattern value="[0-9]+"/></xs:restriction></xs:simpleType>'
    '<xs:simpleType name="Narrow"><xs:restriction base="t:Code"><xs:pattern value="[A-M0-4]+"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="Codes"><xs:list itemType="t:Code"/></xs:simpleType>'
    '<xs:simpleType name="Either"><xs:union memberTypes="t:Code xs:boolean"/></xs:simpleType>'
    '<xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:maxLength value="3"/>'
    '<xs:pattern value="[a-z]+"/></xs:restriction></xs:simpleType>'
    '<xs:simpleType name="Mixed"><xs:union><xs:simpleType><xs:restriction base="t:Short"/>'
    '</xs:simpleType><xs:simpleType><xs:restriction base="xs:string"><xs:minLength value="4"/>'
    '<xs:pattern value="[0-9]+"/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>'
)


def post(kind: str) -> str:
    """A Post with one child of a type, which may be derived from and replaced."""
    return (
        CODE + '<xs:element name="Post"><xs:complexType><xs:sequence>'
        f'<xs:element name="C" type="{kind}" minOccurs="0" maxOccurs="unbounded"/>'
        '<xs:element ref="t:Head" minOccurs="0"/>'
        '<xs:element name="Open" minOccurs="0"><xs:complexType><xs:sequence>'
        '<xs:any namespace="##targetNamespace" processContents="lax" minOccurs="0"/>'
        "</xs:sequence></xs:complexType></xs:element>"
        '</xs:sequence><xs:attribute name="a" type="t:Code"/></xs:complexType></xs:element>'
        '<xs:element name="Head" type="xs:string"/>'
        '<xs:element name="Other" type="t:Code" substitutionGroup="t:Head"/>'
        '<xs:element name="Free" type="t:Code"/>'
    )


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("t:Code", "><C>AB</C><C>12</C></Post>", []),
        ("t:Code", "><C>AB</C><C>A1</C></Post>", [("C[2]", "pattern")]),
        ("t:Code", 'a="x"><C>AB</C></Post>', [("@a", "pattern")]),
        ("t:Narrow", "><C>AB</C></Post>", []),
        ("t:Narrow", "><C>XY</C></Post>", [("C", "pattern")]),
        ("t:Codes", "><C> AB  12 </C></Post>", []),
        ("t:Codes", "><C>AB 1x</C></Post>", [("C", "pattern")]),
        ("t:Either", "><C>true</C><C>AB</C></Post>", []),
        ("t:Either", "><C>maybe</C></Post>", [("C", "pattern")]),
        ("t:Mixed", "><C>abc</C><C>1234</C></Post>", []),
        ("t:Mixed", "><C>abcd</C></Post>", [("C", "pattern")]),
        ("t:Mixed", "><C>12</C></Post>", [("C", "pattern")]),
        ("xs:string", "><Other>x</Other></Post>", [("Other", "pattern")]),
        ("xs:string", "><Open><Free>x</Free></Open></Post>", [("Open/Free", "pattern")]),
        ("xs:string", "><C/><Open><Free>12</Free></Open></Post>", []),
        (
            "xs:anySimpleType",
            'xmlns:t="urn:t" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
            '<C i:type="t:Code">x</C></Post>',
            [("C", "pattern")],
        ),
    ],
)
def test_patterns_bind_wherever_xml_schema_lets_them(
    tmp_path: Path, kind: str, body: str, expected: list[tuple[str, str]]
) -> None:
    """Derivation, lists, unions, attributes, substitutes, wildcards and xsi:type count."""
    assert judged(tmp_path, post(kind), body) == expected


def test_the_gate_is_bounded_and_right_on_the_handed_patterns(
    shared: Callable[[str], Path],
) -> None:
    """Every value of the handed table is judged as it says, within a second."""
    folder = shared("cases/contracts/patterns")
    contract = Contract.load(folder / "patterns.wsdl")
    with (folder / "values.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) > 30
    for row in rows:
        name, value = row["element"], row["value"]
        began = time.process_time()
        body = f'<Post xmlns="urn:example:t"><{name}>{value}</{name}></Post>'
        found = contract.check(body.encode())
        assert (not found) is (row["expected"] == "valid"), row
        assert time.process_time() - began < 5, row


DIGITS = (
    '<xs:simpleType name="Digits"><xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="Empty"><xs:restriction base="xs:string"><xs:pattern value=""/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="MayBe"><xs:union memberTypes="xs:int t:Empty"/></xs:simpleType>'
    '<xs:simpleType name="Ints"><xs:list itemType="xs:int"/></xs:simpleType>'
    '<xs:simpleType name="One"><xs:restriction base="t:Ints"><xs:maxLength value="1"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="Word"><xs:restriction base="xs:string"><xs:pattern value="[a-z]+"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="OneOrWord"><xs:union memberTypes="t:One t:Word"/></xs:simpleType>'
    '<xs:simpleType name="From5"><xs:restriction base="xs:int"><xs:minInclusive value="5"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="Over7"><xs:restriction base="t:From5"><xs:minExclusive value="7"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="Over7OrWord"><xs:union memberTypes="t:Over7 t:Word"/></xs:simpleType>'
    '<xs:simpleType name="Numbers"><xs:list itemType="t:Digits"/></xs:simpleType>'
    '<xs:simpleType name="Pair"><xs:restriction base="t:Numbers"><xs:pattern value="1 2|3"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:simpleType name="OnlyPair"><xs:union memberTypes="t:Pair"/></xs:simpleType>'
    '<xs:simpleType name="Any"><xs:union memberTypes="xs:int xs:string"/></xs:simpleType>'
    '<xs:simpleType name="Spaced"><xs:restriction base="t:Any"><xs:pattern value="a b|1"/>'
    "</xs:restriction></xs:simpleType>"
    '<xs:complexType name="Mixed" mixed="true"><xs:sequence><xs:element name="z" minOccurs="0"/>'
    "</xs:sequence></xs:complexType>"
    '<xs:complexType name="Narrowed"><xs:simpleContent><xs:restriction base="t:Mixed">'
    '<xs:simpleType><xs:restriction base="t:Digits"/></xs:simpleType></xs:restriction>'
    "</xs:simpleContent></xs:complexType>"
    '<xs:element name="Free" type="t:Digits"/>'
)


def gate(schema: str) -> Gate:
    """A gate over a schema alone: what it judges is more than zeep reads."""
    text = (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" '
        f'targetNamespace="urn:t" elementFormDefault="qualified">{schema}</xs:schema>'
    )
    place = "contract:///a.xsd"
    documents = Documents(
        title="a",
        entry="a",
        sources={},
        schemas={place: text.encode()},
        namespaces={"urn:t": place},
    )
    return MessageRules.of(documents, explained=False).gate


def passes(schema: str, body: str) -> bool:
    """Whether the gate lets a Post through."""
    return not gate(schema).check(f'<Post xmlns="urn:t" {body}'.encode(), {})


@pytest.mark.parametrize(
    ("kind", "written", "valid"),
    [
        ("t:Digits", "1<!-- -->2", True),
        ("t:Digits", "1<!-- -->a", False),
        ("t:Digits", "a<?p?>", False),
        ("t:Empty", "", True),
        ("t:Empty", "x", False),
        ("t:MayBe", "", True),
        ("t:MayBe", "5", True),
        ("t:MayBe", "x", False),
        ("t:OneOrWord", "1", True),
        ("t:OneOrWord", "ab", True),
        ("t:OneOrWord", "1 2", False),
        ("t:OneOrWord", "X", False),
        ("t:Over7OrWord", "8", True),
        ("t:Over7OrWord", "7", False),
        ("t:OnlyPair", "1 2", True),
        ("t:OnlyPair", "3 3", False),
        ("t:Spaced", " 1 ", True),
        ("t:Spaced", "a  b", False),
        ("t:Narrowed", "1", True),
        ("t:Narrowed", "x", False),
        ("xs:anyType", "<U><Free>1</Free></U>", True),
        ("xs:anyType", "<U><Free>x</Free></U>", False),
    ],
)
def test_no_way_of_writing_a_value_leads_past_its_pattern(
    kind: str, written: str, valid: bool
) -> None:
    """The gate says what xmlschema says: of divided texts, empty patterns, unions, what is open."""
    schema = (
        DIGITS + '<xs:element name="Post"><xs:complexType><xs:sequence>'
        f'<xs:element name="C" type="{kind}"/></xs:sequence></xs:complexType></xs:element>'
    )
    assert passes(schema, f"><C>{written}</C></Post>") is valid


@pytest.mark.parametrize(
    ("written", "valid"),
    [("<C/>", True), ("<C>5</C>", True), ("<C>x</C>", False), ('<C i:nil=" true "/>', True)],
)
def test_an_empty_element_has_its_default(written: str, valid: bool) -> None:
    """What stands for an empty element keeps to the pattern, so the element does."""
    schema = (
        DIGITS + '<xs:element name="Post"><xs:complexType><xs:sequence><xs:element name="C" '
        'type="t:Digits" default="5" nillable="true"/></xs:sequence></xs:complexType></xs:element>'
    )
    body = f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance">{written}</Post>'
    assert passes(schema, body) is valid


def test_to_judge_again_takes_no_more_memory() -> None:
    """A process that posts for months keeps nothing of the requests that it has judged."""
    schema = (
        DIGITS + '<xs:element name="Post"><xs:complexType><xs:sequence>'
        '<xs:element name="C" type="t:Digits"/></xs:sequence></xs:complexType></xs:element>'
    )
    judge = gate(schema)
    body = b'<Post xmlns="urn:t"><C>1</C></Post>'
    judge.check(body, {})
    gc.collect()
    before = sum(isinstance(one, Type) for one in gc.get_objects())
    for _ in range(20):
        judge.check(body, {})
    gc.collect()
    assert sum(isinstance(one, Type) for one in gc.get_objects()) == before
