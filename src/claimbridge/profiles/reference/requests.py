"""Requests as the contract has them: SubmitVoucher, SubmitVouchers, QueryVouchers, ListChanges,
ReverseVoucher.

Written by ``claimbridge contract types``; do not edit. Names are the contract's.
"""
# ruff: noqa: D101, D205, E501, I001, N801, N815, N816, RUF100
# fmt: off

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NotRequired, TypeAlias, TypedDict

from claimbridge.profiles.kit.sourced import Sourced


class SubmitVoucherRequest(TypedDict):
    # The unit that is signed. The signature, where there is one, is the last child and covers
    # everything else in this element, the Reference included.
    Voucher: Voucher


Voucher = TypedDict(
    "Voucher",
    {
        # What the signature's Reference points at, unique in its document. It names nothing
        # beyond that.
        "@Id": "str | Sourced",
        # 1 to 36 characters; of the form [A-Za-z0-9._/\-]+
        # The sender's own name for a voucher, and the key of everything in this contract.
        # Compared character by character: case counts, and no character is dropped or changed.
        "Reference": "str | Sourced",
        # post for a new document; reverse for one that takes a journal entry back. A reversal is
        # a voucher of its own, with its own Reference and the postings on the other side.
        "Purpose": 'Literal["post", "reverse"] | Sourced',
        # 1 to 64 characters; of the form \S+( \S+)*
        # A name from the master data of either side (company, account, cost centre …): words
        # parted by single spaces. Leading zeros count.
        "ClaimId": "str | Sourced",
        # at least 1
        # Grows with every change of the claim after its approval. The server keeps it: see the
        # rule of one live journal entry in the service.
        "Revision": "int | Sourced",
        # 1 to 32 characters; of the form \S+( \S+)*
        "Company": "str | Sourced",
        # 1 to 64 characters; of the form \S+( \S+)*
        # A name from the master data of either side (company, account, cost centre …): words
        # parted by single spaces. Leading zeros count.
        "Employee": "str | Sourced",
        # 1 to 200 characters
        "EmployeeName": "NotRequired[str | Sourced | None]",
        # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
        # A day in the calendar of the company, without a time zone.
        "DocumentDate": "date | Sourced",
        # of the form [0-9]{4}-[0-9]{2}-[0-9]{2}
        # Decides the period. Where that period is closed the server refuses the voucher; it does
        # not move it to another.
        "PostingDate": "date | Sourced",
        # of the form [A-Z]{3}
        # The main currency of the document; a posting may be in another.
        "Currency": "str | Sourced",
        # 1 to 1000 characters
        # Free text for people, in any language, line breaks included. A server that keeps less of
        # it keeps its beginning.
        "Text": "NotRequired[str | Sourced | None]",
        # 1 to 200 characters
        "Approver": "NotRequired[str | Sourced | None]",
        # of the form
        # [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+\-][0-9]{2}:[0-9]{2})
        # A moment with its time zone; a time without one is refused, for nobody knows when it
        # was.
        "ApprovedAt": "NotRequired[datetime | Sourced | None]",
        # The journal entry to take back: present with Purpose reverse, absent with post.
        "Reverses": "NotRequired[JournalEntry | None]",
        # The sum of the debit postings, once for each currency. The server adds up the postings
        # itself, debits and credits, and refuses a voucher in which any of the three differ.
        "DebitTotal": "list[Money]",
        # The legs 分录, in the order in which they are to be shown. A server takes at least 999 of
        # them, and refuses a voucher that has more than it can post as one document; it does not
        # split it.
        "Posting": "list[Posting]",
        "Signature": "NotRequired[Voucher_Signature | None]",
    },
)


class JournalEntry(TypedDict):
    """What the ledger made of a voucher, by the ledger's own number. The three parts together are
    unique in the ledger and never change; the number is text, and leading zeros count.
    """

    # 1 to 64 characters; of the form \S+( \S+)*
    # A name from the master data of either side (company, account, cost centre …): words parted
    # by single spaces. Leading zeros count.
    Number: str | Sourced
    # 1 to 32 characters; of the form \S+( \S+)*
    Company: NotRequired[str | Sourced | None]
    # of the form [0-9]{4}
    FiscalYear: NotRequired[str | Sourced | None]


class Money(TypedDict):
    # of the form [A-Z]{3}
    # An alphabetic code of ISO 4217, list one. The server refuses a code that it does not keep.
    Currency: str | Sourced
    # at most 18 digits; at most 3 decimals; more than 0; less than 1000000000000000
    # A positive amount: the side says debit or credit, and a refund takes the other side.
    Amount: Decimal | int | Sourced


Posting = TypedDict(
    "Posting",
    {
        # Counts from 1. A Reason's Field names a posting by it: Posting[3]/Account.
        "@Number": "int | Sourced",
        # Why a posting is there. The server may use it to choose its own kind of entry (vendor
        # item, tax item); the account is binding all the same.
        "Role": "Role | Sourced",
        # 1 to 64 characters; of the form \S+( \S+)*
        # A name from the master data of either side (company, account, cost centre …): words
        # parted by single spaces. Leading zeros count.
        "Account": "str | Sourced",
        "Side": 'Literal["debit", "credit"] | Sourced',
        # at most 18 digits; at most 3 decimals; more than 0; less than 1000000000000000
        # A positive amount: the side says debit or credit, and a refund takes the other side.
        "Amount": "Decimal | int | Sourced",
        # of the form [A-Z]{3}
        # The currency of Amount and TaxBase.
        "Currency": "str | Sourced",
        # 1 to 64 characters; of the form \S+( \S+)*
        # A name from the master data of either side (company, account, cost centre …): words
        # parted by single spaces. Leading zeros count.
        "CostCentre": "NotRequired[str | Sourced | None]",
        # 1 to 64 characters; of the form \S+( \S+)*
        # A name from the master data of either side (company, account, cost centre …): words
        # parted by single spaces. Leading zeros count.
        "Project": "NotRequired[str | Sourced | None]",
        # 1 to 64 characters; of the form \S+( \S+)*
        # The employee or vendor that a payable is owed to.
        "Partner": "NotRequired[str | Sourced | None]",
        # 1 to 16 characters; of the form \S+( \S+)*
        "TaxCode": "NotRequired[str | Sourced | None]",
        # at most 18 digits; at most 3 decimals; more than -1000000000000000; less than
        # 1000000000000000
        # The net amount that a tax was computed from.
        "TaxBase": "NotRequired[Decimal | int | Sourced | None]",
        # 1 to 1000 characters
        # Free text for people, in any language, line breaks included. A server that keeps less of
        # it keeps its beginning.
        "Narration": "NotRequired[str | Sourced | None]",
        # at most 50 times
        "Dimension": "NotRequired[list[Dimension] | None]",
        # 1 to 200 characters
        # A path into the claim, such as lines[0].amount: for people and logs, without meaning for
        # the ledger.
        "Source": "NotRequired[str | Sourced | None]",
        # 1 to 32 characters; of the form \S+( \S+)*
        # The company in whose books it stands, where that is not the voucher's. The postings of
        # each company balance by themselves. A server that cannot post them all together refuses
        # the voucher.
        "Company": "NotRequired[str | Sourced | None]",
    },
)


Voucher_Signature = TypedDict(
    "Voucher_Signature",
    {
        "@Id": "NotRequired[str | Sourced | None]",
        "SignedInfo": "SignedInfo",
        # at least 1 characters
        "SignatureValue": "str | Sourced | SignatureValue",
        "KeyInfo": "NotRequired[KeyInfo | None]",
    },
)


# Why a posting is there. The server may use it to choose its own kind of entry (vendor item, tax
# item); the account is binding all the same.
Role: TypeAlias = Literal[
    "expense", "input_tax", "non_deductible_tax", "employee_payable", "card_payable",
    "card_clearing", "advance_clearing", "intercompany", "fx_difference", "rounding",
]


class Dimension(TypedDict):
    """A further code by which the company analyses its books. The server refuses a name that it
    does not keep; it does not drop it.
    """

    # 1 to 64 characters; of the form \S+( \S+)*
    # A name from the master data of either side (company, account, cost centre …): words parted
    # by single spaces. Leading zeros count.
    Name: str | Sourced
    # at most 200 characters
    Value: str | Sourced


class SignedInfo(TypedDict):
    CanonicalizationMethod: CanonicalizationMethod
    SignatureMethod: SignatureMethod
    # at most 100 times
    Reference: list[Reference]


SignatureValue = TypedDict(
    "SignatureValue",
    {
        "@Id": "NotRequired[str | Sourced | None]",
        # at least 1 characters
        "#text": "str | Sourced",
    },
)


# Says which key, and decides nothing: whom to trust is the receiver's own matter.
KeyInfo = TypedDict(
    "KeyInfo",
    {
        "@Id": "NotRequired[str | Sourced | None]",
    },
)


CanonicalizationMethod = TypedDict(
    "CanonicalizationMethod",
    {
        "@Algorithm": 'Literal["http://www.w3.org/2001/10/xml-exc-c14n#"] | Sourced',
    },
)


SignatureMethod = TypedDict(
    "SignatureMethod",
    {
        "@Algorithm": "SignatureMethod_Algorithm | Sourced",
    },
)


Reference = TypedDict(
    "Reference",
    {
        # of the form #[^#]+
        # "#" and the Id of the element that the signature stands in; in the signature of a
        # request, "#" and the Id of one of its vouchers.
        "@URI": "str | Sourced",
        "Transforms": "Transforms",
        "DigestMethod": "DigestMethod",
        # at least 1 characters
        "DigestValue": "str | Sourced",
    },
)


SignatureMethod_Algorithm: TypeAlias = Literal[
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
]


class Transforms(TypedDict):
    # at most 2 times
    Transform: list[Transform]


DigestMethod = TypedDict(
    "DigestMethod",
    {
        "@Algorithm": "DigestMethod_Algorithm | Sourced",
    },
)


Transform = TypedDict(
    "Transform",
    {
        "@Algorithm": "Transform_Algorithm | Sourced",
    },
)


DigestMethod_Algorithm: TypeAlias = Literal[
    "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
]


Transform_Algorithm: TypeAlias = Literal[
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
]


class SubmitVouchersRequest(TypedDict):
    # at most 100 times
    # The unit that is signed. The signature, where there is one, is the last child and covers
    # everything else in this element, the Reference included.
    Voucher: list[Voucher]
    # One signature over all vouchers, each by its Id, where they carry none of their own. A
    # voucher that it does not cover, or that was altered, is refused alone.
    Signature: NotRequired[Voucher_Signature | None]


class QueryVouchersRequest(TypedDict):
    # 1 to 36 characters; of the form [A-Za-z0-9._/\-]+; at most 100 times
    # The sender's own name for a voucher, and the key of everything in this contract. Compared
    # character by character: case counts, and no character is dropped or changed.
    Reference: list[str | Sourced]


class ListChangesRequest(TypedDict):
    # 1 to 200 characters; of the form [!-~]+
    # The Cursor of the reply before; absent to begin at the beginning.
    Cursor: NotRequired[str | Sourced | None]
    # at least 1; at most 1000
    # The most documents that the reply may hold. It may hold fewer.
    Limit: int | Sourced


class ReverseVoucherRequest(TypedDict):
    # The unit that is signed. The signature, where there is one, is the last child and covers
    # everything else in this element, the Reference included.
    Voucher: Voucher


SubmitVoucher: TypeAlias = SubmitVoucherRequest
"""What SubmitVoucher takes."""


SubmitVouchers: TypeAlias = SubmitVouchersRequest
"""What SubmitVouchers takes."""


QueryVouchers: TypeAlias = QueryVouchersRequest
"""What QueryVouchers takes."""


ListChanges: TypeAlias = ListChangesRequest
"""What ListChanges takes."""


ReverseVoucher: TypeAlias = ReverseVoucherRequest
"""What ReverseVoucher takes."""
