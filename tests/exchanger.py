"""A ledger whose every exchange is one message: for whoever plays the ERP himself."""

from __future__ import annotations

import msgspec

from claimbridge.model import Outcome, Submission
from claimbridge.submission import Built, Plan, Post, Rules


class Exchange(msgspec.Struct, frozen=True):
    """What the ERP is asked; answered by outcomes."""

    verb: str
    submissions: tuple[Submission, ...]
    built: Built | None = None


class OneMessage:
    """The port of the plans, without profile and contract."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Plan one exchange."""
        post: Post[Exchange, tuple[Outcome, ...]] = Post(Exchange(verb, submissions, built))
        return (yield from post)
