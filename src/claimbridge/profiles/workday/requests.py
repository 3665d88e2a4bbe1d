"""Requests as the contract has them: Submit_Accounting_Journal, Get_Journals.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


Submit_Accounting_Journal_RequestType = TypedDict(
    "Submit_Accounting_Journal_RequestType",
    {
        "@Add_Only": "NotRequired[bool | Sourced | None]",
        "@version": "NotRequired[str | Sourced | None]",
        "Accounting_Journal_Reference": "NotRequired[Accounting_JournalObjectType | None]",
        "Business_Process_Parameters": "NotRequired[Financials_Business_Process_ParametersType | None]",
        "Accounting_Journal_Data": "Accounting_Journal_DataType",
    },
)


Accounting_JournalObjectType = TypedDict(
    "Accounting_JournalObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Accounting_JournalObjectIDType] | None]",
    },
)


class Financials_Business_Process_ParametersType(TypedDict):
    Auto_Complete: NotRequired[bool | Sourced | None]


class Accounting_Journal_DataType(TypedDict):
    Accounting_Journal_ID: NotRequired[str | Sourced | None]
    Submit: NotRequired[bool | Sourced | None]
    Company_Reference: CompanyObjectType
    Currency_Reference: CurrencyObjectType
    Ledger_Type_Reference: Ledger_TypeObjectType
    Accounting_Date: date | Sourced
    Journal_Source_Reference: Journal_SourceObjectType
    Journal_Entry_Memo: NotRequired[str | Sourced | None]
    External_Reference_ID: NotRequired[str | Sourced | None]
    Journal_Entry_Line_Replacement_Data: NotRequired[list[Journal_Entry_Line_DataType] | None]


Accounting_JournalObjectIDType = TypedDict(
    "Accounting_JournalObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


CompanyObjectType = TypedDict(
    "CompanyObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[CompanyObjectIDType] | None]",
    },
)


CurrencyObjectType = TypedDict(
    "CurrencyObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[CurrencyObjectIDType] | None]",
    },
)


Ledger_TypeObjectType = TypedDict(
    "Ledger_TypeObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Ledger_TypeObjectIDType] | None]",
    },
)


Journal_SourceObjectType = TypedDict(
    "Journal_SourceObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Journal_SourceObjectIDType] | None]",
    },
)


class Journal_Entry_Line_DataType(TypedDict):
    Line_Order: NotRequired[str | Sourced | None]
    Ledger_Account_Reference: Ledger_AccountObjectType
    # at most 26 digits; at most 6 decimals
    Debit_Amount: NotRequired[Decimal | int | Sourced | None]
    # at most 26 digits; at most 6 decimals
    Credit_Amount: NotRequired[Decimal | int | Sourced | None]
    Currency_Reference: NotRequired[CurrencyObjectType | None]
    Memo: NotRequired[str | Sourced | None]
    External_Reference_ID: NotRequired[str | Sourced | None]
    Worktags_Reference: NotRequired[list[Accounting_WorktagObjectType] | None]


CompanyObjectIDType = TypedDict(
    "CompanyObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


CurrencyObjectIDType = TypedDict(
    "CurrencyObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


Ledger_TypeObjectIDType = TypedDict(
    "Ledger_TypeObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


Journal_SourceObjectIDType = TypedDict(
    "Journal_SourceObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


Ledger_AccountObjectType = TypedDict(
    "Ledger_AccountObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Ledger_AccountObjectIDType] | None]",
    },
)


Accounting_WorktagObjectType = TypedDict(
    "Accounting_WorktagObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Accounting_WorktagObjectIDType] | None]",
    },
)


Ledger_AccountObjectIDType = TypedDict(
    "Ledger_AccountObjectIDType",
    {
        "@type": "str | Sourced",
        "@parent_id": "NotRequired[str | Sourced | None]",
        "@parent_type": "NotRequired[str | Sourced | None]",
        "#text": "str | Sourced",
    },
)


Accounting_WorktagObjectIDType = TypedDict(
    "Accounting_WorktagObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


Get_Journals_RequestType = TypedDict(
    "Get_Journals_RequestType",
    {
        "@version": "NotRequired[str | Sourced | None]",
        "Request_References": "NotRequired[Journal_Entry_Request_ReferencesType | None]",
    },
)


class Journal_Entry_Request_ReferencesType(TypedDict):
    JournalEntryReference: NotRequired[list[Journal_EntryObjectType] | None]


Journal_EntryObjectType = TypedDict(
    "Journal_EntryObjectType",
    {
        "@Descriptor": "NotRequired[str | Sourced | None]",
        "ID": "NotRequired[list[Journal_EntryObjectIDType] | None]",
    },
)


Journal_EntryObjectIDType = TypedDict(
    "Journal_EntryObjectIDType",
    {
        "@type": "str | Sourced",
        "#text": "str | Sourced",
    },
)


Submit_Accounting_Journal: TypeAlias = Submit_Accounting_Journal_RequestType
"""What Submit_Accounting_Journal takes."""


Get_Journals: TypeAlias = Get_Journals_RequestType
"""What Get_Journals takes."""
