"""ERPs that keep references in capitals: lost answers are found all the same, and nothing twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.testing.record import OPTIONS
from tests.withstand.scene import lifelike

from claimbridge.client import Client
from claimbridge.config import AuthConfig
from claimbridge.errors import ClaimBridgeError, DeliveryError
from claimbridge.journal import Journal, MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.model import Acknowledgement, Claim, ClaimLine, State
from claimbridge.profiles import PROFILES, Profile
from claimbridge.profiles.reference.profile import Reference
from claimbridge.sandbox import Sandbox
from claimbridge.testing.conformance.subject import Subject

ASKED = ("kingdee-eas", "netsuite", "sap-bapi", "workday")
"""Profiles whose ERP is asked for a lost answer, and folds references or may do so."""


def lost(profile: str, *, nth: int = 1) -> str:
    """The fault that loses the answer to what puts the ``nth`` document into the ledger."""
    return f"{'TransactionCommit:' if profile == 'sap-bapi' else ''}commit-then-drop@{nth}"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


def subject(profile: str) -> Subject:
    kingdee = profile == "kingdee-eas"
    auth = AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD")
    return Subject(
        profile=profile,
        responder=profile,
        options=OPTIONS.get(profile, {}),
        auth=auth if kingdee else None,
        path="/WSGLWebServiceFacade" if kingdee else "",
    )


def client(erp: Sandbox, profile: str, journal: Journal, *, as_before: bool = False) -> Client:
    """A client of the sandbox; ``as_before`` takes case for kept, as earlier versions did."""
    judged = subject(profile)
    opened: Profile = judged.open_profile()
    if as_before:
        kept = msgspec.structs.replace(opened.capabilities, reference_case="kept")
        opened.capabilities = kept  # type: ignore[misc]  # an attribute of ours
    ledger = judged.ledger(erp.url(profile) + judged.path)
    ledger = Ledger(ledger.setup.config, profile=opened, chart=ledger.setup.chart)
    return Client(ledger.setup.config, ledger=ledger, journal=journal)


def claim(id_: str, *, revision: int = 1) -> Claim:
    amount, day = Decimal("100.00") * revision, dt.date(2026, 3, 31)
    return Claim(
        id=id_,
        revision=revision,
        company="CN01",
        employee="E1024",
        currency="CNY",
        total=amount,
        lines=(ClaimLine(type="taxi", date=day, amount=amount),),
        posting_date=day,
    )


def insist(sender: Client, wanted: Claim) -> Acknowledgement:
    for _ in range(6):
        try:
            return sender.submit(wanted)
        except DeliveryError as error:
            if error.code == "CB-421":
                raise  # a person is asked
            time.sleep(0.5)
    raise AssertionError("it stays in doubt")


def booked(erp: Sandbox) -> Decimal:
    sums: dict[str, Decimal] = {}
    for one in erp.ledger():
        for posting in one.postings:
            sign = 1 if posting["side"] == "debit" else -1
            account = posting["account"]
            sums[account] = sums.get(account, Decimal(0)) + sign * Decimal(posting["amount"])
    return sum((each for each in sums.values() if each > 0), Decimal(0))


@pytest.fixture(params=ASKED)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def erp(profile: str) -> Iterator[Sandbox]:
    with lifelike(profiles=[subject(profile).server()], folds=True) as running:
        yield running


def test_a_lost_posting_is_found(erp: Sandbox, profile: str) -> None:
    """The answer to a posting is lost; submitted again, the claim is in the ledger once."""
    with client(erp, profile, MemoryJournal()) as sender:
        for id_ in ("EXP-1", "exp-1", "Exp-1", "EXP-1.R2", "EXP-1.X1"):
            erp.set_faults(lost(profile))
            with contextlib.suppress(ClaimBridgeError):  # it may be found at once
                sender.submit(claim(id_))
            erp.set_faults("")
            insist(sender, claim(id_))
    assert booked(erp) == 500
    references = [one.reference for one in erp.ledger()]
    assert len(set(references)) == len(references) == 5


@pytest.mark.parametrize("struck", [1, 2], ids=["reversal", "posting"])
def test_a_lost_correction_is_found(erp: Sandbox, profile: str, struck: int) -> None:
    """A correction whose reversal or whose posting loses its answer ends as one journal entry."""
    with client(erp, profile, MemoryJournal()) as sender:
        sender.submit(claim("EXP-1"))
        sender.status("EXP-1")
        erp.set_faults(lost(profile, nth=struck))
        with contextlib.suppress(ClaimBridgeError):  # it may be found at once
            sender.submit(claim("EXP-1", revision=2))
        erp.set_faults("")
        corrected = insist(sender, claim("EXP-1", revision=2))
        assert corrected.reference == "EXP-1.R2"
        assert sender.status("EXP-1").state is not State.IN_DOUBT
    assert booked(erp) == 200
    assert sorted(one.reference for one in erp.ledger()) == ["EXP-1", "EXP-1.R2", "EXP-1.X1"]


def test_a_lost_reversal_is_found(erp: Sandbox, profile: str) -> None:
    """A reversal whose answer is lost is found by its reference, and takes back once."""
    with client(erp, profile, MemoryJournal()) as sender:
        sender.submit(claim("EXP-1"))
        sender.status("EXP-1")
        erp.set_faults(lost(profile))
        with contextlib.suppress(ClaimBridgeError):  # it may be found at once
            sender.reverse("EXP-1")
        erp.set_faults("")
        time.sleep(1.2)
        assert sender.reverse("EXP-1").reference == "EXP-1.X1"
    assert booked(erp) == 0


def test_references_of_an_earlier_version_are_ours(erp: Sandbox, profile: str) -> None:
    """``EXP-1.x1`` in the journal is ``EXP-1.X1`` in the ERP: found, and never sent again."""
    journal = MemoryJournal()
    with client(erp, profile, journal, as_before=True) as before:
        before.submit(claim("EXP-1"))
        before.status("EXP-1")
        erp.set_faults(lost(profile))
        with contextlib.suppress(ClaimBridgeError):  # it may be found at once
            before.reverse("EXP-1")
        erp.set_faults("")
        with client(erp, profile, journal) as sender:
            assert sender.reverse("EXP-1").reference == "EXP-1.x1"
    assert [one.reference for one in erp.ledger()] == ["EXP-1", "EXP-1.X1"]
    assert booked(erp) == 0


def test_ids_that_differ_in_case_have_references_that_do_not() -> None:
    """Every profile of ours says what its ERP does with case; where it folds, nothing meets."""
    case = {name: subject(name).open_profile().capabilities.reference_case for name in PROFILES}
    folding = {name for name in PROFILES if case[name] == "upper"}
    assert folding == {*ASKED, "sap-journal-entry"}


class Folding(Reference):
    """The reference profile of an ERP that folds case."""

    def __init__(self) -> None:
        kept = Reference.capabilities
        self.capabilities = msgspec.structs.replace(kept, reference_case="upper")


def test_changes_of_an_earlier_reference_are_ours() -> None:
    """A change that the ERP tells of ``EXP-1.X1`` finds the ``EXP-1.x1`` that the journal kept."""
    journal = MemoryJournal()
    with lifelike(profiles=["reference"], folds=True) as erp:
        url = erp.url("reference")
        old = Subject(profile=Reference(), responder="reference").ledger(url)
        new = Subject(profile=Folding(), responder="reference").ledger(url)
        with Client(old.setup.config, ledger=old, journal=journal) as before:
            before.submit(claim("EXP-1"))
            with contextlib.suppress(ClaimBridgeError):
                before.reverse("EXP-1")
        with Client(new.setup.config, ledger=new, journal=journal) as sender:
            told = {change.reference: change.standing for change in sender.changes(since="")}
    found = told["EXP-1.X1"]
    assert found is not None
    assert found.claim_id == "EXP-1"
