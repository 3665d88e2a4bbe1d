"""The elements that profiles mark as those of a posting, or of a document."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.profiles.samples import TRIP, submission
from tests.site import SITE

from claimbridge.model import Submission, Voucher
from claimbridge.profiles import PROFILES, as_request, load_profile
from claimbridge.profiles.kit.owners import of_document, of_posting

PLAIN = msgspec.structs.replace(
    TRIP, postings=tuple(msgspec.structs.replace(one, dimensions={}) for one in TRIP.postings)
)
WAYS: list[tuple[str, dict[str, Any]]] = [
    *((name, SITE.get(name, {})) for name in PROFILES),
    ("netsuite", {"record": "expense-report"}),
    ("in-string", {"format": "elements"}),
]


def sent(name: str, options: dict[str, Any], *submissions: Submission) -> Any:
    """What the profile builds: the document in the string, where it builds one."""
    request = load_profile(name, options).submit(submissions)
    return request.inner or request


@pytest.mark.parametrize(("name", "options"), WAYS)
def test_each_profile_marks_the_element_of_each_posting(name: str, options: dict[str, Any]) -> None:
    """All but an expense report, whose lines are what was spent, have one for every posting."""
    owners = sent(name, options, submission(PLAIN)).owners
    marked = {id(owner) for owner in owners.values()}
    postings = PLAIN.postings[:1] if "record" in options else PLAIN.postings
    assert {id(posting) for posting in postings} <= marked
    rows_only = name == "kingdee-eas"
    assert rows_only or any(isinstance(owner, Submission) for owner in owners.values())


@pytest.mark.parametrize("name", ["reference", "sap-journal-entry", "netsuite"])
def test_a_batch_knows_which_document_is_whose(name: str) -> None:
    """Each document's element is that of its own submission."""
    other: Voucher = msgspec.structs.replace(PLAIN, claim_id="EXP-2026-0043")
    pair = submission(PLAIN), submission(other, reference="EXP-2026-0043")
    owners = sent(name, {}, *pair).owners
    documents = [(path, owner) for path, owner in owners.items() if isinstance(owner, Submission)]
    assert [owner for _, owner in documents] == list(pair)
    assert [path.endswith(f"[{n}]") for n, (path, _) in enumerate(documents, 1)] == [True, True]


def test_a_mark_changes_nothing_of_what_is_sent() -> None:
    """The body of a request holds plain mappings."""
    one = submission(PLAIN)
    line = of_posting(PLAIN.postings[0], {"Amount": "1.00"})
    request = as_request("Post", of_document(one, {"Line": [line, line]}))
    assert request.body == {"Line": [{"Amount": "1.00"}, {"Amount": "1.00"}]}
    assert {type(each) for each in request.body["Line"]} == {dict}
    assert request.owners == {
        "": one,
        "Line[1]": PLAIN.postings[0],
        "Line[2]": PLAIN.postings[0],
    }
