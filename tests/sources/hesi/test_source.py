"""Hesi as a source: what arrives, what is withdrawn, and where the next pass goes on."""

from __future__ import annotations

import datetime as dt
import functools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.hesi.forms import MAP, SHANGHAI, document

from claimbridge.clock import SYSTEM, Clock, Uptime
from claimbridge.errors import ConfigurationError, LedgerUnavailable
from claimbridge.sandbox import Hesi, Sandbox
from claimbridge.sources.base import Arrival
from claimbridge.sources.hesi.api.client import HesiPage
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.forms.fields import load_map
from claimbridge.sources.hesi.source import HesiSource

MINUTE = 60_000
FIELDS = load_map(MAP)
_document = functools.cache(document)


class Listing:
    """A Hesi's lists in memory, with the calls that it got."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.held = {found["id"]: found for found in documents}
        self.calls: list[int | None] = []

    def documents(
        self,
        *,
        form: str,
        states: Sequence[str],
        since: int | None,
        start: int,
        count: int,
        active: bool | None,
    ) -> HesiPage:
        assert active is None, "a deleted document is to be seen"
        self.calls.append(since)
        found = [
            one
            for one in sorted(self.held.values(), key=lambda one: one["updateTime"])
            if one["formType"] == form
            and one["state"] in states
            and (since is None or one["updateTime"] >= since)
        ]
        return HesiPage(tuple(found[start : start + count]), len(found))

    def details(self, flow_id: str) -> dict[str, Any] | None:
        found = self.held.get(flow_id)
        if found is not None and not found["active"]:
            return {"id": flow_id, "active": False}
        return found

    def close(self) -> None:
        self.held.clear()


def source(listing: Listing, *, clock: Clock = SYSTEM, **settings: Any) -> HesiSource:
    given = HesiSettings(app_key="env:K", app_secret="env:S", page_size=4, **settings)
    return HesiSource(listing, FIELDS, given, clock=clock)  # type: ignore[arg-type]


def at(name: str, updated: int, **changes: Any) -> dict[str, Any]:
    return {**_document(name), "updateTime": updated, **changes}


def _read_into(read: list[Arrival], arrivals: Iterator[Arrival]) -> None:
    for arrival in arrivals:
        read.append(arrival)


def keys(arrivals: Iterator[Arrival]) -> list[str]:
    return [arrival.key for arrival in arrivals]


def test_what_arrives() -> None:
    """Claims, one that is wrong and holds up nobody, one that was deleted; oldest change first."""
    names = ["foreign", "odd-type", "plain", "deleted"]
    listing = Listing(*(at(name, 10**12 + n) for n, name in enumerate(names)))

    foreign, odd, plain, deleted = source(listing).arrivals()

    assert [one.label for one in (foreign, odd, plain)] == ["B26000002", "B26000009", "B26000001"]
    assert foreign.claim is not None
    assert foreign.claim.id == "B26000002"
    assert odd.claim is None
    assert odd.error is not None
    assert odd.error.code == "CB-518"
    assert plain.version == str(10**12 + 2)
    assert (deleted.withdrawn, deleted.claim, deleted.error) == (True, None, None)


def test_what_was_never_approved_does_not_arrive() -> None:
    """Neither a rejected document nor a deleted draft is anything to a ledger."""
    never = [{"action": "freeflow.submit", "state": "approving"}]
    listing = Listing(
        at("plain", 10**12, state="rejected", logs=never),
        at("deleted", 10**12 + 1, state="rejected", logs=never),
        at("loan", 10**12 + 2),
    )

    assert keys(source(listing).arrivals()) == []


def test_an_approved_document_that_is_voided_is_withdrawn() -> None:
    """Its log says that it once was approved."""
    (arrival,) = source(Listing(at("plain", 10**12, state="nullify"))).arrivals()

    assert arrival.withdrawn


def test_a_pass_goes_on_at_its_mark_with_an_overlap() -> None:
    """What Hesi shows only after the pass, with a time before its mark, is found by the next."""
    listing = Listing(at("plain", 10**12))
    reading = source(listing, overlap=300)
    (first,) = reading.arrivals()

    late, old = 10**12 - 4 * MINUTE, 10**12 - 10 * MINUTE
    listing.held["late"] = at("foreign", late, id="late")
    listing.held["old"] = at("foreign", old, id="old")
    again = keys(reading.arrivals(since=first.mark))

    assert again == ["late", "ID-plain"]


def test_what_cannot_be_identified_is_told_at_every_pass_and_holds_up_nobody() -> None:
    """The mark stays before it, and the documents behind it come all the same."""

    class Damaged(Listing):
        def documents(self, **asked: Any) -> HesiPage:
            page = super().documents(**asked)
            broken = [None if one["id"] == "ID-broken" else one for one in page.documents]  # type: ignore[index]
            return HesiPage(tuple(broken), page.total)

    listing = Damaged(
        at("plain", 10**12),
        at("plain", 10**12 + MINUTE, id="ID-broken"),
        at("foreign", 10**12 + 2 * MINUTE),
    )
    opened = source(listing)
    mark = ""
    for _ in range(2):
        read: list[Arrival] = []
        arrivals = opened.arrivals(since=mark)
        with pytest.raises(LedgerUnavailable, match="may be claims") as caught:
            _read_into(read, arrivals)
        assert caught.value.code == "CB-514"
        assert [one.label for one in read] == ["B26000001", "B26000002"]
        mark = read[-1].mark
        assert mark == f"expense={10**12}"


def test_a_document_without_a_state_is_parked() -> None:
    """Hesi was asked for states: one without any is looked at by a person, not left out."""
    (arrival,) = source(Listing(at("plain", 10**12))).arrivals()
    listing = Listing(at("plain", 10**12))
    whole = listing.documents

    def stateless(**asked: Any) -> HesiPage:
        page = whole(**asked)
        return HesiPage(tuple({**one, "state": None} for one in page.documents), 1)  # type: ignore[dict-item]

    listing.documents = stateless  # type: ignore[method-assign,assignment]
    (parked,) = source(listing).arrivals()
    assert parked.key == arrival.key
    assert parked.error is not None
    assert parked.error.code == "CB-519"


def test_a_mark_covers_what_came_before_it() -> None:
    """Marks never go back, and a pass that was broken off goes on behind its last one."""
    listing = Listing(*(at("plain", 10**12 + n * 10 * MINUTE, id=f"D{n}") for n in range(9)))
    reading = iter(source(listing).arrivals())
    some = [next(reading) for _ in range(5)]

    rest = keys(source(listing).arrivals(since=some[-1].mark))

    assert rest == ["D4", "D5", "D6", "D7", "D8"], "the last one once more: it does no harm"


def test_what_does_not_matter_is_not_read_again_for_ever() -> None:
    """A thousand rejected documents behind the last approved one are passed over once."""
    listing = Listing(at("plain", 10**12))
    for n in range(1, 40):
        later = 10**12 + n * 10 * MINUTE
        listing.held[f"R{n}"] = at("plain", later, id=f"R{n}", state="rejected", logs=[])
    reading = source(listing)
    (arrival,) = reading.arrivals()
    first = len(listing.calls)

    listing.calls.clear()
    assert keys(reading.arrivals(since=arrival.mark)) == []

    assert len(listing.calls) < first / 4
    listing.held["new"] = at("plain", 10**12 + 400 * MINUTE, id="new")
    assert keys(reading.arrivals(since=arrival.mark)) == ["new"]


def test_two_documents_with_one_mark_are_both_read_again() -> None:
    """A mark that two share does not say that both were recorded."""
    listing = Listing(at("plain", 10**12, id="A"), at("plain", 10**12, id="B"))
    for n in range(1, 9):
        later = 10**12 + n * 10 * MINUTE
        listing.held[f"R{n}"] = at("plain", later, id=f"R{n}", state="rejected", logs=[])
    reading = source(listing)
    first, _ = reading.arrivals()

    assert keys(reading.arrivals(since=first.mark)) == ["A", "B"]


def test_reading_begins_on_the_day_configured() -> None:
    """Five years of paid claims are not the ledger's; the day begins where Hesi is."""
    midnight = round(dt.datetime(2026, 11, 1, tzinfo=SHANGHAI).timestamp() * 1000)
    listing = Listing(at("plain", midnight - 5000, id="old"), at("plain", midnight, id="new"))

    assert keys(source(listing, begin=dt.date(2026, 11, 1)).arrivals()) == ["new"]


def test_several_form_types_have_marks_of_their_own() -> None:
    """One that moves on does not carry the other's mark with it."""
    listing = Listing(at("plain", 10**12), at("plain", 10**12 + 1, id="C", formType="custom"))
    reading = source(listing, forms=("expense", "custom"))

    arrivals = list(reading.arrivals())

    assert [arrival.mark for arrival in arrivals] == [
        "expense=1000000000000",
        "custom=1000000000001 expense=1000000000000",
    ]
    assert arrivals[1].error is not None
    assert arrivals[1].error.code == "CB-524"
    assert keys(reading.arrivals(since=arrivals[-1].mark)) == ["ID-plain", "C"]


def test_a_mark_of_another_kind_of_source_is_refused() -> None:
    """It would read from the beginning, or from nowhere."""
    with pytest.raises(ConfigurationError, match="not one of a Hesi source"):
        list(source(Listing()).arrivals(since="inbox/a.json"))


def test_reading_one_document_again() -> None:
    """As it is now: a claim, withdrawn, or nothing that this source knows."""
    listing = Listing(
        at("plain", 10**12),
        at("deleted", 10**12),
        at("loan", 10**12),
        at("foreign", 10**12, state="approving", logs=[]),
    )
    reading = source(listing)

    plain, deleted = reading.reread("ID-plain"), reading.reread("ID-deleted")

    assert plain is not None
    assert plain.claim is not None
    assert deleted is not None
    assert deleted.withdrawn
    assert [reading.reread(key) for key in ("ID-loan-1", "ID-foreign", "nowhere")] == [None] * 3


def test_a_document_without_an_update_time_has_its_content_for_a_version() -> None:
    """A later change is not taken for what is known already; the same content is."""
    listing = Listing(at("plain", 10**12))
    held = listing.held["ID-plain"]
    listing.details = lambda flow_id: {**held, "updateTime": None}  # type: ignore[method-assign]
    reading = source(listing)
    first, again = reading.reread("ID-plain"), reading.reread("ID-plain")
    held["form"] = {**held["form"], "title": "changed"}
    changed = reading.reread("ID-plain")
    held["state"] = "rejected"
    gone = reading.reread("ID-plain")

    assert first is not None and again is not None and changed is not None and gone is not None  # noqa: PT018 - for mypy
    assert first.version == again.version
    assert len({first.version, changed.version, gone.version}) == 3


def test_an_unchanged_document_that_comes_back_is_another_version() -> None:
    """Also without an update time: each time that it comes to the node it waits for an answer."""
    held = _document("plain")
    reading = source(Listing(), node="ERP", sign_key="env:S")
    listing = reading.client
    came = {"action": "freeflow.agree", "attributes": {"nextId": "FLOW:2", "nextName": "ERP"}}
    shown = {**held, "updateTime": None, "logs": [*held["logs"], came]}
    listing.details = lambda flow_id: shown  # type: ignore[method-assign]
    first = reading.reread("ID-plain")
    shown["logs"].append({**came, "action": "freeflow.back"})
    back = reading.reread("ID-plain")
    shown["logs"] += [{"action": "freeflow.submit"}, came]
    changed = reading.reread("ID-plain")

    assert first is not None and back is not None and changed is not None  # noqa: PT018 - for mypy
    assert [one.occasion for one in (first, back, changed)] == ["", "2", ""]
    assert len({first.version, back.version, changed.version}) == 3


def test_details_are_read_where_the_map_needs_them() -> None:
    """The list leaves out the code of an expense type; the details have it."""

    class Whole(Listing):
        def details(self, flow_id: str) -> dict[str, Any] | None:
            found = document("plain")
            found["updateTime"] = 10**12
            for entry in found["form"]["details"]:
                entry["feeType"] = {"code": "taxi"}
            return found

    fields = load_map(MAP)
    by_code = msgspec.structs.replace(
        fields.sections["line"]["type"], field="feeType.code", table=""
    )
    sections = {**fields.sections, "line": {**fields.sections["line"], "type": by_code}}
    whole = msgspec.structs.replace(fields, sections=sections, details=True)
    given = HesiSettings(app_key="env:K", app_secret="env:S")

    (arrival,) = HesiSource(Whole(at("plain", 10**12)), whole, given).arrivals()  # type: ignore[arg-type]

    assert arrival.claim is not None
    assert {line.type for line in arrival.claim.lines} == {"taxi"}


def test_a_configured_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its settings, with secrets as references, against the sandbox's Hesi."""
    monkeypatch.setenv("HESI_KEY", "key")
    monkeypatch.setenv("HESI_SECRET", "secret")
    books = Hesi(app_key="key", app_secret="secret")
    with Sandbox(profiles=["reference"], hesi=books) as sandbox:
        for name in ("plain", "foreign", "odd-type"):
            books.put(name, form=document(name)["form"], state="paid")
        books.put("draft", form=document("plain")["form"], state="draft")
        settings = HesiSettings(
            app_key="env:HESI_KEY",
            app_secret="env:HESI_SECRET",
            address=sandbox.url("hesi"),
            map=str(MAP),
            rate=1000,
        )
        reading = HesiSource.from_settings(settings)
        arrivals = {arrival.key: arrival for arrival in reading.arrivals()}
        books.delete("plain")
        again = {arrival.key: arrival for arrival in reading.arrivals()}
        reading.close()

    assert arrivals.keys() == {"plain", "foreign", "odd-type"}
    assert arrivals["foreign"].claim is not None
    assert again["plain"].withdrawn
    assert "secret" not in repr(settings).replace("app_secret", "").replace("HESI_SECRET", "")


class Late(Listing):
    """Documents change between calls, and show some time after the moment that they tell.

    It is its own clock: seconds pass with every change.
    """

    def __init__(self, *, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.millis = 10**12
        self.coming: list[tuple[int, dict[str, Any]]] = []
        self.restless = True

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.millis / 1000, dt.UTC)

    def monotonic(self) -> float:
        return self.millis / 1000

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())

    def documents(self, **given: Any) -> HesiPage:
        if self.restless:
            self.change()
        for shown, found in [one for one in self.coming if one[0] <= self.millis]:
            self.coming.remove((shown, found))
            known = self.held.get(found["id"])
            if known is None or known["updateTime"] < found["updateTime"]:
                self.held[found["id"]] = found
        return super().documents(**given)

    def change(self) -> None:
        """Some documents change at the same moment, each to be seen at another."""
        self.millis += self.random.choice((20, 5000, 3 * MINUTE))
        for _ in range(self.random.choice((1, 1, 2, 9))):
            name = f"D{self.random.randrange(25)}"
            state = self.random.choice(("paid", "paid", "archived", "rejected"))
            found = at("plain", self.millis, id=name, state=state)
            self.coming.append((self.millis + self.random.choice((0, 0, 4 * MINUTE)), found))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_no_change_is_missed_over_many_passes(seed: int) -> None:
    """Passes that are broken off, changes that show late, many within one second: all arrive."""
    listing = Late(seed=seed)
    mark, seen = "", set()
    for turn in range(14):
        if turn == 12:
            listing.restless = False
            listing.millis += 10 * MINUTE
        reading = source(listing, overlap=300, clock=listing)  # a new process each time
        for arrival in reading.arrivals(since=mark):
            seen.add((arrival.key, arrival.version))
            mark = arrival.mark
            if turn < 12 and listing.random.random() < 0.1:
                break

    assert not listing.coming
    assert {(one["id"], str(one["updateTime"])) for one in listing.held.values()} <= seen
