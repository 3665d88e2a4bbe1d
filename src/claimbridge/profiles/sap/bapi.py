"""The profile of SAP's ``BAPI_ACC_DOCUMENT_POST``, called as a web service.

Facts it is built on, from SAP's documentation of the function modules:

- SAP holds the posting until ``BAPI_TRANSACTION_COMMIT`` in the same session. With WAIT the commit
  returns when the document is written, and RETURN says if it could not be written. So an exchange
  is three calls: post, commit, and a look at the table of documents. Only a document that stands
  there under its number and our reference is posted. If the service keeps no session, the commit
  commits nothing, and the number belongs to no document.
- A refusal is a normal reply with messages of type E or A, OBJ_KEY blank or ``$``.
  ``BAPI_TRANSACTION_ROLLBACK`` follows it.
- OBJ_KEY is number, company code and fiscal year, where OBJ_TYPE is BKPFF.
- Nothing keeps a reference unique. ``RFC_READ_TABLE`` finds the reference: a lost answer is
  resolved by asking, and by sending again after the quiet period.
- A BAPI takes numbers as the database has them: accounts of digits with leading zeros.

How a voucher becomes a document:

- The reference stands whole in REF_DOC_NO (BKPF-XBLNR, 16 characters).
- A payable with a partner is a vendor item, an input tax with code and base a tax item, any other
  posting a G/L item. The expenses of a tax's claim line carry its code: they are its base.
- A reversal is a document of its own with the sides exchanged. ``BAPI_ACC_DOCUMENT_REV_POST`` has
  no field for a reference: after a lost answer, its document could not be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimError, DocumentError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import answer_to
from claimbridge.profiles.kit.limits import one_line
from claimbridge.profiles.kit.no_place import EMPLOYEE, OF_THE_CLAIM
from claimbridge.profiles.kit.owners import of_document
from claimbridge.profiles.kit.reading import not_let_in, unknown
from claimbridge.profiles.kit.sourced import Sourced
from claimbridge.profiles.request import Request, as_request
from claimbridge.profiles.sap.bapi_items import DIMENSIONS, BapiItemSettings, tables_of
from claimbridge.profiles.sap.faults import read_sap_fault
from claimbridge.profiles.sap.items import HEADER_TEXT, check_length, items_of
from claimbridge.profiles.sap.returns import ENTRY, is_duplicate, object_key, refusals, spelt
from claimbridge.profiles.sap.tables import (
    SapDocument,
    SapTables,
    Totals,
    by_reference,
    documents_question,
    is_same,
    items_question,
    outcome_of_reference,
    read_documents,
    read_totals,
    references_in,
)
from claimbridge.profiles.sap.taxes import SapCondition, SapTax, business_place_of, check_taxes

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.profiles.conversation import Conversation
    from claimbridge.profiles.sap import bapi_requests as requests

# BSEG-BUZEI has three digits.
_LONGEST: Final = 999
_CAPABILITIES: Final = Capabilities(
    can_query=True,
    can_reverse=True,
    checks_reversals=False,
    can_list_changes=False,
    unique_reference=False,
    postings=_LONGEST,
    reference_length=16,
    reference_pattern=r"[A-Za-z0-9._/\-]+",
    # BKPF-XBLNR is entered and kept in capitals: SAP's screens know no other.
    reference_case="upper",
    entry=ENTRY,
)
_ITEMS: Final = ("Accountgl", "Accountpayable", "Accounttax", "Currencyamount")
_TABLES: Final = SapTables()
_NO_TAXES: Final[Mapping[str, SapTax]] = {}


class SapBapi:
    """SAP's way, with the settings that differ from one SAP system to the next.

    ``commit`` says who commits a posting. ``session``: the profile, in the session that posted; the
    service must be stateful. ``service``: the service itself, a wrapper around the BAPI that
    commits and waits. ``document_type`` is that of vouchers and of their reversals; ``user`` is
    USERNAME. ``account_key`` and ``condition_key`` are ACCT_KEY and COND_KEY of tax codes that
    state none; ``taxes`` says what the site states about its tax codes, by code (see ``SapTax``).
    ``untaxed`` is the tax code of expenses without tax ("V0"), "" for none.
    ``post``, ``commit_work``, ``rollback_work`` and ``read_table`` are the contract's names of the
    operations. ``tables`` says which tables are read (see ``SapTables``).
    """

    name: str = "sap-bapi"
    contract: str = "sap-bapi.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = {
        **OF_THE_CLAIM,
        "employee": EMPLOYEE,
        "reverses": "the reversing document is one of its own, with a reference made from ours",
    }
    dimensions: Sequence[str] = DIMENSIONS
    kept: Mapping[str, str] = {
        **dict.fromkeys((f"{table}/item/ItemnoAcc" for table in _ITEMS), "which amount is whose"),
        "Currencyamount/item/CurrType": "which currency the amount is in",
        "Accounttax/item/DirectTax": "whether an item's amount holds the tax",
        "Documentheader/FisPeriod": "the period, which follows from the posting date",
        "Documentheader/ObjType": "the kind of number that SAP gives",
        "Documentheader/ObjKey": "the number that SAP gives",
        "Return": "the request for SAP's messages",
    }

    def __init__(
        self,
        *,
        commit: Literal["session", "service"] = "session",
        document_type: str = "KR",
        user: str = "CLAIMBRIDGE",
        account_key: str = "VST",
        condition_key: str = "MWVS",
        taxes: Mapping[str, SapTax] = _NO_TAXES,
        untaxed: str = "",
        post: str = "AccDocumentPost",
        commit_work: str = "TransactionCommit",
        rollback_work: str = "TransactionRollback",
        read_table: str = "RfcReadTable",
        tables: SapTables = _TABLES,
    ) -> None:
        self._commits = commit == "session"
        self._document_type = document_type
        self._user = user
        self._tax_keys = SapCondition(condition_type=condition_key, classification=account_key)
        self._taxes = check_taxes(taxes, untaxed=untaxed, code_length=2, profile=self.name)
        self._untaxed = untaxed
        if untaxed:  # brings a tax item of zero, which no posting stands for
            self.capabilities = msgspec.structs.replace(_CAPABILITIES, postings=_LONGEST - 1)
        self._post, self._read_table = post, read_table
        self._commit = Request(operation=commit_work, body={"Wait": "X"})
        self._rollback = Request(operation=rollback_work, body={}, harmless=True)
        self._tables = tables

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that the profile uses."""
        ends = (self._commit.operation, self._rollback.operation) if self._commits else ()
        return (self._post, *ends, self._read_table)

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return the posting of one voucher.

        Raises ClaimError: CB-161 for postings in several currencies, CB-162 for a dimension that
        SAP has no place for, CB-164 for more than 999 items, CB-180 to CB-182 for taxes that SAP
        would refuse.
        """
        (submission,) = submissions
        voucher = submission.voucher
        # An item in ACCOUNTTAX has an account, which SAP keeps.
        items = items_of(voucher, self._taxes, untaxed=self._untaxed, tax_accounts=True)
        check_length(items, _LONGEST, voucher.claim_id)
        place = business_place_of(voucher, self._taxes)
        settings = BapiItemSettings(voucher=voucher, keys=self._tax_keys, business_place=place)
        body: requests.AccDocumentPost = {
            "Documentheader": {
                "BusAct": "RFBU",
                "Username": self._user,
                "HeaderTxt": Sourced(one_line(voucher.text, limit=HEADER_TEXT), "title"),
                "CompCode": Sourced(voucher.company, "company"),
                "DocDate": voucher.document_date.isoformat(),
                "PstngDate": Sourced(voucher.posting_date.isoformat(), "posting_date"),
                "DocType": self._document_type,
                "RefDocNo": Sourced(submission.reference, "id"),
            },
            **tables_of(items, settings),
            # Services return only those optional tables that the request names.
            "Return": {},
        }
        return as_request(self._post, of_document(submission, body))

    def reverse(self, submission: Submission) -> Request:
        """Return the posting of the reversing voucher, a document with a reference of its own."""
        return self.submit((submission,))

    def query(self, references: Sequence[str]) -> Request:
        """Return the question for the documents under these references, in any company."""
        return self._question([(reference, "") for reference in references])

    def look_up(self, submissions: Sequence[Submission]) -> Request:
        """Return the question for the documents of these submissions, each in its company."""
        return self._question([(one.reference, one.voucher.company) for one in submissions])

    def converse(self, request: Request) -> Conversation:
        """Post, commit and look; or ask for documents, and for their items."""
        if request.operation == self._read_table:
            return self._looking_up(request)
        return self._posting(request)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what one reply says by itself: of a posting only whether it was refused."""
        try:
            if spelt(reply, "DATA"):
                documents = read_documents(reply, self._tables)
                references = [one.reference for one in documents]
                return _outcomes(by_reference(references, documents), {}) or (
                    unknown("the answer holds no document"),
                )
            return (_read_posting(reply, "").outcome,)
        except DocumentError as error:
            return (unknown(error.message),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what the fault proves; a fault carries no RETURN."""
        return read_sap_fault(fault)

    def _question(self, wanted: Sequence[tuple[str, str]]) -> Request:
        return documents_question(self._read_table, wanted, self._tables)

    def _posting(self, request: Request) -> Conversation:
        header = request.body["Documentheader"]
        reference, company = str(header["RefDocNo"]), str(header["CompCode"])
        answer = yield from answer_to(request)
        if not isinstance(answer, Reply):
            return (self.read_fault(answer),)
        posted = _read_posting(answer, reference)
        if posted.entry is None:
            if self._commits:
                yield self._rollback
            return (posted.outcome,)
        refused: tuple[Reason, ...] = ()
        if self._commits:
            answer = yield from answer_to(self._commit)
            refused = refusals(answer) if isinstance(answer, Reply) else ()
        answer = yield from answer_to(self._question([(reference, company)]))
        return (self._confirm(answer, posted, reference, refused),)

    def _confirm(
        self,
        answer: Reply | Fault,
        posted: _PostingReply,
        reference: str,
        refused: tuple[Reason, ...],
    ) -> Outcome:
        """Return what the table of documents says after the commit."""
        if not isinstance(answer, Reply):
            return _no_answer(answer, reference)
        try:
            documents = read_documents(answer, self._tables)
        except DocumentError as error:
            return unknown(error.message, reference=reference)
        ours = [
            one
            for one in documents
            if one.entry == posted.entry and is_same(one.reference, reference)
        ]
        if ours:
            return outcome_of_reference(reference, ours[:1], {})
        if refused and not documents:
            # BAPI_TRANSACTION_COMMIT with WAIT: "Posting could not be carried out" (S& 101).
            return Outcome(kind=OutcomeKind.REJECTED, reference=reference, reasons=refused)
        why = str(refused[0]) if refused else "does the service keep a session?"
        text = f"the ledger does not hold {posted.entry} after the commit: {why}"
        return unknown(text, reference=reference)

    def _looking_up(self, request: Request) -> Conversation:
        references = references_in(request, self._tables)
        answer = yield from answer_to(request)
        if not isinstance(answer, Reply):
            return tuple(_not_asked(answer, one) for one in references)
        try:
            documents = read_documents(answer, self._tables)
            grouped = by_reference(references, documents)
            totals: Totals = {}
            if documents and self._tables.items:
                question = items_question(self._read_table, documents, self._tables)
                answer = yield from answer_to(question)
                if not isinstance(answer, Reply):
                    return tuple(_not_asked(answer, one) for one in references)
                totals = read_totals(answer, documents, self._tables)
        except (DocumentError, ClaimError) as error:
            return tuple(unknown(error.message, reference=one) for one in references)
        return _outcomes(grouped, totals)


class _PostingReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the reply to a posting says; ``entry`` None: there is nothing to commit."""

    outcome: Outcome
    entry: JournalEntry | None = None


def _read_posting(reply: Reply, reference: str) -> _PostingReply:
    try:
        refused, entry = refusals(reply), object_key(reply)
    except DocumentError as error:
        return _PostingReply(outcome=unknown(error.message, reference=reference))
    if entry is None and is_duplicate(refused):
        # Which one, and with which amounts, is asked by our reference.
        outcome = Outcome(
            kind=OutcomeKind.DUPLICATE,
            reference=reference or None,
            text="; ".join(map(str, refused)),
        )
        return _PostingReply(outcome=outcome)
    if refused and entry is None:
        outcome = Outcome(kind=OutcomeKind.REJECTED, reference=reference or None, reasons=refused)
        return _PostingReply(outcome=outcome)
    if refused:
        text = f"the reply holds the document {entry}, and an error: {refused[0]}"
        return _PostingReply(outcome=unknown(text, reference=reference))
    if entry is None:
        text = "the reply holds neither a document number nor an error"
        return _PostingReply(outcome=unknown(text, reference=reference))
    text = f"SAP gave the number {entry}; it counts once the document is in the ledger"
    return _PostingReply(outcome=unknown(text, reference=reference), entry=entry)


def _outcomes(known: Mapping[str, Sequence[SapDocument]], totals: Totals) -> tuple[Outcome, ...]:
    return tuple(
        outcome_of_reference(reference, documents, totals, item=n)
        for n, (reference, documents) in enumerate(known.items(), start=1)
    )


def _no_answer(answer: Fault, reference: str) -> Outcome:
    text = f"the ledger could not be read: a {answer.code} fault: {answer.reason}"
    return unknown(text, reference=reference)


def _not_asked(answer: Fault, reference: str) -> Outcome:
    """Return what a fault says of a question that changes nothing: asked, or turned away."""
    outcome = read_sap_fault(answer)
    if outcome.kind is OutcomeKind.NOT_DELIVERED:
        return not_let_in(outcome.text, reference=reference)
    return _no_answer(answer, reference)
