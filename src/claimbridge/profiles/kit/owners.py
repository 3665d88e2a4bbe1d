"""Elements of a request that remember which posting, or which document, they stand for.

A profile marks them when it builds the body. So fields that only a configuration names can be added
to the right element: ``[[ledger.X.extra]]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from claimbridge.model import Posting, Submission

_E = TypeVar("_E", bound=Mapping[str, Any])
Owner = Posting | Submission
"""What an element stands for."""


class Marked(dict[str, Any]):
    """An element with its owner; for whoever reads it, a dict like any other."""

    owner: Owner

    def __init__(self, owner: Owner, element: Mapping[str, Any]) -> None:
        super().__init__(element)
        self.owner = owner


def of_posting(posting: Posting, element: _E) -> _E:
    """Return the element, marked as standing for one posting; several elements may stand for it."""
    return cast("_E", Marked(posting, element))


def of_document(submission: Submission, element: _E) -> _E:
    """Return the element, marked as that of one document: everything in it is the document's."""
    return cast("_E", Marked(submission, element))
