"""Callers must hand in bytes."""

from __future__ import annotations

from claimbridge.errors import DocumentError


def check_bytes(given: object, *, what: str) -> None:
    """Raise DocumentError CB-150 unless ``given`` is bytes; callers' types do not guarantee it.

    Text has no bytes that could have been signed, and the bytes of a bytearray may change.
    """
    if not isinstance(given, bytes):
        raise DocumentError(
            f"{what} is given as {type(given).__name__}, not as bytes; read it in binary mode",
            code="CB-150",
        )
