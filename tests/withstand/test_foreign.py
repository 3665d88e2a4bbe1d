"""Profiles, charts and keys of users may raise anything: nothing foreign leaves the package."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from tests.withstand.scene import chart, claim, configured, contract, lifelike

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import (
    ClaimBridgeError,
    ConflictingSubmission,
    DeliveryRefused,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim, Outcome, State, Submission
from claimbridge.profiles.base import Capabilities, Page
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.request import Request
from claimbridge.sandbox import Sandbox

BAD = "BAD-1"
FOREIGN = (AttributeError("no"), KeyError("no"), TypeError("no"), RecursionError("no"))


class Unreadable(dict[str, Any]):
    """A body that cannot be rendered."""

    def items(self) -> Any:
        raise KeyError("no")

    def get(self, *_: object) -> Any:
        raise KeyError("no")


class Failing(Reference):
    """Fails at one verb: always, or for what names the bad claim."""

    def __init__(self, verb: str = "", error: Exception = FOREIGN[0], **changes: Any) -> None:
        self.verb, self.error = verb, error
        self.capabilities: Capabilities = replace(Reference.capabilities, **changes)

    def _fail(self, verb: str, references: Sequence[str] = (BAD,)) -> None:
        if verb == self.verb and any(one.startswith(BAD) for one in references):
            raise self.error

    def submit(self, submissions: Sequence[Submission]) -> Request:
        self._fail("submit", [one.reference for one in submissions])
        request = super().submit(submissions)
        if self.verb == "render" and BAD in [one.reference for one in submissions]:
            return replace(request, body=Unreadable(request.body))
        return request

    def reverse(self, submission: Submission) -> Request:
        self._fail("reverse", [submission.reference])
        return super().reverse(submission)

    def query(self, references: Sequence[str]) -> Request:
        self._fail("query", references)
        return super().query(references)

    def changes(self, cursor: str, limit: int) -> Request:
        self._fail("changes")
        return super().changes(cursor, limit)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        self._fail("read")
        return (None,) if self.verb == "none" else super().read(reply)  # type: ignore[return-value]

    def read_changes(self, reply: Reply) -> Page:
        self._fail("read_changes")
        return super().read_changes(reply)


class FailingChart(Chart):
    """Fails to map the bad claim."""

    def __init__(self) -> None:
        self.name = "failing"

    def in_zone(self, zone: ZoneInfo | None) -> Chart:
        return self

    def map(self, claim: Claim) -> Mapped:
        if claim.id == BAD:
            raise RecursionError("no")
        return chart().map(claim)


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with lifelike(profiles=["reference"]) as sandbox:
        yield sandbox


def ledger(erp: Sandbox, folder: Path, profile: Failing, **parts: Any) -> Ledger:
    config = configured("reference", port=erp.port, journal=folder / "claims.db", batch=50)
    given: dict[str, Any] = {"contract": contract("reference"), "chart": chart()} | parts
    return Ledger(config, profile=profile, **given)


def client_of(opened: Ledger) -> Client:
    return Client(opened.setup.config, ledger=opened)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("verb", ["submit", "render", "map"])
def test_one_claim_that_cannot_be_built_ends_alone(
    tmp_path: Path, erp: Sandbox, verb: str, asynchronous: bool
) -> None:
    """Of a batch all others are posted; the one is refused by name, and is not begun."""
    parts = {"chart": FailingChart()} if verb == "map" else {}
    opened = ledger(erp, tmp_path, Failing(verb), **parts)
    claims = [claim("GOOD-1"), claim(BAD), claim("GOOD-2"), claim("GOOD-3")]

    async def awaited() -> list[Any]:
        async with AsyncClient(opened.setup.config, ledger=opened) as client:
            return [one async for one in client.submit_many(claims, batch=4)]

    if asynchronous:
        results = asyncio.run(awaited())
    else:
        with client_of(opened) as client:
            results = list(client.submit_many(claims, batch=4))
    assert [one.claim_id for one in results if one.acknowledgement] == [
        "GOOD-1",
        "GOOD-2",
        "GOOD-3",
    ]
    error = results[1].error
    assert isinstance(error, DeliveryRefused)
    assert (error.code, error.claim_id) == ("CB-419", BAD)
    assert "reference" in str(error)
    with client_of(opened) as client:
        assert list(client.journal.select(client.book().id, [State.SENDING, State.IN_DOUBT])) == []
        with pytest.raises(DeliveryRefused):
            client.preview(claim(BAD))


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("verb", ["submit", "reverse", "query"])
def test_what_a_profile_raises_leaves_nothing_sending(
    tmp_path: Path, erp: Sandbox, verb: str, error: Exception
) -> None:
    """Whatever a profile raises is ours when it comes out, and what was posted stays posted."""
    profile = Failing("submit", error) if verb == "submit" else Failing()
    opened = ledger(erp, tmp_path, profile)
    calls: dict[str, Callable[[Client], object]] = {
        "submit": lambda client: client.submit(claim(BAD)),
        "reverse": lambda client: client.reverse(BAD),
        "query": lambda client: client.status(BAD),
    }
    with client_of(opened) as client:
        if verb != "submit":
            client.submit(claim(BAD))
        profile.verb, profile.error = verb, error
        with pytest.raises(NotDelivered) as raised:
            calls[verb](client)
        assert raised.value.claim_id == BAD
        assert list(client.journal.select(client.book().id, [State.SENDING, State.IN_DOUBT])) == []
        profile.verb = ""
        calls[verb](client)


@pytest.mark.parametrize("verb", ["read", "none"])
def test_a_reply_that_a_profile_fails_on_is_in_doubt(
    tmp_path: Path, erp: Sandbox, verb: str
) -> None:
    """What a profile cannot read, or reads as no outcome, may be posted; asking settles it."""
    profile = Failing(verb)
    with client_of(ledger(erp, tmp_path, profile)) as client:
        with pytest.raises(OutcomeUnknown):
            client.submit(claim(BAD))
        (left,) = client.reconcile()
        assert isinstance(left.error, OutcomeUnknown)
        profile.verb = ""
        (done,) = client.reconcile()
        assert done.standing is not None
        assert done.standing.state is State.POSTED
    assert len(erp.ledger()) == 1


@pytest.mark.parametrize("verb", ["changes", "read_changes"])
def test_changes_raise_nothing_foreign(tmp_path: Path, erp: Sandbox, verb: str) -> None:
    """A profile that fails to list changes is told as one of ours; the cursor stays."""
    profile = Failing()
    with client_of(ledger(erp, tmp_path, profile)) as client:
        client.submit(claim(BAD))
        profile.verb = verb
        with pytest.raises(ClaimBridgeError):
            list(client.changes())
        profile.verb = ""
        assert [one.reference for one in client.changes()] == [BAD]


def test_reconcile_goes_on_past_a_claim_that_cannot_be_built(tmp_path: Path, erp: Sandbox) -> None:
    """Of two in doubt, the one that cannot be asked for keeps its error; the other is settled."""
    erp.set_faults("any:html-200=after-commit")
    profile = Failing()
    with client_of(ledger(erp, tmp_path, profile)) as client:
        for id_ in (BAD, "GOOD-1"):
            with pytest.raises(OutcomeUnknown):
                client.submit(claim(id_))
        erp.set_faults("")
        profile.verb = "query"
        found = {one.claim_id: one for one in client.reconcile()}
    assert isinstance(found[BAD].error, ClaimBridgeError)
    assert found["GOOD-1"].error is None


def reverse_in_the_erp(erp: Sandbox, journal: Path, mine: Claim) -> None:
    """Take an entry back as people do in the ERP: past the journal of its sender."""
    config = configured("reference", port=erp.port, journal=journal)
    opened = Ledger(config, contract=contract("reference"), chart=chart())
    with Client(config, ledger=opened) as colleague:
        colleague.submit(mine)
        colleague.reverse(mine.id, posting_date=mine.posting_date)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("way", ["submit", "many"])
def test_a_revision_that_would_need_a_reversal_is_refused_before_anything(
    tmp_path: Path, erp: Sandbox, asynchronous: bool, way: str
) -> None:
    """On a profile that cannot reverse: CB-468, nothing recorded; --reversed is the way out."""
    opened = ledger(erp, tmp_path, Failing(can_reverse=False))
    first, second = claim("EXP-1"), claim("EXP-1", revision=2, taxi="31.00")

    async def awaited(mine: Claim) -> Any:
        async with AsyncClient(opened.setup.config, ledger=opened) as client:
            if way == "submit":
                return await client.submit(mine)
            other = claim("EXP-2", revision=mine.revision)
            found = [one async for one in client.submit_many([mine, other], batch=2)]
            return found[0]

    def sent(mine: Claim) -> Any:
        if asynchronous:
            return asyncio.run(awaited(mine))
        with client_of(opened) as client:
            if way == "submit":
                return client.submit(mine)
            other = claim("EXP-2", revision=mine.revision)
            found = list(client.submit_many([mine, other], batch=2))
            return found[0]

    sent(first)
    try:
        error = sent(second).error
    except ConflictingSubmission as raised:
        error = raised
    assert isinstance(error, ConflictingSubmission)
    assert error.code == "CB-468"
    assert "journal settle EXP-1 --revision 1 --reversed" in str(error)
    with client_of(opened) as client:
        assert [
            one.key.revision
            for one in client.journal.history(client.book().id, "EXP-1").submissions
        ] == [1]
        reverse_in_the_erp(erp, tmp_path / "colleague.db", first)
        settled = client.settle("EXP-1", revision=1, posted=None, reversed=True)
        assert settled.state is State.REVERSED
        assert client.submit(second).state is State.POSTED
