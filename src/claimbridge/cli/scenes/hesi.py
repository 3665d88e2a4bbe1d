"""The command ``demo --with-hesi``: from Hesi into the ledger, and back to Hesi."""

from __future__ import annotations

import contextlib
import copy
import socket
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.output import amount, row, table
from claimbridge.cli.scenes.scene import Scenes, stage
from claimbridge.client import Client
from claimbridge.sandbox import Hesi, HookSettings, Sandbox
from claimbridge.sandbox.hesi.books import Put
from claimbridge.sources.base.writeback import WriteBack, WriteBackState
from claimbridge.sources.hesi.hook import HesiHook
from claimbridge.sources.hesi.kind import hesi_source
from claimbridge.sources.hints import SourceWithHints
from claimbridge.sources.intake import Intake, IntakeItem
from claimbridge.sources.record import SourceRecord, SqliteRecord
from claimbridge.sources.settings import SourceConfig

LOST: Final = 2
"""Which of the voucher numbers loses its answer."""
_MANAGER: Final = "corp:zhao.min"
_WRONG: Final = "ID-B26000104"
_SIGN_KEY: Final = "sandbox-sign-key"
_SECRETS: Final = {"app_key": "sandbox-app-key", "app_secret": "sandbox-secret"}


def demo_with_hesi(*, json: bool) -> int:
    """Play the scenes; return the exit code."""
    hesi = Hesi(late=0.0)  # its states lag behind else, and numbers would wait for a later pass
    with stage(hesi=hesi) as (_, sandbox, client), _open_hesi(sandbox) as (source, config, record):
        intake = Intake(source, config=config, record=record, clients=lambda _: client)
        scenes = HesiShow(hesi, sandbox, client, intake, json=json)
        scenes.documents()
        scenes.first_pass()
        scenes.back()
        scenes.message()
        nothing = scenes.repeat()
        return DONE if scenes.end() and nothing else BUSINESS_NO


@contextlib.contextmanager
def _open_hesi(sandbox: Sandbox) -> Iterator[tuple[SourceWithHints, SourceConfig, SourceRecord]]:
    """Open the sandbox's Hesi as a source, as a user's configuration would."""
    with (
        tempfile.TemporaryDirectory(prefix="claimbridge-demo-") as folder,
        as_file(files("claimbridge.examples")) as examples,
    ):
        for name, secret in _SECRETS.items():
            Path(folder, name).write_text(secret, encoding="utf-8")
        config = SourceConfig(
            name="hesi",
            kind="hesi",
            ledger="DEMO",
            folder=folder,
            options={
                "address": sandbox.url("hesi"),
                "map": str(examples / "hesi-map.toml"),
                "rate": 100,
                **{name: f"file:{name}" for name in _SECRETS},
            },
        )
        record = SqliteRecord(Path(folder, "record.db"))
        source = hesi_source(config, record)
        try:
            yield source, config, record
        finally:
            source.close()
            record.close()


class HesiShow(Scenes):
    """The scenes, in order; each prints what a finance person wants to see."""

    def __init__(
        self, hesi: Hesi, sandbox: Sandbox, client: Client, intake: Intake, *, json: bool
    ) -> None:
        super().__init__(json=json)
        self._hesi = hesi
        self._sandbox = sandbox
        self._client = client
        self._intake = intake
        self._record = intake.record

    def documents(self) -> None:
        """Hand in the example documents, and let people agree to them and pay them."""
        self.say(
            f"A Hesi listens on {self._sandbox.url('hesi')}, and an ERP beside it. Four documents "
            "are handed in, agreed to and paid.\n"
        )
        for content in _examples("hesi"):
            document = msgspec.json.decode(content, type=Put)
            self._hesi.order(document)
            self._approve(document.id)

    def _approve(self, key: str) -> None:
        self._hesi.agree(key, by=_MANAGER, comment="同意")
        self._hesi.pay(key, by="corp:cashier")

    def first_pass(self) -> None:
        """Make one pass of the intake; the answer to one voucher number is lost."""
        self._sandbox.set_faults(f"hesi_voucher:commit-then-drop@{LOST}")
        items = list(self._intake.run())
        grid = table(
            "document", "what", "amount", "", "entry", "what happened",
            numbers=("amount",), texts=("what",),
        )  # fmt: skip
        for item in items:
            self._row_of(grid, item)
        self.show(grid, title="1 · Documents of Hesi's become journal entries")
        for item in items:
            if item.error is not None:
                self.say(f"  {item.error}\n")

    def _row_of(self, grid: Any, item: IntakeItem) -> None:
        arrival = item.arrival
        form = self._hesi.details(arrival.key)["form"]
        entry = self._entry_of(arrival.claim_id) if item.error is None else ""
        total = Decimal(form["expenseMoney"]["standard"])
        outcome = "posted" if entry else f"{arrival.state}, see below"
        row(grid, arrival.label, form["title"], amount(total), "CNY", entry, outcome)
        self.emit(scene="intake", document=arrival.label, claim=arrival.claim_id,
                   state=arrival.state, journal_entry=entry or None,
                   code=arrival.code or None)  # fmt: skip

    def _entry_of(self, claim_id: str) -> str:
        entry = self._client.status(claim_id, ask=False).journal_entry
        return entry.number if entry is not None else ""

    def back(self) -> None:
        """Show what went back to Hesi."""
        grid = table("document", "number", "period", "sent", "what happened", numbers=("sent",))
        entries = self._write_backs()
        for entry in entries:
            outcome = "answer lost, looked, found there" if entry.reason else entry.state.value
            content = entry.content
            label = self._label(entry.key)
            row(grid, label, content["number"], content["period"], str(entry.attempt), outcome)
            self.emit(scene="write-back", document=label, number=content["number"],
                       period=content["period"], state=entry.state, attempt=entry.attempt,
                       told=outcome)  # fmt: skip
        self.show(grid, title="2 · Their numbers go back to Hesi")
        for entry in entries:
            if entry.reason:
                self.say(
                    f"  The answer about {self._label(entry.key)} was lost on the way. The number "
                    "was not sent again: Hesi was asked for the document, and it shows "
                    f"{entry.content['number']}.\n"
                )

    def _write_backs(self) -> list[WriteBack]:
        keys = [document["id"] for document in self._hesi.documents()]
        return [entry for key in keys for entry in self._record.write_backs_of("hesi", key)]

    def _label(self, key: str) -> str:
        label: str = self._hesi.details(key)["form"]["code"]
        return label

    def message(self) -> None:
        """Let the employee correct the document that was parked; Hesi's message says so."""
        with _serve_hook(HesiHook(self._record, sign_key=_SIGN_KEY)) as url:
            self._hesi.hooks(HookSettings(url=url))
            details = copy.deepcopy(self._hesi.details(_WRONG)["form"]["details"])
            details[0]["feeTypeForm"]["amount"]["standard"] = "100.00"
            self._hesi.put(_WRONG, form={"details": details}, state="rejected")
            self._hesi.put(_WRONG, state="approving")
            self._approve(_WRONG)
            self._hesi.flush()
            self._hesi.hooks(HookSettings())
        hints = len(self._record.hints("hesi"))
        list(self._intake.run())
        correction = next((entry for entry in self._write_backs() if entry.key == _WRONG), None)
        number = correction.content["number"] if correction is not None else "NOTHING"
        self.say(("3 · A message from Hesi", "italic"))
        self.say(
            f"  {self._label(_WRONG)} is corrected, agreed to and paid. Hesi's messages left "
            f"{hints} hint: the document was read again, whatever they said, and posted as "
            f"{number}, which stands in Hesi.\n"
        )
        self.emit(scene="message", document=self._label(_WRONG), hints=hints, number=number)

    def repeat(self) -> bool:
        """Make the same pass once more; say whether that posted and sent nothing."""
        before = self._did()
        list(self._intake.run())
        nothing = self._did() == before
        outcome = "Nothing was posted, nothing was sent to Hesi" if nothing else "IT DID SOMETHING"
        self.say(("4 · The same pass once more", "italic"))
        self.say(f"  {outcome}.\n")
        self.emit(scene="repeat", did=not nothing)
        return nothing

    def _did(self) -> tuple[int, int, int]:
        calls = self._sandbox.requests()
        posted = len(self._sandbox.ledger())
        return posted, calls.get("SubmitVoucher", 0), calls.get("hesi_voucher", 0)

    def end(self) -> bool:
        """Show what Hesi holds; say whether each number stands there exactly once."""
        grid = table(
            "document", "what", "state", "voucher number", "period", "凭证状态", texts=("what",)
        )
        documents = self._hesi.documents()
        for document in documents:
            title = self._hesi.details(document["id"])["form"]["title"]
            row(
                grid,
                document["code"],
                title,
                document["state"],
                document["voucherNo"],
                document["fiscalPeriod"],
                document["voucherStatus"],
            )
            self.emit(scene="hesi", title=title, **document)
        self.show(grid, title="5 · What Hesi holds")
        entries = {str(entry.journal_entry).partition(" / ")[0] for entry in self._sandbox.ledger()}
        numbers = self._write_backs()
        once = (
            sorted(entries) == sorted(document["voucherNo"] for document in documents)
            and all(len(document["effects"]) == 1 for document in documents)
            and all(document.state is WriteBackState.DONE for document in numbers)
        )
        self.say(
            f"{len(documents)} documents, {len(self._sandbox.ledger())} journal entries, "
            f"{self._did()[2]} numbers sent, the answer to one of them lost: each number stands "
            f"in its document {'exactly once' if once else 'NOT exactly once'}."
        )
        return once


def _examples(folder: str) -> Iterator[bytes]:
    """Yield the example files of a folder, in the order of their names."""
    paths = files("claimbridge.examples").joinpath(folder).iterdir()
    for path in sorted(paths, key=lambda each: each.name):
        if path.name.endswith(".json"):
            yield path.read_bytes()


@contextlib.contextmanager
def _serve_hook(hook: HesiHook) -> Iterator[str]:
    """Serve the receiver of messages on loopback; give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(hook, log_config=None, access_log=False))
        thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()
