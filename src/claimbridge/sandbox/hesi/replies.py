"""How the sandbox's Hesi says something, and how it says no."""

from __future__ import annotations

import msgspec

from claimbridge.sandbox.http.reply import SandboxReply


class No(Exception):
    """Hesi refuses: an HTTP status and its words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.reply: SandboxReply = refusal(status, words)


def json_reply(content: object, status: int = 200) -> SandboxReply:
    """Return content as a reply in JSON."""
    return SandboxReply(
        status=status,
        body=msgspec.json.encode(content),
        content_type="application/json;charset=UTF-8",
    )


def refusal(status: int, words: str) -> SandboxReply:
    """Return Hesi's refusal."""
    content = {
        "errorCode": status,
        "errorMessage": words,
        "errorDetails": None,
        "code": None,
        "data": None,
    }
    return json_reply(content, status)
