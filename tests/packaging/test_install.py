"""Wheel, source distribution and editable install, each into an environment of its own."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.packaging.conftest import Built, Environment

RESOURCES = {
    "claimbridge.wsdl": ["sap-journal-entry.wsdl", "voucher-service.wsdl"],
    "claimbridge.xsd": ["voucher-service.xsd", "voucher-types.xsd", "voucher.xsd", "xmldsig.xsd"],
    "claimbridge.examples": ["chart.toml", "claimbridge.toml", "own_erp.py", "own_erp.wsdl"],
}
FOUND = f"""
from importlib.resources import files
for package, names in {RESOURCES}.items():
    for name in names:
        assert files(package).joinpath(name).read_bytes(), name
assert len(list(files("claimbridge.examples").joinpath("claims").iterdir())) == 11
assert len(list(files("claimbridge.examples").joinpath("chart.cases").iterdir())) == 4
assert files("claimbridge").joinpath("py.typed").is_file()
"""
LAZY = """
import sys
import claimbridge
heavy = {"zeep", "lxml", "cryptography", "signxml", "xmlschema", "msgspec", "urllib3", "aiohttp",
         "starlette", "uvicorn", "rich", "cyclopts", "asyncio"}
print(sorted(heavy & set(sys.modules)))
"""
WITHOUT_AIOHTTP = """
from claimbridge import MissingExtra
try:
    from claimbridge import AsyncClient
except MissingExtra as error:
    print(error)
"""
WITH_AIOHTTP = """
import asyncio
from claimbridge import AsyncClient, LedgerConfig

async def main():
    config = LedgerConfig(endpoint="http://127.0.0.1:9/", journal="memory:")
    async with AsyncClient(config) as ledger:
        print(type(ledger).__name__)

asyncio.run(main())
"""


CHART = """
[chart]
name = "t"
ROWS
[accounts]
employee_payable = "1"
card_payable = "2"
input_tax = "3"
rounding = "4"
[company.CN01]
currency = "CNY"
"""
ROW = """[[expense]]
type = "taxi"
account = "6602"
when = "amount > 5"
"""
WITHOUT_CHART_EXTRAS = f"""
from pathlib import Path
from claimbridge import MissingExtra
from claimbridge.mapping import Chart
Path("rows.xlsx").write_bytes(b"PK")
plain = {CHART!r}
for chart in (plain.replace("ROWS", "") + {ROW!r}, plain.replace("ROWS", "rows = 'rows.xlsx'")):
    Path("chart.toml").write_text(chart)
    try:
        Chart.load("chart.toml")
    except MissingExtra as error:
        print(error)
"""
WITH_CHART_EXTRAS = f"""
from pathlib import Path
import openpyxl
from claimbridge import Claim
from claimbridge.mapping import Chart
book = openpyxl.Workbook()
book.active.title = "expense"
for row in (("type", "account", "when"), ("taxi", "6602", "amount > 5"), ("taxi", "6603", None)):
    book.active.append(row)
book.save("rows.xlsx")
Path("chart.toml").write_text({CHART!r}.replace("ROWS", "rows = 'rows.xlsx'"))
chart = Chart.load("chart.toml")
for amount in ("5", "6"):
    claim = Claim.from_dict({{"id": "C", "revision": 1, "company": "CN01", "employee": "E",
        "currency": "CNY", "total": amount,
        "lines": [{{"type": "taxi", "date": "2026-03-01", "amount": amount}}]}})
    print(chart.map(claim).voucher.postings[0].account)
"""


FAKE_LEDGER = """
from importlib.resources import files
from claimbridge import Claim, Client, LedgerConfig, NotDelivered
from claimbridge.sources.webhook import Webhook
from claimbridge.sources.hesi.hook import HesiHook
from claimbridge.testing import FakeLedger
examples = files("claimbridge.examples")
claim = Claim.from_json(examples.joinpath("claims/travel-cn.json").read_bytes())
with FakeLedger(chart=examples.joinpath("chart.toml")) as ledger:
    print(ledger.submit(claim).reference)
    ledger.submit(claim)
    print(len(ledger.erp.entries()))
config = LedgerConfig(
    endpoint="http://127.0.0.1:9/", journal="memory:", chart=str(examples.joinpath("chart.toml"))
)
with Client(config) as ledger:
    try:
        ledger.submit(claim)
    except NotDelivered as error:
        print(error.claim_id)
"""
WITHOUT_CLI = """
import sys
from claimbridge import MissingExtra
for package in ("cyclopts", "rich", "starlette", "uvicorn"):
    try:
        __import__(package)
    except ImportError:
        continue
    sys.exit(f"{package} came with a plain install")
from claimbridge.sandbox import DISTURBANCES, LedgerRow, Responder
for name in ("Sandbox", "Hesi"):
    try:
        getattr(sys.modules["claimbridge.sandbox"], name)
    except MissingExtra as error:
        print(error)
"""
INSTALL_CLI = "pip install 'claimbridge[cli]', or in a checkout: pip install '.[cli]'"


def test_a_plain_install_is_the_library(built: Built, tmp_path: Path) -> None:
    """It submits without the command's packages; what needs those says how to get them."""
    environment = Environment(tmp_path, built.wheelhouse)
    environment.install(built.wheel)
    assert environment.python(LAZY) == "[]"
    claim = "EXP-2026-0042"
    assert environment.python(FAKE_LEDGER).split() == [claim, "1", claim]
    refusals = environment.python(WITHOUT_CLI).splitlines()
    assert refusals == [f"CB-230 the sandbox needs starlette and uvicorn: {INSTALL_CLI}"] * 2
    for command in (("claimbridge", "demo"), ("python", "-m", "claimbridge", "--version")):
        done = environment.call(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"CB-230 the command needs cyclopts and rich: {INSTALL_CLI}\n"
    environment.install("claimbridge[cli]")
    assert "claimbridge" in environment.run("python", "-m", "claimbridge", "--help")


@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_a_clean_install_is_complete(kind: str, built: Built, tmp_path: Path) -> None:
    """Contracts, schemas and examples are found, the demonstration runs, and the import is lazy."""
    environment = Environment(tmp_path, built.wheelhouse)
    if kind == "editable":
        environment.install("--editable", f"{built.checkout}[cli]")
    else:
        environment.install(f"{built.wheel if kind == 'wheel' else built.sdist}[cli]")
    environment.python(FOUND)
    assert environment.python(LAZY) == "[]"
    records = [
        json.loads(line)
        for line in environment.run("claimbridge", "demo", "--json").split("\n")
        if line
    ]
    assert [r["scene"] for r in records].count("ledger") == 11
    told = environment.python(WITHOUT_AIOHTTP)
    assert told.startswith("CB-230 ")
    assert "pip install 'claimbridge[async]'" in told
    told = environment.python(WITHOUT_CHART_EXTRAS)
    assert "pip install 'claimbridge[rules]'" in told
    assert "pip install 'claimbridge[excel]'" in told
    if kind == "wheel":
        environment.install("claimbridge[excel,rules]")
        assert environment.python(WITH_CHART_EXTRAS).split() == ["6603", "6602"]
        environment.install("claimbridge[async]")
        assert environment.python(WITH_AIOHTTP) == "AsyncClient"
        with_hesi = environment.run("claimbridge", "demo", "--with-hesi")
        assert "each number stands in its document exactly once" in " ".join(with_hesi.split())


def test_the_wheel_holds_the_package_alone(built: Built) -> None:
    """No test, no document, no top-level name but ours gets into site-packages."""
    names = zipfile.ZipFile(built.wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"claimbridge", "claimbridge-0.1.0.dist-info"}
    assert {f"{package.replace('.', '/')}/{name}" for package in RESOURCES
            for name in RESOURCES[package]} <= set(names)  # fmt: skip
    assert any(name.endswith("licenses/LICENSE") for name in names)
    sources = {p.relative_to(built.checkout / "src") for p in built.checkout.glob("src/**/*.py")}
    assert {str(path) for path in sources} <= set(names)


def test_the_sdist_holds_all_that_a_packager_needs(built: Built) -> None:
    """Source, contracts, examples, tests, documents and licence; no build products."""
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "LICENSE", "README.md", "CHANGELOG.md", "setup.cfg", "pyproject.toml",
        "wsdl/voucher-service.wsdl", "xsd/voucher.xsd", "examples/claims/travel-cn.json",
        "examples/own_erp.wsdl", "tests/conftest.py", "tests/packaging/test_install.py",
        "tests/fixtures/soap/reference/SubmitVoucher/accepted/reply.xml",
        "tests/peers/php/service.php", "docs/states.md", "docs/errors.md", "docs/conf.py",
    ):  # fmt: skip
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or "/_build/" in name]


def test_the_build_warns_of_nothing(built: Built) -> None:
    """A warning of setuptools today is an error of its next release."""
    expected = ("byte-compiling is disabled", "no previously-included files matching")
    warned = [
        line
        for line in built.log.splitlines()
        if "warn" in line.lower() or "deprecat" in line.lower()
        if not any(known in line for known in expected) and "copying" not in line
    ]
    assert warned == []
