"""A reply that is mutated again and again, and the verdict on each reading of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec
from lxml import etree

from claimbridge.model import Outcome
from claimbridge.soap.envelope import NAMESPACES
from claimbridge.testing.drift.judging import ReadingVerdict, judge
from claimbridge.testing.drift.mutations import (
    CONTRADICTED,
    MUTATIONS,
    SPELLINGS,
    Mutation,
    MutationNote,
    wrap,
)
from claimbridge.testing.drift.strings import open_document
from claimbridge.xmlio import parse

_BODIES = frozenset(f"{{{one}}}Body" for one in NAMESPACES.values())
# The contract finds an element in a wrapper, but no contract describes the inside of a string.
_IN_STRINGS = tuple(one for one in MUTATIONS if one is not wrap)


class DriftedReply(msgspec.Struct, frozen=True, eq=False):
    """One mutated reply: its mutations, and how it was read."""

    reply: bytes
    mutations: tuple[MutationNote, ...]
    outcomes: tuple[Outcome, ...]
    verdict: ReadingVerdict

    @property
    def how(self) -> str:
        """The mutations, in words."""
        return " + ".join(one.how for one in self.mutations)


class DriftingReply:
    """A reply's envelope, and how it is read: ``Ledger.read_bytes``, or a function like it."""

    def __init__(self, reply: bytes, *, read: Callable[[bytes], tuple[Outcome, ...]]) -> None:
        self.reply = reply
        self.outcomes: tuple[Outcome, ...] = read(reply)
        self._read = read

    def drift(self, draw: random.Random) -> DriftedReply:
        """Mutate the reply once or twice, read it, and judge the reading."""
        reply, done = _mutate(self.reply, draw)
        after = self._read(reply)
        return DriftedReply(
            reply, tuple(done), after, judge(self.outcomes, after, gone=self._lost_evidence(done))
        )

    @cached_property
    def _evidence(self) -> frozenset[int]:
        """The elements without which the profile reads something else: its evidence."""
        found = set()
        for number in range(sum(len(part.elements) for part in _parts(parse(self.reply)))):
            root = parse(self.reply)
            part, at = _place(_parts(root), number)
            place = part.elements[at]
            parent = place.getparent()
            assert parent is not None
            parent.remove(place)
            part.close()
            if self._read(etree.tostring(root)) != self.outcomes:
                found.add(number)
        return frozenset(found)

    def _lost_evidence(self, done: Sequence[MutationNote]) -> set[str] | None:
        """Return the values of the evidence that was touched; None when none was."""
        # A contradiction of an element may matter even if its absence would not be noticed.
        touched = {
            number
            for one in done
            for number in one.touched
            if number in self._evidence or one.how == CONTRADICTED
        }
        if not touched:
            return None
        elements = [one for part in _parts(parse(self.reply)) for one in part.elements]
        return {(elements[number].text or "").strip() for number in touched}


class _Part(msgspec.Struct, frozen=True, eq=False):
    """Elements that are mutated together: the reply's own, or those of a document in a string."""

    elements: list[etree._Element]
    close: Callable[[], None]
    mutations: tuple[Mutation, ...] = MUTATIONS


def _parts(root: etree._Element) -> list[_Part]:
    own = _elements(root)
    documents = [found for one in own if (found := open_document(one)) is not None]
    inner = [_Part(one.elements, one.close, _IN_STRINGS) for one in documents if one.elements]
    return [_Part(own, _nothing), *inner]


def _nothing() -> None:
    """Do nothing: the reply's own elements are written already."""


def _place(parts: Sequence[_Part], number: int) -> tuple[_Part, int]:
    """Return the part that holds the element of a number, and its place there."""
    for part in parts:
        if number < len(part.elements):
            return part, number
        number -= len(part.elements)
    raise IndexError(number)


def _elements(root: etree._Element) -> list[etree._Element]:
    """Return the elements below the Body's child, or in a Fault's detail, in document order."""
    body = next(one for one in root if one.tag in _BODIES)
    child = next(body.iterchildren(etree.Element))
    detail = child.find("{*}detail")  # of a Fault: around it, the frame stays as it is
    return list((child if detail is None else detail).iterdescendants(etree.Element))


def _mutate(reply: bytes, draw: random.Random) -> tuple[bytes, list[MutationNote]]:
    root = parse(reply)
    done: list[MutationNote] = []
    parts = _parts(root)
    chosen = draw.choice(parts) if len(parts) > 1 else parts[0]
    first = sum(len(part.elements) for part in parts[: parts.index(chosen)])
    for _ in range(draw.choice((1, 1, 2)) if chosen.elements else 0):
        mutation = draw.choice(chosen.mutations)
        made = mutation(chosen.elements, draw)
        touched = tuple(first + number for number in made.touched)
        done.append(msgspec.structs.replace(made, touched=touched))
        if mutation not in SPELLINGS:
            break  # two changes of the structure may contradict each other
    chosen.close()
    return etree.tostring(root), done
