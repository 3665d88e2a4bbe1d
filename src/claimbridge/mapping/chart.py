"""The chart of accounts: which postings a claim becomes."""

from __future__ import annotations

import os
from pathlib import Path

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.content import parse_toml
from claimbridge.mapping.explanation import Mapped
from claimbridge.mapping.postings import map_claim
from claimbridge.mapping.reading import rules_of
from claimbridge.mapping.rules import Rules
from claimbridge.model import Claim


class Chart:
    """A checked chart; it never changes, and threads may share it.

    Make one with ``load`` or ``from_toml``. ``name`` is the chart's own.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.name: str = rules.name

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Chart:
        """Return the chart in the TOML file ``path``.

        Raises ConfigurationError naming the table or row that is wrong, or the file when it
        cannot be read.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{os.fspath(path)}: the chart cannot be read: {error.strerror or error}",
                code="CB-205",
            ) from error
        return cls.from_toml(data, origin=os.fspath(path))

    @classmethod
    def from_toml(cls, data: bytes, *, origin: str = "chart") -> Chart:
        """Return the chart that ``data`` describes; ``origin`` names it in messages.

        Raises ConfigurationError naming the table or row that is wrong.
        """
        return cls(rules_of(parse_toml(data, file=origin)))

    def map(self, claim: Claim) -> Mapped:
        """Return the claim's voucher, balanced and equal to its total, with the reasons for it.

        The same claim gives the same voucher, to the byte. Raises MappingError naming the line
        and the decision that the chart does not make, or ClaimError when the voucher cannot
        exist.
        """
        return map_claim(self._rules, claim)

    def __repr__(self) -> str:
        return f"Chart({self.name!r})"
