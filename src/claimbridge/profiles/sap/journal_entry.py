"""The profile of SAP S/4HANA *Journal Entry - Post (Synchronous)*.

Facts it is built on, each seen in the contracts of 2020 and 2024 or in real replies:

- SAP documents no check for duplicates for this service, and its contract has no operation that
  reads. After a lost answer nothing can be asked, so the submission is parked.
- A refusal is a normal reply: the document number is blank, the year 0000, the log has items of
  severity 3. Only a document number says that a document exists.
- One bulk request holds several entries; SAP posts or refuses each by itself.
- Element order binds. The reversal fields came after 2020: with the contract of 2020 a reversal is
  refused before anything is sent.

How a voucher becomes an entry:

- Message id and UUID are the same whenever the same submission is sent. The reference stands in
  the message ids and, whole, in ``DocumentReferenceID`` (BKPF-XBLNR, 16 characters), the field that
  people search. A longer claim id becomes a digest; it is never cut.
- A payable with a partner is a creditor item, and a posting with a partner whose role is among
  ``debtors`` a debtor item. SAP takes the account from the partner's master record, so the
  posting's own account does not travel. Any other posting with a partner, such as an advance on a
  clearing account, carries the partner as the assignment (ZUONR), which matches open items.
- An input tax with code and base is a tax item, and SAP takes its account from the tax code. The
  expenses of its claim line carry the code too: they are its base (see ``taxes``). Every other
  posting is a G/L item on the posting's account.
- Codes of digits only are sent as SAP's database has them, with leading zeros (see ``codes``).
- Dimensions (``profit_centre``, ``segment``, and the rest of ``dimensions``) are account
  assignments; any other dimension is refused, not dropped. Orders, funds and grants came after
  2020: the contract of 2020 refuses them. Assignments of creditor, debtor and tax items do not
  exist in SAP, and are left out.
- Texts for people (header 25, items 50 characters) are put on one line and shortened where they
  must be, with "…" at the end; the claim keeps the whole. Codes and numbers are never shortened.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ClaimError
from claimbridge.model import Outcome, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import answer_to
from claimbridge.profiles.kit.limits import one_line
from claimbridge.profiles.kit.no_place import EMPLOYEE, OF_THE_CLAIM
from claimbridge.profiles.kit.owners import of_document
from claimbridge.profiles.kit.reading import of_several
from claimbridge.profiles.kit.sourced import Sourced
from claimbridge.profiles.request import Request, as_request
from claimbridge.profiles.sap.faults import read_sap_fault
from claimbridge.profiles.sap.items import HEADER_TEXT, items_of, roles_of
from claimbridge.profiles.sap.journal_entry_items import DIMENSIONS, EntryItemSettings, with_items
from claimbridge.profiles.sap.journal_entry_replies import read_confirmations
from claimbridge.profiles.sap.returns import ENTRY
from claimbridge.profiles.sap.taxes import SapTax, business_place_of, check_taxes, header_date

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.sap import journal_entry_requests as requests

OPERATION: Final = "JournalEntryCreateRequestConfirmation_In"

_CAPABILITIES: Final = Capabilities(
    can_query=False,
    can_reverse=True,
    can_list_changes=False,
    unique_reference=False,
    batch=20,
    reference_length=16,
    reference_pattern=r"[A-Za-z0-9._/\-]+",
    # BKPF-XBLNR is entered and kept in capitals: SAP's screens know no other.
    reference_case="upper",
    entry=ENTRY,
)
_ENTRY: Final = "JournalEntryCreateRequest/JournalEntry"
_OF_2020: Final = (
    "SAP's WSDLs of 2020 do not have it: download the WSDL of your system anew and name it in "
    "contract"
)
_LATER: Final = {
    **dict.fromkeys(
        ("ReversalReason", "ReversalReferenceDocument", "ReversalDate"),
        f"{_OF_2020}, or reverse the entry in SAP",
    ),
    **dict.fromkeys(("OrderID", "Fund", "Grant"), f"{_OF_2020}, or leave the dimension out"),
}
_NO_TAXES: Final[Mapping[str, SapTax]] = {}
_MESSAGES: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:claimbridge:sap-journal-entry:message")


class SapJournalEntry:
    """SAP's way, with the settings that differ from one SAP system to the next.

    ``document_type`` is the AccountingDocumentType of vouchers and of their reversals (KR: vendor
    invoice, which also takes G/L items alone). ``created_by`` is the CreatedByUser and
    ``reversal_reason`` the ReversalReason. ``debtors`` are roles of postings whose partner is a
    customer in SAP; for example ``advance_clearing`` if employees are customers. ``sender`` is the
    SenderBusinessSystemID of the message headers, left out when empty. ``taxes`` says what the site
    states about its tax codes, by code (see ``SapTax``). ``untaxed`` is the tax code of expenses
    without tax ("V0"), "" for none.
    """

    name: str = "sap-journal-entry"
    contract: str = "sap-journal-entry.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = {**OF_THE_CLAIM, "employee": EMPLOYEE}
    dimensions: Sequence[str] = DIMENSIONS
    later_elements: Mapping[str, str] = _LATER
    kept: Mapping[str, str] = {
        f"{_ENTRY}/OriginalReferenceDocumentType": "the kind of number that a reversal names",
        f"{_ENTRY}/OriginalReferenceDocument": "the number that a reversal names",
        f"{_ENTRY}/PostingFiscalPeriod": "the period, which follows from the posting date",
        "MessageHeader/TestDataIndicator": "that it is no test",
        "JournalEntryCreateRequest/MessageHeader/TestDataIndicator": "that it is no test",
        f"{_ENTRY}/ProductTaxItem/IsDirectTaxPosting": "whether an item's amount holds the tax",
    }

    def __init__(
        self,
        *,
        document_type: str = "KR",
        created_by: str = "CLAIMBRIDGE",
        reversal_reason: str = "01",
        debtors: tuple[str, ...] = (),
        sender: str = "",
        taxes: Mapping[str, SapTax] = _NO_TAXES,
        untaxed: str = "",
        clock: Clock = SYSTEM,
    ) -> None:
        self._document_type = document_type
        self._created_by = created_by
        self._reversal_reason = reversal_reason
        self._debtors = roles_of(debtors, option="debtors")
        self._sender = sender
        self._taxes = check_taxes(taxes, untaxed=untaxed, code_length=4, profile=self.name)
        self._untaxed = untaxed
        self._clock = clock

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return one bulk request with an entry per submission.

        Raises ClaimError: CB-161 for postings in several currencies, CB-162 for a dimension that
        SAP has no place for, CB-180 to CB-182 for taxes that SAP would refuse.
        """
        return self._bulk(
            [(submission, self._posting_entry(submission)) for submission in submissions]
        )

    def reverse(self, submission: Submission) -> Request:
        """Return a bulk request with one reversing entry, which needs no items.

        Raises ClaimError (CB-163) when the journal entry is not known by number, company and year.
        """
        return self._bulk([(submission, self._reversing_entry(submission))])

    def converse(self, request: Request) -> Conversation:
        """Perform one call; of several entries, a refusal counts only for the entry it names."""
        answer = yield from answer_to(request)
        if isinstance(answer, Fault):
            return (self.read_fault(answer),)
        outcomes = self.read(answer)
        several = len(request.body["JournalEntryCreateRequest"]) > 1
        return of_several(outcomes) if several else outcomes

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return an outcome per confirmation: success only with a document number."""
        return read_confirmations(reply)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what the fault proves; SAP's contract has no typed faults."""
        return read_sap_fault(fault)

    def _bulk(self, entries: Sequence[tuple[Submission, requests.JournalEntry]]) -> Request:
        first = entries[0][0].reference
        more = f"+{len(entries) - 1}" if len(entries) > 1 else ""
        body: requests.BulkRequest = {
            "MessageHeader": self._header(
                f"{first}{more}", "bulk", *(_submission_name(one) for one, _ in entries)
            ),
            "JournalEntryCreateRequest": [
                of_document(submission, self._request(submission, entry))
                for submission, entry in entries
            ],
        }
        return as_request(OPERATION, body)

    def _request(self, submission: Submission, entry: requests.JournalEntry) -> requests.Request:
        name = _submission_name(submission)
        return {"MessageHeader": self._header(submission.reference, name), "JournalEntry": entry}

    def _header(self, message_id: str, *names: str) -> requests.MessageHeader:
        # The same for the same submissions, on every attempt and after a crash: a gateway, or
        # SAP's own log, recognises the repeat.
        return {
            "ID": Sourced(message_id, "id"),
            "UUID": str(uuid.uuid5(_MESSAGES, "\n".join(names))),
            # In UTC, so that it ends in Z.
            "CreationDateTime": self._clock.now().replace(microsecond=0),
            "SenderBusinessSystemID": self._sender or None,
        }

    def _posting_entry(self, submission: Submission) -> requests.JournalEntry:
        voucher = submission.voucher
        items = items_of(voucher, self._taxes, debtors=self._debtors, untaxed=self._untaxed)
        entry = self._entry(submission)
        entry["TaxDeterminationDate"] = header_date(voucher, self._taxes)
        place = business_place_of(voucher, self._taxes)
        return with_items(entry, items, EntryItemSettings(voucher=voucher, business_place=place))

    def _reversing_entry(self, submission: Submission) -> requests.JournalEntry:
        voucher = submission.voucher
        posted = voucher.reverses
        if posted is None or not (posted.number and posted.company and posted.fiscal_year):
            raise ClaimError(
                "SAP reverses an entry by number, company code and fiscal year, but we know "
                f"{posted or 'none of them'}; reverse the entry in SAP",
                code="CB-163",
                claim_id=voucher.claim_id,
            )
        entry = self._entry(submission)
        entry["ReversalReason"] = self._reversal_reason
        # The object key of a document that FI made itself (BKPFF), as replies repeat it.
        entry["ReversalReferenceDocument"] = f"{posted.number}{posted.company}{posted.fiscal_year}"
        entry["ReversalDate"] = voucher.posting_date
        return entry

    def _entry(self, submission: Submission) -> requests.JournalEntry:
        voucher = submission.voucher
        # No OriginalReferenceDocument: with our reference there, SAP's object key would not be the
        # document number that a reversal names.
        return {
            "OriginalReferenceDocumentType": "BKPFF",
            "BusinessTransactionType": "RFBU",
            "AccountingDocumentType": self._document_type,
            "DocumentReferenceID": Sourced(submission.reference, "id"),
            "DocumentHeaderText": Sourced(one_line(voucher.text, limit=HEADER_TEXT), "title"),
            "CreatedByUser": self._created_by,
            "CompanyCode": Sourced(voucher.company, "company"),
            "DocumentDate": voucher.document_date,
            "PostingDate": Sourced(voucher.posting_date.isoformat(), "posting_date"),
        }


def _submission_name(submission: Submission) -> str:
    """Return a name of the submission that does not depend on its ledger."""
    key = submission.key
    return f"{submission.reference}/{key.claim_id}/{key.revision}/{key.purpose}"
