"""The reference: our key in the ERP's own searchable field."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from claimbridge.model import Key, Purpose
from claimbridge.profiles.base import Capabilities

_MARKED: Final = re.compile(r".*\.[prx]\d+", re.DOTALL)


def reference_for(key: Key, capabilities: Capabilities) -> str:
    """Return what the ERP will know the voucher by: stable, unique per key, searchable.

    The claim id itself where it fits the ERP's field (``.p2`` marks a part, ``.r2`` a later
    revision, ``.x1`` a reversal), else a base32 digest of the key.
    """
    part = f".p{key.part}" if key.part else ""
    if key.purpose is Purpose.REVERSE:
        mark = f".x{key.revision}"
    else:
        mark = "" if key.revision == 1 else f".r{key.revision}"
    readable = key.claim_id + part + mark
    fits = (
        len(readable) <= capabilities.reference_length
        and re.fullmatch(capabilities.reference_pattern, readable) is not None
        # A claim id that itself looks marked could collide with another claim's reference.
        and not _MARKED.fullmatch(key.claim_id)
    )
    if fits:
        return readable
    digest = base64.b32encode(hashlib.sha256(str(key).encode()).digest()).decode().rstrip("=")
    return digest[: min(26, capabilities.reference_length)]
