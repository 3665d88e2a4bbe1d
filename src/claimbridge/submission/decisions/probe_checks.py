"""What refuses a probe before anybody is asked to agree; pure."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError, SchemaViolation
from claimbridge.model import JournalEntry, State, Submission
from claimbridge.submission.decisions.evidence import reversal_of
from claimbridge.submission.decisions.port import LedgerPort
from claimbridge.submission.decisions.probe_claims import TITLE


def check_place(ledger: LedgerPort, *, in_production: bool) -> None:
    """Refuse a ledger of production (CB-277), unless somebody insists."""
    if ledger.is_production and not in_production:
        raise ConfigurationError(
            f"ledger {ledger.name} is marked production = true, and a probe posts there: probe a "
            "test client, or say --yes-in-production",
            code="CB-277",
        )


def check_can_reverse(ledger: LedgerPort) -> None:
    """Refuse to post what the profile cannot take back (CB-287)."""
    if not ledger.rules.capabilities.can_reverse:
        raise ConfigurationError(
            f"ledger {ledger.name}: this profile cannot reverse, so that the probe's voucher stays "
            "until a person reverses or deletes it in the ERP; nothing was sent. To post it all "
            "the same, say --without-reversal",
            code="CB-287",
        )


def check_reversal(document: Submission, ledger: LedgerPort) -> None:
    """Refuse to post what the contract has no reversal for, as that of an older SAP (CB-287)."""
    voucher = document.voucher
    entry = JournalEntry(_SAMPLE, voucher.company, f"{voucher.posting_date:%Y}")
    posted = msgspec.structs.replace(document, journal_entry=entry, state=State.POSTED)
    reversal = reversal_of(posted, None, voucher.posting_date, TITLE, ledger.rules)
    try:
        ledger.build("reverse", (reversal,))
    except SchemaViolation as error:
        raise ConfigurationError(
            f"ledger {ledger.name}: its contract does not take the reversal of an entry "
            f"{entry} ({error.message}); nothing was sent. To post the voucher all the same, say "
            "--without-reversal",
            code="CB-287",
        ) from error


_SAMPLE: Final = "100000008"
"""A number for a reversal that is built to be judged, and never sent."""


__all__ = ["check_can_reverse", "check_place", "check_reversal"]
