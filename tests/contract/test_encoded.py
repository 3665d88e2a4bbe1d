"""rpc/encoded calls: what is written, what the gate finds in it, how replies are read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import DocumentError, SchemaViolation
from claimbridge.soap.envelope import open_envelope
from claimbridge.xmlio import local_name, parse

WSDL = Path(__file__).parent / "data" / "encoded" / "service.wsdl"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ENC = "{http://schemas.xmlsoap.org/soap/encoding/}"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(WSDL)


def call(*rows: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"rows": {"item": list(rows)}, "mode": 1, **parts}


def reply(contract: Contract, content: str) -> Reply:
    data = (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:test:types" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    )
    body = open_envelope(data.encode()).body
    assert body is not None
    return contract.reply(body)


def test_every_element_says_its_type(contract: Contract) -> None:
    """xsi:type everywhere, arrayType with the count, members under the array's own name."""
    row = {"code": "A", "amount": Decimal("1.50"), "tags": {"item": ["x", "y"]}}
    root = parse(contract.render("put", call(row, {"code": "B"})))
    assert root.get(f"{{{SOAP}}}encodingStyle") == "http://schemas.xmlsoap.org/soap/encoding/"
    rows, mode = root
    assert {key: root.nsmap[key] for key in ("ns1", "xsd")} == {
        "ns1": "urn:test:types",
        "xsd": "http://www.w3.org/2001/XMLSchema",
    }
    assert rows.get(f"{ENC}arrayType") == "ns1:Row[2]"
    assert rows.get(f"{XSI}type") == "soapenc:Array"
    assert [local_name(member) for member in rows] == ["rows", "rows"]
    assert [member.get(f"{XSI}type") for member in rows] == ["ns1:Row", "ns1:Row"]
    types = {local_name(part): part.get(f"{XSI}type") for part in (*rows[0], mode)}
    assert types == {
        "code": "ns1:Code",
        "amount": "ns1:Amount",
        "tags": "soapenc:Array",
        "mode": "xsd:int",
    }
    assert rows[0][-1].get(f"{ENC}arrayType") == "xsd:string[2]"


def test_an_array_of_arrays_says_so(contract: Contract) -> None:
    """SOAP 1.1 §5.4.2: the last pair of brackets is the outer array's; the overload is found."""
    body = call({"code": "A"}, table={"item": [{"item": ["a", "b"]}, {"item": ["c"]}]})
    written = contract.render("put", body)
    table = parse(written)[2]
    assert table.get(f"{ENC}arrayType") == "xsd:string[][2]"
    assert [inner.get(f"{ENC}arrayType") for inner in table] == ["xsd:string[2]", "xsd:string[1]"]
    assert contract.check(written) == ()


def test_the_same_request_is_the_same_bytes(contract: Contract) -> None:
    """What is written is its own canonical form, whatever order the dict has."""
    one = contract.render("put", call({"code": "A", "amount": 1}))
    other = contract.render("put", {"mode": 1, "rows": {"item": [{"amount": 1, "code": "A"}]}})
    assert one == other


@pytest.mark.parametrize(
    ("row", "path", "rule"),
    [
        ({"amount": "1,50"}, "rows/item[2]/amount", "type"),
        ({"amount": "1.505"}, "rows/item[2]/amount", "fractionDigits"),
        ({"code": "ABCDE"}, "rows/item[2]/code", "maxLength"),
        ({"day": "2026-02-30"}, "rows/item[2]/day", "type"),
        ({"open": "yes"}, "rows/item[2]/open", "type"),
        ({"above": {"amount": "x"}}, "rows/item[2]/above/amount", "type"),
    ],
)
def test_a_bad_value_is_found_before_sending(
    contract: Contract, row: dict[str, Any], path: str, rule: str
) -> None:
    """Types and facets are judged by libxml2, and the finding names the claim's field."""
    written = contract.render("put", call({"code": "A"}, row))
    (finding,) = contract.check(written, sources={path: "lines[4].amount"})
    assert (finding.path, finding.rule, finding.claim_field) == (path, rule, "lines[4].amount")


@pytest.mark.parametrize(
    ("whole", "damaged", "path", "rule"),
    [
        (">1</mode>", ">one</mode>", "mode", "type"),
        (">1</mode>", "></mode>", "mode", "type"),
        ('<mode xsi:type="xsd:int">1</mode>', "", "mode", "missing"),
        ("</mode>", "</mode><mode>2</mode>", "mode[2]", "maxOccurs"),
        ("<mode", "<more>1</more><mode", "more", "unexpected"),
        ("</code>", "</code><kode>A</kode>", "rows/item[1]/kode", "unexpected"),
        ("</code>", "</code><code>B</code>", "rows/item[1]/code[2]", "maxOccurs"),
        (">A<", ">A<x/><", "rows/item[1]/code", "unexpected"),
        ("</amount>", "</amount>x", "rows/item[1]", "text"),
        ("<amount ", '<amount mark="x" ', "rows/item[1]/amount/@mark", "unexpected"),
    ],
)
def test_a_call_damaged_in_one_place_is_refused_for_it(
    contract: Contract, whole: str, damaged: str, path: str, rule: str
) -> None:
    """The gate judges the bytes that are to be sent, whoever wrote them; undamaged they pass."""
    row = {"code": "A", "amount": Decimal("1.50")}
    written = contract.render("put", call(row, {"code": "B"})).decode()
    assert contract.check(written.encode()) == ()
    assert whole in written
    found = contract.check(written.replace(whole, damaged, 1).encode())
    assert (found[0].path, found[0].rule) == (path, rule)


def test_what_the_encoding_leaves_free_is_free(contract: Contract) -> None:
    """Accessors may be absent, nil and in any order; a part may be nil, not absent."""
    written = contract.render("put", call({"@xsi:nil": True}, {"amount": {"@xsi:nil": True}}))
    assert contract.check(written) == ()
    moved = (
        b'<n:put xmlns:n="urn:test:types"><rows><x><amount>1</amount><code>A</code></x></rows>'
        b"<mode>1</mode></n:put>"
    )
    assert contract.check(moved) == ()
    (finding,) = contract.check(b'<n:put xmlns:n="urn:test:types"><rows/></n:put>')
    assert (finding.path, finding.rule) == ("mode", "missing")


def test_types_without_a_namespace_are_named_without_a_prefix() -> None:
    """A schema without targetNamespace: its types are written, judged and read like others."""
    text = WSDL.read_text("utf-8")
    assert '<xsd:schema targetNamespace="urn:test:types">' in text
    bare = text.replace('<xsd:schema targetNamespace="urn:test:types">', "<xsd:schema>")
    bare = bare.replace('"t:', '"')
    contract = Contract.load(Bundle.from_files("bare.wsdl", {"bare.wsdl": bare.encode()}))
    written = contract.render("put", call({"code": "A", "amount": Decimal("1.50")}))
    rows = parse(written)[0]
    assert rows.get(f"{ENC}arrayType") == "Row[1]"
    assert [part.get(f"{XSI}type") for part in rows[0]] == ["Code", "Amount"]
    assert contract.check(written) == ()
    (finding,) = contract.check(written.replace(b">1.50<", b">1.505<"))
    assert (finding.path, finding.rule) == ("rows/item/amount", "fractionDigits")


def test_an_unknown_name_is_refused(contract: Contract) -> None:
    """A misspelt accessor never leaves."""
    with pytest.raises(SchemaViolation) as refused:
        contract.render("put", call({"amuont": 1}))
    assert refused.value.findings[0].path == "rows/item/amuont"
    assert "amount" in refused.value.findings[0].text


def test_a_reply_in_multirefs_reads_as_one_in_place(contract: Contract) -> None:
    """Axis 1.4 puts structs beside the message; arrays' members may be called anything."""
    inline = reply(
        contract,
        '<t:putResponse><putReturn e:arrayType="t:Row[2]"><item><code>A</code></item>'
        "<item><code>B</code></item></putReturn></t:putResponse>",
    )
    apart = reply(
        contract,
        '<t:putResponse><putReturn href="#a"/></t:putResponse>'
        '<multiRef id="a" e:root="0" xsi:type="e:Array" e:arrayType="t:Row[2]">'
        '<putReturn href="#b"/><putReturn href="#c"/></multiRef>'
        '<multiRef id="b" e:root="0" xsi:type="t:Row"><code xsi:type="xsd:string">A</code>'
        '</multiRef><multiRef id="c" e:root="0"><code>B</code></multiRef>',
    )
    for read in (inline, apart):
        assert read.texts("putReturn", "item", "code") == ["A", "B"]


def test_a_reference_with_a_comment_in_it_is_one(contract: Contract) -> None:
    """A comment or an instruction is no content of its own."""
    for within in ("<!-- 1 -->", "<?erp number=1?>"):
        read = reply(
            contract,
            f'<t:putResponse><putReturn href="#a">{within}</putReturn></t:putResponse>'
            '<multiRef id="a" e:root="0"><putReturn><code>A</code></putReturn></multiRef>',
        )
        assert read.texts("putReturn", "item", "code") == ["A"]


def test_a_nil_member_holds_its_place(contract: Contract) -> None:
    """A nil string is a member without a value."""
    read = reply(
        contract,
        '<t:putResponse><putReturn><i xsi:nil="true"/><i><code>B</code></i></putReturn>'
        "</t:putResponse>",
    )
    assert [one.text("code") for one in read.all("putReturn", "item")] == ["", "B"]


@pytest.mark.parametrize(
    "content",
    [
        '<t:putResponse><putReturn href="#gone"/></t:putResponse>',
        '<t:putResponse><putReturn href="#a"/></t:putResponse>'
        '<m id="a" e:root="0"/><m id="a" e:root="0"/>',
        '<t:putResponse><putReturn href="#a"/></t:putResponse>'
        '<m id="a" e:root="0"><item href="#a"/></m>',
    ],
)
def test_a_reference_to_nowhere_is_refused(contract: Contract, content: str) -> None:
    """To nothing, to two places, in a circle: none of it is evidence."""
    with pytest.raises(DocumentError) as refused:
        reply(contract, content)
    assert refused.value.code == "CB-155"


def test_a_comment_in_a_reference_changes_nothing(contract: Contract) -> None:
    """A reference is followed though a comment stands in it, or white space."""
    content = (
        '<t:putResponse><putReturn><i href="#a"> <!-- 1 row --> </i></putReturn></t:putResponse>'
        '<multiRef id="a" e:root="0"><code>A</code></multiRef>'
    )
    assert reply(contract, content).texts("putReturn", "item", "code") == ["A"]


def test_an_array_that_was_cut_short_is_refused(contract: Contract) -> None:
    """Fewer members than it says: what lacks was not "absent". More are read."""
    array = '<putReturn e:arrayType="t:Row[2]">{}</putReturn>'
    with pytest.raises(DocumentError) as refused:
        reply(contract, f"<t:putResponse>{array.format('<i><code>A</code></i>')}</t:putResponse>")
    assert refused.value.code == "CB-155"
    three = "".join(f"<i><code>{code}</code></i>" for code in "ABC")
    read = reply(contract, f"<t:putResponse>{array.format(three)}</t:putResponse>")
    assert read.texts("putReturn", "item", "code") == ["A", "B", "C"]


def test_references_do_not_grow_without_end(contract: Contract) -> None:
    """Ten references to ten, ten times over, are ten thousand million elements: refused."""
    tens = [f'<item href="#r{n + 1}"/>' * 10 for n in range(9)]
    levels = "".join(f'<m id="r{n}" e:root="0">{ten}</m>' for n, ten in enumerate(tens))
    last = '<m id="r9" e:root="0"><code>A</code></m>'
    content = f'<t:putResponse><putReturn href="#r0"/></t:putResponse>{levels}{last}'
    with pytest.raises(DocumentError) as refused:
        reply(contract, content)
    assert refused.value.code == "CB-152"


def test_only_what_is_referred_to_may_stand_beside(contract: Contract) -> None:
    """A second message in the Body is still refused."""
    with pytest.raises(DocumentError) as refused:
        reply(contract, '<t:putResponse/><t:putResponse id="x"/>')
    assert refused.value.code == "CB-159"


def test_requests_look_as_the_real_client_s_template(shared: Callable[[str], Path]) -> None:
    """Against a real Axis contract: the same types, array and style as a real client writes."""
    folder = shared("contracts/kingdee-eas")
    template = parse((folder / "template-request.xml").read_bytes())
    wanted = template[1][0]
    real = Contract.load(folder / "WSGLWebServiceFacade.wsdl")
    names = [local_name(field) for field in wanted[0][0]]
    row = {name: {"@xsi:nil": True} for name in names}
    nil = {"@xsi:nil": True}
    written = real.render(
        "importVoucher",
        {"col": {"item": [row]}, "isSubmit": nil, "isVerify": nil, "isCashflow": nil},
    )
    assert real.check(written) == ()
    ours = parse(written)
    assert ours.tag == wanted.tag
    assert dict(ours.attrib) == dict(wanted.attrib)
    assert [part.tag for part in ours] == [part.tag for part in wanted]
    array, wanted_array = ours[0], wanted[0]
    assert array.get(f"{XSI}type") == wanted_array.get(f"{XSI}type")
    for one in (array, wanted_array):
        prefix, _, rest = one.get(f"{ENC}arrayType", "").partition(":")
        assert (one.nsmap[prefix], rest) == ("urn:client.wsvoucher", "WSWSVoucher[1]")
    assert array[0].tag == wanted_array[0].tag
    fields = {field.tag: dict(field.attrib) for field in array[0]}
    assert fields == {field.tag: dict(field.attrib) for field in wanted_array[0]}
