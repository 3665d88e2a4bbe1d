"""What goes back over HTTP, whoever answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class SandboxReply(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back over HTTP; ``headers`` are those beside the content's own.

    ``cookies`` are Set-Cookie headers more, one each. ``chunked``: no header says how long the body
    is. ``encoding`` is that of the ERP's server, "" for UTF-8.
    """

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}
    cookies: Sequence[str] = ()
    chunked: bool = False
    encoding: str = ""
