"""What a client is, whether its calls are awaited or not."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, load_config
from claimbridge.errors import JournalWarning, NotDelivered
from claimbridge.journal import open_journal
from claimbridge.journal.base import Journal
from claimbridge.ledger import Ledger, Preview, transport_settings
from claimbridge.model import Claim
from claimbridge.soap.transport import Ports, TransportSettings
from claimbridge.submission import Deadline, memory_warning, plans, with_journal

A = TypeVar("A")


class LedgerClient(Generic[A]):
    """One ledger, the journal of what is sent to it, and the transports ``A`` to its ERP."""

    def __init__(
        self,
        config: LedgerConfig,
        *,
        ledger: Ledger | None = None,
        journal: Journal | None = None,
        new_journal: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open the ledger that ``config`` describes; ``ledger`` and ``journal`` replace parts.

        A journal that was passed in is not closed. ``new_journal`` says that nothing was sent
        to this ledger before, which the journal keeps where it knows of nothing either. Raises
        ConfigurationError; MissingExtra for an AsyncClient when aiohttp is not installed.
        """
        self.ledger: Ledger = ledger or Ledger(config, clock=clock)
        self._clock = clock
        self._transports: Ports[A] = Ports(transport_settings(config), self._transport)
        self._own_journal = journal is None
        self.journal: Journal = journal or _open_journal(self.ledger, clock)
        if new_journal:
            with_journal(plans.agree_new(self.ledger), self.journal)

    def _transport(self, settings: TransportSettings) -> A:
        """Open the way to one address of the ERP."""
        raise NotImplementedError

    @classmethod
    def from_config(
        cls,
        path: str | Path,
        *,
        ledger: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        new_journal: bool = False,
    ) -> Self:
        """Return a client for one ledger of a TOML file.

        ``CLAIMBRIDGE_<LEDGER>_<KEY>`` in the environment overrides the file, ``overrides`` (by the
        file's key names) both. ``ledger`` None means the only one in the file. Raises
        ConfigurationError.
        """
        config = load_config(path, ledger=ledger, overrides=overrides, environ=environ)
        return cls(config, new_journal=new_journal)

    def __repr__(self) -> str:
        config = self.ledger.setup.config
        return f"{type(self).__name__}(ledger={config.name!r}, profile={config.profile!r})"

    def __reduce__(self) -> tuple[object, ...]:
        name = type(self).__name__
        raise TypeError(f"a {name} holds connections and does not pickle; pickle its LedgerConfig")

    def contract_drifts(self) -> Mapping[str, int]:
        """Return how the ERP's replies differed from its contract, and how often.

        Since this client was opened; empty when they are as the contract says. Each difference was
        warned of once, by a ContractDriftWarning.
        """
        return self.ledger.setup.drifts.counts()

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; touches neither journal nor network.

        Raises ClaimError, CB-164 where it would be several documents: see ``previews``.
        """
        return self.ledger.preview(claim)

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        return self.ledger.previews(claim)

    def _time_for_request(self, deadline: Deadline) -> float:
        """Return the seconds that one request may take; raises NotDelivered when there are none."""
        if deadline.left(1.0) == 0:
            raise NotDelivered("the time allowed for the call is over")
        return deadline.left(self.ledger.setup.config.timeouts.total)


def _open_journal(ledger: Ledger, clock: Clock) -> Journal:
    """Open the journal that a ledger's configuration names; warn of one that keeps too little."""
    journal = open_journal(ledger.setup.config.journal_url, clock=clock)
    try:
        if warning := memory_warning(journal.continuity(), ledger.rules):
            warnings.warn(
                f"ledger {ledger.setup.config.name}: {warning}", JournalWarning, stacklevel=3
            )
    except BaseException:
        journal.close()
        raise
    return journal
