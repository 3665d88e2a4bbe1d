"""What the tests of ``probe`` share: a ledger of each profile, and what a probe has told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Folder, Ran, Run
from tests.testing.record import OPTIONS

from claimbridge.sandbox import PROFILES, LedgerRow, Sandbox

CHOICE = ("--company", "CN01", "--type", "taxi", "--employee", "E1024")
STEPS = ["posted", "found", "reversed", "found_reversed"]
MUTE = {"sap-journal-entry", "yonyou-nc", "in-string"}
"""Profiles whose ERP cannot be asked."""
ONE_WAY = {"yonyou-nc", "in-string"}
"""Profiles that cannot reverse."""
EAS = ("[ledger.CN01.auth]", 'kind = "eas-login"', 'user = "svc"', 'password = "env:EAS_PASSWORD"')
ASKABLE = sorted(set(PROFILES) - MUTE)


def configure(folder: Folder, sandbox: Sandbox, profile: str, **values: Any) -> None:
    """Let the ledger CN01 be a profile's, with time-outs as short as can be."""
    further = list(EAS) if profile == "kingdee-eas" else []
    options = OPTIONS.get(profile, {}) | values.pop("options", {})
    further += ["[ledger.CN01.options]", *(f"{k} = {toml(v)}" for k, v in options.items())]
    further += ["[ledger.CN01.timeouts]", "connect = 0.5", "total = 1.0"]
    suffix = "/WSGLWebServiceFacade" if profile == "kingdee-eas" else ""
    folder.configure(
        *further,
        **{
            "endpoint": sandbox.url(profile) + suffix,
            "profile": profile,
            "time_zone": "Asia/Shanghai",
            "quiet_period": 1.2,
            "retries": 0,
            **values,
        },
    )


def toml(value: Any) -> str:
    """Return a value of an option as TOML has it on one line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {toml(held)}" for key, held in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value, ensure_ascii=False)


def probed(run: Run, *further: str | Path) -> Ran:
    """Run a probe that asks nobody, and prints JSON."""
    return run("probe", "CN01", "--yes", "--new-journal", "--json", *CHOICE, *further)


def steps(ran: Ran) -> list[str]:
    """The steps that a probe told, without what it intended."""
    return [one["step"] for one in ran.records if one["step"] != "intended"]


def effects(rows: list[LedgerRow]) -> tuple[list[str], list[str]]:
    """The references of what a ledger holds: vouchers, and reversals of whatever kind."""
    back = [one.reference for one in rows if ".x" in one.reference.lower()]
    return [one.reference for one in rows if one.reference not in back], back
