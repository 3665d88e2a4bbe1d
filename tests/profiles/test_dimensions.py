"""The codes that a posting carries: all of them, or a refusal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission
from tests.site import SITE

from claimbridge.errors import ClaimError
from claimbridge.profiles import load_profile
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of

FIRST = TRIP.postings[0]


@pytest.mark.parametrize("name", ["kingdee-eas", "netsuite", "workday", "yonyou-nc"])
def test_a_dimension_never_takes_the_place_of_a_field_in_silence(name: str) -> None:
    """A chart may ask for a dimension called project: were it another one, the first was lost."""
    torn = replace(FIRST, dimensions={"project": "P-8"})
    plain = [replace(one, dimensions={}) for one in TRIP.postings[1:]]
    with pytest.raises(ClaimError) as refused:
        load_profile(name, SITE.get(name, {})).submit(
            [submission(replace(TRIP, postings=(torn, *plain)))]
        )
    assert (refused.value.code, refused.value.claim_id) == ("CB-188", TRIP.claim_id)


def test_what_is_empty_hides_nothing() -> None:
    """An empty dimension is no code, and the same code twice is one."""
    twice = replace(FIRST, dimensions={"cost_centre": "", "project": "P-7", "region": "R"})
    assert dimensions_of(twice) == {
        "cost_centre": Sourced("CC-1001", "lines[0].cost_centre"),
        "project": Sourced("P-7", "lines[0].project"),
        "region": Sourced("R", "lines[0].dimensions.region"),
    }


@pytest.mark.parametrize(
    ("source", "name", "field"),
    [
        ("lines[2].amount", "account", "lines[2].type"),
        ("lines[2].items[1].amount", "account", "lines[2].items[1].type"),
        ("lines[2].items[1].amount", "cost_centre", "lines[2].cost_centre"),
        ("lines[2].allocations[0].share", "account", "lines[2].type"),
        ("lines[2].allocations[0].share", "project", "lines[2].allocations[0].project"),
        ("lines[2].allocations[0].share", "company", "lines[2].allocations[0].company"),
        ("lines[2].items[1].amount", "amount", "lines[2].items[1].amount"),
        ("payees[1].amount", "partner", "payees[1].partner"),
        ("lines[2].amount", "partner", "employee"),
        ("", "company", "lines"),
    ],
)
def test_the_claim_field_to_look_at(source: str, name: str, field: str) -> None:
    """That of the item or allocation where they have it, else the line's."""
    assert claim_field(replace(FIRST, source=source), name) == field
