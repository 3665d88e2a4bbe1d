"""What ``doctor`` says of the lists of an ERP's records: which there are, and how old they are."""

from __future__ import annotations

import datetime as dt
from typing import Final

from claimbridge.clock import SYSTEM
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError
from claimbridge.ledger import book_config_of
from claimbridge.ledger.records_file import read_records, records_path
from claimbridge.profiles import load_profile
from claimbridge.profiles.abilities import ListsMasterRecords

_OLD: Final = dt.timedelta(days=30)


def works_with_lists(config: LedgerConfig) -> bool:
    """Say whether the ledger's profile needs lists, or has some; never raises."""
    try:
        profile = load_profile(config.profile, config.options)
    except ClaimBridgeError:  # reported where the contract is opened
        return False
    if not isinstance(profile, ListsMasterRecords):
        return False
    return bool(profile.needed_kinds) or records_path(config).exists()


def check_codes(config: LedgerConfig) -> str | tuple[str, str]:
    """Return how many records of each kind there are, and since when; a verdict where it matters.

    Raises ConfigurationError CB-489 for a file that cannot be used.
    """
    profile = load_profile(config.profile, config.options)
    needed = profile.needed_kinds if isinstance(profile, ListsMasterRecords) else ()
    lists = read_records(config, book_config_of(config, profile).place).lists
    if missing := [kind for kind in needed if kind not in lists]:
        return "failure", (
            f"no list of {', '.join(missing)}: claims are refused (CB-488); run claimbridge codes "
            f"{config.name}"
        )
    now = SYSTEM.now()
    text = ", ".join(
        f"{kind} {len(found.records)} ({(now - found.fetched_at).days} d)"
        for kind, found in lists.items()
    )
    if any(now - found.fetched_at > _OLD for found in lists.values()):
        return "warning", f"{text}; run claimbridge codes {config.name} --refresh"
    return text


__all__ = ["check_codes", "works_with_lists"]
