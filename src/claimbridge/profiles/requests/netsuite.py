"""Requests as the contract has them: upsert, getList, asyncUpsertList, checkAsyncStatus,
getAsyncResult.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.sourced import Sourced


class UpsertRequest(TypedDict):
    record: JournalEntry


JournalEntry = TypedDict(
    "JournalEntry",
    {
        "@xsi:type": 'Literal["JournalEntry", "{urn:general_2023_2.transactions.webservices.netsuite.com}JournalEntry"]',
        "@internalId": "NotRequired[str | Sourced | None]",
        "@externalId": "NotRequired[str | Sourced | None]",
        "nullFieldList": "NotRequired[NullField | None]",
        "tranDate": "NotRequired[datetime | Sourced | None]",
        "currency": "NotRequired[RecordRef | None]",
        "tranId": "NotRequired[str | Sourced | None]",
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


JournalEntryLineList = TypedDict(
    "JournalEntryLineList",
    {
        "@replaceAll": "NotRequired[bool | Sourced | None]",
        "line": "NotRequired[list[JournalEntryLine] | None]",
    },
)


RecordType: TypeAlias = Literal[
    "account", "classification", "currency", "department", "employee", "journalEntry", "location",
    "subsidiary",
]


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
    record: list[JournalEntry]


class CheckAsyncStatusRequest(TypedDict):
    jobId: str | Sourced


class GetAsyncResultRequest(TypedDict):
    jobId: str | Sourced
    pageIndex: int | Sourced


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
