"""Record the exchanges under ``tests/fixtures/soap`` anew, from the sandbox as it is.

    python -m tests.testing.record [FOLDER]

Each scene is played by the real client over a real socket; what the profile must read from the
reply is written beside it here, by hand, and goes into the case's ``[[expect]]`` tables.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from tests.site import SITE

from claimbridge.client import Client
from claimbridge.clock import Clock, Uptime
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.errors import DeliveryError
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import Claim
from claimbridge.profiles import Profile, load_profile
from claimbridge.profiles.sap.journal_entry import SapJournalEntry
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Responder, Sandbox
from claimbridge.sandbox.erps.kingdee_eas import LISTING, KingdeeEasResponder
from claimbridge.sandbox.erps.sap_journal_entry import SapJournalEntryResponder
from claimbridge.sandbox.kit.markup import render
from claimbridge.xmlio import local_name, parse

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures/soap"
EXAMPLES = ROOT / "examples"
SAP = "JournalEntryCreateRequestConfirmation_In"
NOON = dt.datetime(2026, 4, 1, 12, 0, tzinfo=dt.UTC)

OPTIONS: dict[str, dict[str, Any]] = {
    **SITE,
    "kingdee-eas": {
        **SITE["kingdee-eas"],
        "listing": list(LISTING),
        "batch": 10,
        "creator": "张会计",
    },
    "in-string": {"duplicate_values": ["2"]},
}
"""What a profile needs to be told of the sandbox's ERP."""


class Noon:
    """A clock that stands at noon, so that a second recording is the same as the first."""

    def now(self) -> dt.datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def claim(name: str = "travel-cn", **changes: Any) -> Claim:
    """The example claim ``name``, with changes."""
    found = Claim.from_json((EXAMPLES / f"claims/{name}.json").read_bytes())
    return msgspec.structs.replace(found, **changes) if changes else found


def closed(name: str = "travel-cn") -> Claim:
    """A claim for a period that the ERP has closed; its invoices are other ones."""
    found = claim(name, id="EXP-2025-0999", posting_date=dt.date(2025, 12, 31))
    return Claim.from_json(msgspec.json.encode(found).replace(b'"number":"26', b'"number":"25'))


def profile_at(name: str, clock: Clock, options: Mapping[str, Any] | None = None) -> Profile:
    """The profile, with its clock standing still where it has one."""
    if name == "sap-journal-entry":
        return SapJournalEntry(clock=clock)
    return load_profile(name, options or OPTIONS.get(name, {}))


class Stage:
    """A sandbox that records, and clients of it, each with a journal of its own."""

    def __init__(
        self,
        profile: str,
        folder: Path,
        served: Responder | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.profile = profile
        self.folder = folder
        self.options = options
        served_by = (served or profile,)
        self.sandbox = Sandbox(profiles=served_by, record=folder, clock=Noon(), seed=1)

    def client(self) -> Client:
        config = LedgerConfig(
            name="CN01",
            profile=self.profile,
            endpoint=self.sandbox.url(self.profile),
            endpoints={"login": f"{self.sandbox.url(self.profile)}/EASLogin"},
            timeouts=Timeouts(connect=2, total=2),
            quiet_period=3,
            first_send="send",  # what is recorded is the sending
            retries=0,
        )
        ledger = Ledger(
            config,
            profile=profile_at(self.profile, Noon(), self.options),
            chart=Chart.load(EXAMPLES / "chart.toml"),
            clock=Noon(),
        )
        return Client(config, ledger=ledger, journal=MemoryJournal(), clock=Noon())

    def submit(self, *claims: Claim, faults: str = "") -> None:
        """Submit, one by one or as a batch; how that ends does not matter here."""
        self.sandbox.set_faults(faults)
        with self.client() as client:
            list(client.submit_many(claims, batch=len(claims), concurrency=1))

    def recorded(self, operation: str) -> Path:
        """The exchange of ``operation`` that was recorded last."""
        places = (self.folder / self.profile / operation).iterdir()
        return max(places, key=lambda place: (place / "case.toml").stat().st_mtime_ns)


class Scene(msgspec.Struct, frozen=True):
    """One case: how it comes about, and what the profile must read from the reply."""

    profile: str
    operation: str
    case: str
    play: Callable[[Stage], None]
    expect: tuple[dict[str, Any], ...]
    claim: str = ""
    """The example claim that the request is made of; empty where it is not one alone."""
    drift: bool = False
    """Whether the reply holds what the contract does not know."""
    served: Responder | None = None
    """Who answers in place of the sandbox's own."""
    options: dict[str, Any] | None = None
    """The profile's, where they are not those of ``OPTIONS``."""


def submitting(*claims: Claim, faults: str = "") -> Callable[[Stage], None]:
    return lambda stage: stage.submit(*claims, faults=faults)


def twice(stage: Stage) -> None:
    stage.submit(claim())
    stage.submit(claim())


def reversing(stage: Stage) -> None:
    with stage.client() as client:
        client.submit(claim())
        client.reverse("EXP-2026-0042", posting_date=dt.date(2026, 4, 1), reason="paid twice")


def listing(stage: Stage) -> None:
    stage.submit(claim(), claim("mileage-en"))
    with stage.client() as client:
        list(client.changes())


def asking(stage: Stage) -> None:
    with stage.client() as client:
        client.submit(claim())
        client.status("EXP-2026-0042")


def asking_in_vain(stage: Stage) -> None:
    with stage.client() as client, suppress(DeliveryError):
        stage.sandbox.set_faults("drop-before-commit")
        client.submit(claim())


def of_another_kind(stage: Stage) -> None:
    """Where the option was changed: the reference names a journal entry already."""
    reports, stage.options = stage.options, None
    stage.submit(claim())
    stage.options = reports
    stage.submit(claim())


class Sap2020(SapJournalEntryResponder):
    """SAP as it answered in 2020: without the name of the interface in the middle."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Answer without the element that came later."""
        root = parse(super().answer(call, desk).content)
        for part in [one for one in root if local_name(one) == "ConfirmationInterfaceOrignName"]:
            root.remove(part)
        return ErpAnswer(content=render(root))


POSTED = {"outcome": "posted", "reference": "EXP-2026-0042"}
UNKNOWN = {"outcome": "unknown"}
CLOSED = "period-closed: period 2025-12 is closed; open from 2026-01"
ORDERED = "sandbox: refused because the sandbox was told to refuse it"
SAP_ERROR = "609(RW): Error in document: BKPFF $ SANDBOX"
SAP_CLOSED = [SAP_ERROR, "201(F5): period 2025-12 is closed; open from 2026-01"]
BAPI_ORDERED = "000(sandbox): refused because the sandbox was told to refuse it"
NUMBERED = UNKNOWN
"""A number was given; whether it counts, the ledger says."""
NO = {"outcome": "rejected", "reference": "EXP-2026-0042"}
DOUBLED = {**UNKNOWN, "reference": "EXP-2026-0042"}
REFUSED = {"outcome": "rejected", "reference": "EXP-2025-0999"}
_R, _S, _W, _B = "reference", "sap-journal-entry", "workday", "sap-bapi"
_N = "netsuite"
BAPI = "AccDocumentPost"
SUBMIT, GET = "Submit_Accounting_Journal", "Get_Journals"
WRITTEN = {**POSTED, "journal_entry": "1001"}
NS_CLOSED = "TRAN_PERIOD_CLOSED: period 2025-12 is closed; open from 2026-01"
NS_ORDERED = "USER_ERROR: refused because the sandbox was told to refuse it"
TAKEN = {"outcome": "acknowledged", "reference": "EXP-2026-0042"}
REPORTS = {"record": "expense-report"}
"""What makes the profile netsuite write expense reports."""

_E, IMPORT, FIND = "kingdee-eas", "importVoucher", "findVoucher"
SAVED = {"outcome": "posted", "journal_entry": "记-3-0001 / 2026"}
EAS_CLOSED = {
    "outcome": "rejected",
    "reasons": ["1004: 凭证EXP-2025-0999: period 2025-12 is closed; open from 2026-01"],
}

SCENES = (
    Scene(_R, "SubmitVoucher", "accepted", submitting(claim()),
          ({**POSTED, "journal_entry": "000001 / CN01 / 2026"},), claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "refused", submitting(closed()),
          ({**REFUSED, "reasons": [CLOSED]},)),
    Scene(_R, "SubmitVoucher", "refused-to-order", submitting(claim(), faults="fault"),
          ({**NO, "reasons": [ORDERED]},), claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "fault", submitting(claim(), faults="unsigned-fault"),
          (UNKNOWN,), claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "throttled", submitting(claim(), faults="throttle=typed"),
          ({"outcome": "unavailable", "retry_after": 1.0},),
          claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "duplicate", twice,
          ({"outcome": "duplicate", "reference": "EXP-2026-0042",
            "journal_entry": "000001 / CN01 / 2026"},), claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "drifted", submitting(claim(), faults="drift"),
          ({**POSTED, "journal_entry": "000001 / CN01 / 2026"},), claim="travel-cn", drift=True),
    Scene(_R, "SubmitVoucher", "another-reference", submitting(claim(), faults="wrong-reference"),
          ({"outcome": "posted", "reference": "EXP-2026-0040",
            "journal_entry": "000001 / CN01 / 2026"},), claim="travel-cn"),
    Scene(_R, "SubmitVoucher", "html", submitting(claim(), faults="html-200"), (),
          claim="travel-cn"),
    Scene(_R, "SubmitVouchers", "partly-failed",
          submitting(claim(), closed(), claim("mileage-en")),
          ({**POSTED, "journal_entry": "000001 / CN01 / 2026"},
           {**REFUSED, "reasons": [CLOSED]},
           {"outcome": "posted", "reference": "EXP-2026-0044",
            "journal_entry": "000002 / SG01 / 2026"})),
    Scene(_R, "QueryVouchers", "found", submitting(claim(), faults="commit-then-drop@1"),
          ({**POSTED, "journal_entry": "000001 / CN01 / 2026"},)),
    Scene(_R, "QueryVouchers", "absent", asking_in_vain,
          ({"outcome": "absent", "reference": "EXP-2026-0042"},)),
    Scene(_R, "ListChanges", "page", listing,
          ({**POSTED, "journal_entry": "000001 / CN01 / 2026"},
           {"outcome": "posted", "reference": "EXP-2026-0044",
            "journal_entry": "000002 / SG01 / 2026"})),
    Scene(_R, "ReverseVoucher", "reversed", reversing,
          ({"outcome": "posted", "reference": "EXP-2026-0042.x1",
            "journal_entry": "000002 / CN01 / 2026"},)),
    Scene(_S, SAP, "accepted", submitting(claim()),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},), claim="travel-cn"),
    Scene(_S, SAP, "refused", submitting(closed()), ({**REFUSED, "reasons": SAP_CLOSED},)),
    Scene(_S, SAP, "mixed", submitting(claim(), closed()),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},
           {**REFUSED, "reasons": SAP_CLOSED})),
    Scene(_S, SAP, "refused-to-order", submitting(claim(), faults="fault"),
          ({**NO, "reasons": [SAP_ERROR, ORDERED]},), claim="travel-cn"),
    Scene(_S, SAP, "fault", submitting(claim(), faults="unsigned-fault"), (UNKNOWN,),
          claim="travel-cn"),
    Scene(_S, SAP, "drifted", submitting(claim(), faults="drift"),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},), claim="travel-cn",
          drift=True),
    Scene(_S, SAP, "drifted-2020", submitting(claim(), closed()),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},
           {**REFUSED, "reasons": SAP_CLOSED}), drift=True, served=Sap2020()),
    Scene(_S, SAP, "drifted-mixed", submitting(claim(), closed(), faults="drift"),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},
           {**REFUSED, "reasons": SAP_CLOSED}), drift=True),
    Scene(_S, SAP, "throttled", submitting(claim(), faults="throttle"), (), claim="travel-cn"),
    Scene(_S, SAP, "answer-lost", submitting(claim(), faults="commit-then-drop"), (),
          claim="travel-cn"),
    Scene(_S, SAP, "answer-cut", submitting(claim(), faults="half-reply=malformed"), (),
          claim="travel-cn"),
    Scene(_S, SAP, "reversed", reversing,
          ({"outcome": "posted", "reference": "EXP-2026-0042.X1",
            "journal_entry": "0100000001 / CN01 / 2026"},)),
    Scene(_B, BAPI, "accepted", submitting(claim()), (NUMBERED,), claim="travel-cn"),
    Scene(_B, BAPI, "refused", submitting(closed()),
          ({"outcome": "rejected", "reasons": SAP_CLOSED},)),
    Scene(_B, BAPI, "refused-to-order", submitting(claim(), faults="fault"),
          ({"outcome": "rejected", "reasons": [SAP_ERROR, BAPI_ORDERED]},), claim="travel-cn"),
    Scene(_B, BAPI, "fault", submitting(claim(), faults="unsigned-fault"), (UNKNOWN,),
          claim="travel-cn"),
    Scene(_B, BAPI, "throttled", submitting(claim(), faults="throttle"), (), claim="travel-cn"),
    Scene(_B, BAPI, "answer-lost", submitting(claim(), faults=f"{BAPI}:commit-then-drop@1"), (),
          claim="travel-cn"),
    Scene(_B, BAPI, "drifted", submitting(closed(), faults="drift"),
          ({"outcome": "rejected", "reasons": SAP_CLOSED[::-1]},), drift=True),
    Scene(_B, BAPI, "reversed", reversing, (NUMBERED,)),
    Scene(_B, "TransactionCommit", "committed", submitting(claim()), (UNKNOWN,)),
    Scene(_B, "TransactionCommit", "answer-lost",
          submitting(claim(), faults="TransactionCommit:commit-then-drop@1"), ()),
    Scene(_B, "TransactionRollback", "rolled-back", submitting(closed()), (UNKNOWN,)),
    Scene(_B, "RfcReadTable", "found", submitting(claim()),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},)),
    Scene(_B, "RfcReadTable", "absent",
          submitting(claim(), faults="TransactionCommit:drop-before-commit"), (UNKNOWN,)),
    Scene(_B, "RfcReadTable", "drifted", submitting(claim(), faults="RfcReadTable:drift"),
          ({**POSTED, "journal_entry": "0100000000 / CN01 / 2026"},), drift=True),
    Scene(_W, SUBMIT, "accepted", submitting(claim()), (TAKEN,), claim="travel-cn"),
    Scene(_W, SUBMIT, "duplicate", twice, ({"outcome": "duplicate"},), claim="travel-cn"),
    Scene(_W, SUBMIT, "refused", submitting(closed()),
          ({"outcome": "rejected",
            "reasons": ["period 2025-12 is closed; open from 2026-01"]},)),
    Scene(_W, SUBMIT, "refused-to-order", submitting(claim(), faults="fault"),
          ({"outcome": "rejected",
            "reasons": ["refused because the sandbox was told to refuse it"]},),
          claim="travel-cn"),
    Scene(_W, SUBMIT, "fault", submitting(claim(), faults="unsigned-fault"), (UNKNOWN,),
          claim="travel-cn"),
    Scene(_W, SUBMIT, "drifted", submitting(claim(), faults="drift"), (TAKEN,),
          claim="travel-cn", drift=True),
    Scene(_W, SUBMIT, "html", submitting(claim(), faults="html-200"), (), claim="travel-cn"),
    Scene(_W, GET, "found", asking,
          ({**POSTED, "journal_entry": "000001 / CN01"},)),
    Scene(_W, GET, "absent", asking_in_vain, ({"outcome": "absent"},)),
    Scene(_N, "upsert", "accepted", submitting(claim()), (WRITTEN,), claim="travel-cn"),
    Scene(_N, "upsert", "refused", submitting(closed()), ({**REFUSED, "reasons": [NS_CLOSED]},)),
    Scene(_N, "upsert", "refused-to-order", submitting(claim(), faults="fault"),
          ({**NO, "reasons": [NS_ORDERED]},), claim="travel-cn"),
    Scene(_N, "upsert", "fault", submitting(claim(), faults="unsigned-fault"), (UNKNOWN,),
          claim="travel-cn"),
    Scene(_N, "upsert", "throttled", submitting(claim(), faults="throttle=typed"),
          ({"outcome": "unavailable"},), claim="travel-cn"),
    Scene(_N, "upsert", "answer-lost", submitting(claim(), faults="commit-then-drop"), (),
          claim="travel-cn"),
    Scene(_N, "upsert", "drifted", submitting(claim(), faults="drift"), (WRITTEN,),
          claim="travel-cn", drift=True),
    Scene(_N, "upsert", "another-reference", submitting(claim(), faults="wrong-reference"),
          ({**WRITTEN, "reference": "EXP-2026-0040"},), claim="travel-cn"),
    Scene(_N, "upsert", "reversed", reversing,
          ({**WRITTEN, "reference": "EXP-2026-0042.x1", "journal_entry": "1002"},)),
    Scene(_N, "asyncUpsertList", "taken", submitting(claim(), closed()), (UNKNOWN,)),
    Scene(_N, "checkAsyncStatus", "finished", submitting(claim(), closed()), (UNKNOWN,)),
    Scene(_N, "getAsyncResult", "partly-failed",
          submitting(claim(), closed(), claim("mileage-en")),
          (WRITTEN, {**REFUSED, "reasons": [NS_CLOSED]},
           {**WRITTEN, "reference": "EXP-2026-0044", "journal_entry": "1002"})),
    Scene(_N, "getAsyncResult", "drifted",
          submitting(claim(), closed(), faults="getAsyncResult:drift"),
          (WRITTEN, {**REFUSED, "reasons": [NS_CLOSED]}), drift=True),
    Scene(_N, "getList", "found", submitting(claim(), faults="commit-then-drop@1"), (WRITTEN,)),
    Scene(_N, "getList", "drifted", submitting(claim(), faults="commit-then-drop@1,query:drift"),
          (WRITTEN,), drift=True),
    Scene(_N, "getList", "absent", asking_in_vain, ({"outcome": "absent"},)),
    Scene(_N, "upsert", "report-accepted", submitting(claim()), (WRITTEN,), claim="travel-cn",
          options=REPORTS),
    Scene(_N, "upsert", "report-by-card", submitting(claim("company-card")),
          ({**WRITTEN, "reference": "EXP-2026-0046"},), claim="company-card", options=REPORTS),
    Scene(_N, "upsert", "report-refused", submitting(closed()),
          ({**REFUSED, "reasons": [NS_CLOSED]},), options=REPORTS),
    Scene(_N, "upsert", "report-refused-to-order", submitting(claim(), faults="fault"),
          ({**NO, "reasons": [NS_ORDERED]},), claim="travel-cn", options=REPORTS),
    Scene(_N, "upsert", "report-duplicate", of_another_kind, (DOUBLED,), claim="travel-cn",
          options=REPORTS),
    Scene(_N, "upsert", "report-fault", submitting(claim(), faults="unsigned-fault"), (UNKNOWN,),
          claim="travel-cn", options=REPORTS),
    Scene(_N, "upsert", "report-throttled", submitting(claim(), faults="throttle=typed"),
          ({"outcome": "unavailable"},), claim="travel-cn", options=REPORTS),
    Scene(_N, "upsert", "report-answer-lost", submitting(claim(), faults="commit-then-drop"), (),
          claim="travel-cn", options=REPORTS),
    Scene(_N, "upsert", "report-drifted", submitting(claim(), faults="drift"), (WRITTEN,),
          claim="travel-cn", drift=True, options=REPORTS),
    Scene(_N, "getAsyncResult", "reports-partly-failed",
          submitting(claim(), closed(), claim("company-card")),
          (WRITTEN, {**REFUSED, "reasons": [NS_CLOSED]},
           {**WRITTEN, "reference": "EXP-2026-0046", "journal_entry": "1002"}), options=REPORTS),
    Scene(_N, "getList", "report-found", submitting(claim(), faults="commit-then-drop@1"),
          (WRITTEN,), options=REPORTS),
    Scene(_N, "getList", "report-by-card-found",
          submitting(claim("company-card"), faults="commit-then-drop@1"),
          ({**WRITTEN, "reference": "EXP-2026-0046"},), options=REPORTS),
    Scene(_N, "getList", "report-waiting", submitting(claim(), faults="commit-then-drop@1"),
          ({**TAKEN, "journal_entry": "900001"},), options={**REPORTS, "approved": False}),
    Scene(_N, "getList", "report-drifted",
          submitting(claim(), faults="commit-then-drop@1,query:drift"), (WRITTEN,), drift=True,
          options=REPORTS),
    Scene(_N, "getList", "report-absent", asking_in_vain, ({"outcome": "absent"},),
          options=REPORTS),
    Scene("in-string", "receiveVoucher", "accepted", submitting(claim()),
          ({**POSTED, "journal_entry": "000001"},), claim="travel-cn"),
    Scene("in-string", "receiveVoucher", "refused", submitting(closed()),
          ({"outcome": "rejected",
            "reasons": ["1: period 2025-12 is closed; open from 2026-01"]},)),
    Scene("in-string", "receiveVoucher", "fault", submitting(claim(), faults="unsigned-fault"),
          (UNKNOWN,), claim="travel-cn"),
    Scene("in-string", "receiveVoucher", "throttled", submitting(claim(), faults="throttle"), (),
          claim="travel-cn"),
    Scene("in-string", "receiveVoucher", "duplicate", twice,
          ({"outcome": "duplicate", "reference": "EXP-2026-0042",
            "journal_entry": "000001"},), claim="travel-cn"),
    Scene("in-string", "receiveVoucher", "answer-lost",
          submitting(claim(), faults="commit-then-drop"), (), claim="travel-cn"),
    Scene("in-string", "receiveVoucher", "drifted", submitting(claim(), faults="drift"),
          ({**POSTED, "journal_entry": "000001"},), claim="travel-cn", drift=True),
    Scene("yonyou-nc", "synchronizeData", "accepted", submitting(claim()),
          ({**POSTED, "journal_entry": "000001"},), claim="travel-cn"),
    Scene("yonyou-nc", "synchronizeData", "refused", submitting(closed()),
          ({"outcome": "rejected",
            "reasons": ["-32003: period 2025-12 is closed; open from 2026-01"]},)),
    Scene("yonyou-nc", "synchronizeData", "fault", submitting(claim(), faults="unsigned-fault"),
          (UNKNOWN,), claim="travel-cn"),
    Scene("yonyou-nc", "synchronizeData", "throttled", submitting(claim(), faults="throttle"), (),
          claim="travel-cn"),
    Scene("yonyou-nc", "synchronizeData", "answer-lost",
          submitting(claim(), faults="commit-then-drop@1"),
          (), claim="travel-cn"),
    Scene("yonyou-nc", "synchronizeData", "drifted", submitting(claim(), faults="drift"),
          ({**POSTED, "journal_entry": "000001"},), claim="travel-cn", drift=True),
    Scene(_E, IMPORT, "accepted", submitting(claim()), (SAVED,), claim="travel-cn"),
    Scene(_E, IMPORT, "refused", submitting(closed()), (EAS_CLOSED,)),
    Scene(_E, IMPORT, "refused-to-order", submitting(claim(), faults="fault"),
          ({"outcome": "rejected", "reasons":
            ["4000: 凭证: refused because the sandbox was told to refuse it"]},),
          claim="travel-cn"),
    Scene(_E, IMPORT, "partly-failed", submitting(closed(), claim()), (SAVED, EAS_CLOSED)),
    Scene(_E, IMPORT, "duplicate", twice,
          ({"outcome": "duplicate",
            "reasons": ["3100: 凭证EXP-2026-0042已经引入，凭证号:0001"]},),
          claim="travel-cn", served=KingdeeEasResponder(refuses_repeats=True)),
    Scene(_E, IMPORT, "fault", submitting(claim(), faults="unsigned-fault@1"), (UNKNOWN,),
          claim="travel-cn"),
    Scene(_E, IMPORT, "session-dead", submitting(claim()), ({"outcome": "unavailable"},),
          claim="travel-cn", served=KingdeeEasResponder(lifetime=-1)),
    Scene(_E, IMPORT, "throttled", submitting(claim(), faults="throttle"), (),
          claim="travel-cn"),
    Scene(_E, IMPORT, "answer-lost", submitting(claim(), faults="commit-then-drop@1"), (),
          claim="travel-cn"),
    Scene(_E, IMPORT, "drifted", submitting(claim(), faults="drift@1"), (SAVED,),
          claim="travel-cn", drift=True),
    Scene(_E, IMPORT, "reversed", reversing,
          ({"outcome": "posted", "journal_entry": "记-4-0001 / 2026"},)),
    Scene(_E, FIND, "found", submitting(claim(), faults="commit-then-drop@1"),
          ({**POSTED, "journal_entry": "记-3-0001 / 2026"},)),
    Scene(_E, FIND, "absent", asking_in_vain, (UNKNOWN,)),
)  # fmt: skip  # a scene is read as a row


@contextmanager
def played(scene: Scene) -> Iterator[Path]:
    """Play a scene; yield the folder of its exchange."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(scene.profile, Path(folder), scene.served, scene.options)
        with stage.sandbox:
            scene.play(stage)
        yield stage.recorded(scene.operation)


def keep(scene: Scene, recorded: Path, folder: Path) -> None:
    """Put a recorded exchange where it belongs, with what is expected of it."""
    place = folder / scene.profile / scene.operation / scene.case
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(recorded, place)
    with (place / "case.toml").open("a", encoding="utf-8") as about:
        about.write(f'claim = "{scene.claim}"\n' if scene.claim else "")
        about.write("drift = true\n" if scene.drift else "")
        for expected in scene.expect:
            about.write("\n[[expect]]\n")
            about.writelines(_lines(expected))
        options = scene.options or OPTIONS.get(scene.profile)
        if options:
            about.write("\n[options]\n")
            about.writelines(_lines(options))


def _lines(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        yield f"{name} = {_toml(value)}\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_toml(one)}' for name, one in value.items())} }}"
    # JSON's strings, numbers and lists of them are TOML's too.
    return msgspec.json.encode(value).decode()


def main(folder: Path) -> None:
    """Record every scene below ``folder``."""
    for scene in SCENES:
        with played(scene) as recorded:
            keep(scene, recorded, folder)
        print(f"{scene.profile}/{scene.operation}/{scene.case}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES)
