"""One added field as it is configured: ``[[ledger.X.extra]]``."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.model import Role
from claimbridge.profiles.extra.paths import steps_of
from claimbridge.profiles.extra.values import template_of


class Extra(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A field that every request to post or reverse gets besides the profile's own.

    ``at`` is its path in the contract's own names, without counts. ``value`` is a text, a number,
    true or false, a day, or a table of these; a text may name fields of the claim, the voucher and
    the posting (``"{posting.project}"``). ``role``, ``account`` (a glob: ``6602*``), ``company``
    and ``purpose`` say for which postings or documents, one or a list; empty: for all. Raises
    ConfigurationError CB-247.
    """

    at: str
    value: Any
    role: str | tuple[str, ...] = ()
    account: str | tuple[str, ...] = ()
    company: str | tuple[str, ...] = ()
    purpose: Literal["post", "reverse", ""] = ""

    def __post_init__(self) -> None:
        steps_of(self.at, what="extra: at")
        template_of(self.value, what=self.title)
        strange = sorted(set(listed(self.role)) - set(Role))
        if strange:
            raise ConfigurationError(
                f"{self.title}: there is no role {strange[0][:60]!r}; the roles are "
                f"{', '.join(Role)}",
                code="CB-247",
            )
        if not all((*listed(self.account), *listed(self.company))):
            raise ConfigurationError(
                f"{self.title}: an empty account or company matches nothing; leave it out",
                code="CB-247",
            )

    @property
    def title(self) -> str:
        """The entry as errors name it."""
        return f"extra at {self.at[:120]}"


def listed(one_or_more: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return what may be given as one text or as a list."""
    return (one_or_more,) if isinstance(one_or_more, str) else one_or_more
