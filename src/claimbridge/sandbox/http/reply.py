"""What goes back over HTTP, whoever answers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class SandboxReply(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back over HTTP; ``headers`` are those beside the content's own."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}
