"""A ledger as its configuration opens it: profile, contract, chart, identities, wire, rules."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from pathlib import Path
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.ledger.credentials import open_identities, read_credentials
from claimbridge.ledger.drifts import Drifts
from claimbridge.ledger.records_file import read_records
from claimbridge.ledger.sessions import Sessions
from claimbridge.ledger.wire import open_wire
from claimbridge.mapping import Chart
from claimbridge.model.zones import day_in
from claimbridge.profiles import PROFILES, load_profile
from claimbridge.profiles.abilities import (
    HasAuthKinds,
    ListsMasterRecords,
    NamesOperations,
    NamesTypes,
    TellsBooksApart,
)
from claimbridge.profiles.base import Capabilities, Profile
from claimbridge.profiles.conversation import Credentials
from claimbridge.profiles.extra.extras import Extras
from claimbridge.profiles.extra.opening import open_extras
from claimbridge.signing import Identity, Signer
from claimbridge.signing.form.xades import CLOCK_SKEW
from claimbridge.submission import BookConfig, Rules, place_of

NOT_BUILT: Final = "CB-419"
"""The code of what could not be built: nothing left this machine."""
_WHOLE: Final = frozenset({"reference", "in-string"})
"""Profiles whose own contract is all there is."""
_AUTH_KINDS: Final = ("basic", "bearer", "client-certificate", "username-token")


class Setup:
    """What one ledger works with, opened once; threads may share it."""

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
        self.config: Final = config
        self.clock: Final = clock
        self.profile: Final[Profile] = _with_records(
            config, profile or load_profile(config.profile, config.options)
        )
        _check_auth(config, self.profile)
        _check_freshness(config, self.profile.capabilities)
        self.extras: Final[Extras] = open_extras(
            self.profile, config.omit, config.extra, about=f"ledger {config.name}"
        )
        self.sessions: Final = Sessions()
        self.drifts: Final = Drifts(config.name)
        self._chart = chart
        self._contract = contract
        identities = () if signer else open_identities(config)
        self._signers = {identity: Signer(identity, clock=clock) for identity in identities}
        self._signer = signer
        _check_places(config, self.profile, signs=bool(identities or signer))
        _check_first_send(config, self.profile)
        self.wire: Final = open_wire(config, clock=clock)
        self.rules: Final = Rules(
            capabilities=self.profile.capabilities,
            retries=config.retries,
            backoff=config.backoff,
            longest_wait=config.longest_wait,
            quiet_period=config.quiet_period + _hindsight(config).total_seconds(),
            first_send=config.first_send,
            turn=config.timeouts.total * 2,
            apart=f"parallel {self.book_config.place.within}" if config.parallel else "",
            can_bind=_can_bind(config),
            clock=clock,
        )

    @cached_property
    def book_config(self) -> BookConfig:
        """What the configuration says of the book that this ledger means."""
        return book_config_of(self.config, self.profile)

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
            return self._open_contract(self.config.path(self.config.contract))
        return self.own_contract

    @property
    def has_reduced_contract(self) -> bool:
        """Whether the contract is one of ours that holds only a part of the ERP's own."""
        configured = self._contract is not None or self.config.contract is not None
        return not configured and self.config.profile in PROFILES.keys() - _WHOLE

    @cached_property
    def own_contract(self) -> Contract:
        """The contract that the profile itself names; another port's operations may be in it."""
        return self._open_contract(Bundle.named(self.profile.contract))

    def _open_contract(self, source: Path | Bundle) -> Contract:
        """Return the ERP's contract, opened for what is used of it: by the profile, and added."""
        profile = self.profile
        types = tuple(profile.types) if isinstance(profile, NamesTypes) else ()
        return Contract.load(
            source,
            operations=tuple(profile.operations) if isinstance(profile, NamesOperations) else (),
            types=(*types, *self.extras.types),
        )

    @property
    def has_chart(self) -> bool:
        """Whether there is a chart; without one, vouchers are not mapped from claims here."""
        return self._chart is not None or self.config.chart is not None

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

    @cached_property
    def credentials(self) -> Credentials:
        """The secrets that the profile authenticates with, read once and only held in memory."""
        return read_credentials(self.config)

    def today(self, company: str, *, claim_id: str) -> dt.date:
        """Return the present day in a company's time zone: the chart's, else the ledger's.

        Raises ClaimError CB-199 where neither names one: the machine's own decides no date.
        """
        zone = self.chart.zone_of(company) if self.has_chart else self.config.zone
        if zone is None:
            raise ClaimError(
                f"today is another day in another time zone; give ledger {self.config.name} or the "
                f"chart's [company.{company}] a time_zone, or say the posting date",
                code="CB-199",
                claim_id=claim_id,
            )
        return day_in(zone, self.clock.now())


def book_config_of(config: LedgerConfig, profile: Profile | None = None) -> BookConfig:
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
    return BookConfig(name=config.name, place=place, parallel=config.parallel)


def _with_records(config: LedgerConfig, profile: Profile) -> Profile:
    """Return the profile with the lists of its ERP's records, where it works with such lists."""
    if not isinstance(profile, ListsMasterRecords):
        return profile
    records = read_records(config, book_config_of(config, profile).place)
    return profile.with_records(records) if records.lists or profile.needed_kinds else profile


def _check_auth(config: LedgerConfig, profile: Profile) -> None:
    """Refuse a kind of authentication that neither we nor the profile know (CB-258)."""
    kinds = (*_AUTH_KINDS, *(profile.auth_kinds if isinstance(profile, HasAuthKinds) else ()))
    if config.auth is not None and config.auth.kind not in kinds:
        raise ConfigurationError(
            f"auth.kind {config.auth.kind!r} is unknown; profile {profile.name} takes "
            f"{', '.join(kinds)}",
            code="CB-258",
        )


def _check_places(config: LedgerConfig, profile: Profile, *, signs: bool) -> None:
    """Refuse signatures that the contract has no place for (CB-256)."""
    about = f"ledger {config.name}: the contract of profile {profile.name}"
    if signs and profile.capabilities.document_signature is None:
        raise ConfigurationError(
            f"{about} has no place for a voucher's signature; leave identity out",
            code="CB-256",
        )
    if config.batch_signature == "together" and not profile.capabilities.together:
        raise ConfigurationError(
            f'{about} has no place for one signature over a batch; leave batch_signature at "each"',
            code="CB-256",
        )


def _check_first_send(config: LedgerConfig, profile: Profile) -> None:
    """Refuse to ask an ERP that cannot be asked (CB-251)."""
    if config.first_send == "ask" and not profile.capabilities.can_query:
        raise ConfigurationError(
            f"ledger {config.name}: an ERP of profile {profile.name} cannot be asked"
            ' by reference; leave first_send out, or set it to "send"',
            code="CB-251",
        )


def _can_bind(config: LedgerConfig) -> bool:
    """Say whether something in a reply can say that it answers its own question.

    Where replies are not signed, TLS alone vouches for that.
    """
    replies = config.replies
    return replies is None or replies.addressing or replies.max_age is not None


def _hindsight(config: LedgerConfig) -> dt.timedelta:
    """Return by how much an answer may be older than its question and still count as its own.

    Where nothing but two clocks says so: theirs may be ahead of ours by as much as it may be
    behind.
    """
    replies = config.replies
    if replies is None or replies.addressing or replies.max_age is None:
        return dt.timedelta(0)
    return 2 * CLOCK_SKEW


def _check_freshness(config: LedgerConfig, capabilities: Capabilities) -> None:
    """Refuse a quiet period within which a kept-back answer may still be young enough (CB-269)."""
    replies = config.replies
    asks = capabilities.can_query and not capabilities.unique_reference
    if replies is None or replies.addressing or replies.max_age is None or not asks:
        return
    least = replies.max_age + CLOCK_SKEW.total_seconds()
    if config.quiet_period < least:
        raise ConfigurationError(
            f"ledger {config.name}: this ERP does not refuse duplicates, and an old signed answer "
            f"would count for {replies.max_age:g} s after a lost sending; set quiet_period to "
            f"{least:g} s at least, replies.max_age to {config.quiet_period - 60:g} s at most, or "
            "replies.addressing = true",
            code="CB-269",
        )
