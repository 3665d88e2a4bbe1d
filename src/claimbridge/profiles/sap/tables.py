"""Finding SAP documents by their reference with RFC_READ_TABLE, which reads a table's rows as text.

The function module has limits, and the questions respect them:

- A line of its WHERE clause has 72 characters, so each condition has a line of its own.
- A row has 512 characters, more than these columns need.
- The rows have no order, so pages could skip one: all rows are asked for at once (ROWCOUNT 0).
- Cells are padded, but white space at their ends does not survive XML: a delimiter divides them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, as_amount, exponent
from claimbridge.model.money import EXACT, quantum
from claimbridge.profiles.kit.forms import is_nothing
from claimbridge.profiles.kit.reading import unknown
from claimbridge.profiles.request import Request
from claimbridge.profiles.sap.returns import spelt, value

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_DELIMITER: Final = "|"
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_DEBIT: Final = "S"
Totals = dict[JournalEntry, dict[str, Decimal]]
_K = OutcomeKind


class SapTables(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tables of documents and of their items, and the names of the columns in them.

    "" stands for a column that the table does not have. ``items`` "": amounts cannot be read, and a
    document found by its reference is adopted without comparing them. ``shifted``: amounts have
    two decimals in every currency, as in SAP's own tables (TCURX).
    """

    documents: str = "BKPF"
    items: str = "BSEG"
    number: str = "BELNR"
    company: str = "BUKRS"
    year: str = "GJAHR"
    reference: str = "XBLNR"
    currency: str = "WAERS"
    status: str = "BSTAT"
    reversed_by: str = "STBLG"
    reversal: str = "XREVERSAL"
    side: str = "SHKZG"
    amount: str = "WRBTR"
    shifted: bool = True


class SapDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the ledger holds under ``reference``.

    ``status`` is blank for a posted document; parked, noted and sample documents have another one.
    """

    entry: JournalEntry
    reference: str
    currency: str
    status: str = ""
    reversed_by: str = ""


def documents_question(
    operation: str, wanted: Sequence[tuple[str, str]], tables: SapTables
) -> Request:
    """Return the question for the documents of any of ``wanted``: reference, and company code.

    Other companies of the client may use the same reference. An empty company means any. A
    reference of an earlier version may have lower case, which SAP has kept or folded.
    """
    lines = []
    both = [
        (one, company) for each, company in wanted for one in dict.fromkeys((each, _fold(each)))
    ]
    for count, (reference, company) in enumerate(both):
        lines.append(f"{'OR ' if count else ''}( {tables.reference} EQ {_quote(reference)}")
        if company:
            lines.append(f"AND {tables.company} EQ {_quote(company)}")
        lines[-1] += " )"
    return _question(operation, tables.documents, _document_columns(tables), lines)


def references_in(question: Request, tables: SapTables) -> tuple[str, ...]:
    """Return the references that a question for documents asks for, each as we spell it."""
    asked = (
        quoted.replace("''", "'")
        for line in question.body["Options"]["item"]
        if f"( {tables.reference} EQ " in line["Text"]
        for quoted in _QUOTED.findall(line["Text"])
    )
    ours: dict[str, str] = {}
    for one in asked:  # our spelling comes first, then the one that SAP may have made of it
        ours.setdefault(_fold(one), one)
    return tuple(ours.values())


def items_question(operation: str, held: Sequence[SapDocument], tables: SapTables) -> Request:
    """Return the question for the items of documents."""
    lines = []
    for count, document in enumerate(held):
        entry = document.entry
        lines += [
            f"{'OR ' if count else ''}( {tables.number} EQ {_quote(entry.number)}",
            f"AND {tables.company} EQ {_quote(entry.company)}",
            f"AND {tables.year} EQ {_quote(entry.fiscal_year)} )",
        ]
    return _question(operation, tables.items, _item_columns(tables), lines)


def read_documents(reply: Reply, tables: SapTables) -> list[SapDocument]:
    """Return the documents of an answer, without reversals that were made in SAP.

    SAP copies the reference into a document's reversal, and marks the reversal with XREVERSAL 2.
    Raises DocumentError if the answer does not fit the question.
    """
    rows = _rows(reply, _document_columns(tables))
    documents = [
        SapDocument(
            entry=JournalEntry(row[tables.number], row[tables.company], row[tables.year]),
            reference=row[tables.reference],
            currency=row[tables.currency],
            status=row.get(tables.status, ""),
            reversed_by=row.get(tables.reversed_by, ""),
        )
        for row in rows
        if row.get(tables.reversal, "") != "2"
    ]
    if not all(not is_nothing(held.entry.number) and held.reference for held in documents):
        raise DocumentError("a row of the answer has no document number or no reference")
    return documents


def read_totals(reply: Reply, held: Sequence[SapDocument], tables: SapTables) -> Totals:
    """Return the debit total of each document, by currency.

    Raises DocumentError if the answer does not fit the question, ClaimError for an unreadable
    amount.
    """
    currencies = {document.entry: document.currency for document in held}
    totals: Totals = {entry: {} for entry in currencies}
    for row in _rows(reply, _item_columns(tables)):
        entry = JournalEntry(row[tables.number], row[tables.company], row[tables.year])
        if entry not in totals:
            raise DocumentError(f"the answer holds items of {entry}, which we did not ask for")
        if row[tables.side] == _DEBIT:
            currency = currencies[entry]
            amount = _amount(row[tables.amount], currency, tables)
            so_far = totals[entry].get(currency, Decimal(0))
            totals[entry][currency] = EXACT.add(so_far, amount)
    without = [one.entry for one in held if not one.status and not totals[one.entry]]
    if without:
        raise DocumentError(f"the answer has no debit of {without[0]}: its amounts are unknown")
    return totals


def outcome_of_reference(
    reference: str, documents: Sequence[SapDocument], totals: Totals, *, item: int = 1
) -> Outcome:
    """Return the outcome of a reference: absent, one document, or unknown if there are several."""
    if not documents:
        return Outcome(kind=_K.ABSENT, reference=reference, item=item)
    if len(documents) > 1:
        named = ", ".join(str(document.entry) for document in documents)
        text = f"the ledger holds {len(documents)} documents under {reference}: {named}"
        return unknown(text, reference=reference, item=item)
    (document,) = documents
    if document.status:
        text = f"document {document.entry} is not posted: its status is {document.status}"
        return unknown(text, reference=reference, item=item)
    return Outcome(
        kind=_K.REVERSED if document.reversed_by.strip("0") else _K.POSTED,
        reference=reference,
        journal_entry=document.entry,
        totals=totals.get(document.entry, {}),
        item=item,
    )


def by_reference(
    references: Sequence[str], held: Sequence[SapDocument]
) -> dict[str, list[SapDocument]]:
    """Return the documents under each reference that was asked for.

    Raises DocumentError for a document under another reference: it does not fit our question.
    """
    known: dict[str, list[SapDocument]] = {reference: [] for reference in references}
    folded = {_fold(reference): reference for reference in references}
    for document in held:
        ours = folded.get(_fold(document.reference))
        if ours is None:
            raise DocumentError(
                f"the answer holds the reference {document.reference}, which we did not ask for"
            )
        known[document.reference if document.reference in known else ours].append(document)
    return known


def is_same(theirs: str, ours: str) -> bool:
    """Say whether a reference in SAP is ours, as it was sent or in capitals."""
    return _fold(theirs) == _fold(ours)


def _fold(reference: str) -> str:
    return reference.upper()


def _amount(text: str, currency: str, tables: SapTables) -> Decimal:
    if not tables.shifted:
        return as_amount(_plain(text), currency, what="an item's amount")
    # TCURX: the tables hold 1000 JPY as 10.00 and 1.234 KWD as 12.34.
    stored = as_amount(_plain(text), "CNY", what="an item's amount")
    return EXACT.quantize(EXACT.scaleb(stored, 2 - exponent(currency)), quantum(currency))


def _plain(text: str) -> str:
    """Return a number of ABAP's without trailing zeros that no currency has."""
    whole, point, decimals = text.partition(".")
    return f"{whole}{point}{decimals[:2]}" if decimals[2:].strip("0") == "" else text


def _document_columns(tables: SapTables) -> list[str]:
    named = (
        tables.number,
        tables.company,
        tables.year,
        tables.reference,
        tables.currency,
        tables.status,
        tables.reversed_by,
        tables.reversal,
    )
    return [name for name in named if name]


def _item_columns(tables: SapTables) -> list[str]:
    return [tables.number, tables.company, tables.year, tables.side, tables.amount]


def _question(operation: str, table: str, columns: Sequence[str], lines: Sequence[str]) -> Request:
    body: dict[str, Any] = {
        # Services return only those optional tables that the request names.
        "Data": {},
        "Delimiter": _DELIMITER,
        "Fields": {"item": [{"Fieldname": name} for name in columns]},
        "Options": {"item": [{"Text": line} for line in lines]},
        "QueryTable": table,
        "Rowcount": 0,
    }
    return Request(operation=operation, body=body, harmless=True)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _rows(reply: Reply, columns: Sequence[str]) -> list[dict[str, str]]:
    tables = spelt(reply, "DATA")
    if len(tables) != 1:
        raise DocumentError(f"the answer has {len(tables)} tables of rows")
    rows: list[dict[str, str]] = []
    items = tables[0].all("item")
    if not items and (tables[0].children or tables[0].text()):
        raise DocumentError("the answer's table is not empty, but has no row of that name")
    for item in items:
        cells = [cell.strip() for cell in value(item, "WA").split(_DELIMITER)]
        if len(cells) != len(columns):
            raise DocumentError(
                f"a row of the answer has {len(cells)} cells, but we asked for {len(columns)}"
            )
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows
