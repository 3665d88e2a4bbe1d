"""Shapes of the part in use, and of the whole where a request needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from claimbridge.contract.calls.shapes import Leaf, Shape, Shapes, ShapeSource


class PrunedShapes:
    """Knows what ``Shapes`` of the whole contract knows.

    ``small`` knows the global ``elements``; ``types`` has the ``{namespace}name`` of those that it
    knows, by each name that they answer to in the whole. ``whole`` is asked about all others.
    """

    def __init__(
        self,
        small: Shapes,
        *,
        elements: Collection[str],
        types: Mapping[str, str],
        whole: Callable[[], ShapeSource],
    ) -> None:
        self._small = small
        self._elements = elements
        self._types = types
        self._whole = whole

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        return (self._small if name in self._elements else self._whole()).element(name)

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return ``{namespace}name`` and shape of a global type, as ``Types`` promises."""
        full = self._types.get(name)
        return self._small.named(full) if full else self._whole().named(name)


__all__ = ["PrunedShapes"]
