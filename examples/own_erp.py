"""A profile for an ERP of your own, in one file: copy it, and put your ERP's names in.

    [ledger.CN01]
    profile  = "own_erp:OwnErp"             # this file's folder is on the Python path
    endpoint = "https://erp.example/books"
    chart    = "chart.toml"

The ERP is invented; ``own_erp.wsdl`` beside this file is its contract.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claimbridge import (
    Capabilities,
    ClaimError,
    JournalEntry,
    Outcome,
    OutcomeKind,
    Posting,
    Reason,
    Side,
)
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.model import Submission, Voucher, as_amount
from claimbridge.profiles import (
    Request,
    Sourced,
    as_request,
    claim_field,
    legible,
    of_posting,
    read_untyped,
)
from claimbridge.profiles.kit.no_place import OF_THE_CLAIM

# What a voucher says and this ERP has no place for, with the reason. The conformance suite takes
# nothing else for lost: what is neither here nor in the request must be refused, as `_line` does.
NO_PLACE = {
    **OF_THE_CLAIM,
    "employee": "the text names the employee",
    "document_date": "an entry has one date",
    "posting.role": "an entry has accounts, and no reasons",
    "posting.partner": "an entry has no partners",
    "posting.tax_code": "tax is an account like any other",
    "posting.tax_base": "tax is an account like any other",
}


class OwnErp:
    """Posts by PostEntry, asks by FindEntries."""

    name = "own-erp"
    contract = str(Path(__file__).with_name("own_erp.wsdl"))
    capabilities = Capabilities(
        can_query=True,  # a lost answer is resolved by asking for our reference
        unique_reference=True,  # the ERP books no reference twice, even at the same moment
        can_reverse=False,  # what capabilities deny needs no method here
        can_list_changes=False,
        reference_length=20,
    )

    no_place = NO_PLACE

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Name what the ERP calls everything; where it came from in the claim stands beside it."""
        (submission,) = submissions  # capabilities.batch is 1
        voucher = submission.voucher
        body = {
            "Reference": Sourced(submission.reference, "id"),
            "Company": Sourced(voucher.company, "company"),
            "Date": Sourced(voucher.posting_date.isoformat(), "posting_date"),
            "Currency": Sourced(voucher.currency, "currency"),
            "Text": Sourced(voucher.text, "title"),
            # The mark says whose element it is, for fields that a configuration adds (`extra`).
            "Line": [of_posting(posting, _line(posting, voucher)) for posting in voucher.postings],
        }
        return as_request("PostEntry", body)

    def query(self, references: Sequence[str]) -> Request:
        """Ask what the ERP holds under our references."""
        return as_request("FindEntries", {"Reference": list(references)})

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return an outcome per entry; only a number is success."""
        parts = [*reply.all("Entry"), *reply.all("NotHeld")]
        outcomes = tuple(legible(_outcome, part, n) for n, part in enumerate(parts, start=1))
        return outcomes or (Outcome(kind=OutcomeKind.UNKNOWN, text=f"an empty {reply.local}"),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Go by the fault's class: only one that blames our request is a refusal."""
        return read_untyped(fault)


def _line(posting: Posting, voucher: Voucher) -> dict[str, Any]:
    if posting.currency != voucher.currency:
        raise ClaimError("an entry has one currency; split the claim", code="CB-161")
    if posting.dimensions or posting.project:
        raise ClaimError("a line has no dimensions and no project; leave them out", code="CB-162")

    def told(name: str, text: str) -> Sourced:
        return Sourced(text, claim_field(posting, name))

    return {
        "Account": told("account", posting.account),
        "Debit" if posting.side is Side.DEBIT else "Credit": told("amount", str(posting.amount)),
        "CostCentre": told("cost_centre", posting.cost_centre),
        "Text": told("narration", posting.narration),
    }


def _outcome(part: Reply, item: int) -> Outcome:
    if part.local == "NotHeld":
        return Outcome(kind=OutcomeKind.ABSENT, reference=part.text(), item=item)
    reference, number = part.text("Reference"), part.text("Number")
    problems = tuple(Reason(text) for text in part.texts("Problem"))
    if number and not problems:
        currency = part.text("Currency")
        return Outcome(
            kind=OutcomeKind.POSTED,
            reference=reference,
            journal_entry=JournalEntry(number),
            totals={currency: as_amount(part.text("Total"), currency)},  # compared with ours
            item=item,
        )
    if problems and not number:
        return Outcome(kind=OutcomeKind.REJECTED, reference=reference, reasons=problems, item=item)
    text = "the entry has neither a number nor a problem, or both"
    return Outcome(kind=OutcomeKind.UNKNOWN, reference=reference, text=text, item=item)
