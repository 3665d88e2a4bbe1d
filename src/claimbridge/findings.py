"""What a failed check says of what we would send, and what an ERP says of what it refused."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One failed check of the gate, before anything was sent.

    ``path`` is the XML path, ``rule`` a stable name (``maxLength``, ``enumeration``, ``missing``,
    ``unexpected`` …), ``text`` a sentence, ``claim_field`` where the value came from in the claim
    (empty when it came from no field).
    """

    path: str
    rule: str
    text: str
    claim_field: str = ""


class Reason(msgspec.Struct, frozen=True):
    """One reason in the ERP's own words; ``code`` is the ERP's, empty when it gives none.

    ``field`` is the claim or XML field the ERP points at, empty when it names none.
    """

    text: str
    code: str = ""
    field: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.code else self.text


__all__ = ["Finding", "Reason"]
