"""Requests as the contract has them: AccDocumentPost, TransactionCommit, TransactionRollback,
RfcReadTable.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from decimal import Decimal
from typing import NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


class AccDocumentPost(TypedDict):
    Documentheader: Header
    Accountgl: NotRequired[GlItems | None]
    Accountpayable: NotRequired[PayableItems | None]
    Accounttax: NotRequired[TaxItems | None]
    Currencyamount: Amounts
    Return: NotRequired[Messages | None]


class Header(TypedDict):
    """BAPIACHE09, in its order."""

    # at most 5 characters
    ObjType: NotRequired[str | Sourced | None]
    # at most 20 characters
    ObjKey: NotRequired[str | Sourced | None]
    # at most 10 characters
    ObjSys: NotRequired[str | Sourced | None]
    # at most 4 characters
    BusAct: str | Sourced
    # at most 12 characters
    Username: str | Sourced
    # at most 25 characters
    HeaderTxt: NotRequired[str | Sourced | None]
    # at most 4 characters
    CompCode: str | Sourced
    # at most 10 characters; of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    DocDate: str | Sourced
    # at most 10 characters; of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    PstngDate: str | Sourced
    # at most 2 characters; of the form [0-9]*
    FisPeriod: NotRequired[str | Sourced | None]
    # at most 2 characters
    DocType: str | Sourced
    # at most 16 characters
    RefDocNo: str | Sourced


class GlItems(TypedDict):
    item: NotRequired[list[GlItem] | None]


class PayableItems(TypedDict):
    item: NotRequired[list[PayableItem] | None]


class TaxItems(TypedDict):
    item: NotRequired[list[TaxItem] | None]


class Amounts(TypedDict):
    item: NotRequired[list[Amount] | None]


class Messages(TypedDict):
    item: NotRequired[list[Message] | None]


class GlItem(TypedDict):
    """BAPIACGL09. Numbers stand with their leading zeros: a BAPI takes them as the database has
    them.
    """

    # at most 10 characters; of the form [0-9]*
    ItemnoAcc: str | Sourced
    # at most 10 characters
    GlAccount: str | Sourced
    # at most 50 characters
    ItemText: NotRequired[str | Sourced | None]
    # at most 4 characters
    BusArea: NotRequired[str | Sourced | None]
    # at most 18 characters
    AllocNmbr: NotRequired[str | Sourced | None]
    # at most 2 characters
    TaxCode: NotRequired[str | Sourced | None]
    # at most 10 characters
    Costcenter: NotRequired[str | Sourced | None]
    # at most 10 characters
    ProfitCtr: NotRequired[str | Sourced | None]
    # at most 24 characters
    WbsElement: NotRequired[str | Sourced | None]
    # at most 12 characters
    Orderid: NotRequired[str | Sourced | None]
    # at most 16 characters
    FuncAreaLong: NotRequired[str | Sourced | None]
    # at most 10 characters
    Segment: NotRequired[str | Sourced | None]
    # at most 6 characters; of the form [0-9]*
    ItemnoTax: NotRequired[str | Sourced | None]


class PayableItem(TypedDict):
    """BAPIACAP09."""

    # at most 10 characters; of the form [0-9]*
    ItemnoAcc: str | Sourced
    # at most 10 characters
    VendorNo: str | Sourced
    # at most 18 characters
    AllocNmbr: NotRequired[str | Sourced | None]
    # at most 50 characters
    ItemText: NotRequired[str | Sourced | None]
    # at most 4 characters
    Businessplace: NotRequired[str | Sourced | None]


class TaxItem(TypedDict):
    """BAPIACTX09."""

    # at most 10 characters; of the form [0-9]*
    ItemnoAcc: str | Sourced
    # at most 10 characters
    GlAccount: NotRequired[str | Sourced | None]
    # at most 4 characters
    CondKey: NotRequired[str | Sourced | None]
    # at most 3 characters
    AcctKey: NotRequired[str | Sourced | None]
    # at most 2 characters
    TaxCode: str | Sourced
    # at most 10 characters; of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    TaxDate: NotRequired[str | Sourced | None]
    # at most 6 characters; of the form [0-9]*
    ItemnoTax: NotRequired[str | Sourced | None]
    # at most 1 characters
    DirectTax: NotRequired[str | Sourced | None]


class Amount(TypedDict):
    """BAPIACCR09: the amount of the item with the same number, in whichever table that stands;
    negative for a credit.
    """

    # at most 10 characters; of the form [0-9]*
    ItemnoAcc: str | Sourced
    # at most 2 characters
    CurrType: NotRequired[str | Sourced | None]
    # at most 5 characters
    Currency: str | Sourced
    # at most 23 digits; at most 4 decimals
    AmtDoccur: Decimal | int | Sourced
    # at most 23 digits; at most 4 decimals
    AmtBase: NotRequired[Decimal | int | Sourced | None]


class Message(TypedDict):
    """BAPIRET2. Type: S success, I information, W warning, E error, A abort."""

    # at most 1 characters
    Type: NotRequired[str | Sourced | None]
    # at most 20 characters
    Id: NotRequired[str | Sourced | None]
    # at most 3 characters; of the form [0-9]*
    Number: NotRequired[str | Sourced | None]
    # at most 220 characters
    Message: NotRequired[str | Sourced | None]
    # at most 20 characters
    LogNo: NotRequired[str | Sourced | None]
    # at most 6 characters; of the form [0-9]*
    LogMsgNo: NotRequired[str | Sourced | None]
    # at most 50 characters
    MessageV1: NotRequired[str | Sourced | None]
    # at most 50 characters
    MessageV2: NotRequired[str | Sourced | None]
    # at most 50 characters
    MessageV3: NotRequired[str | Sourced | None]
    # at most 50 characters
    MessageV4: NotRequired[str | Sourced | None]
    # at most 32 characters
    Parameter: NotRequired[str | Sourced | None]
    Row: NotRequired[int | Sourced | None]
    # at most 30 characters
    Field: NotRequired[str | Sourced | None]
    # at most 10 characters
    System: NotRequired[str | Sourced | None]


class TransactionCommit(TypedDict):
    # at most 1 characters
    Wait: NotRequired[str | Sourced | None]


class TransactionRollback(TypedDict):
    pass


class RfcReadTable(TypedDict):
    Data: NotRequired[Rows | None]
    # at most 1 characters
    Delimiter: NotRequired[str | Sourced | None]
    Fields: NotRequired[Columns | None]
    # at most 1 characters
    NoData: NotRequired[str | Sourced | None]
    Options: NotRequired[Conditions | None]
    # at most 30 characters
    QueryTable: str | Sourced
    Rowcount: NotRequired[int | Sourced | None]
    Rowskips: NotRequired[int | Sourced | None]


class Rows(TypedDict):
    item: NotRequired[list[Row] | None]


class Columns(TypedDict):
    item: NotRequired[list[Column] | None]


class Conditions(TypedDict):
    item: NotRequired[list[Condition] | None]


class Row(TypedDict):
    """A line of the answer: the columns in the order asked for, between delimiters."""

    # at most 512 characters
    Wa: str | Sourced


class Column(TypedDict):
    # at most 30 characters
    Fieldname: str | Sourced
    # at most 6 characters; of the form [0-9]*
    Offset: NotRequired[str | Sourced | None]
    # at most 6 characters; of the form [0-9]*
    Length: NotRequired[str | Sourced | None]
    # at most 1 characters
    Type: NotRequired[str | Sourced | None]
    # at most 60 characters
    Fieldtext: NotRequired[str | Sourced | None]


class Condition(TypedDict):
    """A line of a WHERE clause; the lines are joined by blanks."""

    # at most 72 characters
    Text: str | Sourced


AccDocumentPost_Request: TypeAlias = AccDocumentPost
"""What AccDocumentPost takes."""


TransactionCommit_Request: TypeAlias = TransactionCommit
"""What TransactionCommit takes."""


TransactionRollback_Request: TypeAlias = TransactionRollback
"""What TransactionRollback takes."""


RfcReadTable_Request: TypeAlias = RfcReadTable
"""What RfcReadTable takes."""
