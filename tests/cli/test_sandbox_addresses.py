"""The addresses that ``sandbox`` prints are those that a ledger's endpoint takes."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Folder, Run
from tests.cli.probing import configure

from claimbridge.cli.commands.serve import addresses
from claimbridge.sandbox import Sandbox


@pytest.mark.parametrize("profile", ["kingdee-eas", "reference"])
def test_the_printed_address_is_the_endpoint(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EAS's login stands beside it: there its default finds it."""
    monkeypatch.setenv("EAS_PASSWORD", "x")
    (line,) = addresses(sandbox, [profile])
    configure(folder, sandbox, profile, endpoint=line.split()[1])
    found = {one["what"]: one for one in run("doctor", "--ask", "--json").records}
    assert found["asked"]["verdict"] == "ok"
    assert sandbox.url(profile) + "?wsdl" in line
