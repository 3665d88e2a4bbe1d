"""What people are told of a journal before it serves a book."""

from __future__ import annotations

from claimbridge.journal import newest
from claimbridge.model import (
    Continuity,
)
from claimbridge.submission.decisions.port import Rules


def first_send_report(continuity: Continuity, rules: Rules, *, new: bool) -> tuple[bool, str]:
    """Return whether something may be sent for the first time, and what is to be known of that.

    ``new``: nothing was sent to the book through this journal (``Journal.is_new``).
    """
    can = rules.capabilities
    refusal = newest.refusal(continuity)
    if refusal is None and new and not rules.asks_first and not can.unique_reference:
        refusal = newest.new_here(continuity)
    if refusal is not None:
        return False, f"{refusal.code} {refusal.message}"
    if rules.asks_first:
        why = "before a first sending the ERP is asked for it"
    elif can.unique_reference:
        why = "the ERP itself refuses a second document of the same reference"
    else:
        why = "nothing but this journal keeps a claim from being posted twice"
    sentences = [f"new here, which is harmless: {why}" if new else why]
    if continuity.gap is not None:
        sentences.append(
            f"it knows nothing of a time until {continuity.gap.until:%Y-%m-%d %H:%M:%S%z}"
        )
    return True, "; ".join(sentences)


def memory_warning(continuity: Continuity, rules: Rules) -> str:
    """Return the warning for a journal that does not last, where nothing else helps; "" else."""
    guarded = rules.asks_first or rules.capabilities.unique_reference
    if continuity.lasting or guarded:
        return ""
    return (
        "the journal memory: ends with this process, and the ERP is not asked first and does not "
        "refuse duplicates: what is submitted again later is posted again; keep a journal in a file"
    )
