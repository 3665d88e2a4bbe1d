"""A ledger as its configuration opens it: profile, contract, chart, identities, secrets."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from pathlib import Path
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.contract import Contract
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.ledger.authentic import Authenticator, can_bind, check_freshness, hindsight
from claimbridge.ledger.drifts import Drifts
from claimbridge.ledger.inner import InnerDocuments
from claimbridge.ledger.opening import (
    check_auth,
    open_contract,
    open_identities,
    open_own_contract,
    read_credentials,
    reply_policy,
)
from claimbridge.ledger.sessions import Sessions
from claimbridge.mapping import Chart
from claimbridge.model.zones import day_in
from claimbridge.profiles import load_profile
from claimbridge.profiles.abilities import TellsBooksApart
from claimbridge.profiles.base import Profile
from claimbridge.profiles.conversation import Credentials
from claimbridge.signing import Identity, Signer
from claimbridge.submission import Rules, Wanted, place_of


def wanted_book(config: LedgerConfig, profile: Profile | None = None) -> Wanted:
    """Return what a configuration says of the book that its ledger means.

    ``profile`` None means the one that it names. Raises ConfigurationError where there is none.
    """
    profile = profile or load_profile(config.profile, config.options)
    own = ""
    if isinstance(profile, TellsBooksApart):
        try:
            own = profile.told_apart_by(user=config.auth.user if config.auth else "")
        except Exception as error:  # a user's profile may raise anything
            raise ConfigurationError(
                f"ledger {config.name}: profile {profile.name} cannot tell its book apart: "
                f"{type(error).__name__}: {error}; fix the profile, or its options",
                code="CB-241",
            ) from error
    place = place_of(profile.name, config.endpoint, own, config.book)
    return Wanted(name=config.name, place=place, parallel=config.parallel)


class Opened:
    """What one ledger works with; threads may share it."""

    def __init__(
        self,
        config: LedgerConfig,
        *,
        profile: Profile | None = None,
        contract: Contract | None = None,
        chart: Chart | None = None,
        signer: Signer | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open profile, contract, chart and identity; arguments replace what ``config`` names."""
        self.config = config
        self.clock = clock
        self.profile: Profile = profile or load_profile(config.profile, config.options)
        check_auth(config, self.profile)
        check_freshness(config, self.profile.capabilities)
        self.sessions: Final = Sessions()
        self.drifts: Final = Drifts(config.name)
        self._documents: Final = InnerDocuments(Path(config.folder))
        self._chart = chart
        self._contract = contract
        identities = () if signer else open_identities(config)
        self._signers = {identity: Signer(identity, clock=clock) for identity in identities}
        self._signer = signer
        self._check_places()
        self._check_first_send()
        policy = reply_policy(config)
        self._authenticator = Authenticator(policy, clock=clock) if policy else None
        self.rules = Rules(
            capabilities=self.profile.capabilities,
            retries=config.retries,
            backoff=config.backoff,
            longest_wait=config.longest_wait,
            quiet_period=config.quiet_period + hindsight(config).total_seconds(),
            first_send=config.first_send,
            turn=config.timeouts.total * 2,
            apart=f"parallel {self.wanted.place.within}" if config.parallel else "",
            can_bind=can_bind(config),
            clock=clock,
        )

    @cached_property
    def wanted(self) -> Wanted:
        """What the configuration says of the book that this ledger means."""
        return wanted_book(self.config, self.profile)

    @property
    def signer(self) -> Signer | None:
        """What signs vouchers now; None when they are not signed.

        Of two identities that overlap the newer that is valid. Raises KeyUnavailable when none is.
        """
        if len(self._signers) > 1:
            return self._signers[Identity.current(tuple(self._signers), self.clock.now())]
        return next(iter(self._signers.values()), self._signer)

    @cached_property
    def contract(self) -> Contract:
        """The ERP's contract: the configured one, or the profile's own."""
        if self._contract is not None:
            return self._contract
        if self.config.contract is not None:
            return open_contract(self.profile, self.config.path(self.config.contract))
        return open_own_contract(self.profile)

    @cached_property
    def chart(self) -> Chart:
        """The chart of accounts; ConfigurationError when none is configured."""
        if self._chart is not None:
            return self._chart.in_zone(self.config.zone)
        if self.config.chart is None:
            raise ConfigurationError(
                f'ledger {self.config.name} has no chart; add chart = "chart.toml"',
                code="CB-257",
            )
        return Chart.load(self.config.path(self.config.chart)).in_zone(self.config.zone)

    def today(self, company: str, *, claim_id: str) -> dt.date:
        """Return the present day in a company's time zone: the chart's, else the ledger's.

        Raises ClaimError CB-199 where neither names one: the machine's own decides no date.
        """
        charted = self._chart is not None or self.config.chart is not None
        zone = self.chart.zone_of(company) if charted else self.config.zone
        if zone is None:
            raise ClaimError(
                f"today is another day in another time zone; give ledger {self.config.name} or the "
                f"chart's [company.{company}] a time_zone, or say the posting date",
                code="CB-199",
                claim_id=claim_id,
            )
        return day_in(zone, self.clock.now())

    def _contract_with(self, operation: str) -> Contract:
        """Return the contract that an operation is in: another port's may be the profile's own."""
        own = operation not in self.contract.operations
        return self._own_contract if own else self.contract

    @cached_property
    def _own_contract(self) -> Contract:
        return open_own_contract(self.profile)

    @cached_property
    def _credentials(self) -> Credentials:
        """The secrets that the profile authenticates with, read once and only held in memory."""
        return read_credentials(self.config)

    @property
    def replies_are_signed(self) -> bool:
        """Whether a reply counts only with a signature."""
        return self._authenticator is not None

    def _check_places(self) -> None:
        """Refuse signatures that the contract has no place for (CB-256)."""
        capabilities = self.profile.capabilities
        about = f"ledger {self.config.name}: the contract of profile {self.profile.name}"
        if (self._signers or self._signer) and capabilities.document_signature is None:
            raise ConfigurationError(
                f"{about} has no place for a voucher's signature; leave identity out",
                code="CB-256",
            )
        if self.config.batch_signature == "together" and not capabilities.together:
            raise ConfigurationError(
                f"{about} has no place for one signature over a batch; "
                'leave batch_signature at "each"',
                code="CB-256",
            )

    def _check_first_send(self) -> None:
        """Refuse to ask an ERP that cannot be asked (CB-251)."""
        if self.config.first_send == "ask" and not self.profile.capabilities.can_query:
            raise ConfigurationError(
                f"ledger {self.config.name}: an ERP of profile {self.profile.name} cannot be asked"
                ' by reference; leave first_send out, or set it to "send"',
                code="CB-251",
            )
