"""The invented ERP of ``examples/own_erp.wsdl``, played by the sandbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from lxml import etree

from claimbridge.sandbox import (
    Desk,
    ErpAnswer,
    ErpCall,
    ErpDocument,
    ErpPosting,
    ErpVoucher,
    Objection,
    OperationKind,
    Series,
)
from claimbridge.xmlio import canonical

NAMESPACE = "urn:example:books:1"
SERIES = Series("entries", 1, 7)


class BooksResponder:
    """Posts what is in order; answers a repeated reference with the entry that is there."""

    name: str = "own-erp"
    contract: str = str(Path(__file__).resolve().parents[2] / "examples/own_erp.wsdl")
    kinds: Mapping[str, OperationKind] = {
        "PostEntry": OperationKind.SUBMIT,
        "FindEntries": OperationKind.QUERY,
    }
    items: frozenset[str] = frozenset({"Entry"})

    def references(self, call: ErpCall) -> tuple[str, ...]:
        return tuple(child.text or "" for child in call.body.iterchildren(_tag("Reference")))

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        if call.kind is OperationKind.QUERY:
            with desk.books.transaction() as books:
                held = [(ref, books.document_of(self.name, ref)) for ref in self.references(call)]
            parts = [_shown(ref, found) for ref, found in held]
            return _answer("FindEntriesResponse", *parts)
        entry = _entry(call.body)
        with desk.books.transaction() as books:
            found = books.document_of(self.name, entry.reference)
            if found is None:
                objections = desk.rules.objections(entry)
                if objections:
                    return _answer("PostEntryResponse", _refused(entry.reference, objections))
                original = canonical(call.body)
                entered = books.enter(self.name, entry, original, series=SERIES, unique=True)
                found = books.post(entered)
        return _answer("PostEntryResponse", _shown(entry.reference, found))

    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer | None:
        if call.kind is OperationKind.QUERY:
            return None
        return _answer("PostEntryResponse", _refused(self.references(call)[0], objections))

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        return None


def _entry(body: etree._Element) -> ErpVoucher:
    date = dt.date.fromisoformat(_text(body, "Date"))
    currency = _text(body, "Currency")
    return ErpVoucher(
        reference=_text(body, "Reference"),
        company=_text(body, "Company"),
        currency=currency,
        document_date=date,
        posting_date=date,
        postings=tuple(_posting(line, currency) for line in body.iterchildren(_tag("Line"))),
    )


def _posting(line: etree._Element, currency: str) -> ErpPosting:
    debit = line.find(_tag("Debit")) is not None
    return ErpPosting(
        account=_text(line, "Account"),
        side="debit" if debit else "credit",
        amount=Decimal(_text(line, "Debit" if debit else "Credit")),
        currency=currency,
    )


def _shown(reference: str, found: ErpDocument | None) -> etree._Element:
    if found is None:
        return _made("NotHeld", reference)
    ((currency, total),) = found.entry.debit_totals.items()
    return _made(
        "Entry",
        _made("Reference", reference),
        _made("Number", found.number),
        _made("Currency", currency),
        _made("Total", str(total)),
    )


def _refused(reference: str, objections: Sequence[Objection]) -> etree._Element:
    problems = [_made("Problem", objection.text) for objection in objections]
    return _made("Entry", _made("Reference", reference), *problems)


def _answer(name: str, *parts: etree._Element) -> ErpAnswer:
    return ErpAnswer(content=etree.tostring(_made(name, *parts), encoding="utf-8"))


def _made(name: str, *content: etree._Element | str) -> etree._Element:
    made = etree.Element(_tag(name))
    for part in content:
        if isinstance(part, str):
            made.text = part
        else:
            made.append(part)
    return made


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(_tag(name)) or "").strip()


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
