"""What is computed with amounts is exact, whatever decimal context the calling thread has set."""

from __future__ import annotations

import decimal
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, reply, reversal, submission
from tests.site import SITE

from claimbridge.model import JournalEntry, OutcomeKind
from claimbridge.profiles import PROFILES, load_profile
from claimbridge.profiles.netsuite.replies import Records
from claimbridge.profiles.sap.tables import SapDocument, SapTables, read_totals

COARSE = decimal.Context(prec=3, rounding=decimal.ROUND_DOWN)
PLAIN = replace(TRIP, postings=tuple(replace(one, dimensions={}) for one in TRIP.postings))


def requests(name: str) -> list[str]:
    """What a profile sends of a voucher, and of its reversal; without the time of sending."""
    profile = load_profile(name, SITE.get(name, {}))
    built = [profile.submit([submission(PLAIN)])]
    if profile.capabilities.can_reverse:
        back = reversal().voucher
        plain = tuple(replace(one, dimensions={}) for one in back.postings)
        built.append(profile.reverse(submission(replace(back, postings=plain))))
    return [str(timeless(msgspec.to_builtins(one))) for one in built]


def timeless(body: object) -> object:
    if isinstance(body, dict):
        return {key: timeless(one) for key, one in body.items() if key != "CreationDateTime"}
    return [timeless(one) for one in body] if isinstance(body, list) else body


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_request_does_not_depend_on_the_thread_s_context(name: str) -> None:
    """An application that computes with three digits posts every cent all the same."""
    whole = requests(name)
    with decimal.localcontext(COARSE):
        assert requests(name) == whole


def test_what_is_held_is_added_up_exactly() -> None:
    """Else a document of ours would be found with other amounts, and parked."""
    held = SapDocument(entry=JournalEntry("1", "1410", "2026"), reference="R", currency="CNY")
    cells = "".join(f"<item><Wa>1|1410|2026|S|{one}</Wa></item>" for one in ("943.40", "56.61"))
    rows = reply(f"<RfcReadTableResponse><Data>{cells}</Data></RfcReadTableResponse>")
    line = "<line><debit>943.4</debit></line><line><debit>56.61</debit></line>"
    entry = reply(
        "<getListResponse><readResponseList><readResponse><status isSuccess='true'/>"
        f"<record internalId='7'><currency internalId='1'/><lineList>{line}"
        "<line><credit>1000.01</credit></line></lineList></record></readResponse>"
        "</readResponseList></getListResponse>"
    )
    with decimal.localcontext(COARSE):
        sap = read_totals(rows, [held], SapTables())[held.entry]
        (netsuite,) = Records(written=OutcomeKind.POSTED, currencies={"1": "CNY"}).read(entry)
    assert sap == netsuite.totals == {"CNY": Decimal("1000.01")}
