"""Where in a claim something stands: a line, an item of it, an allocation of that."""

from __future__ import annotations

import msgspec


class ClaimPath(msgspec.Struct, frozen=True):
    """A line by its index, and an item or allocation of it by theirs; None: the whole."""

    line: int
    item: int | None = None
    allocation: int | None = None

    def __str__(self) -> str:
        """Return it as people count: ``line 2, item 1, allocation 3``."""
        named = f"line {self.line + 1}"
        if self.item is not None:
            named += f", item {self.item + 1}"
        if self.allocation is not None:
            named += f", allocation {self.allocation + 1}"
        return named
