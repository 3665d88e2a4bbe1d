"""What a profile is seen to send and read when it is let."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.site import SITE

from claimbridge.contract import Bundle, Reply
from claimbridge.contract.study.generation import Generation
from claimbridge.errors import ConfigurationError
from claimbridge.model import OutcomeKind, Submission
from claimbridge.profiles import PROFILES, Request, load_profile
from claimbridge.profiles.conversation import Conversation, Wait
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.usage import uses_of

OURS = Generation.load(Bundle.from_package("voucher-service.wsdl"))


class Careless(Reference):
    """Fails on what it did not think of."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        raise KeyError("cost_centre")


class Short(Reference):
    """Sends fewer names than the reference profile, and reads nothing."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        made = super().submit(submissions)
        found = made.body["Voucher"]
        vouchers = found if isinstance(found, list) else [found]
        for voucher in vouchers:
            voucher.pop("Text", None)
        return made


class Twice(Reference):
    """Looks at the changes after each answer that holds a document; does not list them else."""

    capabilities = msgspec.structs.replace(Reference.capabilities, can_list_changes=False)

    def converse(self, request: Request) -> Conversation:
        answer = yield request
        assert isinstance(answer, Reply)
        outcomes = self.read(answer)
        if outcomes[0].kind is OutcomeKind.POSTED:
            yield Wait(1.0)
            page = yield self.changes("", 1)
            assert isinstance(page, Reply)
            page.text("More")
        return outcomes


def names(uses_sent: object) -> set[str]:
    return set(str(uses_sent).replace("'", "").replace(":", "").split())


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_of_ours_is_seen_at_work(name: str) -> None:
    """Each sends and reads something, and widens what it sends, as far as samples can make it."""
    try:
        profile = load_profile(name, SITE.get(name, {}))
    except ConfigurationError as error:
        pytest.skip(f"{name} needs options: {error}")
    place = Path(profile.contract)
    bundle = place if place.is_file() else Bundle.from_package(profile.contract)
    own = Generation.load(bundle)
    uses = uses_of(profile, own)
    assert set(uses.operations) <= own.operations.keys()
    assert uses.sent
    assert uses.widest
    # Where the answer is a document in a string, its contract has one element to read.
    least = 1 if name in {"in-string", "yonyou-nc"} else 4
    assert sum(len(paths) for paths in uses.read.values()) >= least


def test_what_is_sent_is_what_the_profile_builds() -> None:
    """No list is kept by hand: a profile that stops sending a name is seen to."""
    assert "Text" in names(uses_of(Reference(), OURS).sent)
    assert "Text" not in names(
        [one for one in uses_of(Short(), OURS).sent if one.operation.startswith("Submit")]
    )


def test_a_conversation_is_followed() -> None:
    """What a profile sends after the first answer counts, and what it reads in the second."""
    uses = uses_of(Twice(), OURS)
    assert "ListChanges" in uses.operations
    assert ("More",) in uses.read["ListChangesResponse"]


def test_a_profile_that_fails_on_a_sample_is_told() -> None:
    """A foreign exception of a user's profile becomes an error of ours."""
    with pytest.raises(ConfigurationError, match="KeyError: 'cost_centre'") as failed:
        uses_of(Careless(), OURS)
    assert failed.value.code == "CB-241"
