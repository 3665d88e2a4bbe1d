"""How large something is with all that it takes in, computed once for each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def total(
    node: T,
    *,
    own: Callable[[T], int],
    uses: Callable[[T], Iterable[Sequence[T]]],
    sizes: dict[T, int],
    most: int,
) -> int:
    """Return the size of ``node``: its ``own`` and that of each of its ``uses``, at most ``most``.

    A use is a sequence of namesakes, of which the largest counts. ``sizes`` remembers what was
    computed. What takes in itself counts once: the compilers refuse it by name.
    """
    entered: set[T] = set()
    stack = [node]  # a stack of our own, since chains may be longer than Python's
    while stack:
        top = stack[-1]
        if top in sizes:
            stack.pop()
            continue
        parts = list(uses(top))
        missing = {each for part in parts for each in part} - sizes.keys() - entered
        if missing and top not in entered:
            entered.add(top)
            stack.extend(missing)
            continue
        largest = (max((sizes.get(each, 0) for each in part), default=0) for part in parts)
        sizes[top] = min(own(top) + sum(largest), most)
        entered.discard(top)
        stack.pop()
    return sizes[node]


__all__ = ["total"]
