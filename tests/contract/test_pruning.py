"""A contract opened for what is used of it answers as the whole does, only sooner."""

from __future__ import annotations

import copy
import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.base.names import XSI
from claimbridge.contract.calls.zeep_reader import read_service
from claimbridge.contract.files.documents import gather
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.pruned import in_use
from claimbridge.contract.pruned.store import FOLDER
from claimbridge.contract.study.lock import lock
from claimbridge.errors import SchemaViolation

SEED = 20261124
REQUESTS = 1500
ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "data" / "sample" / "service.wsdl"
NETSUITE_TYPES = ("JournalEntry", "ExpenseReport", "StringCustomFieldRef")


class Case(NamedTuple):
    """A contract, what is used of it, and a valid request for each operation."""

    source: str
    requests: tuple[tuple[str, dict[str, Any]], ...]
    types: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Types that are in the contract and not in use."""


def workday_id(kind: str, value: str) -> dict[str, Any]:
    return {"ID": [{"@type": kind, "#text": value}]}


JOURNAL = {
    "@xsi:type": "JournalEntry",
    "@externalId": "E1",
    "tranDate": "2026-03-31T00:00:00Z",
    "memo": "x",
    "lineList": {"line": [{"account": {"@internalId": "1"}, "debit": "1.00"}]},
    "customFieldList": {
        "customField": [{"@xsi:type": "StringCustomFieldRef", "@scriptId": "s", "value": "v"}]
    },
}
REPORT = {
    "@xsi:type": "ExpenseReport",
    "@externalId": "E1",
    "entity": {"@internalId": "3"},
    "expenseList": {"@replaceAll": True, "expense": [{"amount": "1.00", "memo": "m"}]},
}
SUBMIT = {
    "@Add_Only": True,
    "Accounting_Journal_Data": {
        "Accounting_Journal_ID": "J1",
        "Submit": True,
        "Company_Reference": workday_id("Company_Reference_ID", "C"),
        "Currency_Reference": workday_id("Currency_ID", "CNY"),
        "Ledger_Type_Reference": workday_id("Ledger_Type_ID", "ACTUALS"),
        "Accounting_Date": "2026-03-31",
        "Journal_Source_Reference": workday_id("Journal_Source_ID", "S"),
        "Journal_Entry_Line_Replacement_Data": [
            {
                "Line_Order": "1",
                "Ledger_Account_Reference": {
                    "ID": [
                        {
                            "@type": "Ledger_Account_ID",
                            "@parent_type": "Account_Set_ID",
                            "@parent_id": "X",
                            "#text": "1",
                        }
                    ]
                },
                "Debit_Amount": "1.00",
            }
        ],
    },
}
BULK = {
    "MessageHeader": {"ID": "M1", "CreationDateTime": datetime(2026, 11, 24, tzinfo=UTC)},
    "JournalEntryCreateRequest": [
        {
            "MessageHeader": {"CreationDateTime": datetime(2026, 11, 24, tzinfo=UTC)},
            "JournalEntry": {
                "OriginalReferenceDocumentType": "BKPFF",
                "BusinessTransactionType": "RFBU",
                "AccountingDocumentType": "SA",
                "CreatedByUser": "U",
                "CompanyCode": "1410",
                "DocumentDate": "2026-11-24",
                "PostingDate": "2026-11-24",
            },
        }
    ],
}
POST = {
    "Header": {"When": "2026-11-24T00:00:00Z", "Day": "2026-11-24"},
    "Employee": "E1",
    "Amount": {"#text": "10.50", "@currency": "CNY"},
    "Origin": "O",
}
SAP = "JournalEntryCreateRequestConfirmation_In"
CASES = {
    "netsuite": Case(
        "contracts/netsuite-2023.2/netsuite.wsdl",
        (("upsert", {"record": JOURNAL}), ("upsert", {"record": REPORT})),
        NETSUITE_TYPES,
        ("Customer", "VendorBill", "LongCustomFieldRef", "RecordRef"),
    ),
    "workday": Case(
        "contracts/workday-financial-management-v30/Financial_Management.wsdl",
        (("Submit_Accounting_Journal", SUBMIT),),
    ),
    "sap 2020": Case("contracts/sap-journal-entry/2020.wsdl", ((SAP, BULK),)),
    "sap 2024": Case("contracts/sap-journal-entry/2024.wsdl", ((SAP, BULK),)),
    "our sap": Case("wsdl/sap-journal-entry.wsdl", ((SAP, BULK),)),
    "our workday": Case("wsdl/workday.wsdl", (("Submit_Accounting_Journal", SUBMIT),)),
    "sample": Case("sample", (("Post", POST),)),
}


class Pair(NamedTuple):
    """The same contract opened for what is used, and whole."""

    case: Case
    folder: Path
    small: Contract
    whole: Contract


def no_fetch(address: str) -> bytes:
    raise AssertionError(address)


def locked(wsdl: Path, into: Path) -> Path:
    lock(wsdl, into=into, fetch=no_fetch, at=datetime(2026, 11, 24, tzinfo=UTC))
    return into


@pytest.fixture(scope="module", params=CASES)
def pair(
    request: pytest.FixtureRequest,
    shared: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    case = CASES[request.param]
    if case.source == "sample":
        wsdl = SAMPLE
    else:
        wsdl = ROOT / case.source if case.source.startswith("wsdl/") else shared(case.source)
    folder = locked(wsdl, tmp_path_factory.mktemp("lock") / "erp")
    used = tuple(dict.fromkeys(name for name, _ in case.requests))
    whole = Contract.load(folder, operations=used, types=case.types)  # the first time: whole
    small = Contract.load(folder, operations=used, types=case.types)
    assert "PrunedGate" in type(small._gate).__name__
    assert "PrunedGate" not in type(whole._gate).__name__
    return Pair(case, folder, small, whole)


VALUES = (
    *("1", "true", "2026-03-31", "2026-03-31T08:00:00Z", "x", "12.5", "CNY", "", "x" * 300),
    *(True, 7, None, "_open", 1.5, [], ["1", "2"], {}, {"@xsi:nil": True}, {"#text": "1"}),
    {"@internalId": "5"},
)


class Mutations:
    """Changes requests: values, places, names, types, whatever the contract knows and not."""

    def __init__(self, random_: random.Random, case: Case, contract: Contract) -> None:
        self._random = random_
        self._case = case
        self._shapes = contract._shapes

    def of(self, operation: str, body: dict[str, Any], contract: Contract) -> dict[str, Any]:
        made = copy.deepcopy(body)
        leaf = self._shapes.element(contract.operations[operation].input)
        assert leaf is not None
        for _ in range(self._random.randrange(4)):
            self._change(made, leaf.shape)
        return made

    def _change(self, body: dict[str, Any], shape: Any) -> None:
        typed = body.get("@xsi:type")
        found = self._shapes.named(typed) if isinstance(typed, str) else None
        shape = found[1] if found else shape
        inner = [
            (key, value)
            for key, held in body.items()
            for value in (held if isinstance(held, list) else [held])
            if isinstance(value, dict) and key in shape.children
        ]
        if inner and self._random.random() < 0.7:
            key, value = self._random.choice(inner)
            self._change(value, shape.children[key].shape)
            return
        turn = self._random.random()
        if turn < 0.1 and self._case.others:
            body["@xsi:type"] = self._random.choice((*self._case.others, *self._case.types))
        elif turn < 0.15:
            body[self._random.choice(("Unheard", "@unheard", "#text", "@xsi:type"))] = "x"
        elif turn < 0.35 and body:
            del body[self._random.choice(sorted(body))]
        elif shape.allowed:
            body[self._random.choice(sorted(shape.allowed))] = copy.deepcopy(
                self._random.choice(VALUES)
            )


def written(contract: Contract, operation: str, body: dict[str, Any]) -> object:
    try:
        return contract.render(operation, body)
    except SchemaViolation as error:
        return (error.code, error.message, sorted(map(str, error.findings)))


def test_generated_requests_have_the_same_bytes_and_verdicts(pair: Pair) -> None:
    """Valid or not, in use or not: what is written and what is found does not depend on pruning."""
    random_ = random.Random(SEED)
    mutations = Mutations(random_, pair.case, pair.whole)
    valid = refused = 0
    for _ in range(REQUESTS):
        operation, base = random_.choice(pair.case.requests)
        body = mutations.of(operation, base, pair.whole)
        one, other = (written(each, operation, body) for each in (pair.small, pair.whole))
        assert one == other
        if isinstance(other, bytes):
            found = pair.whole.check(other)
            assert pair.small.check(other) == found
            valid, refused = valid + (not found), refused + bool(found)
    assert valid > 50
    assert refused > 50


def test_damaged_documents_have_the_same_verdicts(pair: Pair) -> None:
    """Documents that no renderer writes: elements moved, renamed, retyped."""
    random_ = random.Random(SEED)
    for _ in range(REQUESTS // 3):
        operation, base = random_.choice(pair.case.requests)
        root = xmlio.parse(pair.whole.render(operation, base), what="a request")
        elements = list(root.iter())
        one = random_.choice(elements)
        turn = random_.randrange(4)
        if turn == 0:
            one.set(f"{{{XSI}}}type", random_.choice(("n1:VendorBill", "nobody:x", "x", "")))
        elif turn == 1:
            one.tag = str(random_.choice(elements).tag)
        elif turn == 2:
            one.append(copy.deepcopy(random_.choice(elements)))
        else:
            one.text = "x"
        body = xmlio.canonical(root)
        assert pair.small.check(body) == pair.whole.check(body)


def test_replies_of_every_operation_are_read_alike(pair: Pair) -> None:
    """Drift is told against the same knowledge, of operations in use and of all others."""
    names = {
        name
        for operation in list(pair.whole.operations.values())[:40]
        for name in (operation.output, operation.input, *operation.faults)
        if name
    }
    for name in sorted(names):
        for text in (name, "{urn:other}" + name.rpartition("}")[2]):
            uri, _, local = text.lstrip("{").rpartition("}")
            reply = xmlio.parse(
                f'<r:{local} xmlns:r="{uri or "urn:x"}"><new/></r:{local}>'.encode(), what="x"
            )
            assert pair.small.drift(reply) == pair.whole.drift(reply)
    assert pair.small.operations == pair.whole.operations
    assert pair.small.endpoints == pair.whole.endpoints


def test_what_is_not_in_use_is_answered_all_the_same(shared: Callable[[str], Path]) -> None:
    """An operation and a type that nobody named are written and judged by the whole."""
    folder = shared("contracts/netsuite-2023.2/netsuite.wsdl")
    bundle = Bundle.from_path(folder)
    whole = Contract.load(bundle)
    small = _in_use(bundle, ("upsert",), ("JournalEntry",))
    for operation, body in (
        ("upsert", {"record": {"@xsi:type": "Customer", "companyName": "x"}}),
        ("add", {"record": {"@xsi:type": "JournalEntry", "memo": "x"}}),
    ):
        request = small.render(operation, body)
        assert request == whole.render(operation, body)
        assert small.check(request) == whole.check(request) == ()


def _in_use(bundle: Bundle, operations: tuple[str, ...], types: tuple[str, ...]) -> Contract:
    documents = gather(bundle)
    outline = Schemas(documents)
    part = in_use.in_use(read_service(documents), outline, documents, operations, types)
    return Contract._in_use(part, bundle)


@pytest.mark.parametrize("place", [0, 31, 32, 40, 500, -1])
def test_a_damaged_view_is_noticed_and_made_again(tmp_path: Path, place: int) -> None:
    """One changed byte anywhere, or a missing end: the view is not believed."""
    folder = locked(SAMPLE, tmp_path / "erp")
    Contract.load(folder, operations=("Post",))
    (kept,) = (folder / FOLDER).iterdir()
    right = kept.read_bytes()
    for wrong in (_changed(right, place), right[: len(right) // 2], b""):
        kept.write_bytes(wrong)
        contract = Contract.load(folder, operations=("Post",))
        assert "PrunedGate" not in type(contract._gate).__name__
        assert contract.check(contract.render("Post", POST)) == ()
        assert kept.read_bytes() == right


def _changed(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def test_a_view_that_somebody_else_sealed_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view that came with a commit, sealed by whatever its writer knows, weakens no gate.

    Its writer has another secret, or none; the reader's own secret is nobody else's to read.
    """
    folder = locked(SAMPLE, tmp_path / "erp")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    monkeypatch.setenv("XDG_CACHE_HOME", str(theirs))
    Contract.load(folder, operations=("Post",))
    assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "PrunedGate"
    kept = {one.name: one.read_bytes() for one in (folder / FOLDER).iterdir()}
    monkeypatch.setenv("XDG_CACHE_HOME", str(ours))
    assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "Gate"
    (made,) = (one for one in (folder / FOLDER).iterdir() if one.name not in kept)
    # Under our very name too, and sealed as it was before there was a secret.
    (theirs_sealed,) = kept.values()
    plain = hashlib.sha256(made.name.encode() + b"\0" + theirs_sealed[32:]).digest()
    for seal in (theirs_sealed[:32], plain):
        made.write_bytes(seal + theirs_sealed[32:])
        assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "Gate"
    assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "PrunedGate"
    (secret,) = (ours / "claimbridge").glob("*.key")
    assert secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("wrong", ["readable by others", "a link", "cut off"])
def test_a_secret_that_is_not_ours_alone_seals_nothing(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept, and nothing kept is opened; contracts are read whole."""
    folder = locked(SAMPLE, tmp_path / "erp")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Contract.load(folder, operations=("Post",))
    (secret,) = (tmp_path / "cache" / "claimbridge").glob("*.key")
    if wrong == "readable by others":
        secret.chmod(0o644)
    elif wrong == "a link":
        secret.rename(tmp_path / "elsewhere")
        secret.symlink_to(tmp_path / "elsewhere")
    else:
        secret.write_bytes(secret.read_bytes()[:-1])
    for _ in range(2):
        assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "Gate"


def test_a_folder_that_cannot_be_written_to_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view is then kept in the user's cache; where that fails too, in none."""
    folder = locked(SAMPLE, tmp_path / "erp")
    (folder / FOLDER).write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for expected in ("Gate", "PrunedGate"):
        contract = Contract.load(folder, operations=("Post",))
        assert type(contract._gate).__name__ == expected
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("no folder either")
    for _ in range(2):
        assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "Gate"


def test_a_changed_lock_or_another_use_has_a_view_of_its_own(tmp_path: Path) -> None:
    """What was kept for one lock and use is not taken for another."""
    folder = locked(SAMPLE, tmp_path / "erp")
    Contract.load(folder, operations=("Post",))
    assert type(Contract.load(folder, operations=("Post", "Other"))._gate).__name__ == "Gate"
    assert type(Contract.load(folder, operations=("Other", "Post"))._gate).__name__ != "Gate"
    assert len(list((folder / FOLDER).iterdir())) == 2


def test_a_view_of_another_version_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who kept it may have let pass what loading refuses now; the contract is read anew."""
    folder = locked(SAMPLE, tmp_path / "erp")
    monkeypatch.setattr(in_use, "VERSION", in_use.VERSION - 1)
    Contract.load(folder, operations=("Post",))
    assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "PrunedGate"
    monkeypatch.undo()
    assert type(Contract.load(folder, operations=("Post",))._gate).__name__ == "Gate"


def test_locking_again_takes_no_offence_at_what_was_kept(tmp_path: Path) -> None:
    """The kept views go with the old lock."""
    folder = locked(SAMPLE, tmp_path / "erp")
    Contract.load(folder, operations=("Post",))
    lock(SAMPLE, into=folder, fetch=no_fetch, at=datetime(2026, 11, 24, tzinfo=UTC), replace=True)
    assert not (folder / FOLDER).exists()


def test_a_kept_view_needs_no_zeep(tmp_path: Path) -> None:
    """The second process writes and checks a request without importing zeep (150 ms)."""
    folder = locked(SAMPLE, tmp_path / "erp")
    script = (
        "import sys; from claimbridge.contract import Contract; "
        f"c = Contract.load({str(folder)!r}, operations=('Post',)); "
        f"print(c.check(c.render('Post', {POST!r})), 'zeep' in sys.modules)"
    )
    for expected in ("() True", "() False"):
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        )
        assert done.stdout.strip() == expected
