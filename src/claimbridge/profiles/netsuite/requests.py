"""Requests as the contract has them: upsert, getList, asyncUpsertList, checkAsyncStatus,
getAsyncResult, search, searchMoreWithId, getAll.

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
    record: Customer | Vendor | Employee | Currency | ExpenseCategory | Account | Department | Classification | Location | SalesTaxItem | Subsidiary | AccountingPeriod | ExpenseReport | JournalEntry


Customer = TypedDict(
    "Customer",
    {
        "@xsi:type": 'Literal["Customer", "{urn:relationships_2023_2.lists.webservices.netsuite.com}Customer"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "entityId": "NotRequired[str | Sourced | None]",
        "companyName": "NotRequired[str | Sourced | None]",
        "email": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiary": "NotRequired[RecordRef | None]",
    },
)


Vendor = TypedDict(
    "Vendor",
    {
        "@xsi:type": 'Literal["Vendor", "{urn:relationships_2023_2.lists.webservices.netsuite.com}Vendor"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "entityId": "NotRequired[str | Sourced | None]",
        "companyName": "NotRequired[str | Sourced | None]",
        "email": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiary": "NotRequired[RecordRef | None]",
    },
)


Employee = TypedDict(
    "Employee",
    {
        "@xsi:type": 'Literal["Employee", "{urn:employees_2023_2.lists.webservices.netsuite.com}Employee"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "entityId": "NotRequired[str | Sourced | None]",
        "email": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiary": "NotRequired[RecordRef | None]",
    },
)


Currency = TypedDict(
    "Currency",
    {
        "@xsi:type": 'Literal["Currency", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Currency"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "symbol": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
    },
)


ExpenseCategory = TypedDict(
    "ExpenseCategory",
    {
        "@xsi:type": 'Literal["ExpenseCategory", "{urn:accounting_2023_2.lists.webservices.netsuite.com}ExpenseCategory"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
    },
)


Account = TypedDict(
    "Account",
    {
        "@xsi:type": 'Literal["Account", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Account"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "acctNumber": "NotRequired[str | Sourced | None]",
        "acctName": "NotRequired[str | Sourced | None]",
        "parent": "NotRequired[RecordRef | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
    },
)


Department = TypedDict(
    "Department",
    {
        "@xsi:type": 'Literal["Department", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Department"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "parent": "NotRequired[RecordRef | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
    },
)


Classification = TypedDict(
    "Classification",
    {
        "@xsi:type": 'Literal["Classification", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Classification"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "parent": "NotRequired[RecordRef | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
    },
)


Location = TypedDict(
    "Location",
    {
        "@xsi:type": 'Literal["Location", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Location"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "parent": "NotRequired[RecordRef | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
    },
)


SalesTaxItem = TypedDict(
    "SalesTaxItem",
    {
        "@xsi:type": 'Literal["SalesTaxItem", "{urn:accounting_2023_2.lists.webservices.netsuite.com}SalesTaxItem"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "itemId": "NotRequired[str | Sourced | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
        "subsidiaryList": "NotRequired[RecordRefList | None]",
    },
)


Subsidiary = TypedDict(
    "Subsidiary",
    {
        "@xsi:type": 'Literal["Subsidiary", "{urn:accounting_2023_2.lists.webservices.netsuite.com}Subsidiary"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "name": "NotRequired[str | Sourced | None]",
        "parent": "NotRequired[RecordRef | None]",
        "isInactive": "NotRequired[bool | Sourced | None]",
    },
)


AccountingPeriod = TypedDict(
    "AccountingPeriod",
    {
        "@xsi:type": 'Literal["AccountingPeriod", "{urn:accounting_2023_2.lists.webservices.netsuite.com}AccountingPeriod"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "periodName": "NotRequired[str | Sourced | None]",
        "startDate": "NotRequired[datetime | Sourced | None]",
        "endDate": "NotRequired[datetime | Sourced | None]",
        "isAdjust": "NotRequired[bool | Sourced | None]",
        "isQuarter": "NotRequired[bool | Sourced | None]",
        "isYear": "NotRequired[bool | Sourced | None]",
        "closed": "NotRequired[bool | Sourced | None]",
    },
)


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


class RecordRefList(TypedDict):
    recordRef: NotRequired[list[RecordRef] | None]


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


class AsyncUpsertListRequest(TypedDict):
    record: list[Customer | Vendor | Employee | Currency | ExpenseCategory | Account | Department | Classification | Location | SalesTaxItem | Subsidiary | AccountingPeriod | ExpenseReport | JournalEntry]


class CheckAsyncStatusRequest(TypedDict):
    jobId: str | Sourced


class GetAsyncResultRequest(TypedDict):
    jobId: str | Sourced
    pageIndex: int | Sourced


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


upsert: TypeAlias = UpsertRequest
"""What upsert takes."""


getList: TypeAlias = GetListRequest
"""What getList takes."""


asyncUpsertList: TypeAlias = AsyncUpsertListRequest
"""What asyncUpsertList takes."""


checkAsyncStatus: TypeAlias = CheckAsyncStatusRequest
"""What checkAsyncStatus takes."""


getAsyncResult: TypeAlias = GetAsyncResultRequest
"""What getAsyncResult takes."""


search: TypeAlias = SearchRequest
"""What search takes."""


searchMoreWithId: TypeAlias = SearchMoreWithIdRequest
"""What searchMoreWithId takes."""


getAll: TypeAlias = GetAllRequest
"""What getAll takes."""
