from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import types
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict
from xml.sax.saxutils import quoteattr

import pytest
from mypy import api
from tests.contract.generations import ENTRY, ITEM, SHORT, bundle, generation, opened

from claimbridge.contract import Bundle
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.typed_dicts import types_module
from claimbridge.errors import ContractError

DEEPEST = 7
BROAD = {
    "entry": f'{ENTRY}<xs:element name="Day" type="xs:date" nillable="true" minOccurs="0"/>'
    '<xs:element name="class" type="Kind" minOccurs="0"/>'
    '<xs:element name="Detail" type="Detail" minOccurs="0" maxOccurs="3"/>',
    "item": f'{ITEM}<xs:element name="Part" type="Item" minOccurs="0" maxOccurs="unbounded"/>',
    "more_types": '<xs:simpleType name="Kind"><xs:annotation><xs:documentation>What it is."""\\'
    "</xs:documentation></xs:annotation>"
    '<xs:restriction base="xs:string"><xs:enumeration value="new"/><xs:enumeration value="old"/>'
    '</xs:restriction></xs:simpleType><xs:complexType name="Detail" abstract="true"><xs:sequence>'
    '<xs:element name="Id" type="xs:int"/></xs:sequence></xs:complexType>'
    '<xs:complexType name="Hotel"><xs:complexContent><xs:extension base="Detail"><xs:sequence>'
    '<xs:element name="Nights" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent>'
    '</xs:complexType><xs:complexType name="Train"><xs:complexContent><xs:extension base="Detail">'
    '<xs:attribute name="fast" type="xs:boolean"/></xs:extension></xs:complexContent>'
    "</xs:complexType>",
}

RIGHT = """
from datetime import date
from decimal import Decimal
from books import Post
amount: Post = {
    "Number": 7,
    "Text": None,
    "Day": {"@xsi:nil": True},
    "class": "new",
    "Detail": [{"@xsi:type": "Hotel", "Id": 1, "Nights": 2}, {"@xsi:type": "Train", "Id": 2}],
    "Item": [
        {
            "Account": "6602",
            "Amount": {"@currency": "CNY", "#text": Decimal("1.00")},
            "Part": [{"Account": "1", "Amount": {"@currency": "CNY", "#text": 1}}],
        }
    ],
}
"""
WRONG = {
    "a name that is not there": ('"Number": 7', '"Nmuber": 7'),
    "a name deep inside": ('"Account": "1"', '"Acount": "1"'),
    "an attribute that is not there": (
        '"@currency": "CNY", "#text": 1}',
        '"@curency": "", "#text": 1}',
    ),
    "left out though required": ('"@currency": "CNY", "#text": 1}', '"#text": 1}'),
    "one where many may stand": ('[{"Account": "1"', '{"Account": "1"'),
    "a float": ('"#text": 1}', '"#text": 1.0}'),
    "a text for a number": ('"Number": 7', '"Number": "7"'),
    "a value that is not listed": ('"class": "new"', '"class": "used"'),
    "a type that may not stand there": ('"@xsi:type": "Train"', '"@xsi:type": "Plane"'),
    "no type where one is needed": ('"@xsi:type": "Train", ', ""),
    "what belongs to another type": ('"Train", "Id": 2', '"Train", "Nights": 2, "Id": 2'),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``mypy --strict`` says of the right request and of each wrong one."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "books.py").write_text(types_module(generation(**BROAD), ["Post"]), "utf-8")
    (folder / "case_right.py").write_text(RIGHT, "utf-8")
    names = {}
    for number, (what, (old, new)) in enumerate(WRONG.items()):
        wrong = RIGHT.replace(old, new)
        assert wrong != RIGHT, what
        if what.startswith("one where"):
            wrong = wrong.replace('"#text": 1}}],', '"#text": 1}},')
        (folder / f"case_{number}.py").write_text(wrong, "utf-8")
        names[f"case_{number}.py"] = what
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\nincremental = False\n", "utf-8")
    paths = [str(path) for path in sorted(folder.glob("*.py"))]
    out, err, _ = api.run(["--config-file", str(folder / "mypy.ini"), *paths])
    assert not err
    found: dict[str, str] = {}
    for line in out.splitlines():
        name = Path(line.partition(":")[0]).name
        found[names.get(name, name)] = f"{found.get(names.get(name, name), '')}{line}\n"
    return found


def test_mypy_accepts_a_right_request(verdicts: dict[str, str]) -> None:
    """Recursion, nil, listed values, concrete types, names that are no identifiers: all pass."""
    assert "case_right.py" not in verdicts
    assert "books.py" not in verdicts


@pytest.mark.parametrize("what", WRONG)
def test_mypy_refuses_a_wrong_request(verdicts: dict[str, str], what: str) -> None:
    """What the renderer or the gate would refuse later is red in the editor."""
    assert "error:" in verdicts.get(what, "")


def loaded(text: str) -> types.ModuleType:
    module = types.ModuleType("requests_made")
    sys.modules["requests_made"] = module
    exec(compile(text, "requests_made", "exec"), module.__dict__)
    return module


def test_limits_and_documentation_are_told() -> None:
    """What mypy cannot check stands beside the name."""
    text = types_module(generation(**BROAD), ["Post"])
    assert "# at most 10 characters" in text
    assert "# What it is." in text
    assert "# at most 3 times" in text
    compile(text, "made", "exec")


def test_the_text_does_not_depend_on_the_run(tmp_path: Path) -> None:
    """Generated again, by another process with other hashes, it is the same to the letter."""
    texts = set()
    (tmp_path / "books.wsdl").write_bytes(bundle(**BROAD).read("books.wsdl"))
    asked = ["contract", "types", "Post", "--contract", str(tmp_path / "books.wsdl")]
    for seed in ("1", "2"):
        made = subprocess.run(
            [sys.executable, "-m", "claimbridge.cli", *asked],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        texts.add(made.stdout)
    assert texts == {types_module(generation(**BROAD), ["Post"])}


def test_an_element_within_itself_is_one_type() -> None:
    """A type without a name that holds itself, by a reference, is written once."""
    node = (
        '<xs:element name="Node"><xs:complexType><xs:sequence>'
        '<xs:element ref="b:Node" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>'
    )
    text = types_module(generation(entry='<xs:element ref="b:Node"/>', more_types=node), ["Post"])
    assert text.count("(TypedDict):") == 2
    assert "Node: NotRequired[Post_Node | None]" in text


def test_an_unknown_operation_is_refused() -> None:
    """The error says what there is."""
    with pytest.raises(ContractError, match="it offers Post") as refused:
        types_module(generation(), ["Enter"])
    assert refused.value.code == "CB-216"


def filled(kind: Any, depth: int = 0) -> Any:
    """A value with every key that ``kind`` has, to a depth."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        wanted = kind.__required_keys__ if depth > DEEPEST else hints
        return {key: filled(hints[key], depth + 1) for key in hints if key in wanted}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments[0]
    if origin is list:
        return [filled(arguments[0], depth)]
    if origin in (Union, types.UnionType):
        # The last that is not None: a TypedDict where there is one.
        return filled(next(each for each in reversed(arguments) if each is not type(None)), depth)
    examples: dict[Any, Any] = {
        str: "A", int: 1, bool: True, Decimal: Decimal(1), dt.date: dt.date(2026, 3, 31),
        dt.datetime: dt.datetime(2026, 3, 31, tzinfo=dt.UTC),
    }  # fmt: skip
    return examples.get(kind, {})


CASES = {
    "sap": ("sap-journal-entry/2024.wsdl", "JournalEntryCreateRequestConfirmation_In", [], 1500),
    "netsuite": ("netsuite-2023.2", "upsert", ["JournalEntry", "ExpenseReport"], 600),
    "workday": ("workday-financial-management-v30", "Submit_Accounting_Journal", [], 1500),
}


@pytest.mark.parametrize(("place", "operation", "kinds", "lines"), CASES.values(), ids=CASES)
def test_every_name_is_one_that_the_renderer_knows(
    shared: Callable[[str], Path], place: str, operation: str, kinds: list[str], lines: int
) -> None:
    """A request with every key of every type can be written; and the module is no book."""
    made = Bundle.from_path(shared(f"contracts/{place}"))
    contract, outline = opened(made)
    text = types_module(outline, [operation], kinds=kinds)
    assert 100 < text.count("\n") < lines
    names = vars(loaded(text))
    body = filled(names.get(f"{operation}_Request", names[operation]))
    assert b"</" in contract.render(operation, body)


def test_places_of_many_types_are_left_open_until_chosen(shared: Callable[[str], Path]) -> None:
    """NetSuite's 300 records are not written for one that is sent."""
    made = Bundle.from_path(shared("contracts/netsuite-2023.2"))
    outline = Generation.load(made)
    assert "record: dict[str, Any]" in types_module(outline, ["upsert"])
    text = types_module(outline, ["upsert"], kinds=["JournalEntry"])
    assert "record: JournalEntry" in text
    assert "ExpenseReport" not in text


def test_long_lists_are_written_once() -> None:
    """A list of values in many places has one name."""
    values = "".join(f'<xs:enumeration value="value-{n}"/>' for n in range(40))
    text = types_module(generation(short=values), ["Post"])
    assert SHORT not in text
    assert text.count('"value-39"') == 1
    assert text.count("Short") == 3


def test_encoded_calls_have_their_parts_and_arrays(shared: Callable[[str], Path]) -> None:
    """EAS's 94 fields of a voucher are typed, in the list that an encoded array is."""
    place = shared("contracts/kingdee-eas/WSGLWebServiceFacade.wsdl")
    text = types_module(Generation.load(place), ["importVoucher"])
    assert "    isSubmit: NotRequired[int | None]" in text
    hints = get_type_hints(vars(loaded(text))["WSWSVoucher"])
    assert len(hints.keys() - {"@xsi:type"}) == 94
    assert "    item: NotRequired[list[WSWSVoucher] | None]" in text


AWKWARD = ["Cash  Basis", "it's", 'say "so"', "back\\slash", "", "发票"]
AWKWARD += [f"Value {n}" for n in range(9)]


@pytest.mark.parametrize("count", [4, 5, len(AWKWARD)])
@pytest.mark.parametrize("key", ["Status", "a-b"])
def test_listed_values_are_kept_to_the_letter(count: int, key: str) -> None:
    """Spaces, quotes and backslashes of a value survive, in both syntaxes and in long lists."""
    values = AWKWARD[:count] if count > 4 else AWKWARD[1:4]
    listed = "".join(f"<xs:enumeration value={quoteattr(each)}/>" for each in values)
    entry = f'<xs:element name="{key}" type="Short"/>'
    text = types_module(generation(entry=entry, short=listed), ["Post"])
    hint = get_type_hints(vars(loaded(text))["Post"])[key]
    assert list(get_args(hint)) == values
