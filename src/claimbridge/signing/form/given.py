"""What callers hand in: bytes, or a refusal of ours."""

from __future__ import annotations

from claimbridge.errors import DocumentError


def check_bytes(given: object, *, what: str) -> None:
    """Raise DocumentError CB-150 unless ``given`` is bytes (for which callers' types do not vouch).

    Text has no bytes that could have been signed, and what can change while it is looked at none
    that stay.
    """
    if not isinstance(given, bytes):
        raise DocumentError(
            f"{what} is given as {type(given).__name__}, not as bytes; read it in binary mode",
            code="CB-150",
        )
