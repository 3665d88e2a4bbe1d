"""Requests as the contract has them: findVoucher, importVoucher, login.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


Nil = TypedDict("Nil", {"@xsi:nil": "Literal[True]"})


class findVoucher(TypedDict):
    comNumber: NotRequired[str | Sourced | None]
    year: NotRequired[int | Sourced | None]
    periodNnumber: NotRequired[int | Sourced | None]


class importVoucher(TypedDict):
    col: NotRequired[ArrayOf_tns3_WSWSVoucher | None]
    isSubmit: NotRequired[int | Sourced | None]
    isVerify: NotRequired[int | Sourced | None]
    isCashflow: NotRequired[int | Sourced | None]


class ArrayOf_tns3_WSWSVoucher(TypedDict):
    item: NotRequired[list[WSWSVoucher] | None]


WSWSVoucher = TypedDict(
    "WSWSVoucher",
    {
        "@xsi:type": 'NotRequired[Literal["WSWSVoucher", "{urn:client.wsvoucher}WSWSVoucher"]]',
        "oppAccountSeq": "NotRequired[int | Sourced | None]",
        "cashflowAmountOriginal": "NotRequired[Decimal | int | Sourced | None]",
        "bizDate": "NotRequired[str | Sourced | Nil | None]",
        "cashflowAmountLocal": "NotRequired[Decimal | int | Sourced | None]",
        "companyNumber": "NotRequired[str | Sourced | Nil | None]",
        "voucherType": "NotRequired[str | Sourced | Nil | None]",
        "attaches": "NotRequired[int | Sourced | None]",
        "entrySeq": "NotRequired[int | Sourced | None]",
        "currencyNumber": "NotRequired[str | Sourced | Nil | None]",
        "supplyCoef": "NotRequired[Decimal | int | Sourced | None]",
        "asstActType5": "NotRequired[str | Sourced | Nil | None]",
        "asstSeq": "NotRequired[int | Sourced | None]",
        "asstActType6": "NotRequired[str | Sourced | Nil | None]",
        "asstActType7": "NotRequired[str | Sourced | Nil | None]",
        "asstActType8": "NotRequired[str | Sourced | Nil | None]",
        "asstActType1": "NotRequired[str | Sourced | Nil | None]",
        "bookedDate": "NotRequired[str | Sourced | Nil | None]",
        "asstActType2": "NotRequired[str | Sourced | Nil | None]",
        "asstActType3": "NotRequired[str | Sourced | Nil | None]",
        "asstActType4": "NotRequired[str | Sourced | Nil | None]",
        "creator": "NotRequired[str | Sourced | Nil | None]",
        "cashflowAmountRpt": "NotRequired[Decimal | int | Sourced | None]",
        "itemFlag": "NotRequired[int | Sourced | None]",
        "entryDC": "NotRequired[int | Sourced | None]",
        "voucherNumber": "NotRequired[str | Sourced | Nil | None]",
        "creditAmount": "NotRequired[Decimal | int | Sourced | None]",
        "asstActNumber1": "NotRequired[str | Sourced | Nil | None]",
        "asstActNumber2": "NotRequired[str | Sourced | Nil | None]",
        "asstActNumber3": "NotRequired[str | Sourced | Nil | None]",
        "asstActNumber4": "NotRequired[str | Sourced | Nil | None]",
        "periodYear": "NotRequired[int | Sourced | None]",
        "asstActNumber5": "NotRequired[str | Sourced | Nil | None]",
        "asstActNumber6": "NotRequired[str | Sourced | Nil | None]",
        "asstActNumber7": "NotRequired[str | Sourced | Nil | None]",
        "localRate": "NotRequired[Decimal | int | Sourced | None]",
        "asstActNumber8": "NotRequired[str | Sourced | Nil | None]",
        "periodNumber": "NotRequired[int | Sourced | None]",
        "primaryItem": "NotRequired[str | Sourced | Nil | None]",
        "primaryCoef": "NotRequired[Decimal | int | Sourced | None]",
        "voucherAbstract": "NotRequired[str | Sourced | Nil | None]",
        "debitAmount": "NotRequired[Decimal | int | Sourced | None]",
        "description": "NotRequired[str | Sourced | Nil | None]",
        "accountNumber": "NotRequired[str | Sourced | Nil | None]",
        "originalAmount": "NotRequired[Decimal | int | Sourced | None]",
        "asstActName1": "NotRequired[str | Sourced | Nil | None]",
        "type": "NotRequired[str | Sourced | Nil | None]",
        "isCheck": "NotRequired[bool | Sourced | None]",
        "asstActName7": "NotRequired[str | Sourced | Nil | None]",
        "asstActName6": "NotRequired[str | Sourced | Nil | None]",
        "asstActName8": "NotRequired[str | Sourced | Nil | None]",
        "asstActName3": "NotRequired[str | Sourced | Nil | None]",
        "asstActName2": "NotRequired[str | Sourced | Nil | None]",
        "asstActName5": "NotRequired[str | Sourced | Nil | None]",
        "asstActName4": "NotRequired[str | Sourced | Nil | None]",
    },
)


class login(TypedDict):
    userName: NotRequired[str | Sourced | None]
    password: NotRequired[str | Sourced | None]
    slnName: NotRequired[str | Sourced | None]
    dcName: NotRequired[str | Sourced | None]
    language: NotRequired[str | Sourced | None]
    dbType: NotRequired[int | Sourced | None]


findVoucher_Request: TypeAlias = findVoucher
"""What findVoucher takes."""


importVoucher_Request: TypeAlias = importVoucher
"""What importVoucher takes."""


login_Request: TypeAlias = login
"""What login takes."""
