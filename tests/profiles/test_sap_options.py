"""What SAP's profiles send under the options of a site, judged by the conformance suite."""

from __future__ import annotations

from typing import Any

import pytest

from claimbridge.testing.conformance import check

Options = dict[str, Any]
JOURNAL_ENTRY = "sap-journal-entry"
BAPI = "sap-bapi"


@pytest.mark.parametrize("name", [JOURNAL_ENTRY, BAPI])
@pytest.mark.parametrize(
    "options",
    [
        {"untaxed": "V0", "taxes": {"J1": {"by_item": True}, "V0": {"classification": "VST"}}},
        {"taxes": {code: {"direct": True} for code in ("J1", "J2", "J6")}},
        {"taxes": {"J1": {"non_deductible": {"classification": "NVV"}, "business_place": "1"}}},
    ],
    ids=["untaxed by item", "direct", "non-deductible"],
)
def test_no_option_loses_a_value(name: str, options: Options) -> None:
    """Whatever a site states: every field of a voucher reaches the request, or is refused."""
    check(name, options=options)
