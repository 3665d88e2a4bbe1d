"""The types of our own contracts' requests: in step with the contracts, and in use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mypy import api

import claimbridge
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.typed_dicts import types_module

SOURCE = Path(claimbridge.__file__).parent
MODULES = {
    "kingdee/requests.py": "kingdee-eas.wsdl",
    "netsuite/requests.py": "netsuite.wsdl",
    "sap/bapi_requests.py": "sap-bapi.wsdl",
    "sap/journal_entry_requests.py": "sap-journal-entry.wsdl",
    "reference/requests.py": "voucher-service.wsdl",
    "workday/requests.py": "workday.wsdl",
}
BROKEN = {
    # file: (what stands there, the slip, what mypy says of it)
    "sap/journal_entry_items.py": [
        ('"DebitCreditCode": _side', '"DebitCreditKode": _side', 'Extra key "DebitCreditKode"'),
        ('"@currencyCode": item', '"@currency": item', 'Missing key "@currencyCode"'),
        (
            "_gl_item(one, settings)",
            "_tax_item(one, settings)",
            "has incompatible type List[ProductTaxItem]",
        ),
    ],
    "sap/journal_entry.py": [
        ('"CreatedByUser": self', '"CreatedBy": self', 'Missing key "CreatedByUser"'),
        ('entry["ReversalDate"]', 'entry["ReversedOn"]', 'no key "ReversedOn"'),
    ],
    "reference/voucher_xml.py": [
        ('"CostCentre": values', '"CostCenter": values', 'Extra key "CostCenter"'),
        ('"@Number": number', '"@Number": str(number)', 'TypedDict item "@Number" has type'),
        ("posting.role.value", "posting.narration", 'TypedDict item "Role" has type'),
    ],
    "sap/bapi_items.py": [('"Costcenter": int', '"CostCenter": int', 'Extra key "CostCenter"')],
    "kingdee/rows.py": [
        ('"entrySeq": number', '"entrySeq": str(number)', 'TypedDict item "entrySeq" has type'),
        ('"bookedDate": Sourced', '"bookDate": Sourced', 'Extra key "bookDate"'),
    ],
    "netsuite/entries.py": [
        ('"debit": amount', '"debt": amount', 'Extra key "debt"'),
        ('"@externalId": Sourced', '"externalId": Sourced', 'Extra key "externalId"'),
    ],
    "netsuite/reports.py": [
        ('"accountingApproval": None', '"accountApproval": None', 'Extra key "accountApproval"'),
        ('"grossAmt": double', '"grossAmount": double', 'Extra key "grossAmount"'),
        ('expense["tax1Amt"]', 'expense["taxAmt"]', 'no key "taxAmt"'),
    ],
    "workday/profile.py": [
        ('"Debit_Amount": amount', '"Debit": amount', 'Extra key "Debit"'),
        ('"@Add_Only": True', '"@AddOnly": True', 'Extra key "@AddOnly"'),
        ('{"Auto_Complete": True}', '{"AutoComplete": True}', '"dict[str, bool] | None"'),
    ],
    "reference/profile.py": [
        ('{"Reference": list(', '{"References": list(', 'Extra key "References"')
    ],
}


@pytest.mark.parametrize("module", MODULES)
def test_the_types_are_those_of_the_contract_today(module: str) -> None:
    """Whoever changes a contract of ours is told to write its types again."""
    bundle = Bundle.from_package(MODULES[module])
    contract = Contract.load(bundle)
    operations = [*contract.operations]
    written = (SOURCE / "profiles" / module).read_text("utf-8")
    asked = f"claimbridge contract types {' '.join(operations)}"
    told = f"{asked} --contract wsdl/{MODULES[module]} --sourced"
    assert written == types_module(Generation.load(bundle), operations, sourced=True), told


def test_every_module_is_held_against_its_contract() -> None:
    """A new module of types cannot be forgotten here."""
    profiles = SOURCE / "profiles"
    modules = {str(path.relative_to(profiles)) for path in profiles.glob("*/*requests.py")}
    assert modules == MODULES.keys()


def test_mypy_refuses_a_profile_that_breaks_a_name(tmp_path: Path) -> None:
    """Each of these slips in our own profiles is red; without them all is green."""
    copy = tmp_path / "claimbridge"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "cli", "sandbox"))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\nincremental = False\n", "utf-8")
    paths = [str(copy / "profiles" / name) for name in BROKEN]
    asked = ["--config-file", str(tmp_path / "mypy.ini"), "--follow-imports", "silent", *paths]
    assert "no issues found" in api.run(asked)[0]
    for name, slips in BROKEN.items():
        text = (copy / "profiles" / name).read_text("utf-8")
        for right, wrong, _ in slips:
            assert right in text, right
            text = text.replace(right, wrong)
        (copy / "profiles" / name).write_text(text, "utf-8")
    said = api.run(asked)[0]
    for slips in BROKEN.values():
        for _, _, complaint in slips:
            assert complaint in said, said
