"""The control pages' JSON: what is posted to them, and what they show."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.responses import Response

from claimbridge.errors import ConfigurationError

_T = TypeVar("_T")


def decode(body: bytes, kind: type[_T]) -> _T:
    """Return what was posted to a page; raises ConfigurationError CB-274 for anything else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"not what is expected here: {error}", code="CB-274") from error


def json_page(value: object, *, status: int = 200) -> Response:
    """Return a page of JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
