"""Codes as SAP's database has them: what is digits only gets leading zeros.

SAP's screens convert what people type (conversion exit ALPHA); interfaces do not. Neither a BAPI
nor the journal entry service finds account 6602 where the database has 0000006602.
"""

from __future__ import annotations

from typing import Final

from claimbridge.model import Posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field

ACCOUNT: Final = 10
"""Characters of a G/L account (SAKNR)."""
PARTNER: Final = 10
"""Characters of a vendor (LIFNR) and of a customer (KUNNR)."""
COST_CENTRE: Final = 10
"""Characters of a cost centre (KOSTL)."""
WIDTHS: Final = {
    "order": 12,
    "profit_centre": 10,
    "partner_profit_centre": 10,
    "segment": 10,
    "partner_segment": 10,
    "grant": 20,
}
"""The dimensions whose domains SAP converts by ALPHA, with their characters.

Functional areas, funds and business areas have no conversion; a WBS element has another one, and
its external form is what interfaces take.
"""


def padded(text: str, width: int) -> str:
    """Return ``text`` with leading zeros up to ``width`` where it is digits only (ALPHA).

    Anything else stays as it is, also what is longer: the gate refuses that.
    """
    return text.zfill(width) if text.isascii() and text.isdigit() else text


def internal(posting: Posting, text: str, name: str, width: int) -> Sourced:
    """Return a posting's code as the database has it; ``name`` is the posting's field."""
    return Sourced(padded(text, width), claim_field(posting, name))


def dimension(posting: Posting, name: str) -> Sourced:
    """Return a posting's code for a dimension, as the database has it; "" where it has none."""
    code = posting.dimensions.get(name, "")
    return internal(posting, code, f"dimensions.{name}", WIDTHS.get(name, 0))
