"""The voucher service, as its contract obliges a server (``voucher-service.wsdl``, rules 1-9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from lxml import etree

from claimbridge.model import JournalEntry
from claimbridge.sandbox.kit.books import ErpTransaction
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.markup import element, optional, render
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.sandbox.kit.rules import irreversible, overtaken
from claimbridge.xmlio import canonical, local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_V: Final = "{urn:claimbridge:voucher:1}"
_S: Final = "{urn:claimbridge:voucher-service:1}"
_NAMES: Final = {"v": _V[1:-1], "s": _S[1:-1]}
_SERIES: Final = Series("entries", 1, 6)
_MAX_TEXT: Final = 1000
_MAX_FIELD: Final = 200

Verdict = etree._Element
"""One of the elements that an Item may hold: Document, Rejected, Duplicate (or NotFound)."""


class ReferenceResponder:
    """An ERP that keeps the contract to the letter."""

    name: str = "reference"
    contract: str = "voucher-service.wsdl"
    items: frozenset[str] = frozenset({"Document", "Item"})
    kinds: Mapping[str, OperationKind] = {
        "SubmitVoucher": OperationKind.SUBMIT,
        "SubmitVouchers": OperationKind.SUBMIT,
        "ReverseVoucher": OperationKind.REVERSE,
        "QueryVouchers": OperationKind.QUERY,
        "ListChanges": OperationKind.CHANGES,
    }

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the references of all vouchers, or those in the question."""
        found = call.body.xpath("v:Voucher/v:Reference | s:Reference", namespaces=_NAMES)
        assert isinstance(found, list)
        return tuple(e.text or "" for e in found if isinstance(e, etree._Element))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Do what is asked, each voucher in its own transaction (rules 1 to 3)."""
        if call.operation == "QueryVouchers":
            return self._query(call, desk)
        if call.operation == "ListChanges":
            return self._changes(call, desk)
        vouchers = list(call.body.iterchildren(f"{_V}Voucher"))
        if call.operation == "SubmitVouchers":
            read = desk.signatures.read_all(call.body, f"{_V}Voucher")
            items = [
                _item(voucher, self._judge(voucher, signed, call, desk))
                for voucher, signed in zip(vouchers, read, strict=True)
            ]
            return ErpAnswer(content=render(_root("SubmitVouchersResponse", *items)))
        signed = desk.signatures.read(vouchers[0])
        verdict = self._judge(vouchers[0], signed, call, desk)
        return _single(verdict, f"{call.operation}Response")

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        """Return a RejectedFault; None for ListChanges, which has none."""
        if call.operation == "ListChanges":
            return None
        # A batch is refused as a whole, without naming one of its vouchers.
        named = self.references(call) if call.kind is not OperationKind.QUERY else ()
        reference = named[0] if len(named) == 1 and _is_reference(named[0]) else ""
        return _single(_rejection(reference, objections), "")

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return a ThrottledFault, like a server that answers before it reads the request."""
        detail = _root(
            "ThrottledFault",
            element(f"{_S}RetryAfterSeconds", str(seconds)),
            element(f"{_S}Text", "too many calls; come back later"),
        )
        return ErpAnswer(content=render(detail), fault="receiver", reason="throttled")

    def _judge(
        self, voucher: etree._Element, signed: etree._Element | Objection, call: ErpCall, desk: Desk
    ) -> Verdict:
        if isinstance(signed, Objection):
            return _rejection(_text(voucher, "Reference"), [signed])
        entry = entry_from(signed)
        objections = [*_about_purpose(entry, call.kind), *desk.rules.objections(entry)]
        with desk.books.transaction() as books:
            held = books.document_of(self.name, entry.reference)
            if held is not None:
                return element(f"{_S}Duplicate", _document(held))
            return self._enter(entry, objections, canonical(voucher), books, desk)

    def _enter(
        self,
        entry: ErpVoucher,
        objections: list[Objection],
        original: bytes,
        books: ErpTransaction,
        desk: Desk,
    ) -> Verdict:
        target = books.by_journal_entry(self.name, entry.reverses) if entry.reverses else None
        if target is not None:
            objections += filter(None, [irreversible(entry, target)])
        elif entry.reverses is not None:
            if not objections:
                return _not_found(entry.reference, entry.reverses)
        else:
            of_claim = books.of_claim(self.name, entry.company, entry.claim_id)
            objections += filter(None, [overtaken(entry, of_claim)])
        if objections:
            return _rejection(entry.reference, objections)
        document = books.enter(self.name, entry, original, series=_SERIES, unique=True)
        # A reversal is posted at once: the entry that it takes back changes with it.
        if target is not None or not desk.holds:
            document = books.post(document)
        if target is not None and document.journal_entry is not None:
            books.reverse(target, document.journal_entry)
        return _document(document)

    def _query(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        items = []
        with desk.books.transaction() as books:
            for reference in self.references(call):
                document = books.latest(self.name, reference)
                part = element(f"{_S}Absent") if document is None else _document(document)
                items.append(element(f"{_S}Item", element(f"{_S}Reference", reference), part))
        return ErpAnswer(content=render(_root("QueryVouchersResponse", *items)))

    def _changes(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        limit = int(call.body.findtext(f"{_S}Limit", ""))
        cursor = call.body.findtext(f"{_S}Cursor") or f"{desk.books.id}.0"
        book, _, change = cursor.partition(".")
        with desk.books.transaction() as books:
            known = book == desk.books.id and change.isascii() and change.isdigit()
            if not known or int(change) > books.last_change:
                return _invalid_cursor(cursor)
            documents = books.changes_since(self.name, int(change), limit + 1)
        page = documents[:limit]
        last = page[-1].change if page else int(change)
        reply = _root(
            "ListChangesResponse",
            *map(_document, page),
            element(f"{_S}Cursor", f"{desk.books.id}.{last}"),
            element(f"{_S}More", "true" if len(documents) > limit else "false"),
        )
        return ErpAnswer(content=render(reply))


def entry_from(voucher: etree._Element) -> ErpVoucher:
    """Return a schema-valid Voucher as the ERP reads it, before any judgement."""
    reverses = voucher.find(f"{_V}Reverses")
    return ErpVoucher(
        reference=_text(voucher, "Reference"),
        purpose=_text(voucher, "Purpose"),
        claim_id=_text(voucher, "ClaimId"),
        revision=int(_text(voucher, "Revision")),
        company=_text(voucher, "Company"),
        currency=_text(voucher, "Currency"),
        document_date=dt.date.fromisoformat(_text(voucher, "DocumentDate")),
        posting_date=dt.date.fromisoformat(_text(voucher, "PostingDate")),
        postings=tuple(map(_posting, voucher.iterchildren(f"{_V}Posting"))),
        claimed_totals={
            _text(total, "Currency"): Decimal(_text(total, "Amount"))
            for total in voucher.iterchildren(f"{_V}DebitTotal")
        },
        reverses=(
            None
            if reverses is None
            else JournalEntry(
                _text(reverses, "Number"),
                _text(reverses, "Company"),
                _text(reverses, "FiscalYear"),
            )
        ),
    )


def _posting(posting: etree._Element) -> ErpPosting:
    return ErpPosting(
        account=_text(posting, "Account"),
        side=_text(posting, "Side"),
        amount=Decimal(_text(posting, "Amount")),
        currency=_text(posting, "Currency"),
        cost_centre=_text(posting, "CostCentre"),
        partner=_text(posting, "Partner"),
        path=f"Posting[{posting.get('Number')}]",
        company=_text(posting, "Company"),
    )


def _text(parent: etree._Element, name: str) -> str:
    child = parent.find(_V + name)
    if child is None:
        return ""
    # A comment inside a value does not end it.
    return str(child.xpath("string()")) if len(child) else child.text or ""


def _is_reference(text: str) -> bool:
    return 0 < len(text) <= 36 and all(c.isascii() and (c.isalnum() or c in "._/-") for c in text)


def _about_purpose(entry: ErpVoucher, kind: OperationKind) -> Iterator[Objection]:
    wanted = "reverse" if kind is OperationKind.REVERSE else "post"
    if entry.purpose != wanted:
        text = f"this operation takes the purpose {wanted}, not {entry.purpose}"
        yield Objection("wrong-purpose", text, "Purpose")
    if (entry.reverses is not None) != (entry.purpose == "reverse"):
        text = "only a reversal names a journal entry to reverse, and every reversal names one"
        yield Objection("wrong-purpose", text, "Reverses")


def _root(name: str, *content: etree._Element | str | None) -> etree._Element:
    root = etree.Element(_S + name, nsmap={"s": _S[1:-1], "v": _V[1:-1]})
    root.extend([part for part in content if isinstance(part, etree._Element)])
    return root


def _item(voucher: etree._Element, verdict: Verdict) -> etree._Element:
    return element(f"{_S}Item", element(f"{_S}Reference", _text(voucher, "Reference")), verdict)


_FAULT_OF: Final = {
    "Rejected": ("RejectedFault", "the voucher is refused"),
    "Duplicate": ("DuplicateReferenceFault", "the ledger holds this reference already"),
    "NotFound": ("NotFoundFault", "there is no such journal entry"),
}


def _single(verdict: Verdict, response: str) -> ErpAnswer:
    """Return the answer to a request of one voucher: a reply, or a typed fault."""
    if local_name(verdict) == "Document":
        return ErpAnswer(content=render(_root(response, verdict)))
    name, reason = _FAULT_OF[local_name(verdict)]
    return ErpAnswer(content=render(_root(name, *verdict)), fault="sender", reason=reason)


def _document(document: ErpDocument) -> Verdict:
    totals = sorted(document.entry.debit_totals.items())
    return element(
        f"{_S}Document",
        element(f"{_V}Reference", document.reference),
        element(f"{_V}Status", document.status),
        _journal_entry(f"{_V}JournalEntry", document.journal_entry),
        *(
            element(
                f"{_V}DebitTotal",
                element(f"{_V}Currency", currency),
                element(f"{_V}Amount", f"{amount:f}"),
            )
            for currency, amount in totals
        ),
        *(_reason(_V, objection) for objection in document.reasons),
        _journal_entry(f"{_V}ReversedBy", document.reversed_by),
        optional(f"{_V}PaidOn", document.paid_on),
        element(f"{_V}ChangedAt", document.changed_at),
    )


def _journal_entry(tag: str, entry: JournalEntry | None) -> etree._Element | None:
    if entry is None:
        return None
    return element(
        tag,
        element(f"{_V}Number", entry.number),
        optional(f"{_V}Company", entry.company),
        optional(f"{_V}FiscalYear", entry.fiscal_year),
    )


def _rejection(reference: str, objections: Sequence[Objection]) -> Verdict:
    reasons = (_reason(_S, objection) for objection in objections)
    return element(f"{_S}Rejected", optional(f"{_S}Reference", reference), *reasons)


def _reason(namespace: str, objection: Objection) -> etree._Element:
    # The element has the namespace of the message around it, its parts that of their type.
    return element(
        f"{namespace}Reason",
        element(f"{_V}Code", objection.code),
        element(f"{_V}Text", objection.text[:_MAX_TEXT]),
        optional(f"{_V}Field", objection.field[:_MAX_FIELD]),
    )


def _not_found(reference: str, entry: JournalEntry) -> Verdict:
    return element(
        f"{_S}NotFound",
        element(f"{_S}Reference", reference),
        _journal_entry(f"{_S}JournalEntry", entry),
    )


def _invalid_cursor(cursor: str) -> ErpAnswer:
    detail = _root("InvalidCursorFault", element(f"{_S}Cursor", cursor))
    return ErpAnswer(content=render(detail), fault="sender", reason="the cursor is not known")
