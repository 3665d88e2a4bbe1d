"""The command ``demo``: the main job in front of the user, against a sandbox of its own."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.options import Json
from claimbridge.cli.output import amount, progress, row, table
from claimbridge.cli.records import plain_entry
from claimbridge.cli.scenes.scene import Scenes, stage
from claimbridge.client import Client
from claimbridge.errors import LedgerRejection
from claimbridge.model import Acknowledgement, Claim, JournalEntry
from claimbridge.sandbox import Sandbox

LOST = 3
"""Which of the claims loses its answer."""


def demo(*, with_hesi: Annotated[bool, Parameter(negative=())] = False, json: Json = False) -> int:
    """Submit the example claims to an ERP on loopback, with things going wrong.

    Needs nothing but the installation, and leaves nothing behind.

    Parameters
    ----------
    with_hesi
        Start where claims do: documents of a Hesi on loopback become journal entries, and the
        numbers of these go back to it.

    """
    if with_hesi:
        from claimbridge.cli.scenes.hesi import demo_with_hesi

        return demo_with_hesi(json=json)
    with stage() as (claims, sandbox, client):
        show = Show(claims, sandbox, client, json=json)
        show.opening()
        show.submit_all()
        refused = show.refusal()
        repeated = show.repeat()
        return DONE if show.ledger() and refused and repeated else BUSINESS_NO


class Show(Scenes):
    """The scenes, in order; each prints what a finance person wants to see."""

    def __init__(
        self, claims: list[Claim], sandbox: Sandbox, client: Client, *, json: bool
    ) -> None:
        super().__init__(json=json)
        self._claims = claims
        self._sandbox = sandbox
        self._client = client

    def opening(self) -> None:
        """Say what is going to happen."""
        self.say(
            f"An ERP listens on {self._sandbox.url('reference')}. It takes signed vouchers only; "
            "ours are signed by an identity made for this demonstration.\n"
        )

    def submit_all(self) -> None:
        """Submit every example claim; the answer to one of them is lost on the way."""
        self._sandbox.set_faults(f"commit-then-drop@{LOST}")
        grid = table(
            "claim", "what", "amount", "", "entry", "what happened",
            numbers=("amount",), texts=("what",),
        )  # fmt: skip
        adopted: list[Acknowledgement] = []
        claims = progress(self._claims, total=None, what="submitting")
        for number, claim in enumerate(claims, start=1):
            questions = self._count("QueryVouchers")
            ack = self._client.submit(claim)
            asked = number == LOST and self._count("QueryVouchers") > questions
            adopted += [ack] * asked
            outcome = "answer lost, asked, adopted" if asked else "posted"
            row(
                grid,
                claim.id,
                claim.title,
                amount(claim.total),
                claim.currency,
                _number(ack.journal_entry),
                outcome,
            )
            self.emit(scene="submit", number=number, claim=claim.id, state=ack.state,
                       journal_entry=plain_entry(ack.journal_entry), told=outcome)  # fmt: skip
        self.show(grid, title="1 · Approved claims become journal entries")
        for ack in adopted:
            self.say(
                f"  The answer to {ack.claim_id} was lost on the way. It was not sent again: the "
                f"ERP was asked for {ack.reference}, and its journal entry "
                f"{_number(ack.journal_entry)} adopted.\n"
            )

    def refusal(self) -> bool:
        """Submit a claim for a period that the ERP has closed; say whether it was refused."""
        claim = self._claim_of_closed_period()
        try:
            self._client.submit(claim)
        except LedgerRejection as error:
            self.say(("2 · The ERP says no, and why", "italic"))
            self.say(f"  {error}\n")
            self.emit(scene="refusal", claim=claim.id, code=error.code,
                       reasons=[str(reason) for reason in error.reasons])  # fmt: skip
            return True
        return False

    def _claim_of_closed_period(self) -> Claim:
        model = self._claims[0]
        december = dt.date(2025, 12, 31)
        lines = tuple(msgspec.structs.replace(line, date=december) for line in model.lines)
        return msgspec.structs.replace(
            model, id="EXP-2025-0999", lines=lines, posting_date=december, approved_at=None
        )

    def repeat(self) -> bool:
        """Submit a claim again; say whether that posted nothing."""
        claim = self._claims[0]
        entries, calls = len(self._sandbox.ledger()), self._count("SubmitVoucher")
        ack = self._client.submit(claim)
        nothing = (len(self._sandbox.ledger()), self._count("SubmitVoucher")) == (entries, calls)
        self.say(("3 · The same claim once more", "italic"))
        outcome = "nothing was sent, nothing was posted" if nothing else "IT WAS SENT AGAIN"
        entry = _number(ack.journal_entry)
        self.say(f"  {claim.id} is journal entry {entry} already: {outcome}.\n")
        self.emit(scene="repeat", claim=claim.id, sent=not nothing,
                   journal_entry=plain_entry(ack.journal_entry))  # fmt: skip
        return nothing

    def ledger(self) -> bool:
        """Show what the ERP's ledger holds; say whether that is each claim once."""
        documents: list[dict[str, Any]] = [
            msgspec.to_builtins(document) for document in self._sandbox.ledger()
        ]
        grid = table(
            "journal entry", "reference", "debit", "credit", "", "state",
            numbers=("debit", "credit"), texts=("reference",),
        )  # fmt: skip
        for document in documents:
            debit, credit = (_sum(document["postings"], side) for side in ("debit", "credit"))
            row(
                grid,
                document["journal_entry"],
                document["reference"],
                amount(debit),
                amount(credit),
                document["postings"][0]["currency"],
                document["state"],
            )
            self.emit(scene="ledger", **document)
        self.show(grid, title="4 · What the ERP's ledger holds")
        once = len(documents) == len(self._claims)
        self.say(
            f"{len(self._claims)} claims, {len(documents)} journal entries, "
            f"{self._count('SubmitVoucher')} submissions, one of them refused: "
            f"each claim is in the ledger {'exactly once' if once else 'NOT exactly once'}."
        )
        return once

    def _count(self, operation: str) -> int:
        return self._sandbox.requests().get(operation, 0)


def _sum(postings: list[dict[str, Any]], side: str) -> Decimal:
    return sum((Decimal(p["amount"]) for p in postings if p["side"] == side), Decimal(0))


def _number(entry: JournalEntry | None) -> str:
    return entry.number if entry is not None else ""
