"""How many children, attributes and values the types of a contract have, counted before compiling.

libxml2 needs time and memory in the square of a type's children, and in the cube where they are
optional: 900 KB of schema took 5 GB. The types of real contracts have at most 400.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, unprefixed
from claimbridge.contract.files.sizes import total
from claimbridge.errors import ContractError

MAX_CHILDREN: Final = 1_000
"""Elements and attributes of one type, with those of its groups and of what it extends."""
MAX_WORK: Final = 3_000_000_000
"""The cubes of all types' children together: ten times those of the largest real contract."""
MAX_VALUES: Final = 50_000
"""Values that one type lists."""
MAX_VALUES_IN_ALL: Final = 200_000

_OWNERS: Final = frozenset(
    f"{{{XSD}}}{kind}" for kind in ("complexType", "group", "attributeGroup")
)
_KINDS: Final = {"extension": "complexType", "group": "group", "attributeGroup": "attributeGroup"}

_Name = tuple[str, str]
"""Kind and local name. Namespaces are left out: of namesakes the larger counts."""


def refuse_breadth(schemas: Sequence[etree._Element], *, title: str) -> None:
    """Raise ContractError CB-292 where a type, or all together, have more than the limits."""
    _refuse_values(schemas, title)
    children, uses, namesakes = _count(schemas)
    sizes: dict[etree._Element, int] = {}
    work = 0
    for owner in {*children, *uses}:
        size = total(
            owner,
            own=children.__getitem__,
            uses=lambda each: (namesakes.get(use, ()) for use in uses.get(each, ())),
            sizes=sizes,
            most=MAX_CHILDREN + 1,  # beyond the limit, how far beyond makes no difference
        )
        if size > MAX_CHILDREN:
            raise _too_large(
                title, f"{_title(owner)} has more than {MAX_CHILDREN:,} elements and attributes"
            )
        work += size**3
    if work > MAX_WORK:
        raise _too_large(title, "its types together have too many elements and attributes")


def _refuse_values(schemas: Iterable[etree._Element], title: str) -> None:
    in_all = 0
    for schema in schemas:
        for restriction in schema.iter(f"{{{XSD}}}restriction"):
            count = sum(1 for _ in restriction.iterchildren(f"{{{XSD}}}enumeration"))
            if count > MAX_VALUES:
                raise _too_large(
                    title, f"{_title(restriction)} lists more than {MAX_VALUES:,} values"
                )
            in_all += count
    if in_all > MAX_VALUES_IN_ALL:
        raise _too_large(title, f"its types list more than {MAX_VALUES_IN_ALL:,} values")


_Counts = Counter[etree._Element]
_Uses = dict[etree._Element, list[_Name]]
_Namesakes = dict[_Name, list[etree._Element]]


def _count(schemas: Iterable[etree._Element]) -> tuple[_Counts, _Uses, _Namesakes]:
    """Return what each type and group has itself, what it takes in, and the nodes of each name."""
    children: _Counts = Counter()
    uses: _Uses = {}
    namesakes: _Namesakes = {}
    members = _members(schemas)
    for schema in schemas:
        for node in schema.iter(f"{{{XSD}}}*"):
            kind = xmlio.local_name(node)
            if kind in {"element", "any", "attribute"}:
                owner = _owner(node)
                if owner is not None:
                    children[owner] += members.get(unprefixed(node.get("ref", "")), 1)
            elif kind in _KINDS and (written := node.get("ref") or node.get("base")):
                owner = _owner(node)
                if owner is not None:
                    uses.setdefault(owner, []).append((_KINDS[kind], unprefixed(written)))
            if node.tag in _OWNERS and node.get("name"):
                namesakes.setdefault((kind, node.get("name", "")), []).append(node)
    return children, uses, namesakes


def _members(schemas: Iterable[etree._Element]) -> dict[str, int]:
    """Return for each head of a substitution group how many elements may stand in its place."""
    heads = {
        (node.get("name", ""), unprefixed(node.get("substitutionGroup", "")))
        for schema in schemas
        for node in schema.iterchildren(f"{{{XSD}}}element")
        if node.get("substitutionGroup")
    }
    below: dict[str, list[str]] = {}
    for name, head in heads:
        below.setdefault(head, []).append(name)
    return {head: _below(head, below) for head in below}


def _below(head: str, below: dict[str, list[str]]) -> int:
    names, waiting = {head}, [head]
    while waiting and len(names) <= MAX_CHILDREN:
        for name in below.get(waiting.pop(), ()):
            if name not in names:
                names.add(name)
                waiting.append(name)
    return len(names)


def _owner(node: etree._Element) -> etree._Element | None:
    """Return the type or group that a node stands in; None for what is global."""
    for above in node.iterancestors():
        if above.tag in _OWNERS and not above.get("ref"):
            return above
    return None


def _title(node: etree._Element) -> str:
    for each in (node, *node.iterancestors()):
        if each.get("name"):
            return f"its {xmlio.local_name(each)} {each.get('name', '')[:80]}"
    return "one of its types"


def _too_large(title: str, why: str) -> ContractError:
    return ContractError(
        f"the contract {title} is too large to be checked: {why}; ask the ERP's vendor for a "
        "smaller one, or leave out what is not used",
        code="CB-292",
    )


__all__ = ["MAX_CHILDREN", "MAX_VALUES", "refuse_breadth"]
