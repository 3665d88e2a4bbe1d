"""A gate that compiles little: the schemas in use, and the whole where a request needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, XSI, qname, split_name
from claimbridge.contract.calls.gate import Gate
from claimbridge.findings import Finding

_TYPE = f"{{{XSI}}}type"


class PrunedGate:
    """Checks bodies as ``Gate`` does, with the same verdicts and findings.

    ``small`` knows the global ``elements`` and ``types``. ``hidden`` are local names of elements
    that a wildcard might let in and ``small`` does not know. ``whole`` returns the gate of the
    whole contract, which judges every body with such a name or another type.
    """

    def __init__(
        self,
        small: Gate,
        *,
        elements: Collection[str],
        types: Collection[str],
        hidden: Collection[str],
        whole: Callable[[], Gate],
    ) -> None:
        self._small = small
        self._elements = elements
        self._types = types
        self._hidden = hidden
        self._whole = whole

    def check(self, body: bytes, sources: Mapping[str, str]) -> tuple[Finding, ...]:
        """Return what the contract forbids in ``body``, in document order; empty when valid."""
        root = xmlio.parse(body, what="the request's body")
        gate = self._small if self._suffices(root) else self._whole()
        return gate.judge(root, body, sources)

    def _suffices(self, root: etree._Element) -> bool:
        """Whether libxml2 would meet nothing in ``root`` that was cut away."""
        if str(root.tag) not in self._elements:
            return False
        for element in root.iter(etree.Element):
            written = element.get(_TYPE)
            if written is not None and not self._knows(written, element):
                return False
            if self._hidden and xmlio.local_name(element) in self._hidden:
                return False
        return True

    def _knows(self, written: str, element: etree._Element) -> bool:
        name = qname(written, element)
        return split_name(name)[0] == XSD or name in self._types


__all__ = ["PrunedGate"]
