from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.profiles.samples import submission
from tests.site import SITE

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.mapping import Chart
from claimbridge.model import Claim
from claimbridge.profiles import load_profile

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIMS = sorted((EXAMPLES / "claims").glob("*.json"))


WAYS = [
    "netsuite",
    "netsuite 2023.2",
    "reference",
    "sap-journal-entry",
    "sap 2020",
    "sap 2024",
    "workday",
    "workday v30",
]


@pytest.fixture(scope="module")
def chart() -> Chart:
    return Chart.load(EXAMPLES / "chart.toml")


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest, shared: Callable[[str], Path]) -> tuple[str, Contract]:
    """A profile's name and a contract to use it with."""
    if request.param.startswith("sap "):
        year = request.param.removeprefix("sap ")
        wsdl = shared(f"contracts/sap-journal-entry/{year}.wsdl")
        return "sap-journal-entry", Contract.load(wsdl)
    if request.param == "netsuite 2023.2":
        return "netsuite", Contract.load(shared("contracts/netsuite-2023.2/netsuite.wsdl"))
    if request.param == "workday v30":
        folder = shared("contracts/workday-financial-management-v30")
        return "workday", Contract.load(folder / "Financial_Management.wsdl")
    profile = load_profile(request.param, SITE.get(request.param, {}))
    return profile.name, Contract.load(Bundle.from_package(profile.contract))


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_each_example_claim_is_valid_by_each_contract(
    path: Path, chart: Chart, way: tuple[str, Contract]
) -> None:
    """From the claim's JSON to valid bytes: by our contracts and by the ERPs' own."""
    name, contract = way
    voucher = chart.map(Claim.from_json(path.read_bytes())).voucher
    request = load_profile(name, SITE.get(name, {})).submit(
        [submission(voucher, reference=voucher.claim_id)]
    )
    body = contract.render(request.operation, request.body, sources=request.sources)
    assert contract.check(body, sources=request.sources) == ()
    if name == "sap-journal-entry":
        amounts = xmlio.parse(body).xpath("//AmountInTransactionCurrency/text()")
        debits = sum(Decimal(str(one)) for one in amounts if not str(one).startswith("-"))
        assert {voucher.currency: debits} == voucher.totals
        assert sum(Decimal(str(amount)) for amount in amounts) == 0


def test_there_are_example_claims() -> None:
    """An empty folder would make the test above pass for nothing."""
    assert len(CLAIMS) >= 4
