"""Whose element a path leads through: a posting's, a document's, or nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from claimbridge.model import Posting
from claimbridge.profiles.extra.paths import is_within, without_counts
from claimbridge.profiles.kit.owners import Owner

Kind = Literal["posting", "document", "request"]


class Level(NamedTuple):
    """What a path is of, and the path of the element that stands for it, without counts."""

    kind: Kind
    prefix: str = ""


class Owned(NamedTuple):
    """The elements that a profile marks, by their paths without counts.

    ``whole``: a request never holds several documents, and so is a document's as a whole.
    """

    postings: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    whole: bool = False

    @classmethod
    def of(cls, owners: Iterable[Mapping[str, Owner]], *, whole: bool) -> Owned:
        """Return what these requests mark."""
        pairs = [(without_counts(path), owner) for each in owners for path, owner in each.items()]
        postings = frozenset(path for path, owner in pairs if isinstance(owner, Posting))
        return cls(postings, frozenset(path for path, _ in pairs) - postings, whole)

    def level_of(self, path: str) -> Level:
        """Return what ``path`` is of: the innermost element around it counts."""
        around = [
            (prefix, kind)
            for paths, kind in ((self.postings, "posting"), (self.documents, "document"))
            for prefix in paths
            if is_within(path, prefix) and path != prefix
        ]
        if around:
            prefix, kind = max(around, key=lambda each: len(each[0]))
            return Level("posting" if kind == "posting" else "document", prefix)
        return Level("document" if self.whole else "request")
