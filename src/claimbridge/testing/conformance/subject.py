"""The profile that is judged, with what it needs to be opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from claimbridge.config import AuthConfig, LedgerConfig, Timeouts
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import Outcome
from claimbridge.places import attribute_at
from claimbridge.profiles import Profile, load_profile
from claimbridge.profiles.abilities import NamesNoPlace
from claimbridge.sandbox import PROFILES, Responder
from claimbridge.soap.envelope import SoapReply, open_envelope
from claimbridge.testing.fake import PlainChart


class Nonconformity(AssertionError):
    """A profile breaks a rule; the message says which, and why it matters."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A profile under judgement.

    ``profile`` is its name, its ``module:attribute``, or itself. ``responder`` plays its ERP;
    ``path`` follows the ERP's address in the sandbox. ``recorded`` is a folder of its exchanges.
    ``no_place`` are further fields that its ERP has no place for: see ``fields``. ``lifelike``: the
    ERP's replies are as untidy as those of real systems.
    """

    profile: str | Profile
    responder: str | Responder | None = None
    recorded: Path | None = None
    options: Mapping[str, Any] = {}
    auth: AuthConfig | None = None
    chart: Chart | None = None
    path: str = ""
    no_place: Mapping[str, str] = {}
    lifelike: bool = True

    def no_place_of(self, profile: Profile) -> Mapping[str, str]:
        """Return the fields that the ERP has no place for, by name, each with the reason."""
        own = profile.no_place if isinstance(profile, NamesNoPlace) else {}
        return {**own, **self.no_place}

    def open_profile(self) -> Profile:
        """Return the profile, made anew where it is named."""
        if isinstance(self.profile, str):
            return load_profile(self.profile, self.options)
        return self.profile

    def ledger(self, endpoint: str = "http://127.0.0.1:9/") -> Ledger:
        """Return a ledger of the profile by its own contract, with very short waits."""
        profile = self.open_profile()
        config = LedgerConfig(
            name="CONFORMANCE",
            profile=self.profile if isinstance(self.profile, str) else profile.name,
            endpoint=endpoint,
            options=dict(self.options),
            auth=self.auth,
            timeouts=Timeouts(connect=0.5, total=1.0),
            quiet_period=1.1,
            backoff=0.02,
            retries=1,
        )
        return Ledger(config, profile=profile, chart=self.chart or PlainChart())

    def server(self) -> Responder:
        """Return the Responder that plays the ERP."""
        assert self.responder is not None
        if not isinstance(self.responder, str):
            return self.responder
        try:
            found: Any = attribute_at(PROFILES.get(self.responder, self.responder))
            made: Responder = found() if isinstance(found, type) else found
        except Exception as error:  # a user's module may raise anything while it loads
            raise ConfigurationError(
                f"responder {self.responder!r} cannot be loaded: {type(error).__name__}: {error}; "
                "give one of ours by its name, or module:attribute",
                code="CB-296",
            ) from error
        return made


def read(ledger: Ledger, data: bytes) -> tuple[Outcome, ...]:
    """Return what the profile itself reads: unlike ``Ledger.read_bytes``, nothing is corrected.

    () when the envelope is none, or answers nothing that the contract knows: the profile is then
    not asked. Raises Nonconformity for an exception, and for what is no outcome.
    """
    try:
        answer = SoapReply(open_envelope(data)).content(ledger.setup.contract)
    except ClaimBridgeError:
        return ()
    found: object
    try:
        found = _ask(ledger.setup.profile, answer)
    except ClaimBridgeError:
        return ()  # one of ours is an explicit unknown
    except Exception as error:
        raise Nonconformity(
            f"reading raises {error!r}; a reply that cannot be read must be UNKNOWN"
        ) from error
    if not isinstance(found, tuple) or not found:
        raise Nonconformity(f"read returns {found!r}: silence; it must return one UNKNOWN")
    if not all(isinstance(one, Outcome) for one in found):
        raise Nonconformity(f"reading returns {found!r}, which is no Outcome")
    return found


def _ask(profile: Profile, answer: Reply | Fault) -> object:
    if isinstance(answer, Fault):
        return (profile.read_fault(answer),)
    return profile.read(answer)
