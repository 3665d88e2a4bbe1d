"""The content model of one type: its groups, elements and wildcards, named groups put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.outline.annotations import note_of
from claimbridge.contract.outline.declarations import Component, Declarations
from claimbridge.contract.outline.simple import occurs
from claimbridge.contract.outline.types import NO_NOTE, Element, Group, Part, Type, Wildcard
from claimbridge.errors import ContractError

MAX_PARTS: Final = 50_000
"""Parts of one content: groups that hold each other twice would grow without end."""
_DEEPEST: Final = 50


class ContentReader:
    """Reads the content of one type, counting what it reads; made for each anew.

    ``local`` reads an element that stands in the type, by its ``{namespace}name``; ``reference``
    returns a global one. Raises ContractError CB-215.
    """

    def __init__(
        self,
        declarations: Declarations,
        local: Callable[[Component, str], Element],
        reference: Callable[[str], Element],
    ) -> None:
        self._declarations = declarations
        self._local = local
        self._reference = reference
        self._left = MAX_PARTS

    def of(self, node: etree._Element, component: Component) -> Group | None:
        """Return the content that ``node`` itself declares; None when it declares none."""
        for child in node.iterchildren(etree.Element):
            part = self._part(child, component, 0)
            if isinstance(part, Group):
                return part
        return None

    def derived(self, base: Type, step: etree._Element, component: Component) -> Group | None:
        """Return the content after a step of derivation: an extension adds to its base's."""
        own = self.of(step, component)
        if xmlio.local_name(step) == "restriction" or base.content is None:
            return own
        if own is None:
            return base.content
        if sum(1 for _ in base.content.elements()) > MAX_PARTS:
            raise self._too_large()
        return Group(order="sequence", parts=(base.content, own))

    def _part(self, node: etree._Element, component: Component, depth: int) -> Part | None:
        kind, (least, most) = xmlio.local_name(node), occurs(node)
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise self._too_large()
        if most == 0:
            return None
        if kind == "element":
            return self._element(node, component)
        if kind == "any":
            return Wildcard(
                namespaces=node.get("namespace", "##any"),
                min=least,
                max=most,
                judged=node.get("processContents") != "skip",
            )
        if kind == "group":
            name = component.scope.name(node.get("ref", ""), node)
            group = self._declarations.find("group", name, near=component)
            parts = self._parts(group.node, group, depth)
            return Group(order="sequence", parts=parts, min=least, max=most)
        if kind in {"sequence", "choice", "all"}:
            return Group(order=kind, parts=self._parts(node, component, depth), min=least, max=most)
        return None

    def _parts(self, node: etree._Element, component: Component, depth: int) -> tuple[Part, ...]:
        read = (
            self._part(child, component, depth + 1) for child in node.iterchildren(etree.Element)
        )
        return tuple(part for part in read if part is not None)

    def _element(self, node: etree._Element, component: Component) -> Element:
        scope = component.scope
        if not node.get("ref"):
            return self._local(Component(node, scope), scope.local(node, "element"))
        name = scope.name(node.get("ref", ""), node)
        least, most = occurs(node)
        element = self._reference(name)
        note = note_of(node)
        return replace(
            element,
            min=least,
            max=most,
            note=element.note if note == NO_NOTE else note,
            typed=lambda: element.type,
        )

    def _too_large(self) -> ContractError:
        return ContractError(
            f"in the schemas of the contract {self._declarations.title}, one type has more than "
            f"{MAX_PARTS} parts, or groups that hold themselves",
            code="CB-215",
        )


__all__ = ["ContentReader"]
