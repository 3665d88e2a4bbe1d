"""The voucher of the reference contract: ``urn:claimbridge:voucher:1``, written and read.

What is read equals what was written, to the last digit and space.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from lxml import etree

from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Posting, Purpose, Role, Side, Submission, Voucher
from claimbridge.model.voucher_fields import POSTING, VOUCHER, Omission
from claimbridge.profiles.kit.owners import of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field, sourced

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.reference import requests

OMISSIONS: Final[Mapping[str, str]] = {
    name: field.element.why
    for name, field in VOUCHER.items()
    if isinstance(field.element, Omission)
} | {
    f"posting.{name}": field.element.why
    for name, field in POSTING.items()
    if isinstance(field.element, Omission)
}
"""The fields that the contract has no element for, each with the reason."""
NAMESPACE: Final = "urn:claimbridge:voucher:1"


def voucher_body(submission: Submission, *, number: int) -> requests.Voucher:
    """Return the content of ``Voucher``; ``number`` makes its ``Id`` unique in the request."""
    voucher = submission.voucher
    return {
        "@Id": f"V{number}",
        "Reference": Sourced(submission.reference, "id"),
        "Purpose": voucher.purpose.value,
        "ClaimId": Sourced(voucher.claim_id, "id"),
        "Revision": Sourced(str(voucher.revision), "revision"),
        "Company": Sourced(voucher.company, "company"),
        "Employee": Sourced(voucher.employee, "employee"),
        "EmployeeName": Sourced(voucher.employee_name, "employee_name"),
        "DocumentDate": voucher.document_date,
        "PostingDate": Sourced(voucher.posting_date.isoformat(), "posting_date"),
        "Currency": Sourced(voucher.currency, "currency"),
        "Text": Sourced(voucher.text, "title"),
        "Approver": Sourced(voucher.approver, "approver"),
        "ApprovedAt": Sourced(
            voucher.approved_at.isoformat() if voucher.approved_at else "", "approved_at"
        ),
        "Reverses": _entry(voucher.reverses),
        "DebitTotal": [
            {"Currency": currency, "Amount": Sourced(f"{amount:f}", "total")}
            for currency, amount in sorted(voucher.totals.items())
        ],
        "Posting": [
            of_posting(posting, _posting(posting, n))
            for n, posting in enumerate(voucher.postings, start=1)
        ],
    }


def _entry(entry: JournalEntry | None) -> requests.JournalEntry | None:
    if entry is None:
        return None
    return {
        "Number": entry.number,
        "Company": entry.company or None,
        "FiscalYear": entry.fiscal_year or None,
    }


def _posting(posting: Posting, number: int) -> requests.Posting:
    base = posting.tax_base
    values = sourced(
        posting,
        {
            "account": posting.account,
            "amount": f"{posting.amount:f}",
            "currency": posting.currency,
            "cost_centre": posting.cost_centre,
            "project": posting.project,
            "partner": posting.partner,
            "tax_code": posting.tax_code,
            "tax_base": "" if base is None else f"{base:f}",
            "narration": posting.narration,
            "company": posting.company,
        },
    )
    return {
        "@Number": number,
        "Role": posting.role.value,
        "Account": values["account"],
        "Side": posting.side.value,
        "Amount": values["amount"],
        "Currency": values["currency"],
        "CostCentre": values["cost_centre"],
        "Project": values["project"],
        "Partner": values["partner"],
        "TaxCode": values["tax_code"],
        "TaxBase": values["tax_base"],
        "Narration": values["narration"],
        "Dimension": [_dimension(posting, name) for name in posting.dimensions],
        "Source": posting.source or None,
        "Company": values["company"],
    }


def _dimension(posting: Posting, name: str) -> requests.Dimension:
    text, field = posting.dimensions[name], claim_field(posting, f"dimensions.{name}")
    # An empty value counts as a value here, so plain text stays.
    return {"Name": Sourced(name, field), "Value": Sourced(text, field) if text else ""}


def voucher_from(source: etree._Element | Reply) -> Voucher:
    """Return the voucher that a ``Voucher`` element holds, without reference and signature.

    Reads strictly: this is the server's side, after its own schema check. Raises DocumentError
    (CB-160) for an element that is not a complete voucher, and ClaimError or UnbalancedVoucher for
    a voucher that cannot exist.
    """
    element = source if isinstance(source, etree._Element) else source.element
    if element.tag != _tag("Voucher"):
        raise _unreadable(f"the element is a {element.tag!r}")
    try:
        return _read_voucher(element)
    except (KeyError, ValueError, InvalidOperation) as error:
        raise _unreadable(f"{type(error).__name__}: {error}") from error


def _read_voucher(element: etree._Element) -> Voucher:
    text = _texts(element)
    approved_at = text.get("ApprovedAt")
    reverses = element.find(_tag("Reverses"))
    return Voucher(
        claim_id=text["ClaimId"],
        revision=int(text["Revision"]),
        company=text["Company"],
        employee=text["Employee"],
        currency=text["Currency"],
        document_date=dt.date.fromisoformat(text["DocumentDate"]),
        posting_date=dt.date.fromisoformat(text["PostingDate"]),
        postings=tuple(_read_posting(child) for child in element.iterchildren(_tag("Posting"))),
        purpose=Purpose(text["Purpose"]),
        text=text.get("Text", ""),
        employee_name=text.get("EmployeeName", ""),
        approver=text.get("Approver", ""),
        approved_at=dt.datetime.fromisoformat(approved_at) if approved_at else None,
        reverses=None if reverses is None else _read_entry(reverses),
    )


def _read_posting(element: etree._Element) -> Posting:
    text = _texts(element)
    return Posting(
        role=Role(text["Role"]),
        account=text["Account"],
        side=Side(text["Side"]),
        amount=Decimal(text["Amount"]),
        currency=text["Currency"],
        cost_centre=text.get("CostCentre", ""),
        project=text.get("Project", ""),
        partner=text.get("Partner", ""),
        tax_code=text.get("TaxCode", ""),
        tax_base=Decimal(text["TaxBase"]) if "TaxBase" in text else None,
        narration=text.get("Narration", ""),
        dimensions=dict(_read_dimensions(element)),
        source=text.get("Source", ""),
        company=text.get("Company", ""),
    )


def _read_dimensions(element: etree._Element) -> Iterator[tuple[str, str]]:
    for child in element.iterchildren(_tag("Dimension")):
        text = _texts(child)
        yield text["Name"], text["Value"]


def _read_entry(element: etree._Element) -> JournalEntry:
    text = _texts(element)
    return JournalEntry(text["Number"], text.get("Company", ""), text.get("FiscalYear", ""))


def _texts(element: etree._Element) -> dict[str, str]:
    """Return the children's texts by local name, white space included.

    A comment inside a value is not part of the value, and does not end it.
    """
    return {
        etree.QName(child).localname: str(child.xpath("string()"))
        if len(child)
        else child.text or ""
        for child in element.iterchildren(f"{{{NAMESPACE}}}*")
    }


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _unreadable(why: str) -> DocumentError:
    return DocumentError(f"not a voucher of {NAMESPACE}: {why}", code="CB-160")
