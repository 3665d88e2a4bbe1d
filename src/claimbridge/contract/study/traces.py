"""Where in a contract's types the requests of a profile, and its reading of replies, come by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from claimbridge.contract.base.names import split_name
from claimbridge.contract.outline.types import Element, Type
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.uses import Sent, Uses


class Trace:
    """What one profile does with one generation, by type.

    ``sent`` has, by the type's id, how often each local name (or ``@name``) stood in each instance
    that was sent; ``read`` the local names that were asked for in it. ``missing`` are the paths
    that were sent and that the contract does not have.
    """

    def __init__(self, uses: Uses, generation: Generation) -> None:
        self.profile = uses.profile
        self.sent: dict[int, list[Counter[str]]] = {}
        self.read: dict[int, set[str]] = {}
        self.names: dict[tuple[str, str], bool] = {}
        """Each operation and path that is sent or, under the reply's name, read: is it there?"""
        self.operations = frozenset(uses.operations) & generation.operations.keys()
        self._generation = generation
        for one in uses.sent:
            self._follow_request(one)
        for name in sorted({name for each in self.operations for name in generation.answers(each)}):
            element = generation.root(name)
            for path in sorted(uses.read.get(split_name(name)[1], ())):
                if element is not None:
                    self._follow_reading(element, path)

    def has_sent(self, kind: Type, step: str, *, beside: Iterable[str] = ()) -> bool:
        """Whether ``step`` was sent in the type, together with one of ``beside`` if given."""
        others = set(beside)
        return any(
            step in one and (not others or others & one.keys())
            for one in self.sent.get(id(kind), ())
        )

    def has_left_out(self, kind: Type, step: str, *, of: Iterable[str] = ()) -> bool:
        """Whether an instance of the type was sent without ``step`` and without any ``of``."""
        wanted = {step, *of}
        return any(not wanted & one.keys() for one in self.sent.get(id(kind), ()))

    def most_sent(self, kind: Type, step: str) -> int:
        """Return how often ``step`` stood in one instance of the type at most."""
        return max((one[step] for one in self.sent.get(id(kind), ())), default=0)

    def touches(self, kind: Type, *, reply: bool) -> bool:
        """Whether the profile sends the type, or reads in it."""
        return id(kind) in (self.read if reply else self.sent)

    def _follow_request(self, sent: Sent) -> None:
        operation = self._generation.operations.get(sent.operation)
        element = self._generation.root(operation.input) if operation else None
        self.names[(sent.operation, "")] = element is not None
        if element is not None:
            self._follow(element.type, sent.body, (sent.operation, ""))

    def _follow(self, kind: Type, body: Mapping[str, Any], at: tuple[str, str]) -> None:
        declared, concrete = kind, body.get("@xsi:type")
        kind = (self._generation.type(str(concrete)) if concrete else None) or kind
        children = {child.local: child for child in self._generation.children(kind)}
        attributes = {f"@{each.local}" for each in kind.attributes}
        counted: Counter[str] = Counter()
        for key, value in body.items():
            if value is None or key == "#text" or key.startswith("@xsi:"):
                continue
            values = value if isinstance(value, (list, tuple)) else [value]
            local = key if key.startswith("@") else split_name(key)[1]
            counted[local] += len(values)
            place = (at[0], f"{at[1]}/{local}".lstrip("/"))
            known = local in (attributes if local.startswith("@") else children)
            self.names[place] = known or (kind.open_attributes and local.startswith("@"))
            if local in children:
                for each in values:
                    # A text alone, where attributes might stand beside it, has none of them.
                    inner = each if isinstance(each, Mapping) else {}
                    self._follow(children[local].type, inner, place)
        self.sent.setdefault(id(kind), []).append(counted)
        for base, derived in self._bases(kind, declared):
            tagged = counted + Counter({f"@xsi:type={derived.local}": 1})
            self.sent.setdefault(id(base), []).append(tagged)

    def _bases(self, kind: Type, declared: Type) -> Iterator[tuple[Type, Type]]:
        """Yield each type that ``kind`` is derived from, with the one derived: to ``declared``."""
        while kind is not declared and kind.base:
            base = self._generation.schemas.type(kind.base)
            if base is None:
                return
            yield base, kind
            kind = base

    def _follow_reading(self, element: Element, path: tuple[str, ...]) -> None:
        kinds = [element.type]
        for number, step in enumerate(path):
            kinds = [each for kind in kinds for each in self._holders(kind, step)]
            for kind in kinds:
                self.read.setdefault(id(kind), set()).add(step)
            self.names[(element.local, "/".join(path[: number + 1]))] = any(
                self._has(kind, step) for kind in kinds
            )
            kinds = [
                child.type
                for kind in kinds
                for child in self._generation.children(kind)
                if child.local == step
            ]
        for kind in kinds:
            self.read.setdefault(id(kind), set())

    def _holders(self, kind: Type, step: str) -> list[Type]:
        """Return the types in which ``step`` is read: the declared one, or concrete ones of it.

        Of those that have it the ones that are sent too count, if there are any.
        """
        if not kind.abstract or self._has(kind, step):
            return [kind]
        found = [*self._generation.concrete(kind)]
        sent = [each for each in found if id(each) in self.sent]
        return [each for each in sent or found if self._has(each, step)] or [kind]

    def _has(self, kind: Type, step: str) -> bool:
        if step.startswith("@"):
            return step in {f"@{each.local}" for each in kind.attributes}
        return any(each.local == step for each in self._generation.children(kind))


__all__ = ["Trace"]
