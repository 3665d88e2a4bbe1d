"""Every global component that a contract's schemas declare, by kind and name.

Includes, chameleon includes (XSD 1.0 §4.2.1) and redefinitions (§4.2.2) are resolved here. A name
then means the one component that counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import full_name, qname
from claimbridge.contract.files.documents import Documents
from claimbridge.errors import ContractError

KINDS: Final = {
    "element": "element",
    "attribute": "attribute",
    "complexType": "type",
    "simpleType": "type",
    "group": "group",
    "attributeGroup": "attributeGroup",
}
"""The kind of a global component by its element's name; names are unique within a kind."""


class Scope(NamedTuple):
    """One schema document as it counts: its root, and the namespace of what it declares."""

    root: etree._Element
    namespace: str

    def name(self, written: str, node: etree._Element) -> str:
        """Return the ``{namespace}name`` of a QName as ``node`` writes it."""
        name = qname(written, node)
        is_bare = ":" not in written and not name.startswith("{")
        if is_bare and not self.root.get("targetNamespace"):
            return full_name(self.namespace, name)  # a chameleon's own names move with it
        return name

    def own(self, node: etree._Element) -> str:
        """Return the ``{namespace}name`` of a global component."""
        return full_name(self.namespace, node.get("name", ""))

    def local(self, node: etree._Element, kind: str) -> str:
        """Return the ``{namespace}name`` of a local element or attribute (``kind``)."""
        form = node.get("form") or self.root.get(f"{kind}FormDefault")
        return self.own(node) if form == "qualified" else node.get("name", "")


class Component(NamedTuple):
    """One declaration and where it stands; ``origin`` is what a redefinition replaced."""

    node: etree._Element
    scope: Scope
    origin: Component | None = None


class Declarations:
    """The components of all schemas, by kind (``element``, ``type``, ``group`` …) and name."""

    def __init__(self, documents: Documents) -> None:
        self.title: Final = documents.title
        self._documents = documents
        self._components: dict[str, dict[str, Component]] = {kind: {} for kind in KINDS.values()}
        self._entered: set[tuple[str, str]] = set()
        waiting = [(place, "") for place in documents.namespaces.values()]
        while waiting:
            waiting.extend(self._take(*waiting.pop()))

    def of(self, kind: str) -> dict[str, Component]:
        """Return the components of a kind by ``{namespace}name``."""
        return self._components[kind]

    def find(self, kind: str, name: str, *, near: Component | None = None) -> Component:
        """Return a component; within a redefinition its own name means the original.

        Raises ContractError CB-215 when there is none.
        """
        if near and near.origin and near.scope.own(near.node) == name:
            return near.origin
        component = self._components[kind].get(name)
        if component is None:
            raise ContractError(
                f"the contract {self.title} refers to the {kind} {name}, "
                "which none of its schemas declares",
                code="CB-215",
            )
        return component

    def _take(self, place: str, adopted: str) -> list[tuple[str, str]]:
        """Register one document, and return those it leads to.

        ``adopted`` is the namespace of the document that includes it; "" where none does.
        """
        if (place, adopted) in self._entered or place not in self._documents.schemas:
            return []
        root = xmlio.parse(self._documents.schemas[place], what=place)
        scope = Scope(root, root.get("targetNamespace") or adopted)
        known = (place, scope.namespace) in self._entered
        self._entered |= {(place, adopted), (place, scope.namespace)}
        return [] if known else list(self._register(scope))

    def _register(self, scope: Scope) -> Iterator[tuple[str, str]]:
        for child in scope.root.iterchildren(etree.Element):
            kind, location = xmlio.local_name(child), child.get("schemaLocation", "")
            if kind == "import":
                yield location, ""
            elif kind == "include":
                yield location, scope.namespace
            elif kind == "redefine":
                self._redefine(child, scope)
            elif kind in KINDS:
                self._components[KINDS[kind]].setdefault(scope.own(child), Component(child, scope))

    def _redefine(self, node: etree._Element, scope: Scope) -> None:
        waiting = [(node.get("schemaLocation", ""), scope.namespace)]
        while waiting:  # what is redefined must be there first
            waiting.extend(self._take(*waiting.pop()))
        for child in node.iterchildren(etree.Element):
            kind = KINDS.get(xmlio.local_name(child))
            if kind:
                name = scope.own(child)
                self._components[kind][name] = Component(
                    child, scope, self._components[kind].get(name)
                )


__all__ = ["KINDS", "Component", "Declarations", "Scope"]
