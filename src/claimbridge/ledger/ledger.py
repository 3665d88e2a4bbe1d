"""One book in one ERP: the port of the plans in ``claimbridge.submission``."""

from __future__ import annotations

from collections.abc import Mapping

from claimbridge.ledger.reading import Answers
from claimbridge.model import Claim, Submission
from claimbridge.submission import BookConfig


class Ledger(Answers):
    """One book in one ERP that vouchers are posted to; threads may share it."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.config.name

    @property
    def book_config(self) -> BookConfig:
        """What its configuration says of its book."""
        return self.wanted

    @property
    def companies(self) -> Mapping[str, str]:
        """The companies of its chart, with their currencies; none where it has no chart."""
        return self.chart.companies if self.has_chart else {}

    def documents(self, claim: Claim, book: str) -> tuple[Submission, ...]:
        """Return the documents that a claim would be, unsent: most often one.

        ``book`` is the id of our book. Raises ClaimError.
        """
        return tuple(submission for submission, _ in self._submissions(claim, book))
