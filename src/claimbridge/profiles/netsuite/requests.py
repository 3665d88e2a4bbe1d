"""Requests as the contract has them: upsert, getList, search, searchMoreWithId, getAll,
asyncUpsertList, checkAsyncStatus, getAsyncResult.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


class UpsertRequest(TypedDict):
    record: ExpenseReport | JournalEntry


ExpenseReport = TypedDict(
    "ExpenseReport",
    {
        "@xsi:type": 'Literal["ExpenseReport", "{urn:employees_2023_2.transactions.webservices.netsuite.com}ExpenseReport"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "account": "NotRequired[RecordRef | None]",
        "entity": "NotRequired[RecordRef | None]",
        "expenseReportCurrency": "NotRequired[RecordRef | None]",
        "subsidiary": "NotRequired[RecordRef | None]",
        "tranId": "NotRequired[str | Sourced | None]",
        "acctCorpCardExp": "NotRequired[RecordRef | None]",
        "postingPeriod": "NotRequired[RecordRef | None]",
        "tranDate": "NotRequired[datetime | Sourced | None]",
        "advance": "NotRequired[Decimal | int | Sourced | None]",
        "amount": "NotRequired[Decimal | int | Sourced | None]",
        "memo": "NotRequired[str | Sourced | None]",
        "complete": "NotRequired[bool | Sourced | None]",
        "supervisorApproval": "NotRequired[bool | Sourced | None]",
        "accountingApproval": "NotRequired[bool | Sourced | None]",
        "department": "NotRequired[RecordRef | None]",
        "class": "NotRequired[RecordRef | None]",
        "location": "NotRequired[RecordRef | None]",
        "expenseList": "NotRequired[ExpenseReportExpenseList | None]",
    },
)


JournalEntry = TypedDict(
    "JournalEntry",
    {
        "@xsi:type": 'Literal["JournalEntry", "{urn:general_2023_2.transactions.webservices.netsuite.com}JournalEntry"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "postingPeriod": "NotRequired[RecordRef | None]",
        "tranDate": "NotRequired[datetime | Sourced | None]",
        "currency": "NotRequired[RecordRef | None]",
        "tranId": "NotRequired[str | Sourced | None]",
        "department": "NotRequired[RecordRef | None]",
        "class": "NotRequired[RecordRef | None]",
        "location": "NotRequired[RecordRef | None]",
        "subsidiary": "NotRequired[RecordRef | None]",
        "memo": "NotRequired[str | Sourced | None]",
        "approved": "NotRequired[bool | Sourced | None]",
        "lineList": "NotRequired[JournalEntryLineList | None]",
    },
)


class NullField(TypedDict):
    name: NotRequired[list[str | Sourced] | None]


RecordRef = TypedDict(
    "RecordRef",
    {
        "@xsi:type": 'NotRequired[Literal["RecordRef", "{urn:core_2023_2.platform.webservices.netsuite.com}RecordRef"]]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "@type": "NotRequired[RecordType | Sourced | None]",
        "name": "NotRequired[str | Sourced | None]",
    },
)


ExpenseReportExpenseList = TypedDict(
    "ExpenseReportExpenseList",
    {
        "@replaceAll": "NotRequired[bool | Sourced | None]",
        "expense": "NotRequired[list[ExpenseReportExpense] | None]",
    },
)


JournalEntryLineList = TypedDict(
    "JournalEntryLineList",
    {
        "@replaceAll": "NotRequired[bool | Sourced | None]",
        "line": "NotRequired[list[JournalEntryLine] | None]",
    },
)


RecordType: TypeAlias = Literal[
    "account", "accountingPeriod", "classification", "currency", "customer", "department",
    "employee", "expenseCategory", "expenseReport", "journalEntry", "location", "salesTaxItem",
    "subsidiary", "vendor",
]


ExpenseReportExpense = TypedDict(
    "ExpenseReportExpense",
    {
        "expenseDate": "NotRequired[datetime | Sourced | None]",
        "category": "NotRequired[RecordRef | None]",
        "currency": "NotRequired[RecordRef | None]",
        "exchangeRate": "NotRequired[Decimal | int | Sourced | None]",
        "amount": "NotRequired[Decimal | int | Sourced | None]",
        "taxCode": "NotRequired[RecordRef | None]",
        "memo": "NotRequired[str | Sourced | None]",
        "tax1Amt": "NotRequired[Decimal | int | Sourced | None]",
        "department": "NotRequired[RecordRef | None]",
        "grossAmt": "NotRequired[Decimal | int | Sourced | None]",
        "class": "NotRequired[RecordRef | None]",
        "customer": "NotRequired[RecordRef | None]",
        "location": "NotRequired[RecordRef | None]",
        "isBillable": "NotRequired[bool | Sourced | None]",
        "corporateCreditCard": "NotRequired[bool | Sourced | None]",
    },
)


JournalEntryLine = TypedDict(
    "JournalEntryLine",
    {
        "account": "NotRequired[RecordRef | None]",
        "debit": "NotRequired[Decimal | int | Sourced | None]",
        "credit": "NotRequired[Decimal | int | Sourced | None]",
        "memo": "NotRequired[str | Sourced | None]",
        "entity": "NotRequired[RecordRef | None]",
        "department": "NotRequired[RecordRef | None]",
        "class": "NotRequired[RecordRef | None]",
        "location": "NotRequired[RecordRef | None]",
    },
)


class GetListRequest(TypedDict):
    baseRef: list[RecordRef]


class SearchRequest(TypedDict):
    searchRecord: AccountSearchBasic | SubsidiarySearchBasic | DepartmentSearchBasic | ClassificationSearchBasic | LocationSearchBasic | ExpenseCategorySearchBasic | SalesTaxItemSearchBasic | AccountingPeriodSearchBasic | EmployeeSearchBasic | VendorSearchBasic | CustomerSearchBasic


AccountSearchBasic = TypedDict(
    "AccountSearchBasic",
    {
        "@xsi:type": 'Literal["AccountSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}AccountSearchBasic"]',
    },
)


SubsidiarySearchBasic = TypedDict(
    "SubsidiarySearchBasic",
    {
        "@xsi:type": 'Literal["SubsidiarySearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}SubsidiarySearchBasic"]',
    },
)


DepartmentSearchBasic = TypedDict(
    "DepartmentSearchBasic",
    {
        "@xsi:type": 'Literal["DepartmentSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}DepartmentSearchBasic"]',
    },
)


ClassificationSearchBasic = TypedDict(
    "ClassificationSearchBasic",
    {
        "@xsi:type": 'Literal["ClassificationSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}ClassificationSearchBasic"]',
    },
)


LocationSearchBasic = TypedDict(
    "LocationSearchBasic",
    {
        "@xsi:type": 'Literal["LocationSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}LocationSearchBasic"]',
    },
)


ExpenseCategorySearchBasic = TypedDict(
    "ExpenseCategorySearchBasic",
    {
        "@xsi:type": 'Literal["ExpenseCategorySearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}ExpenseCategorySearchBasic"]',
    },
)


SalesTaxItemSearchBasic = TypedDict(
    "SalesTaxItemSearchBasic",
    {
        "@xsi:type": 'Literal["SalesTaxItemSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}SalesTaxItemSearchBasic"]',
    },
)


AccountingPeriodSearchBasic = TypedDict(
    "AccountingPeriodSearchBasic",
    {
        "@xsi:type": 'Literal["AccountingPeriodSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}AccountingPeriodSearchBasic"]',
    },
)


EmployeeSearchBasic = TypedDict(
    "EmployeeSearchBasic",
    {
        "@xsi:type": 'Literal["EmployeeSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}EmployeeSearchBasic"]',
    },
)


VendorSearchBasic = TypedDict(
    "VendorSearchBasic",
    {
        "@xsi:type": 'Literal["VendorSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}VendorSearchBasic"]',
    },
)


CustomerSearchBasic = TypedDict(
    "CustomerSearchBasic",
    {
        "@xsi:type": 'Literal["CustomerSearchBasic", "{urn:common_2023_2.platform.webservices.netsuite.com}CustomerSearchBasic"]',
    },
)


class SearchMoreWithIdRequest(TypedDict):
    searchId: str | Sourced
    pageIndex: int | Sourced


class GetAllRequest(TypedDict):
    record: GetAllRecord


GetAllRecord = TypedDict(
    "GetAllRecord",
    {
        "@recordType": 'NotRequired[Literal["currency"] | Sourced | None]',
    },
)


class AsyncUpsertListRequest(TypedDict):
    record: list[ExpenseReport | JournalEntry]


class CheckAsyncStatusRequest(TypedDict):
    jobId: str | Sourced


class GetAsyncResultRequest(TypedDict):
    jobId: str | Sourced
    pageIndex: int | Sourced


upsert: TypeAlias = UpsertRequest
"""What upsert takes."""


getList: TypeAlias = GetListRequest
"""What getList takes."""


search: TypeAlias = SearchRequest
"""What search takes."""


searchMoreWithId: TypeAlias = SearchMoreWithIdRequest
"""What searchMoreWithId takes."""


getAll: TypeAlias = GetAllRequest
"""What getAll takes."""


asyncUpsertList: TypeAlias = AsyncUpsertListRequest
"""What asyncUpsertList takes."""


checkAsyncStatus: TypeAlias = CheckAsyncStatusRequest
"""What checkAsyncStatus takes."""


getAsyncResult: TypeAlias = GetAsyncResultRequest
"""What getAsyncResult takes."""
