"""How large a contract's schemas become when everything that is named is put in its place.

Groups that hold each other twice, and unions of unions, double at every step. One page of schema
may stand for more than any machine holds, and libxml2 and zeep would try. So sizes are computed, in
linear time, before either sees a schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, unprefixed
from claimbridge.contract.files.sizes import total
from claimbridge.errors import ContractError

MAX_PARTS: Final = 10_000
"""Parts of one type, groups and unions put in; the largest of real contracts have hundreds."""

_SELF: Final = {"complexType": "type", "simpleType": "type"}

_Name = tuple[str, str]
"""Kind and local name. Namespaces are left out: a sum over namesakes errs on the safe side."""


def refuse_explosion(schemas: Iterable[etree._Element], *, title: str) -> None:
    """Raise ContractError CB-215 when a component stands for more than ``MAX_PARTS`` parts."""
    uses: dict[_Name, list[tuple[_Name]]] = {}
    for schema in schemas:
        for owner, name in _references(schema):
            uses.setdefault(owner, []).append((name,))
    sizes: dict[_Name, int] = {}
    for name in uses:
        size = total(
            name,
            own=lambda _: 1,
            uses=lambda each: uses.get(each, ()),
            sizes=sizes,
            most=MAX_PARTS + 1,
        )
        if size > MAX_PARTS:
            raise ContractError(
                f"the {name[0]} {name[1]} of the contract {title} stands for more than "
                f"{MAX_PARTS} parts when its groups are put in; no machine could hold it",
                code="CB-215",
            )


def _references(schema: etree._Element) -> Iterator[tuple[_Name, _Name]]:
    """Yield who holds what: each use of a group, and each type that a simple type is made of."""
    for kind in ("group", "attributeGroup"):
        for node in schema.iter(f"{{{XSD}}}{kind}"):
            if node.get("ref"):
                yield _owner(node), (kind, unprefixed(node.get("ref", "")))
    for node in schema.iter(f"{{{XSD}}}union", f"{{{XSD}}}list"):
        made_of = f"{node.get('memberTypes', '')} {node.get('itemType', '')}"
        for written in made_of.split():
            yield _owner(node), ("type", unprefixed(written))
    for simple in schema.iter(f"{{{XSD}}}simpleType"):
        for node in simple.iterchildren(f"{{{XSD}}}restriction"):
            if node.get("base"):
                yield _owner(node), ("type", unprefixed(node.get("base", "")))


def _owner(node: etree._Element) -> _Name:
    """Return the global component that a node stands in."""
    component = node
    for above in node.iterancestors():
        if xmlio.local_name(above) in {"schema", "redefine", "override"}:
            break
        component = above
    kind = xmlio.local_name(component)
    return _SELF.get(kind, kind), component.get("name", "")


__all__ = ["MAX_PARTS", "refuse_explosion"]
