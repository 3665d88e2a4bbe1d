"""A list that changes while it is read: nothing is missed, whatever moves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbridge.errors import LedgerUnavailable
from claimbridge.sources.hesi.api.listing import HesiListEntry, read_changes

PAGE = 5


class Drifting:
    """Documents in the order of their update; between any two calls some of them change."""

    def __init__(self, times: list[int], *, seed: int, changes: int) -> None:
        self.now = max(times, default=0)
        self.documents = {f"D{number}": time for number, time in enumerate(sorted(times))}
        self.random = random.Random(seed)
        self.changes = changes

    def __call__(self, since: int | None, offset: int, count: int) -> Sequence[dict[str, Any]]:
        if self.changes > 0:
            self.drift()
        found = sorted(self.documents.items(), key=lambda entry: (entry[1], entry[0]))
        wanted = [entry for entry in found if since is None or entry[1] >= since]
        return [{"id": name, "updateTime": time} for name, time in wanted[offset : offset + count]]

    def drift(self) -> None:
        """One document changes, leaves or comes; its time is later than every other."""
        self.changes -= 1
        self.now += self.random.choice((1, 10, 1500))
        what = self.random.choice(("change", "change", "change", "leave", "come"))
        if what == "come" or not self.documents:
            what = "come"
            name = f"N{self.now}"
        else:
            name = self.random.choice(sorted(self.documents))
        if what == "leave":
            del self.documents[name]
        else:
            self.documents[name] = self.now


TIMES = st.lists(
    st.one_of(st.integers(0, 4000), st.integers(1000, 1040), st.just(1000)), max_size=40
)


def times_read(found: Iterator[HesiListEntry]) -> list[tuple[str, int]]:
    return [(listed.id, listed.updated) for listed in found]


@settings(max_examples=600, deadline=None)
@given(TIMES, st.integers(0, 10**9), st.integers(0, 60))
def test_no_document_is_missed_while_others_move(times: list[int], seed: int, changes: int) -> None:
    """Every document's last version is read, even those that moved between two pages."""
    drifting = Drifting(times, seed=seed, changes=changes)

    read = times_read(read_changes(drifting, since=None, page_size=PAGE))

    assert set(drifting.documents.items()) <= set(read)
    assert len(read) == len(set(read)), "no version comes twice in one pass"


@given(TIMES, st.integers(0, 4500))
def test_reading_begins_at_the_mark(times: list[int], since: int) -> None:
    """What changed at the mark or later is read, and nothing that is a second older."""
    drifting = Drifting(times, seed=0, changes=0)

    read = times_read(read_changes(drifting, since=since, page_size=PAGE))

    wanted = {entry for entry in drifting.documents.items() if entry[1] >= since}
    assert wanted <= set(read)
    assert all(updated >= since // 1000 * 1000 - 1000 for _, updated in read)


def test_plain_offsets_would_miss_one() -> None:
    """The simulation is what it claims to be: paging by offset loses a document in it."""
    missed = 0
    for seed in range(50):
        drifting = Drifting(list(range(0, 40_000, 1000)), seed=seed, changes=20)
        read: set[str] = set()
        offset = 0
        while page := drifting(None, offset, PAGE):
            read |= {document["id"] for document in page}
            offset += PAGE
        missed += bool(set(drifting.documents) - read)

    assert missed > 25


def test_more_documents_in_one_second_than_a_page_holds() -> None:
    """Hesi's bounds are seconds: a batch that was paid at once spans pages, and is read whole."""
    drifting = Drifting([1000] * 33, seed=1, changes=0)

    read = times_read(read_changes(drifting, since=None, page_size=PAGE))

    assert len(read) == 33


def test_a_list_that_never_holds_still_is_an_error() -> None:
    """Reading gives up with a reason, rather than for ever or with a gap."""

    def unrelated(since: int | None, offset: int, count: int) -> list[dict[str, Any]]:
        unrelated_calls.append(offset)
        number = len(unrelated_calls)
        return [{"id": f"{number}-{n}", "updateTime": 1000} for n in range(PAGE)]

    unrelated_calls: list[int] = []
    with pytest.raises(LedgerUnavailable, match="changes faster") as caught:
        list(read_changes(unrelated, since=None, page_size=PAGE))
    assert caught.value.code == "CB-514"


def test_another_order_is_an_error() -> None:
    """A list by another time than the update's could hide a document: it is not believed."""
    page = [{"id": "A", "updateTime": 5000}, {"id": "B", "updateTime": 4000}]

    with pytest.raises(LedgerUnavailable, match="not ordered"):
        list(read_changes(lambda since, offset, count: page, since=None, page_size=PAGE))


def test_a_document_without_an_id_holds_up_nobody() -> None:
    """It comes under a name of its own, and the others with it."""
    page = [{"id": "A", "updateTime": 1000}, {"form": {}}, {"id": "B", "updateTime": 1001}]

    read = list(read_changes(lambda since, offset, count: page, since=None, page_size=PAGE))

    assert [listed.id.partition("-")[0] for listed in read] == ["A", "unnamed", "B"]


@settings(max_examples=100, deadline=None)
@given(TIMES, st.integers(0, 10**9), st.integers(0, 30))
def test_large_documents_make_small_pages(times: list[int], seed: int, changes: int) -> None:
    """Ten megabytes in a few remarks do not hold up the others; what two cannot is an error."""
    drifting = Drifting(times, seed=seed, changes=changes)

    def limited(since: int | None, offset: int, count: int) -> Sequence[dict[str, Any]]:
        page = drifting(since, offset, count)
        if len(page) > 2:
            raise LedgerUnavailable("too large", code="CB-527")
        return page

    read = times_read(read_changes(limited, since=None, page_size=PAGE))

    assert set(drifting.documents.items()) <= set(read)


@pytest.mark.parametrize("place", [0, 3, 6, 9, 10])
def test_what_is_too_large_by_itself_is_told_and_passed(place: int) -> None:
    """One huge document does not hide the others; that it was not read is told in its place."""
    held = [{"id": f"D{n}", "updateTime": n * 5000} for n in range(11)]

    def limited(since: int | None, offset: int, count: int) -> Sequence[dict[str, Any]]:
        wanted = [one for one in held if since is None or one["updateTime"] >= since]
        page = wanted[offset : offset + count]
        if held[place] in page:
            raise LedgerUnavailable("too large", code="CB-527")
        return page

    read = list(read_changes(limited, since=None, page_size=PAGE))

    names = [listed.id for listed in read if listed.unread is None]
    assert names == [f"D{n}" for n in range(11) if n != place]
    (unread,) = [number for number, listed in enumerate(read) if listed.unread is not None]
    assert unread <= place, "the mark stays before it"


def test_where_everything_is_too_large_reading_stops() -> None:
    """Something else is wrong then: it is an error, not a list of nothing."""

    def never(since: int | None, offset: int, count: int) -> Sequence[dict[str, Any]]:
        raise LedgerUnavailable("too large", code="CB-527")

    with pytest.raises(LedgerUnavailable):
        list(read_changes(never, since=None, page_size=PAGE))


def test_what_is_no_document_is_told_and_passed() -> None:
    """A list, a text or nothing in a document's place does not hide the others."""
    page: list[Any] = [{"id": "A", "updateTime": 1000}, None, "x", {"id": "B", "updateTime": 1001}]

    read = list(read_changes(lambda since, offset, count: page, since=None, page_size=PAGE))

    assert [listed.id for listed in read if listed.unread is None] == ["A", "B"]
    assert [listed.unread.code for listed in read if listed.unread] == ["CB-514", "CB-514"]
