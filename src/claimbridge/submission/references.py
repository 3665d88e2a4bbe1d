"""The reference: our key in the ERP's own searchable field."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

import msgspec

from claimbridge.model import Key, Purpose
from claimbridge.profiles.base import Capabilities

_MARKED: Final = re.compile(r".*\.[rx]\d+", re.DOTALL)


def reference_for(key: Key, capabilities: Capabilities, *, apart: str = "") -> str:
    """Return what the ERP will know the voucher by: stable, unique per key, searchable.

    The claim id itself where it fits the ERP's field (``.r2`` marks a later revision, ``.x1`` a
    reversal), else a base32 digest. Neither the ledger's name nor the book's id is in it, so that
    an empty journal leads to the same reference. ``apart`` is that of ``Rules``: a parallel book
    may share an ERP with another that has the same claim, and its references are digests always.
    """
    if key.purpose is Purpose.REVERSE:
        mark = f".x{key.revision}"
    else:
        mark = "" if key.revision == 1 else f".r{key.revision}"
    readable = key.claim_id + mark
    fits = (
        not apart
        and len(readable) <= capabilities.reference_length
        and re.fullmatch(capabilities.reference_pattern, readable) is not None
        # A claim id that itself looks marked could collide with another claim's reference.
        and not _MARKED.fullmatch(key.claim_id)
    )
    if fits:
        return readable
    told = msgspec.json.encode((apart, key.claim_id, key.revision, key.purpose))
    digest = base64.b32encode(hashlib.sha256(told).digest()).decode().rstrip("=")
    return digest[: min(26, capabilities.reference_length)]
