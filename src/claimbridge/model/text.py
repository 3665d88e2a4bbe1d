"""Text that every later stage can carry: no control characters, bounded length."""

from __future__ import annotations

import re
from typing import Final

from claimbridge.errors import ClaimError

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 §2.2 cannot carry (and DEL): refused rather than dropped."""

MAX_DIMENSIONS: Final = 50
DIMENSION_NAME: Final = 64
DIMENSION_TEXT: Final = 200


def check_text(
    value: object, what: str, limit: int | None = None, *, required: bool = False
) -> None:
    """Refuse what is no text, too long, unprintable or, where ``required``, blank.

    ``limit`` counts characters; None: any number. Raises ClaimError naming ``what``.
    """
    if not isinstance(value, str):
        raise ClaimError(f"{what} must be text, not {type(value).__name__}", code="CB-146")
    if required and not value.strip():
        raise ClaimError(f"{what} is empty", code="CB-140")
    if limit is not None and len(value) > limit:
        raise ClaimError(f"{what} has {len(value)} characters; the limit is {limit}", code="CB-140")
    check_printable(value, what)


def check_printable(value: str, what: str) -> None:
    """Refuse control characters and lone surrogates; raises ClaimError naming ``what``."""
    if value.isprintable():  # most text is; nothing unprintable to XML is printable to Python
        return
    found = UNPRINTABLE.search(value)
    if found:
        raise ClaimError(
            f"{what} holds the control character U+{ord(found.group()):04X} at position "
            f"{found.start()}; remove it",
            code="CB-109",
        )


def check_dimensions(value: object, what: str) -> None:
    """Refuse what is no small table of names and texts; raises ClaimError naming ``what``."""
    if not isinstance(value, dict) or len(value) > MAX_DIMENSIONS:
        raise ClaimError(
            f"{what} must be a table of at most {MAX_DIMENSIONS} names and texts", code="CB-146"
        )
    for name, text in value.items():
        check_text(name, f"a name in {what}", DIMENSION_NAME, required=True)
        check_text(text, f"{what}.{name}", DIMENSION_TEXT)
