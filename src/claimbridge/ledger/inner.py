"""Documents that travel as text inside a request: written, judged, and put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimbridge.errors import SchemaViolation
from claimbridge.profiles.request import Inner, Request

if TYPE_CHECKING:
    from claimbridge.contract.strings.documents import InnerContract


class InnerDocuments:
    """The schemas of a ledger's inner documents, each opened when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contracts: dict[tuple[str, str], InnerContract] = {}

    def fill(self, request: Request) -> Mapping[str, Any]:
        """Return the request's body, with the text of its inner document in its place.

        Raises SchemaViolation for what the document's schema forbids, ContractError when the
        schema cannot be opened.
        """
        from claimbridge.contract.strings.documents import at

        inner = request.inner
        if inner is None:
            return request.body
        try:
            text = self._of(inner.schema, inner.element).document(
                inner.body, sources=inner.sources, format=inner.format, encoding=inner.encoding
            )
        except SchemaViolation as error:
            error.findings = at(inner.at, error.findings)
            raise
        return _put(request.body, inner.at.split("/"), text)

    def opened(self, inner: Inner) -> InnerContract:
        """Return the schema of an inner document; raises ContractError as ``fill`` does."""
        return self._of(inner.schema, inner.element)

    def _of(self, schema: str, element: str) -> InnerContract:
        from claimbridge.contract.strings.documents import InnerContract

        # Two threads may open it both; either is as good.
        key = (schema, element)
        if key not in self._contracts:
            self._contracts[key] = InnerContract.open(schema, element, folder=self._folder)
        return self._contracts[key]


def _put(body: Mapping[str, Any], path: list[str], text: str) -> dict[str, Any]:
    first, *rest = path
    return {**body, first: _put(body.get(first, {}), rest, text) if rest else text}
