"""The command that says who uses an invoice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from claimbridge.cli.exit_codes import DONE
from claimbridge.cli.options import Config, Json, LedgerName
from claimbridge.cli.output import amount, emit, row, say, show, table
from claimbridge.config import ledgers_in, load_config
from claimbridge.journal import open_journal
from claimbridge.journal.invoices import has_it
from claimbridge.model import InvoiceHolder
from claimbridge.model.invoices import names_of


def show_invoice(
    number: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Show which claims use an invoice, or used it, in whatever spelling of its number.

    Parameters
    ----------
    number
        Its number; 发票代码:发票号码 of a paper one; the id of what has no number.
    ledger
        The journal of this ledger alone; of all ledgers when left out.

    """
    holders = [
        (book, holder)
        for url in dict.fromkeys(_journals(config, ledger))
        for book, holder in _holders(url, number)
    ]
    if json:
        for book, holder in holders:
            emit(_record(book, holder))
        return DONE
    if not holders:
        say("no claim in the journal uses it")
        return DONE
    grid = table(
        "invoice", "claim", "rev", "line", "ledger", "state", "uses it", "amount",
        numbers=("rev", "line", "amount"), wrapped=("invoice",),
    )  # fmt: skip
    for book, holder in holders:
        row(
            grid,
            holder.use.invoice,
            holder.claim_id,
            str(holder.key.revision),
            str(holder.use.line),
            book,
            holder.state,
            "yes" if _uses(holder) else "no",
            _amount(holder),
        )
    show(grid)
    return DONE


def _journals(config: Path, ledger: str | None) -> list[str]:
    names = [ledger] if ledger is not None else list(ledgers_in(config))
    return [load_config(config, ledger=name).journal_url for name in names]


def _holders(url: str, number: str) -> list[tuple[str, InvoiceHolder]]:
    """Return who has the invoice, or had it, each after the name of its book."""
    journal = open_journal(url)
    try:
        names = {book.id: book.name for book in journal.books()}
        holders = journal.invoices(names_of(number))
        return [(names.get(holder.key.book, holder.key.book), holder) for holder in holders]
    finally:
        journal.close()


def _uses(holder: InvoiceHolder) -> bool:
    return has_it(holder.state, superseded=holder.superseded)


def _amount(holder: InvoiceHolder) -> str:
    use = holder.use
    if use.amount is None or use.total is None:
        return "whole"
    return f"{amount(use.amount)} of {amount(use.total)} {use.currency}"


def _record(book: str, holder: InvoiceHolder) -> dict[str, Any]:
    use = holder.use
    return {
        "invoice": use.invoice,
        "number": use.number,
        "claim": holder.claim_id,
        "revision": holder.key.revision,
        "line": use.line,
        "ledger": book,
        "state": holder.state,
        "uses": _uses(holder),
        "amount": use.amount,
        "total": use.total,
        "currency": use.currency or None,
    }
