"""Replies are read tolerantly: nothing hides or falsifies a value, and no wrong one is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claimbridge import xmlio
from claimbridge.contract import Contract, Reply
from claimbridge.errors import DocumentError

NS = 'xmlns="urn:sample:messages"'
ENTRY = "<Entry><Number>0100000008</Number><Year>2024</Year></Entry>"


def reply(inner: str, contract: Contract | None = None, attributes: str = NS) -> Reply:
    element = xmlio.parse(f"<PostReply {attributes}>{inner}</PostReply>".encode())
    return contract.reply(element) if contract else Reply(element)


def body_of(path: Path) -> Reply:
    return Reply(xmlio.parse(path.read_bytes()).find("{*}Body")[0])


def test_saps_success_is_read(shared: Callable[[str], Path]) -> None:
    """Document 0100000008 of company 1410 in 2024, zeros and all."""
    found = body_of(shared("contracts/sap-journal-entry/reply-success-2024.xml"))
    (item,) = found.all("JournalEntryCreateConfirmation")
    document = item.find("JournalEntryCreateConfirmation")
    assert document is not None
    numbers = [document.text(n) for n in ("AccountingDocument", "CompanyCode", "FiscalYear")]
    assert numbers == ["0100000008", "1410", "2024"]
    assert item.text("MessageHeader", "ReferenceID") == "SUB_MSG_2024-03-28"


def test_saps_refusal_is_read(shared: Callable[[str], Path]) -> None:
    """A blank document number is no number, and the three reasons are there."""
    found = body_of(shared("contracts/sap-journal-entry/reply-error-2020.xml"))
    (item,) = found.all("JournalEntryCreateConfirmation")
    assert item.text("JournalEntryCreateConfirmation", "AccountingDocument") == ""
    notes = [entry.text("Note") for entry in item.all("Log", "Item")]
    assert len(notes) == 3
    assert notes[2] == "Account 1002010100 does not exist in chart of accounts YCOA"


@pytest.mark.parametrize(
    "number",
    [
        "<Number>0100000008</Number>",
        "<Number>\n  0100000008\n</Number>",
        "<Number><![CDATA[0100000008]]></Number>",
        "<Number>01000<!-- 9 -->00008</Number>",
        "<Number><?pi 9?>0100000008</Number>",
        "<Number>01<![CDATA[00]]>000008</Number>",
        "<Number>&#48;100000008</Number>",
        '<Number xmlns="urn:new">0100000008</Number>',
        '<x:Number xmlns:x="urn:sample:messages">0100000008</x:Number>',
        '<Number new="1">0100000008</Number>',
        "<New/><Number>0100000008</Number><Newer><Number>7</Number></Newer>",
        "<Number>0100000008</Number><Number>0100000008</Number>",
        '<Number/><Number xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
        "<Number>0100000008</Number>",
    ],
)
def test_nothing_hides_or_falsifies_a_value(sample: Contract, number: str) -> None:
    """Comments, instructions, CDATA, prefixes, new elements and repeats leave the value whole."""
    inner = f"<!-- c --><Entry>{number}</Entry>"
    for found in (reply(inner), reply(inner, sample), reply(inner, attributes='xmlns="urn:v2"')):
        assert found.text("Entry", "Number") == "0100000008"


@pytest.mark.parametrize(
    "number",
    [
        "<Number>1</Number><Number>2</Number>",
        '<Number xmlns="urn:y">1</Number><Number xmlns="urn:x">2</Number>',
        "<Number>1<b>2</b></Number>",
        '<Number xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">1</Number>',
    ],
)
def test_two_truths_are_none(sample: Contract, number: str) -> None:
    """Where two values qualify, none is taken."""
    for found in (reply(f"<Entry>{number}</Entry>"), reply(f"<Entry>{number}</Entry>", sample)):
        with pytest.raises(DocumentError) as caught:
            found.text("Entry", "Number")
        assert caught.value.code == "CB-155"


def test_two_entries_that_differ_are_ambiguous() -> None:
    """A path through repeated elements collects all their values."""
    found = reply(ENTRY + ENTRY.replace("8<", "9<"))
    assert found.texts("Entry", "Number") == ["0100000008", "0100000009"]
    assert found.text("Entry", "Year") == "2024"
    with pytest.raises(DocumentError):
        found.text("Entry", "Number")


@pytest.mark.parametrize("inner", ["", "<Entry/>", "<Entry><Number/></Entry>", "<Entry>x</Entry>"])
def test_what_is_absent_is_empty(sample: Contract, inner: str) -> None:
    """Absent, blank and structural elements have no text; nothing raises."""
    for found in (reply(inner), reply(inner, sample)):
        assert found.text("Entry", "Number") == ""
        assert found.texts("Entry", "Number") == []
        assert found.find("Absent", "Deeper") is None
        assert found.all("Absent") == []


def test_moved_values_are_found_where_the_contract_is_known(sample: Contract) -> None:
    """A new wrapper around an element, or its old one gone, does not lose a posting."""
    for inner in (
        f"<Result>{ENTRY}</Result>",
        "<Entry><Detail><Number>0100000008</Number></Detail></Entry>",
        "<Number>0100000008</Number>",
    ):
        assert reply(inner, sample).text("Entry", "Number") == "0100000008", inner
        assert reply(inner).text("Entry", "Number") == "", inner


@pytest.mark.parametrize(
    "inner",
    [
        f"<Reversed>{ENTRY}</Reversed>",
        f"<A>{ENTRY}</A><B>{ENTRY}</B>",
        f"<A>{ENTRY}</A><Number>9</Number>",
        f"<A><B>{ENTRY}</B></A>",
        f"<Entry/><A>{ENTRY}</A>",
    ],
)
def test_another_documents_number_is_never_taken(sample: Contract, inner: str) -> None:
    """What the contract knows to mean something else, or what is not clear, is not read."""
    assert reply(inner, sample).text("Entry", "Number") == ""


def test_attributes_are_read_like_elements() -> None:
    """A last step with @ names an attribute, whatever its prefix."""
    found = reply(
        '<status isSuccess="false" x:code=" 7 " xmlns:x="urn:x"/><Amount c="CNY">1</Amount>'
    )
    assert found.text("status", "@isSuccess") == "false"
    assert found.text("status", "@code") == "7"
    assert found.text("Amount", "@c") == "CNY"
    assert found.text("@absent") == ""
    with pytest.raises(DocumentError):
        reply('<s c="1" x:c="2" xmlns:x="urn:x"/>').text("s", "@c")


def test_the_contracts_own_element_goes_first(sample: Contract) -> None:
    """What others put beside a value is no second one, unless the contract lets it repeat."""
    partner = '<Number xmlns="urn:x">2</Number>'
    for number in (f"<Number>1</Number>{partner}", f"{partner}<Number>1</Number>"):
        found = reply(f"<Entry>{number}</Entry>", sample)
        assert found.text("Entry", "Number") == "1"
        assert any("is in urn:x" in one for one in sample.drift(found.element))
        with pytest.raises(DocumentError):
            reply(f"<Entry>{number}</Entry>").text("Entry", "Number")
    assert reply(f"<Entry><Number/>{partner}</Entry>", sample).text("Entry", "Number") == ""
    notes = reply('<Note>a</Note><Note xmlns="urn:x">b</Note>', sample)
    assert notes.texts("Note") == ["a", "b"]


def test_xsi_type_is_no_type() -> None:
    """An attribute ``type`` beside ``xsi:type`` is read; the other has a name of its own."""
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    both = reply(f'<Ref {xsi} type="journalEntry" xsi:type="c:RecordRef"/>')
    assert both.text("Ref", "@type") == "journalEntry"
    assert both.text("Ref", "@xsi:type") == "c:RecordRef"
    alone = reply(f'<Ref {xsi} xsi:type="c:RecordRef"/>')
    assert alone.text("Ref", "@type") == "c:RecordRef"
    assert alone.text("Ref", "@xsi:nil") == ""


def test_names_and_children() -> None:
    """The reader's own names, and children without comments and instructions."""
    found = reply("<!-- c --><?p?><A/>text<B/>")
    assert (found.name, found.local) == ("{urn:sample:messages}PostReply", "PostReply")
    assert [child.local for child in found.children] == ["A", "B"]
    assert repr(found) == "Reply('PostReply')"


def test_drift_tells_what_is_new_lacking_moved_and_renamed(sample: Contract) -> None:
    """Each difference from the contract is one sentence."""
    inner = '<New/><Note>n</Note><Entry x="1"><Year>2024</Year></Entry>'
    told = sample.drift(reply(inner).element)
    assert set(told) == {
        "PostReply/New is not in the contract",
        "PostReply lacks Reference, which the contract requires",
        "PostReply/Entry/@x is not in the contract",
        "PostReply/Entry lacks Number, which the contract requires",
        "PostReply/Entry stands after Note; the contract has it before",
    }
    moved = reply("<Reference>r</Reference>", attributes='xmlns="urn:v2"').element
    assert any("urn:v2" in sentence for sentence in sample.drift(moved))


def test_no_drift_where_there_is_none(sample: Contract) -> None:
    """A reply as the contract says, and a typed fault, are silent."""
    assert sample.drift(reply(f"<Reference>r</Reference>{ENTRY}").element) == ()
    fault = '<Refused xmlns="urn:sample:messages"><Reason>no</Reason></Refused>'
    assert sample.drift(xmlio.parse(fault.encode())) == ()
    assert sample.drift(xmlio.parse(b"<Other/>")) == ("Other is not in the contract",)


def test_saps_drift_between_the_years(sap: Contract, shared: Callable[[str], Path]) -> None:
    """The element that broke strict readers is told by the contract that lacks it."""
    found = body_of(shared("contracts/sap-journal-entry/reply-success-2024.xml"))
    told = sap.drift(found.element)
    is_old = "2020" in sap.title
    assert any("ConfirmationInterfaceOrignName" in sentence for sentence in told) is is_old
    assert sap.reply(found.element).texts(
        "JournalEntryCreateConfirmation", "JournalEntryCreateConfirmation", "AccountingDocument"
    ) == ["0100000008"]


def test_an_operation_and_where_it_is_offered(sample: Contract) -> None:
    """Its reply, SOAPAction and typed faults, and an address for each version of SOAP."""
    operation = sample.operations["Post"]
    assert operation.output == "{urn:sample:messages}PostReply"
    assert operation.soap_action == "urn:sample:Post"
    assert operation.faults == ("{urn:sample:messages}Refused",)
    assert sample.endpoints == {"1.1": "http://127.0.0.1/eleven", "1.2": "http://127.0.0.1/twelve"}
