"""A voucher as an accountant reads it, and why each of its postings is there."""

from __future__ import annotations

from claimbridge.cli.output import amount, row, show, table
from claimbridge.mapping import Explanation, Mapped
from claimbridge.model import Posting, Side, Voucher
from claimbridge.model.voucher_fields import POSTING


def print_voucher(mapped: Mapped, *, explain: bool) -> None:
    """Print a voucher: debit and credit in columns of their own; the reasons below it."""
    voucher = mapped.voucher
    # Company and partner have a column only where they say something.
    elsewhere = any(posting.company for posting in voucher.postings)
    others = any(_partner(posting, voucher) for posting in voucher.postings)
    further = [_words(name) for name, has in (("company", elsewhere), ("partner", others)) if has]
    grid = table(
        "#", _words("account"), "debit", "credit", "", *further, _words("cost_centre"),
        _words("role"), _words("narration"),
        numbers=("#", "debit", "credit"), texts=("role", "narration"),
    )  # fmt: skip
    for number, posting in enumerate(voucher.postings, start=1):
        debit = posting.side is Side.DEBIT
        row(
            grid,
            str(number),
            posting.account,
            amount(posting.amount) if debit else "",
            "" if debit else amount(posting.amount),
            posting.currency,
            *([posting.company or voucher.company] if elsewhere else []),
            *([_partner(posting, voucher)] if others else []),
            posting.cost_centre,
            posting.role.replace("_", " "),
            posting.narration,
        )
    title = [voucher.text, voucher.company, str(voucher.posting_date)]
    if voucher.documents:
        title.append(f"part {voucher.document_number} of {voucher.documents}")
    show(grid, title=" · ".join(title))
    if explain:
        _print_reasons(mapped)


def _words(name: str) -> str:
    """Return what people call a field of a posting."""
    words = POSTING[name].words
    assert isinstance(words, str)
    return words


def _partner(posting: Posting, voucher: Voucher) -> str:
    return "" if posting.partner == voucher.employee else posting.partner


def _print_reasons(mapped: Mapped) -> None:
    rounded = any(line.rounding or line.remainder for line in mapped.explain)
    grid = table(
        "#", "claim, chart", "why", *(["rounding"] if rounded else []),
        numbers=("#", "rounding"), wrapped=("why",),
    )  # fmt: skip
    for line in mapped.explain:
        number = "" if line.posting is None else str(line.posting + 1)
        decided = [part for part in (line.source, line.row) if part]
        row(grid, number, decided, line.rule, *([_rounding(line)] if rounded else []))
    show(grid)


def _rounding(line: Explanation) -> str:
    """Return what rounding added, and in brackets what of it a division did."""
    text = f"{line.rounding.normalize():+f}" if line.rounding else ""
    if line.remainder:
        text += f" ({line.remainder.normalize():+f})"
    return text.strip()
