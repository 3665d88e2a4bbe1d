"""JSON Schema (draft 2020-12) of claims and vouchers: the JSON that ``Claim.from_json`` reads.

A schema can state less than the model checks: that the lines add up, that a foreign line has a
rate, that debits equal credits. What it refuses the model refuses too, but for texts that spell
a number in a way of their own (``"1_000"``).
"""

from __future__ import annotations

import copy
from typing import Any, Final, Literal

import msgspec

from claimbridge.model.claim import Claim
from claimbridge.model.claim_lines import (
    ADVANCE_TEXT,
    ALLOCATION_TEXT,
    CLAIM_TEXT,
    DOCUMENT_TEXT,
    ITEM_TEXT,
    LINE_TEXT,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_RATE,
    MAX_REVISION,
    PAYEE_TEXT,
    REQUIRED_TEXT,
    TAX_TEXT,
)
from claimbridge.model.money import EXPONENTS, MAX_FRACTION_DECIMALS, MAX_INTEGER_DIGITS
from claimbridge.model.text import DIMENSION_NAME, DIMENSION_TEXT, MAX_DIMENSIONS
from claimbridge.model.voucher import MAX_ACCOUNT, Voucher

JsonSchema = dict[str, Any]
"""A JSON Schema; its values are whatever JSON holds."""

_DESCRIPTIONS: Final[dict[str, dict[str, str]]] = {
    "Claim": {
        "": "An approved expense claim. Amounts are positive where the employee is owed money.",
        "id": "The claim's number in its source; unique for ever.",
        "revision": "Counts from 1 and grows with every change after approval.",
        "company": "The company's code in the ERP.",
        "employee": "The employee's code in the ERP.",
        "currency": "The currency of the total, by ISO 4217.",
        "total": "The sum of the lines, each converted by its rate and rounded half up.",
        "lines": "The expenses.",
        "title": "What the claim is about, in the employee's words.",
        "employee_name": "The employee's name, for narrations.",
        "department": "The employee's department, where a line has none of its own.",
        "cost_centre": "The cost centre, where a line has none of its own.",
        "country": "The country that the chart's conditions ask for, such as CN.",
        "grade": "The employee's grade, for the chart's conditions.",
        "approved_at": "When it was approved, with a time zone; null when the source does not say.",
        "approver": "Who approved it.",
        "posting_date": "The date to post on; null lets the approval or the lines decide.",
        "dimensions": "Further codes by name, where a line has none of its own.",
        "advances": "Advances settled against what the employee paid.",
        "payees": "Who is paid what remains; empty: the employee.",
    },
    "ClaimLine": {
        "": "One expense of a claim.",
        "type": "The expense type that the chart knows.",
        "date": "The day of the expense.",
        "amount": "The gross amount, tax included, in the line's currency.",
        "currency": "The line's currency; null: the claim's.",
        "rate": "One unit of the line's currency in the claim's; needed where they differ.",
        "tax": "The tax in the amount, as the invoice states it; null: the chart decides.",
        "tax_rate": "The rate of the tax as a fraction (0.06); null: the chart decides.",
        "deductible": "The deductible share of the tax, 0 to 1; null: the chart decides.",
        "taxes": "The taxes in the amount, where there are several.",
        "payment": "Who paid: the employee, or the company by its card.",
        "personal": "Bought with the company's card for the employee himself, who owes it.",
        "quantity": "How much of it was used, such as kilometres or days; null: not stated.",
        "unit": "The unit of the quantity, such as km or day.",
        "company": "The company that bears the cost; empty: the claim's.",
        "cost_centre": "The cost centre; empty: the claim's.",
        "department": "The department; empty: the claim's.",
        "project": "The project, if any.",
        "text": "What it was for.",
        "dimensions": "Further codes by name.",
        "items": "The items of an itemised bill; they add up to the amount.",
        "allocations": "Who bears which part of the cost; they add up to the whole line.",
        "documents": "The invoices and slips behind it.",
    },
    "SupportingDocument": {
        "": "An invoice or slip behind a claim line.",
        "kind": "Its kind, such as vat_special, vat_ordinary, rail_ticket, receipt.",
        "id": "What its source knows it by, unique for ever; identifies what has no number.",
        "number": "Its number.",
        "code": "The 发票代码 of a paper invoice; empty for a fully digital one.",
        "date": "Its date; null when not stated.",
        "amount": "Its gross amount, or the part that is claimed, in the line's currency.",
        "tax": "The tax in it; null when not stated.",
        "deductible_tax": "The part of the tax found deductible; null when not stated.",
        "fare": "The part of the amount that tax is computed from; null: the whole.",
        "total": "The whole invoice's gross amount where a part of it is claimed; null: all is.",
        "seller": "Who issued it.",
        "uri": "Where a copy lies.",
    },
    "Tax": {
        "": "One of several taxes in a line's amount.",
        "amount": "The tax, in the line's currency.",
        "rate": "Its rate as a fraction; null: not stated.",
        "deductible": "The share that may be deducted; null: the chart decides.",
        "kind": "What tax it is, such as gst or pst.",
    },
    "Item": {
        "": "One item of an itemised bill.",
        "type": "The expense type that the chart knows.",
        "amount": "Its gross amount in the line's currency.",
        "tax": "The tax in it; null: the chart decides.",
        "tax_rate": "The rate of the tax as a fraction; null: the chart decides.",
        "deductible": "The deductible share of the tax; null: the chart decides.",
        "quantity": "How much of it was used; null: not stated.",
        "unit": "The unit of the quantity.",
        "personal": "Bought for the employee himself, who owes it.",
        "text": "What it was.",
    },
    "Allocation": {
        "": "A part of a line's cost, by share or by amount.",
        "share": "The part as a fraction; null where an amount says it.",
        "amount": "The gross part in the line's currency; null where a share says it.",
        "company": "The company that bears it; empty: the line's.",
        "cost_centre": "The cost centre that bears it; empty: the line's.",
        "department": "The department that bears it; empty: the line's.",
        "project": "The project that bears it; empty: the line's.",
        "dimensions": "Further codes by name.",
    },
    "Payee": {
        "": "Who is paid a part of what the claim owes.",
        "partner": "The code of the employee or vendor in the ERP.",
        "amount": "The amount, in the claim's currency.",
        "name": "The name, for narrations.",
    },
    "Advance": {
        "": "An advance that the employee had.",
        "reference": "Its number in the source.",
        "settled": "What is written off against the claim.",
        "returned": "What the employee hands back besides.",
    },
    "Voucher": {
        "": "A balanced accounting document for one ledger, from one claim revision.",
        "claim_id": "The claim it came from.",
        "revision": "The claim's revision.",
        "company": "The company's code in the ERP.",
        "employee": "The employee's code in the ERP.",
        "currency": "The document's main currency.",
        "document_date": "The day of the latest line or document.",
        "posting_date": "The day it is to be posted on.",
        "postings": "Its legs: debits equal credits in every currency.",
        "purpose": "Posting the claim, or reversing a journal entry.",
        "text": "What the document is about.",
        "employee_name": "The employee's name.",
        "approver": "Who approved the claim.",
        "approved_at": "When, with a time zone; null when not known.",
        "reverses": "The journal entry that a reversal takes back; null on others.",
        "part": "Which document of a divided claim it is, from 1; 0: the whole claim.",
        "parts": "How many documents the claim was divided into; 0: it was not.",
    },
    "Posting": {
        "": "One leg of a voucher.",
        "role": "Why it is there.",
        "account": "The account, by the chart.",
        "side": "Debit or credit.",
        "amount": "The amount; positive, the side says which way.",
        "currency": "The currency of the amount.",
        "cost_centre": "The cost centre, if any.",
        "project": "The project, if any.",
        "partner": "The employee or vendor that a payable is owed to.",
        "tax_code": "The ERP's tax code, on tax postings.",
        "tax_base": "The net amount that the tax belongs to, on tax postings.",
        "narration": "The text of the posting.",
        "dimensions": "Further codes by name.",
        "source": "The claim field that it came from; empty for totals.",
        "company": "The company whose books it stands in; empty: the voucher's.",
    },
    "JournalEntry": {
        "": "What the ERP made of a voucher, by its number.",
        "number": "The ERP's document number; leading zeros count.",
        "company": "The company; empty where numbers are unique without it.",
        "fiscal_year": "The fiscal year; empty where numbers are unique without it.",
    },
    "Role": {"": "Why a posting is there."},
    "Side": {"": "Debit or credit."},
    "Purpose": {"": "What a voucher is submitted for."},
}
_TEXT: Final[dict[str, dict[str, int]]] = {
    "Claim": CLAIM_TEXT,
    "ClaimLine": LINE_TEXT,
    "SupportingDocument": DOCUMENT_TEXT,
    "Tax": TAX_TEXT,
    "Item": ITEM_TEXT,
    "Allocation": ALLOCATION_TEXT,
    "Payee": PAYEE_TEXT,
    "Advance": ADVANCE_TEXT,
    "Posting": {"account": MAX_ACCOUNT},
}
_NUMBERS: Final = {
    ("ClaimLine", "rate"): "Rate",
    ("ClaimLine", "tax_rate"): "Share",
    ("ClaimLine", "deductible"): "Share",
    ("ClaimLine", "quantity"): "Quantity",
    ("Item", "tax_rate"): "Share",
    ("Item", "deductible"): "Share",
    ("Item", "quantity"): "Quantity",
    ("Tax", "rate"): "Share",
    ("Tax", "deductible"): "Share",
    ("Allocation", "share"): "Share",
    ("Payee", "amount"): "PositiveAmount",
    ("Posting", "amount"): "PositiveAmount",
}
"""The decimals that are no signed amounts."""

_EXTRA: Final[dict[str, JsonSchema]] = {
    "lines": {"minItems": 1, "maxItems": MAX_LINES},
    "postings": {"minItems": 2},
    "revision": {"minimum": 1, "maximum": MAX_REVISION},
    "dimensions": {
        "maxProperties": MAX_DIMENSIONS,
        "propertyNames": {"minLength": 1, "maxLength": DIMENSION_NAME},
        "additionalProperties": {"type": "string", "maxLength": DIMENSION_TEXT},
    },
}


def _decimal(description: str, pattern: str, **bounds: int) -> JsonSchema:
    return {
        "description": f"{description}; a string, or a number written in full.",
        "anyOf": [{"type": "string", "pattern": f"^{pattern}$"}, {"type": "number", **bounds}],
    }


_WHOLE: Final = rf"[0-9]{{1,{MAX_INTEGER_DIGITS}}}(\.[0-9]{{1,{max(EXPONENTS.values())}}})?"
_DECIMALS: Final = rf"(\.[0-9]{{1,{MAX_FRACTION_DECIMALS}}})?"
_LIMIT: Final = 10**MAX_INTEGER_DIGITS
_SCALARS: Final[dict[str, JsonSchema]] = {
    "Amount": _decimal(
        "An amount with no more decimals than its currency has",
        f"-?{_WHOLE}",
        exclusiveMinimum=-_LIMIT,
        exclusiveMaximum=_LIMIT,
    ),
    "PositiveAmount": _decimal(
        "A positive amount with no more decimals than its currency has",
        f"(?=.*[1-9]){_WHOLE}",
        exclusiveMinimum=0,
        exclusiveMaximum=_LIMIT,
    ),
    "Rate": _decimal(
        f"An exchange rate to {MAX_FRACTION_DECIMALS} decimals",
        f"(?=.*[1-9])[0-9]{{1,10}}{_DECIMALS}",
        exclusiveMinimum=0,
        maximum=int(MAX_RATE),
    ),
    "Quantity": _decimal(
        f"A quantity to {MAX_FRACTION_DECIMALS} decimals",
        f"[0-9]{{1,10}}{_DECIMALS}",
        minimum=0,
        maximum=int(MAX_QUANTITY),
    ),
    "Share": _decimal(
        f"A fraction from 0 to 1, to {MAX_FRACTION_DECIMALS} decimals",
        rf"(0{_DECIMALS}|1(\.0{{1,{MAX_FRACTION_DECIMALS}}})?)",
        minimum=0,
        maximum=1,
    ),
    "Currency": {
        "description": "An active currency of ISO 4217.",
        "type": "string",
        "enum": sorted(EXPONENTS),
    },
}


def json_schema(name: Literal["claim", "voucher"]) -> JsonSchema:
    """Return the JSON Schema of a claim or a voucher; the caller may keep and change it.

    Decimals are strings or numbers: write strings where the JSON passes through software that
    reads numbers as floats.
    """
    kind = {"claim": Claim, "voucher": Voucher}[name]
    generated = msgspec.json.schema(kind)
    definitions = {
        title: _refine(title, definition) for title, definition in generated["$defs"].items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:claimbridge:schema:{name}:1",
        "title": f"claimbridge {name}",
        "$ref": generated["$ref"],
        "$defs": {**definitions, **copy.deepcopy(_SCALARS)},
    }


def _refine(title: str, definition: JsonSchema) -> JsonSchema:
    words = _DESCRIPTIONS[title]
    refined = {**definition, "description": words[""]}
    if "properties" in definition:
        refined["properties"] = {
            name: {**_property(title, name, given), "description": words[name]}
            for name, given in definition["properties"].items()
        }
    return refined


def _property(title: str, name: str, given: JsonSchema) -> JsonSchema:
    if "anyOf" in given:  # optional: the value's own schema, or null
        options = [_value(title, name, option) for option in given["anyOf"]]
        return {**given, "anyOf": options}
    return _value(title, name, given)


def _value(title: str, name: str, given: JsonSchema) -> JsonSchema:
    """Return what the model asks of a field's value beyond its JSON type."""
    if given.get("format") == "decimal":
        return {"$ref": f"#/$defs/{_NUMBERS.get((title, name), 'Amount')}"}
    if name == "currency" and given.get("type") == "string":
        return {"$ref": "#/$defs/Currency"}
    if name == "approved_at" and given.get("type") == "string":
        return {**given, "format": "date-time"}
    limit = _TEXT.get(title, {}).get(name)
    if limit is not None:
        needed = name == "account" or (name in REQUIRED_TEXT and "default" not in given)
        required = {"minLength": 1} if needed else {}
        return {**given, **required, "maxLength": limit}
    return {**given, **_EXTRA.get(name, {})}
