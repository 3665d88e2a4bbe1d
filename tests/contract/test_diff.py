from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.contract.generations import (
    ANSWER,
    CURRENCY,
    ENTRY,
    ITEM,
    STATUS,
    bundle,
    generation,
    opened,
)
from tests.site import SITE

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.study.diff import ContractChange, Impact, diff
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.uses import Sent, Uses
from claimbridge.profiles import load_profile
from claimbridge.profiles.usage import uses_of

BODY: Mapping[str, Any] = {
    "Number": "7",
    "Item": [
        {"Account": "6602", "Amount": {"@currency": "CNY", "#text": "1.00"}},
        {"Account": "2241", "Amount": {"@currency": "CNY", "#text": "-1.00"}, "Tax": "J1"},
    ],
}
USER = Uses(
    profile="books",
    sent=(Sent("Post", BODY),),
    read={"Posted": frozenset({("Id",), ("Status",)})},
)
"""It never sends Text, sends Tax now and then, and does not read Note."""

HEAD, REST = ENTRY.split("\n", 2)[1:]
REQUEST: dict[str, tuple[dict[str, str], str, str, bool]] = {
    # what changed: (parts, kind, name, does it break the profile?)
    "vanished, sent": ({"item": ITEM.replace("Tax", "Duty")}, "vanished", "Tax", True),
    "vanished, not sent": ({"entry": ENTRY.replace('"Text"', '"T"')}, "vanished", "Text", False),
    "new and required": (
        {"entry": f'{ENTRY}<xs:element name="Company" type="xs:string"/>'},
        "added-required",
        "Company",
        True,
    ),
    "became required, sometimes left out": (
        {"item": ITEM.replace(' minOccurs="0"', "")},
        "required",
        "Tax",
        True,
    ),
    "moved, and sent with others": ({"entry": f"{REST}{HEAD}"}, "moved", "Number", True),
    "narrowed in length": ({"short": '<xs:maxLength value="5"/>'}, "narrowed", "Account", True),
    "narrowed in length, not sent": (
        {"short": '<xs:maxLength value="5"/>'},
        "narrowed",
        "Text",
        False,
    ),
    "narrowed to a pattern": (
        {"short": '<xs:pattern value="[A-Z]+"/><xs:maxLength value="10"/>'},
        "narrowed",
        "Account",
        True,
    ),
    "narrowed to a list": (
        {"short": '<xs:enumeration value="6602"/><xs:maxLength value="10"/>'},
        "narrowed",
        "Account",
        True,
    ),
    "of another type": ({"entry": ENTRY.replace("xs:int", "xs:date")}, "narrowed", "Number", True),
    "fewer than were sent": ({"entry": ENTRY.replace("unbounded", "1")}, "fewer", "Item", True),
    "fewer than unlimited, where several are sent": (
        {"entry": ENTRY.replace("unbounded", "999")},
        "fewer",
        "Item",
        True,
    ),
    "an attribute vanished": ({"currency": ""}, "vanished", "@currency", True),
    "an attribute is new and required": (
        {"currency": f'{CURRENCY}<xs:attribute name="unit" type="xs:string" use="required"/>'},
        "added-required",
        "@unit",
        True,
    ),
    "one of several is demanded, none is sent": (
        {
            "entry": f'{ENTRY}<xs:choice><xs:element name="Paper" type="xs:string"/>'
            '<xs:element name="File" type="xs:string"/></xs:choice>'
        },
        "required",
        "",
        True,
    ),
    "another namespace": (
        {"item": ITEM.replace('name="Tax"', 'name="Tax" form="unqualified"')},
        "namespace",
        "Tax",
        True,
    ),
    "fixed to a value": (
        {"item": ITEM.replace('name="Tax"', 'name="Tax" fixed="J9"')},
        "narrowed",
        "Tax",
        True,
    ),
    "elements instead of a text": (
        {
            "item": ITEM.replace('type="xs:string"', 'type="Tax"'),
            "more_types": '<xs:complexType name="Tax"><xs:sequence><xs:element name="Code" '
            'type="xs:string"/></xs:sequence></xs:complexType>',
        },
        "content",
        "Tax",
        True,
    ),
    "alternatives now, sent together": (
        {
            "item": '<xs:choice><xs:element name="Account" type="Short"/>'
            '<xs:element name="Amount" type="Amount"/></xs:choice>'
            '<xs:element name="Tax" type="xs:string" minOccurs="0"/>'
        },
        "alternative",
        "Account",
        True,
    ),
    "alternatives now, never sent together": (
        {
            "entry": '<xs:element name="Number" type="xs:int"/><xs:choice maxOccurs="1">'
            '<xs:element name="Text" type="Short"/>'
            '<xs:element name="Item" type="Item" maxOccurs="unbounded"/></xs:choice>'
        },
        "alternative",
        "Text",
        False,
    ),
}
POSSIBLE: dict[str, tuple[dict[str, str], str, str]] = {
    "new and optional": (
        {"entry": f'{HEAD}<xs:element name="New" type="xs:string" minOccurs="0"/>{REST}'},
        "added",
        "New",
    ),
    "optional now": (
        {"entry": ENTRY.replace("xs:int", 'xs:int" minOccurs="0')},
        "optional",
        "Number",
    ),
    "longer": ({"short": '<xs:maxLength value="20"/>'}, "widened", "Account"),
    "a wider type": ({"entry": ENTRY.replace("xs:int", "xs:string")}, "widened", "Number"),
}
REPLY: dict[str, tuple[dict[str, str], str, str, bool]] = {
    "vanished, read": ({"answer": ANSWER.replace('"Id"', '"Number"')}, "vanished", "Id", True),
    "vanished, not read": ({"answer": ANSWER.replace('"Note"', '"N"')}, "vanished", "Note", False),
    "several where one was read": (
        {"answer": ANSWER.replace('type="Status"', 'type="Status" maxOccurs="9"')},
        "more",
        "Status",
        True,
    ),
    "new and required": (
        {"answer": f'<xs:element name="New" type="xs:string"/>{ANSWER}'},
        "added-required",
        "New",
        False,
    ),
    "a new value": (
        {"status": f'{STATUS}<xs:enumeration value="paid"/>'},
        "widened",
        "Status",
        False,
    ),
}


def changes(
    parts: dict[str, str], uses: tuple[Uses, ...], *, kind: str, name: str, of: str
) -> list[ContractChange]:
    found = diff(generation(), generation(**parts), uses=uses)
    return [each for each in found if (each.side, each.kind, each.name) == (of, kind, name)]


@pytest.mark.parametrize(("parts", "kind", "name", "breaks"), REQUEST.values(), ids=REQUEST)
def test_a_demand_breaks_who_does_not_meet_it(
    parts: dict[str, str], kind: str, name: str, breaks: bool
) -> None:
    """What a profile sends decides whether a change of the request breaks it, for each kind."""
    (found,) = changes(parts, (USER,), kind=kind, name=name, of="request")
    assert found.breaks == (("books",) if breaks else ())
    assert found.verdict is (Impact.BREAKS if breaks else Impact.HARMLESS)
    assert found.operations == ("Post",)
    (strict,) = changes(parts, (), kind=kind, name=name, of="request")
    assert strict.verdict is Impact.BREAKS


@pytest.mark.parametrize(("parts", "kind", "name", "breaks"), REQUEST.values(), ids=REQUEST)
def test_what_breaks_a_profile_is_refused_by_the_new_contract(
    parts: dict[str, str], kind: str, name: str, breaks: bool
) -> None:
    """The verdicts are true: bytes of the old form pass the new gate where nothing breaks."""
    old, _ = opened(bundle())
    new, outline = opened(bundle(**parts))
    body = old.render("Post", BODY)
    assert not old.check(body)
    found = diff(generation(), outline, uses=(USER,))
    broken = any(each.verdict is Impact.BREAKS for each in found)
    # A narrower limit may be kept by this one request, if not by the next.
    may_pass = "maxLength" in parts.get("short", "") or "999" in parts.get("entry", "")
    assert bool(new.check(body)) is broken or may_pass


@pytest.mark.parametrize(("parts", "kind", "name"), POSSIBLE.values(), ids=POSSIBLE)
def test_what_is_allowed_besides_is_a_new_possibility(
    parts: dict[str, str], kind: str, name: str
) -> None:
    """Looser rules break nobody, and are told as what could be used."""
    for uses in ((USER,), ()):
        (found,) = changes(parts, uses, kind=kind, name=name, of="request")
        assert found.verdict is Impact.NEW


@pytest.mark.parametrize(("parts", "kind", "name", "breaks"), REPLY.values(), ids=REPLY)
def test_a_reply_breaks_who_reads_what_is_gone(
    parts: dict[str, str], kind: str, name: str, breaks: bool
) -> None:
    """Replies are read tolerantly: only what was read and is no longer one value breaks."""
    (found,) = changes(parts, (USER,), kind=kind, name=name, of="reply")
    assert found.breaks == (("books",) if breaks else ())
    assert found.verdict is (Impact.BREAKS if breaks else Impact.HARMLESS)
    assert found.concerns == ("books",)


DETAIL = (
    '<xs:complexType name="Detail" abstract="true"><xs:sequence/></xs:complexType>'
    '<xs:complexType name="{}"><xs:complexContent><xs:extension base="Detail"><xs:sequence>'
    '<xs:element name="Nights" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent>'
    "</xs:complexType>"
)


def test_a_type_that_is_gone_breaks_who_sends_it() -> None:
    """``@xsi:type`` names a type of the contract: it vanishes and changes like any other name."""
    entry = f'{ENTRY}<xs:element name="Detail" type="Detail" minOccurs="0"/>'
    old = generation(entry=entry, more_types=DETAIL.format("Hotel"))
    sent = Sent("Post", {**BODY, "Detail": {"@xsi:type": "Hotel", "Nights": 2}})
    user = Uses(profile="books", sent=(sent,))
    (gone, new) = diff(
        old, generation(entry=entry, more_types=DETAIL.format("Train")), uses=(user,)
    )
    assert (gone.verdict, gone.name) == (Impact.BREAKS, "@xsi:type=Hotel")
    assert (new.verdict, new.name) == (Impact.NEW, "@xsi:type=Train")
    inner = DETAIL.format("Hotel").replace("xs:int", "xs:date")
    (narrowed,) = diff(old, generation(entry=entry, more_types=inner), uses=(user,))
    assert (narrowed.verdict, narrowed.type, narrowed.name) == (
        Impact.BREAKS,
        "Hotel",
        "Nights",
    )


def test_a_place_for_anything_that_is_gone_is_told() -> None:
    """Who fills a wildcard breaks; our profiles cannot fill one."""
    entry = f'{ENTRY}<xs:any namespace="##other" minOccurs="0"/>'
    (found,) = diff(generation(entry=entry), generation())
    assert (found.verdict, found.text) == (Impact.BREAKS, "has no place for any element now")


def test_the_same_contract_has_no_changes() -> None:
    """Two spellings of one contract do not frighten anybody."""
    assert diff(generation(), generation(), uses=(USER,)) == ()
    assert diff(generation(), generation(entry=ENTRY.replace("  ", " ")), uses=()) == ()


NODE = (
    '<xs:element name="Node"><xs:complexType><xs:sequence><xs:element name="Name" type="{}"/>'
    '<xs:element ref="b:Node" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>'
)


def test_an_element_within_itself_is_compared_once() -> None:
    """A type without a name that holds itself, by a reference, does not go on for ever."""
    entry = '<xs:element ref="b:Node"/>'
    old, new = (
        generation(entry=entry, more_types=NODE.format(kind)) for kind in ("xs:string", "xs:int")
    )
    assert diff(old, old) == ()
    (found,) = diff(old, new)
    assert (found.type, found.name) == ("Post/Node", "Name")


def test_an_operation_that_is_gone_breaks_who_calls_it() -> None:
    """Another name for an operation is one gone and one new."""
    found = diff(generation(), generation(operation="Enter"), uses=(USER,))
    assert [(each.verdict, each.side, str(each)) for each in found] == [
        (Impact.BREAKS, "operation", "Post is gone"),
        (Impact.NEW, "operation", "Enter is new"),
    ]
    (action,) = diff(generation(), generation(action="urn:post"), uses=())
    assert action.verdict is Impact.BREAKS
    assert str(action) == "Post has the soap action urn:post instead of none"


def test_types_that_recurse_are_compared_once() -> None:
    """A type that holds itself, as a tree of accounts does, comes to an end."""
    item = f'{ITEM}<xs:element name="Part" type="Item" minOccurs="0" maxOccurs="9"/>'
    assert diff(generation(item=item), generation(item=item)) == ()
    more = item.replace('"9"', '"unbounded"')
    (found,) = diff(generation(item=item), generation(item=more))
    assert str(found) == "Item/Part may stand any number of times"


@pytest.fixture(scope="module")
def generations(shared: Callable[[str], Path]) -> tuple[Generation, Generation]:
    """SAP's contracts of 2020 and 2024."""
    made = []
    for year in ("2020", "2024"):
        made_of = Bundle.from_path(shared(f"contracts/sap-journal-entry/{year}.wsdl"))
        made.append(opened(made_of)[1])
    return made[0], made[1]


@pytest.fixture(scope="module")
def sap_uses() -> Uses:
    profile = load_profile("sap-journal-entry")
    own = Bundle.from_package(profile.contract)
    return uses_of(profile, opened(own)[1])


def test_saps_generations_differ_by_additions(
    generations: tuple[Generation, Generation], sap_uses: Uses
) -> None:
    """Every element that SAP added is told, by type; nothing breaks the profile."""
    found = diff(*generations, uses=(sap_uses,))
    added = Counter(each.type for each in found if each.kind.startswith("added"))
    assert added.pop("JournalEntryCreateRequestJournalEntry") == 19
    prefix = "JournalEntryCreateRequestJournalEntry"
    assert {name.removeprefix(prefix): count for name, count in added.items()} == {
        "JournalEntryCreateConfirmationBulkMessage": 1,
        "CashDiscountTerms": 1,
        "CreditorItem": 4,
        "CreditorItemPaymentDetails": 2,
        "DebtorItem": 8,
        "DebtorItemPaymentDetails": 4,
        "DownPaymentCreditor": 2,
        "Item": 10,
        "ItemAccountAssignment": 10,
        "OneTimeCustomer": 19,
        "OneTimeVendor": 28,
    }
    assert not [each for each in found if each.verdict is Impact.BREAKS]


def test_the_profile_whose_replies_changed_is_named(
    generations: tuple[Generation, Generation], sap_uses: Uses
) -> None:
    """``ConfirmationInterfaceOrignName`` stands in what sap-journal-entry reads."""
    (found,) = [each for each in diff(*generations, uses=(sap_uses,)) if each.side == "reply"]
    assert found.name == "ConfirmationInterfaceOrignName"
    assert found.concerns == ("sap-journal-entry",)
    assert found.breaks == ()
    assert found.verdict is Impact.HARMLESS


def test_saps_one_time_customer_was_reordered(generations: tuple[Generation, Generation]) -> None:
    """What SAP did move is found: a one-time customer of the old form breaks."""
    broken = [each for each in diff(*generations) if each.verdict is Impact.BREAKS]
    assert {(each.kind, each.name) for each in broken} == {
        ("moved", "IsNaturalPerson"),
        ("moved", "Region"),
    }
    assert all(each.type.endswith("OneTimeCustomer") for each in broken)


def test_going_back_breaks_what_the_profile_sends(
    generations: tuple[Generation, Generation], sap_uses: Uses
) -> None:
    """From 2024 to 2020 the reversal's fields and the order's are gone, and that breaks it."""
    new, old = generations[1], generations[0]
    found = diff(new, old, uses=(sap_uses,))
    assert {each.name for each in found if each.breaks} == {
        "ReversalReason",
        "ReversalReferenceDocument",
        "ReversalDate",
        "Fund",
        "Grant",
        "OrderID",
    }


@pytest.mark.parametrize("name", ["reference", "sap-journal-entry"])
def test_what_a_profile_uses_is_in_its_own_contract(name: str) -> None:
    """The samples make a profile send and read what its own contract has, and a good part of it."""
    from claimbridge.contract.study.traces import Trace

    profile = load_profile(name, SITE.get(name, {}))
    own = opened(Bundle.from_package(profile.contract))[1]
    uses = uses_of(profile, own)
    names = Trace(uses, own).names
    assert not [at for at, known in names.items() if not known and at[0] in own.operations]
    assert len(names) > 60
    assert Contract.load(Bundle.from_package(profile.contract)).operations.keys() >= set(
        uses.operations
    )


def test_the_reference_profile_reads_every_kind_of_answer() -> None:
    """The specimens lead a reader into each alternative, not only the first."""
    profile = load_profile("reference")
    read = uses_of(profile, opened(Bundle.from_package(profile.contract))[1]).read
    items = {path[:2] for path in read["SubmitVouchersResponse"]}
    assert items >= {("Item", name) for name in ("Document", "Rejected", "Duplicate", "Throttled")}
    assert ("Document", "Reason", "Code") in read["SubmitVoucherResponse"]
    assert read.keys() >= {"ThrottledFault", "InvalidCursorFault", "ListChangesResponse"}


def test_encoded_calls_are_compared_too(shared: Callable[[str], Path]) -> None:
    """A field that an rpc/encoded ERP drops from its array's members breaks who sends it."""
    place = shared("contracts/kingdee-eas/WSGLWebServiceFacade.wsdl")
    name = place.name
    old = Bundle.from_files(name, {name: place.read_bytes()})
    text = place.read_bytes().replace(b'name="companyNumber"', b'name="companyNo"')
    new = Bundle.from_files(name, {name: text})
    body = {"col": {"item": [{"companyNumber": "01"}]}, "isSubmit": 0}
    uses = Uses(profile="eas", sent=(Sent("importVoucher", body),))
    found = diff(Generation.load(old), Generation.load(new), uses=(uses,))
    broken = {(each.type, each.name) for each in found if each.verdict is Impact.BREAKS}
    assert broken == {("WSWSVoucher", "companyNumber")}
