"""One added field, ready for use: where it stands, whom it is for, and what it says."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from claimbridge.profiles.extra.owned import Level, Owned
from claimbridge.profiles.extra.paths import Steps, steps_of
from claimbridge.profiles.extra.settings import Extra, listed
from claimbridge.profiles.extra.values import Occasion, Template, template_of


class Entry:
    """One added field, ready for use."""

    def __init__(self, extra: Extra, owned: Owned) -> None:
        self.extra: Final = extra
        self.title: Final = extra.title
        self.steps: Final[Steps] = steps_of(extra.at, what="extra: at")
        self.template: Final[Template] = template_of(extra.value, what=self.title)
        self.level: Final[Level] = owned.level_of(extra.at)
        self._roles, self._accounts = listed(extra.role), listed(extra.account)
        self._companies = listed(extra.company)

    @property
    def for_postings(self) -> bool:
        """Whether it is added once for each posting, wherever it stands."""
        fields = self.template.fields
        chosen = self._roles or self._accounts
        return bool(chosen) or any(one.startswith("posting.") for one in fields)

    @property
    def needs_document(self) -> bool:
        """Whether it differs from one document to the next."""
        extra = self.extra
        return bool(self.for_postings or self.template.fields or extra.company or extra.purpose)

    def takes(self, scope: Occasion, *, any_account: bool = False) -> bool:
        """Whether its filters let it stand for a document, or for a posting of it.

        ``any_account``: accounts and companies are not looked at.
        """
        voucher, posting = scope.submission.voucher, scope.posting
        purpose = self.extra.purpose
        if purpose and purpose != voucher.purpose:
            return False
        if posting is not None and self._roles and posting.role not in self._roles:
            return False
        if any_account:
            return True
        company = (posting.company if posting else "") or voucher.company
        if self._companies and company not in self._companies:
            return False
        return (
            posting is None
            or not self._accounts
            or any(fnmatchcase(posting.account, one) for one in self._accounts)
        )
