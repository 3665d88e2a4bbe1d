"""Yonyou NC's exchange platform: general ledger vouchers as XML in a string.

``synchronizeData`` takes a ``ufinterface`` of the type ``vouchergl``. Each entry has its amount in
four columns of its side: as entered, in local, in group and in global currency. The reply is a
document in a string too. A voucher is posted if its result has code 1 and holds the number.

No operation asks for vouchers, and the platform's settings decide whether it refuses a repeat. So
after a lost answer nothing is sent again: a person looks for our reference, which is the document's
``filename`` and the voucher's ``memo1``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import ClaimError
from claimbridge.model import (
    JournalEntry,
    Outcome,
    OutcomeKind,
    Posting,
    Reason,
    Side,
    Submission,
    Voucher,
)
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.kit.limits import one_line
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import legible, read_untyped, unknown
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of
from claimbridge.profiles.request import Inner, Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

OPERATION: Final = "synchronizeData"
_CAPABILITIES: Final = Capabilities(
    can_query=False,
    can_reverse=False,
    can_list_changes=False,
    unique_reference=False,
    reference_length=36,
)
_CHECKS: Final = MappingProxyType({"cost_centre": "0001", "partner": "0002", "project": "0010"})
"""NC's own kinds of assistant accounting: department, person, project."""
_COLUMNS: Final = ("", "local", "group", "global")
_TAKEN: Final = "1"
_UNCLEAR: Final = frozenset({"", "-32000"})
"""The platform's codes for unforeseen errors, which do not say what was done."""
_K = OutcomeKind


class YonyouNc:
    """The way of one account set and accounting book of NC 6.5."""

    name: str = "yonyou-nc"
    contract: str = "yonyou-nc.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = {
        **OF_THE_CLAIM,
        "employee": EMPLOYEE,
        "document_date": ONE_DATE,
        "posting.role": ROLE,
        "posting.tax_code": NO_TAX,
        "posting.tax_base": NO_TAX,
    }
    kept: Mapping[str, str] = {
        "@billtype": "the kind of the document",
        "@replace": "that NC replaces no voucher by it",
        "voucher/voucher_head/details/item/detailindex": "the number of the entry",
        "voucher/voucher_head/details/item/excrate2": "the rate",
        "voucher/voucher_head/pk_voucher": "which voucher is written",
        "voucher/voucher_head/discardflag": "whether the voucher counts",
    }

    def __init__(
        self,
        *,
        account: str = "develop",
        groupcode: str = "0001",
        orgcode: str = "",
        book: str = "",
        sender: str = "claimbridge",
        receiver: str = "",
        business_unit: str = "",
        voucher_type: str = "01",
        preparer: str = "claimbridge",
        local_currency: str = "CNY",
        checks: dict[str, str] | None = None,
        encoding: Literal["UTF-8", "GBK"] = "UTF-8",
        plugin: str = "vouchergl",
    ) -> None:
        """Take the codes of the account set.

        ``orgcode`` "" means the voucher's company, ``book`` "" that organisation's main book.
        ``checks`` are the kinds of assistant accounting by dimension.
        """
        self._account, self._group, self._org, self._book = account, groupcode, orgcode, book
        self._sender, self._receiver, self._unit = sender, receiver, business_unit or account
        self._voucher_type, self._preparer, self._local = voucher_type, preparer, local_currency
        self._checks: Mapping[str, str] = _CHECKS if checks is None else checks
        self._encoding: Literal["UTF-8", "GBK"] = encoding
        self._plugin = plugin

    def told_apart_by(self, *, user: str) -> str:
        """Return the codes of the account set, the organisation and the accounting book."""
        named = (
            ("account", self._account),
            ("groupcode", self._group),
            ("orgcode", self._org),
            ("book", self._book),
        )
        return ", ".join(f"{name} {code}" for name, code in named if code)

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return ``synchronizeData`` with one voucher; raises ClaimError CB-175 or CB-177."""
        submission = submissions[0]
        document = as_request(OPERATION, of_document(submission, self._document(submission)))
        inner = Inner(
            at="xmlStr",
            schema="yonyou-nc.xsd",
            element="ufinterface",
            body=document.body,
            sources=document.sources,
            owners=document.owners,
            encoding=self._encoding,
        )
        return Request(operation=OPERATION, body={"pluginCode": self._plugin}, inner=inner)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the document in the reply says; POSTED only with the voucher's number."""
        return (legible(_read, reply, 1),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return REJECTED when the fault blames our message, else UNKNOWN."""
        return read_untyped(fault)

    def _document(self, submission: Submission) -> dict[str, Any]:
        voucher = submission.voucher
        return {
            "@account": self._account,
            "@billtype": "vouchergl",
            "@businessunitcode": self._unit,
            "@filename": submission.reference,
            "@groupcode": self._group,
            "@isexchange": "Y",
            "@orgcode": self._org or voucher.company,
            "@receiver": self._receiver or self._org or voucher.company,
            "@replace": "N",
            "@roottag": "",
            "@sender": self._sender,
            "voucher": {"voucher_head": self._head(submission)},
        }

    def _head(self, submission: Submission) -> dict[str, Any]:
        voucher = submission.voucher
        organisation = Sourced(self._org or voucher.company, "company")
        day = voucher.posting_date
        return {
            "pk_vouchertype": self._voucher_type,
            "year": Sourced(str(day.year), "posting_date"),
            "pk_system": "GL",
            "voucherkind": "0",
            "pk_accountingbook": Sourced(
                self._book or f"{self._org or voucher.company}-0001", "company"
            ),
            "discardflag": "N",
            "period": Sourced(f"{day.month:02}", "posting_date"),
            "attachment": "0",
            "prepareddate": Sourced(f"{day.isoformat()} 00:00:00", "posting_date"),
            "pk_prepared": self._preparer,
            "signflag": "N",
            "memo1": Sourced(submission.reference, "id"),
            "pk_org": organisation,
            "pk_org_v": organisation,
            "pk_group": self._group,
            "details": {
                "item": [
                    of_posting(posting, self._entry(posting, number, voucher))
                    for number, posting in enumerate(voucher.postings, start=1)
                ]
            },
        }

    def _entry(self, posting: Posting, number: int, voucher: Voucher) -> dict[str, Any]:
        if posting.currency != self._local:
            raise ClaimError(
                f"a posting is in {posting.currency}, but a Yonyou NC voucher needs the amount in "
                f"{self._local} too; convert in the chart, or claim each currency by itself",
                code="CB-177",
                claim_id=voucher.claim_id,
            )
        account = Sourced(posting.account, claim_field(posting, "account"))
        # NC demands an explanation of each entry.
        explanation = one_line(posting.narration or voucher.text or voucher.claim_id)
        return {
            "detailindex": str(number),
            "accsubjcode": account,
            "explanation": Sourced(explanation, claim_field(posting, "narration")),
            "verifydate": f"{voucher.posting_date.isoformat()} 00:00:00",
            "excrate2": "1",
            **_columns(posting),
            "pk_currtype": Sourced(posting.currency, "currency"),
            "pk_accasoa": account,
            "ass": {"item": held} if (held := self._assistants(posting, voucher)) else None,
        }

    def _assistants(self, posting: Posting, voucher: Voucher) -> list[dict[str, Any]]:
        held = dimensions_of(posting, claim_id=voucher.claim_id)
        lost = sorted(held.keys() - self._checks.keys())
        if lost:
            raise ClaimError(
                f"{held[lost[0]].field}: the dimension {lost[0]!r} has no assistant accounting in "
                "Yonyou NC; name its kind in the profile's option checks",
                code="CB-175",
                claim_id=voucher.claim_id,
            )
        return [
            {"pk_Checktype": self._checks[name], "pk_Checkvalue": code}
            for name, code in held.items()
        ]


def _columns(posting: Posting) -> dict[str, Any]:
    """Return the four columns of each side; the other side's are zero."""
    field = claim_field(posting, "amount")
    amount = Sourced(f"{posting.amount:f}", field)
    debit = posting.side is Side.DEBIT
    return {f"{column}debitamount": amount if debit else "0" for column in _COLUMNS} | {
        f"{column}creditamount": "0" if debit else amount for column in _COLUMNS
    }


def _read(reply: Reply, number: int) -> Outcome:
    document = read_inner(reply.text("return"))
    return msgspec.structs.replace(_read_result(document, number), drift=document.drift)


def _read_result(document: Reply, number: int) -> Outcome:
    results = document.all("sendresult")
    if document.local != "ufinterface" or len(results) != 1:
        return unknown(f"the answer is a {document.local} with {len(results)} results")
    result = results[0]
    code, well = result.text("resultcode"), document.text("@successful")
    description = result.text("resultdescription")
    voucher_number = result.text("content")
    # The platform may keep the document as a file of that name.
    reference = result.text("filename").removesuffix(".xml") or None
    if code == _TAKEN and well != "N":
        if not voucher_number:
            return unknown(f"the result has code 1, but no number: {description}")
        entry = JournalEntry(voucher_number)
        return Outcome(kind=_K.POSTED, reference=reference, journal_entry=entry, item=number)
    if code == _TAKEN or code in _UNCLEAR or well != "N" or voucher_number:
        text = (
            f"the result has code {code!r}, successful {well!r}, number {voucher_number!r}: "
            f"{description}"
        )
        return unknown(text)
    reason = Reason(description or "the ERP refused it without a reason", code=code)
    return Outcome(kind=_K.REJECTED, reference=reference, reasons=(reason,), item=number)
