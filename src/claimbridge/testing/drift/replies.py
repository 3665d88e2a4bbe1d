"""A reply that is mutated again and again, and the verdict on each reading of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec
from lxml import etree

from claimbridge.model import Outcome
from claimbridge.soap.envelope import NAMESPACES
from claimbridge.testing.drift.judging import Verdict, judge
from claimbridge.testing.drift.mutations import CONTRADICTED, MUTATIONS, SPELLINGS, Mutated
from claimbridge.xmlio import parse

_BODIES = frozenset(f"{{{one}}}Body" for one in NAMESPACES.values())


class Drifted(msgspec.Struct, frozen=True, eq=False):
    """One mutated reply: what was done to it, and how it was read."""

    reply: bytes
    mutations: tuple[Mutated, ...]
    outcomes: tuple[Outcome, ...]
    verdict: Verdict

    @property
    def how(self) -> str:
        """What was done, in words."""
        return " + ".join(one.how for one in self.mutations)


class Drifting:
    """A reply's envelope, and how it is read: ``Ledger.read_bytes``, or a function like it."""

    def __init__(self, reply: bytes, *, read: Callable[[bytes], tuple[Outcome, ...]]) -> None:
        self.reply = reply
        self.outcomes: tuple[Outcome, ...] = read(reply)
        self._read = read

    def drifted(self, draw: random.Random) -> Drifted:
        """Mutate the reply once or twice, read it, and judge the reading."""
        reply, done = _mutated(self.reply, draw)
        after = self._read(reply)
        return Drifted(
            reply, tuple(done), after, judge(self.outcomes, after, gone=self._gone(done))
        )

    @cached_property
    def _relied_on(self) -> frozenset[int]:
        """The elements without which the profile reads something else: its evidence."""
        found = set()
        for number in range(len(_elements(parse(self.reply)))):
            root = parse(self.reply)
            place = _elements(root)[number]
            parent = place.getparent()
            assert parent is not None
            parent.remove(place)
            if self._read(etree.tostring(root)) != self.outcomes:
                found.add(number)
        return frozenset(found)

    def _gone(self, done: Sequence[Mutated]) -> set[str] | None:
        """Return the values of the evidence that was touched; None when none was."""
        # What contradicts an element may be relied on although its absence would not be noticed.
        touched = {
            number
            for one in done
            for number in one.touched
            if number in self._relied_on or one.how == CONTRADICTED
        }
        if not touched:
            return None
        elements = _elements(parse(self.reply))
        return {(elements[number].text or "").strip() for number in touched}


def _elements(root: etree._Element) -> list[etree._Element]:
    """Return the elements below the Body's child, or in a Fault's detail, in document order."""
    body = next(one for one in root if one.tag in _BODIES)
    child = next(body.iterchildren(etree.Element))
    detail = child.find("{*}detail")  # of a Fault: around it, the frame stays as it is
    return list((child if detail is None else detail).iterdescendants(etree.Element))


def _mutated(reply: bytes, draw: random.Random) -> tuple[bytes, list[Mutated]]:
    root = parse(reply)
    done: list[Mutated] = []
    elements = _elements(root)
    for _ in range(draw.choice((1, 1, 2)) if elements else 0):
        mutation = draw.choice(MUTATIONS)
        done.append(mutation(elements, draw))
        if mutation not in SPELLINGS:
            break  # two changes of the structure may contradict each other
    return etree.tostring(root), done
