"""Requests as the contract has them: JournalEntryCreateRequestConfirmation_In.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


class BulkRequest(TypedDict):
    MessageHeader: MessageHeader
    JournalEntryCreateRequest: list[Request]


class MessageHeader(TypedDict):
    # 1 to 35 characters
    ID: NotRequired[str | Sourced | MessageID | None]
    # of the form [0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
    UUID: NotRequired[str | Sourced | None]
    # 1 to 35 characters
    ReferenceID: NotRequired[str | Sourced | MessageID | None]
    # of the form [0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
    ReferenceUUID: NotRequired[str | Sourced | None]
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?Z
    CreationDateTime: datetime | Sourced
    TestDataIndicator: NotRequired[bool | Sourced | None]
    # 1 to 60 characters
    SenderBusinessSystemID: NotRequired[str | Sourced | None]
    # 1 to 60 characters
    RecipientBusinessSystemID: NotRequired[str | Sourced | None]


class Request(TypedDict):
    MessageHeader: MessageHeader
    JournalEntry: JournalEntry


MessageID = TypedDict(
    "MessageID",
    {
        "@schemeID": "NotRequired[str | Sourced | None]",
        # 1 to 35 characters
        "#text": "str | Sourced",
    },
)


class JournalEntry(TypedDict):
    """The order binds, as everywhere in this contract. The reversal fields stand in the middle:
    the generation of 2020 does not have them.
    """

    # 1 to 5 characters
    OriginalReferenceDocumentType: str | Sourced
    # 1 to 20 characters
    OriginalReferenceDocument: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    OriginalReferenceDocumentLogicalSystem: NotRequired[str | Sourced | None]
    # 1 to 4 characters
    BusinessTransactionType: str | Sourced
    # 1 to 5 characters
    AccountingDocumentType: str | Sourced
    # 1 to 16 characters
    DocumentReferenceID: NotRequired[str | Sourced | None]
    # at most 25 characters
    DocumentHeaderText: NotRequired[str | Sourced | None]
    # at most 2 characters
    ReversalReason: NotRequired[str | Sourced | None]
    # at most 20 characters
    ReversalReferenceDocument: NotRequired[str | Sourced | None]
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    ReversalDate: NotRequired[date | Sourced | None]
    # at most 12 characters
    CreatedByUser: str | Sourced
    # 1 to 4 characters
    CompanyCode: str | Sourced
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    DocumentDate: date | Sourced
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    PostingDate: date | Sourced
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    TaxDeterminationDate: NotRequired[date | Sourced | None]
    # 1 to 20 characters
    Reference1InDocumentHeader: NotRequired[str | Sourced | None]
    # 1 to 20 characters
    Reference2InDocumentHeader: NotRequired[str | Sourced | None]
    Item: NotRequired[list[Item] | None]
    DebtorItem: NotRequired[list[DebtorItem] | None]
    CreditorItem: NotRequired[list[CreditorItem] | None]
    ProductTaxItem: NotRequired[list[ProductTaxItem] | None]


class Item(TypedDict):
    # 1 to 10 characters
    ReferenceDocumentItem: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    GLAccount: str | Sourced | Account
    AmountInTransactionCurrency: Amount
    # exactly 1 characters
    DebitCreditCode: NotRequired[str | Sourced | None]
    # at most 50 characters
    DocumentItemText: NotRequired[str | Sourced | None]
    # 1 to 18 characters
    AssignmentReference: NotRequired[str | Sourced | None]
    Tax: NotRequired[TaxDetails | None]
    AccountAssignment: NotRequired[AccountAssignment | None]


class DebtorItem(TypedDict):
    # 1 to 10 characters
    ReferenceDocumentItem: str | Sourced
    # 1 to 10 characters
    Debtor: str | Sourced
    AmountInTransactionCurrency: Amount
    # exactly 1 characters
    DebitCreditCode: NotRequired[str | Sourced | None]
    # at most 50 characters
    DocumentItemText: NotRequired[str | Sourced | None]
    # 1 to 18 characters
    AssignmentReference: NotRequired[str | Sourced | None]
    # 1 to 4 characters
    BusinessPlace: NotRequired[str | Sourced | None]


class CreditorItem(TypedDict):
    # 1 to 10 characters
    ReferenceDocumentItem: str | Sourced
    # 1 to 10 characters
    Creditor: str | Sourced
    AmountInTransactionCurrency: Amount
    # exactly 1 characters
    DebitCreditCode: NotRequired[str | Sourced | None]
    # at most 50 characters
    DocumentItemText: NotRequired[str | Sourced | None]
    # 1 to 18 characters
    AssignmentReference: NotRequired[str | Sourced | None]
    # 1 to 4 characters
    BusinessPlace: NotRequired[str | Sourced | None]


class ProductTaxItem(TypedDict):
    # 1 to 10 characters
    ReferenceDocumentItem: NotRequired[str | Sourced | None]
    # 1 to 4 characters
    TaxCode: str | Sourced | TaxCode
    # 1 to 3 characters
    TaxItemClassification: NotRequired[str | Sourced | None]
    # at most 4 characters
    ConditionType: NotRequired[str | Sourced | None]
    # 1 to 6 characters; of the form \d+
    TaxItemGroup: NotRequired[str | Sourced | None]
    # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
    TaxDeterminationDate: NotRequired[date | Sourced | None]
    IsDirectTaxPosting: NotRequired[bool | Sourced | None]
    AmountInTransactionCurrency: Amount
    # exactly 1 characters
    DebitCreditCode: NotRequired[str | Sourced | None]
    # at most 50 characters
    ProductiveTaxText: NotRequired[str | Sourced | None]
    TaxBaseAmountInTransCrcy: Amount


Account = TypedDict(
    "Account",
    {
        "@listID": "NotRequired[str | Sourced | None]",
        # 1 to 10 characters
        "#text": "str | Sourced",
    },
)


# With its own sign: positive with DebitCreditCode S, negative with H.
Amount = TypedDict(
    "Amount",
    {
        # exactly 3 characters
        "@currencyCode": "str | Sourced",
        # at most 28 digits; at most 6 decimals
        "#text": "Decimal | int | Sourced",
    },
)


class TaxDetails(TypedDict):
    # 1 to 4 characters
    TaxCode: str | Sourced | TaxCode
    # 1 to 6 characters; of the form \d+
    TaxItemGroup: NotRequired[str | Sourced | None]


class AccountAssignment(TypedDict):
    # 1 to 12 characters
    OrderID: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    ProfitCenter: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    PartnerProfitCenter: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    Segment: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    PartnerSegment: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    CostCenter: NotRequired[str | Sourced | None]
    # 1 to 24 characters
    WBSElement: NotRequired[str | Sourced | None]
    # 1 to 16 characters
    FunctionalArea: NotRequired[str | Sourced | None]
    # 1 to 10 characters
    Fund: NotRequired[str | Sourced | None]
    # 1 to 20 characters
    Grant: NotRequired[str | Sourced | None]


TaxCode = TypedDict(
    "TaxCode",
    {
        "@listID": "NotRequired[str | Sourced | None]",
        # 1 to 4 characters
        "#text": "str | Sourced",
    },
)


JournalEntryCreateRequestConfirmation_In: TypeAlias = BulkRequest
"""What JournalEntryCreateRequestConfirmation_In takes."""
