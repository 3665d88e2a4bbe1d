"""Replies in the way that real systems write them, read in place: what each must be.

They are handed over beside the checkout (``cases/profiles``), and none of them is ours. Where the
folder is absent, each is skipped with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from claimbridge.cli.offline import offline_ledger
from claimbridge.contract.contract import Contract
from claimbridge.model import Outcome
from claimbridge.soap.envelope import open_envelope

PROFILES: Final = {
    "workday": "workday",
    "sap": "sap-journal-entry",
    "bapi": "sap-bapi",
    "netsuite": "netsuite",
    "eas": "kingdee-eas",
    "nc": "yonyou-nc",
    "html": "yonyou-nc",
}
"""Which profile reads a file, by how its name begins."""

OPTIONS: Final[dict[str, tuple[str, ...]]] = {}
"""What a profile must be told before it reads, as ``--option`` has it."""


class MustBe(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply must be read as: one of ``kinds``, with a text that has ``words``.

    ``useless``: it is useless to repeat the request before somebody has fixed the set-up. ``entry``
    is the journal entry as shown. ``drifts`` is how many differences may be told at most (None:
    whichever).
    """

    kinds: tuple[str, ...]
    words: str = ""
    useless: bool = False
    entry: str = ""
    drifts: int | None = 0


def be(*kinds: str, **further: Any) -> MustBe:
    return MustBe(kinds=kinds, **further)


DUPLICATE = be("duplicate")
REFUSED_BEFORE = be("not_delivered", useless=True)

CASES: Final[dict[str, MustBe | tuple[MustBe, ...]]] = {
    "workday-duplicate-indexed.xml": DUPLICATE,
    "workday-duplicate-addonly-indexed.xml": DUPLICATE,
    "workday-duplicate-at-data.xml": DUPLICATE,
    "workday-duplicate-at-root.xml": DUPLICATE,
    "workday-duplicate-plain.xml": DUPLICATE,
    "workday-absent-indexed.xml": be("absent"),
    "workday-invalid-id-indexed.xml": be("rejected", words="Invalid ID value"),
    "workday-auth.xml": REFUSED_BEFORE,
    "workday-not-authorized.xml": REFUSED_BEFORE,
    "workday-no-xpath.xml": be("rejected", words="Line of Business"),
    "sap-je-ok-with-warning.xml": be("posted", entry="0100000008 / 1410 / 2026"),
    "sap-je-ok-zh.xml": be("posted", entry="0100000008 / 1410 / 2026"),
    "sap-je-mixed.xml": (
        be("posted", entry="0100000008 / 1410 / 2026"),
        be("rejected", words="Vendor 141 is not defined"),
    ),
    "sap-je-check-only.xml": be("unknown"),
    "sap-je-locked.xml": be("rejected", words="blocked by user BATCH01"),
    "sap-je-zeros-period.xml": be("rejected", words="007 2018 not open"),
    "sap-je-dup-as-error.xml": be("rejected", words=r"286\(F5\).*\bours?\b"),
    "sap-fault-ws-processing.xml": be("unknown", words="Transaction ID 0A"),
    "sap-fault-security.xml": REFUSED_BEFORE,
    "bapi-ok-warning.xml": be("unknown", words="1900001394 / 1030 / 2026"),
    "bapi-ok-zh.xml": be("unknown", words="1900001394 / 1030 / 2026"),
    "bapi-error.xml": be("rejected", words="004/2026 is not open"),
    "bapi-commit-missing-authority.xml": be("rejected", words="no authorization"),
    "netsuite-ok-qualified.xml": be("posted", entry="6233"),
    "netsuite-ok-unqualified.xml": be("posted", entry="6233", drifts=1),
    "netsuite-getlist-absent-unqualified.xml": be("absent", drifts=1),
    "netsuite-invalid-ref.xml": be("rejected", words="Invalid subsidiary"),
    "netsuite-user-error-qualified.xml": be("rejected", words="Department"),
    "netsuite-user-error-unqualified.xml": be("rejected", words="Department", drifts=1),
    "netsuite-limit-fault.xml": be("unavailable"),
    "netsuite-credentials-fault-hostname-first.xml": REFUSED_BEFORE,
    "netsuite-insufficient-permission-status.xml": REFUSED_BEFORE,
    "netsuite-invalid-login-status.xml": REFUSED_BEFORE,
    "netsuite-sax-fault.xml": be("rejected", words="memo is not a legal element"),
    "eas-ok-6-item.xml": be("posted", entry="转账凭证-9-0366 / 2026"),
    "eas-ok-6-axis-nested.xml": be("posted", entry="转账凭证-9-0366 / 2026"),
    "eas-ok-7-item.xml": be("posted", entry="记-3-0366 / 2026"),
    "eas-ok-7-axis-nested.xml": be("posted", entry="记-3-0366 / 2026"),
    "eas-no-account-item.xml": be("rejected", words="没有找到科目"),
    "eas-no-account-axis-nested.xml": be("rejected", words="没有找到科目"),
    "eas-no-company-old-2d.xml": be("rejected", words="公司", drifts=None),
    "eas-fault-relogin.xml": be("unavailable", "not_delivered", words="会话已失效"),
    "eas-fault-invoke.xml": be("unavailable", "not_delivered", "unknown", words="session is inv"),
    "nc-ok.xml": be("posted", entry="记账凭证-0005"),
    "nc-ok-json.xml": be("unknown"),
    "nc-ok-pk-only.xml": be("unknown"),
    "nc-untranslated.xml": be("rejected", words="部门 1200"),
    "nc-unforeseen-business.xml": be("rejected", "unknown", words="会计期间已结账"),
    "nc-dup.xml": be("duplicate", "unknown", words="重复"),
    "html-login.html": be("unknown"),
}


@pytest.mark.parametrize("name", CASES)
def test_is_read_as_it_must_be(name: str, shared: Callable[[str], Path]) -> None:
    """Kind, entry, the ERP's own words, and whether it is useless to repeat."""
    data = shared(f"cases/profiles/{name}").read_bytes()
    profile = PROFILES[name.partition("-")[0]]
    ledger = offline_ledger(profile, None, None, OPTIONS.get(profile, ()), reads_only=True)
    expected = CASES[name]
    expected = expected if isinstance(expected, tuple) else (expected,)
    for outcome, must in zip(ledger.read_bytes(data), expected, strict=True):
        _check(outcome, must)
        if must.drifts is not None:
            assert len(_drift(ledger.setup.contract, data)) <= must.drifts


def _check(outcome: Outcome, must: MustBe) -> None:
    told = "; ".join([outcome.text, *map(str, outcome.reasons)])
    assert outcome.kind in must.kinds, told
    assert re.search(must.words, told), told
    assert str(outcome.journal_entry or "") == must.entry
    assert outcome.retry_is_useless is must.useless


def _drift(contract: Contract, data: bytes) -> tuple[str, ...]:
    if b"<!DOCTYPE" in data:
        return ()
    body = open_envelope(data).body
    return contract.drift(body) if body is not None else ()


def test_every_case_is_expected_to_be_something(shared: Callable[[str], Path]) -> None:
    """A case that is handed over later is not forgotten."""
    found = {path.name for path in shared("cases/profiles").iterdir()} - {"README.md"}
    assert found == set(CASES)
