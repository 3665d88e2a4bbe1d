"""Where a path leads in a contract."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

from claimbridge.contract.calls.shapes import Leaf, Shape, Types
from claimbridge.profiles.extra.paths import Steps

_MOST_NAMES = 8


class Missing(NamedTuple):
    """The first step of a path that the contract lacks, and what it has there."""

    above: str
    step: str
    near: tuple[str, ...]

    @property
    def words(self) -> str:
        """What is said of the contract: ``knows no …``."""
        names = ", ".join(self.near)
        there = f"; it knows {names} …" if names else ""
        return f"knows no {self.step} in {self.above}{there}"

    def __str__(self) -> str:
        return f"the contract {self.words}"


class Found(NamedTuple):
    """What the contract says of a path's last step."""

    repeats: bool


def find(root: Leaf, steps: Steps, body: Mapping[str, Any], types: Types) -> Found | Missing:
    """Return what the contract has at the path; the body says which concrete types stand there."""
    shape, name, here = _concrete(root.shape, body, types), root.local, body
    for step in steps[:-1]:
        leaf = shape.last.get(step)
        if leaf is None:
            return _missing(shape, name, step)
        here, name = _first(here, step), leaf.local
        shape = _concrete(leaf.shape, here, types)
    last = steps[-1]
    if last not in shape.allowed and not (last.startswith("@") and shape.open_attributes):
        return _missing(shape, name, last)
    return Found(shape.may_repeat(last))


def _first(here: Mapping[str, Any], step: str) -> Mapping[str, Any]:
    inner = here.get(step)
    inner = inner[0] if isinstance(inner, list) and inner else inner
    return inner if isinstance(inner, Mapping) else {}


def _concrete(shape: Shape, here: Mapping[str, Any], types: Types) -> Shape:
    kind = here.get("@xsi:type")
    found = types.named(str(kind)) if kind is not None else None
    return found[1] if found else shape


def _missing(shape: Shape, name: str, step: str) -> Missing:
    known = sorted(str(key) for key in shape.allowed if not key.startswith("@xsi:"))
    by_folded = {key.casefold(): key for key in known}
    close = difflib.get_close_matches(step.casefold(), by_folded, n=_MOST_NAMES, cutoff=0.5)
    near = [by_folded[one] for one in close] or known[:_MOST_NAMES]
    return Missing(name, step, tuple(near))
