"""What a ledger's configuration adds and leaves out, opened: judged by the profile alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.profiles.base import Profile
from claimbridge.profiles.extra.entries import Entry
from claimbridge.profiles.extra.extras import Extras
from claimbridge.profiles.extra.paths import leaves, steps_of
from claimbridge.profiles.extra.settings import Extra
from claimbridge.profiles.extra.trials import (
    Trial,
    built,
    changed_postings,
    in_trials,
    owned,
    trials,
)
from claimbridge.profiles.extra.weight import amount_names, at_risk, holds_amount, weights

NONE = Extras((), ())
"""Nothing is added, and nothing left out."""


def open_extras(
    profile: Profile, omit: Sequence[str], extra: Sequence[Extra], *, about: str
) -> Extras:
    """Return what is added and left out; ``about`` names the ledger in errors.

    Raises ConfigurationError: CB-247 for a path that is none, or a value where it cannot be told
    which document it is of; CB-249 for what identifies a document or weighs.
    """
    if not (omit or extra):
        return NONE
    profile = in_trials(profile)
    made = trials(profile)
    if not made:
        raise ConfigurationError(
            f"{about}: profile {profile.name} refuses every sample, so nobody knows what must stay "
            "in its requests; leave extra and omit out, or fix its options",
            code="CB-249",
        )
    places = owned(profile, made)
    entries = [Entry(each, places) for each in extra]
    kept = weights(profile, made, places)
    amounts = amount_names(profile, made) if entries else frozenset[str]()
    try:
        for path in omit:
            _check_omitted(path, kept)
        for entry in entries:
            _check_entry(entry, kept, amounts, profile)
    except ConfigurationError as error:
        raise ConfigurationError(f"{about}: {error.message}", code=error.code) from None
    return Extras(omit, entries, taken=_taken(profile, entries, made), about=about)


def _check_omitted(path: str, kept: Mapping[str, str]) -> None:
    steps_of(path, what="omit:")
    risk = at_risk(path, kept)
    if risk is not None:
        raise ConfigurationError(
            f"omit {path}: {risk[0]} stays as the profile writes it ({risk[1]})", code="CB-249"
        )


def _check_entry(
    entry: Entry, kept: Mapping[str, str], amounts: frozenset[str], profile: Profile
) -> None:
    for path in _paths(entry.extra):
        risk = at_risk(path, kept)
        if risk is not None:
            raise ConfigurationError(
                f"{entry.title}: {risk[0]} stays as the profile writes it ({risk[1]})",
                code="CB-249",
            )
        if holds_amount(path, amounts):
            raise ConfigurationError(
                f"{entry.title}: {path} is an amount, by its name; only the profile writes amounts",
                code="CB-249",
            )
    if _is_signature(entry, profile):
        raise ConfigurationError(
            f"{entry.title}: a document's signature is made by claimbridge (identity)",
            code="CB-249",
        )
    if entry.level.kind == "request" and entry.needs_document:
        raise ConfigurationError(
            f"{entry.title}: it is in no document's element, and a request may hold several; only "
            "constants for all can stand there, or the profile must mark the element "
            "(of_document, of_posting)",
            code="CB-247",
        )


def _paths(extra: Extra) -> Iterator[str]:
    """Yield each path that an entry writes to."""
    yield extra.at
    value: Any = extra.value
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield from (path for path, _ in leaves(each, extra.at))


def _is_signature(entry: Entry, profile: Profile) -> bool:
    signed = profile.capabilities.document_signature
    return signed is not None and any(one.endswith("Signature") for one in entry.steps)


def _taken(profile: Profile, entries: Sequence[Entry], made: Sequence[Trial]) -> frozenset[str]:
    """Return the dimensions that entries carry, and that the profile refuses."""
    names = frozenset().union(*(each.template.dimensions for each in entries))
    posted = [each for each in made if each.verb == "submit" and len(each.submissions) == 1]
    return frozenset(name for name in names if any(_refuses(profile, name, one) for one in posted))


def _refuses(profile: Profile, name: str, trial: Trial) -> bool:
    coded = changed_postings(
        trial.submissions[0], lambda one: msgspec.structs.replace(one, dimensions={name: "D1"})
    )
    return built(profile, trial.verb, (coded,)) is None


__all__ = ["NONE", "open_extras"]
