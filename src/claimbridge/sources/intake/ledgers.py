"""The ledgers that one source's claims go to, and what they say of an arrival."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from claimbridge.client import Client
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.model import Claim, Standing, State
from claimbridge.sources.record import StoredArrival
from claimbridge.sources.settings import SourceConfig


class SourceLedgers:
    """The ledgers of one source; ``clients`` gives the client of a ledger by its name."""

    def __init__(self, config: SourceConfig, clients: Callable[[str], Client]) -> None:
        self._config = config
        self._clients = clients

    def name_of(self, claim: Claim) -> str:
        """Return the name of the ledger that a claim goes to. Raises ClaimError CB-532."""
        return self._config.ledger_of(claim)

    def client(self, name: str) -> Client:
        """Return the client of a ledger; raises what opening it raises."""
        return self._clients(name)

    def client_of(self, claim: Claim) -> Client:
        """Return the client of the ledger that a claim goes to."""
        return self._clients(self._config.ledger_of(claim))

    def standing_of(self, arrival: StoredArrival) -> Standing:
        """Return where the claim of an accepted arrival stands, by the journal.

        Raises ClaimError CB-132 where no ledger of the source knows the claim.
        """
        claim = claim_of(arrival)
        if claim is not None:
            return self.client_of(claim).status(claim.id, ask=False)
        # An earlier version accepted what this one refuses: its id is known all the same.
        for name in self._config.all_ledgers:
            try:
                return self._clients(name).status(arrival.claim_id, ask=False)
            except ClaimError as error:
                if error.code != "CB-132":
                    raise
        raise ClaimError(
            "no ledger of its source knows it any more", code="CB-132", claim_id=arrival.claim_id
        )

    def with_period(self, arrival: StoredArrival, standing: Standing) -> Standing:
        """Return a standing with its period, where the chart has periods."""
        claim = claim_of(arrival)
        if claim is None or standing.posting_date is None or not standing.journal_entry:
            return standing
        chart = self.client_of(claim).ledger.setup.chart
        period = chart.period_of(standing.posting_date) or ""
        return msgspec.structs.replace(standing, period=period)

    def ask_for_news(self, trouble: Callable[[ClaimBridgeError], None]) -> list[str]:
        """Take in what changed in the ledgers; return the ids of their books.

        Only what is posted has a number to bring back. What goes wrong is reported as ``trouble``:
        with one claim, and the others of its ledger are asked; with a ledger that cannot be asked
        now, and the other ledgers are.
        """
        books: list[str] = []
        for name in self._config.all_ledgers:
            try:
                client = self._clients(name)
                book = client.book().id
                books.append(book)
                _ask(client, book, trouble)
            except ClaimBridgeError as error:
                trouble(error)
        return books


def claim_of(arrival: StoredArrival) -> Claim | None:
    """Return the claim of an arrival; None where it is none, or cannot be read any more."""
    try:
        return arrival.claim()
    except ClaimError:
        return None


def _ask(client: Client, book: str, trouble: Callable[[ClaimBridgeError], None]) -> None:
    """Ask one ledger; raises what no other claim of it would fare better with."""
    if client.ledger.rules.capabilities.can_list_changes:
        for _ in client.changes():
            pass
        return
    waiting = client.journal.select(book, [State.ACKNOWLEDGED])
    # A status is that of a whole claim, however many of its revisions wait.
    for claim_id in dict.fromkeys(submission.key.claim_id for submission in waiting):
        try:
            client.status(claim_id)
        except (ConfigurationError, LedgerUnavailable, NotDelivered):
            raise
        except ClaimBridgeError as error:
            trouble(error)


__all__ = ["SourceLedgers", "claim_of"]
