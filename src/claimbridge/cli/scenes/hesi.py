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
        self._say(
            f"A Hesi listens on {self._sandbox.url('hesi')}, and an ERP beside it. Four documents "
            "are handed in, agreed to and paid.\n"
        )
        for content in _examples("hesi"):
            given = msgspec.json.decode(content, type=Put)
            self._hesi.order(given)
            self._approve(given.id)

    def _approve(self, key: str) -> None:
        self._hesi.agree(key, by=_MANAGER, comment="同意")
        self._hesi.pay(key, by="corp:cashier")

    def first_pass(self) -> None:
        """Make one pass of the intake; the answer to one voucher number is lost."""
        self._sandbox.set_faults(f"hesi_voucher:commit-then-drop@{LOST}")
        items = list(self._intake.run())
        made = table(
            "document", "what", "amount", "", "entry", "what happened",
            numbers=("amount",), texts=("what",),
        )  # fmt: skip
        for one in items:
            self._row_of(made, one)
        self._show(made, title="1 · Documents of Hesi's become journal entries")
        for one in items:
            if one.error is not None:
                self._say(f"  {one.error}\n")

    def _row_of(self, made: Any, one: IntakeItem) -> None:
        arrival = one.arrival
        form = self._hesi.details(arrival.key)["form"]
        entry = self._entry_of(arrival.claim_id) if one.error is None else ""
        total = Decimal(form["expenseMoney"]["standard"])
        told = "posted" if entry else f"{arrival.state}, see below"
        row(made, arrival.label, form["title"], amount(total), "CNY", entry, told)
        self._emit(scene="intake", document=arrival.label, claim=arrival.claim_id,
                   state=arrival.state, journal_entry=entry or None,
                   code=arrival.code or None)  # fmt: skip

    def _entry_of(self, claim_id: str) -> str:
        entry = self._client.status(claim_id, ask=False).journal_entry
        return entry.number if entry is not None else ""

    def back(self) -> None:
        """Show what went back to Hesi."""
        made = table("document", "number", "period", "sent", "what happened", numbers=("sent",))
        found = self._write_backs()
        for one in found:
            told = "answer lost, looked, found there" if one.reason else one.state.value
            content = one.content
            label = self._label(one.key)
            row(made, label, content["number"], content["period"], str(one.attempt), told)
            self._emit(scene="write-back", document=label, number=content["number"],
                       period=content["period"], state=one.state, attempt=one.attempt,
                       told=told)  # fmt: skip
        self._show(made, title="2 · Their numbers go back to Hesi")
        for one in found:
            if one.reason:
                self._say(
                    f"  The answer about {self._label(one.key)} was lost on the way. The number "
                    "was not sent again: Hesi was asked for the document, and it shows "
                    f"{one.content['number']}.\n"
                )

    def _write_backs(self) -> list[WriteBack]:
        keys = [document["id"] for document in self._hesi.documents()]
        return [one for key in keys for one in self._record.write_backs_of("hesi", key)]

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
        correction = next((one for one in self._write_backs() if one.key == _WRONG), None)
        number = correction.content["number"] if correction is not None else "NOTHING"
        self._say(("3 · A message from Hesi", "italic"))
        self._say(
            f"  {self._label(_WRONG)} is corrected, agreed to and paid. Hesi's messages left "
            f"{hints} hint: the document was read again, whatever they said, and posted as "
            f"{number}, which stands in Hesi.\n"
        )
        self._emit(scene="message", document=self._label(_WRONG), hints=hints, number=number)

    def repeat(self) -> bool:
        """Make the same pass once more; say whether that posted and sent nothing."""
        before = self._did()
        list(self._intake.run())
        nothing = self._did() == before
        told = "Nothing was posted, nothing was sent to Hesi" if nothing else "IT DID SOMETHING"
        self._say(("4 · The same pass once more", "italic"))
        self._say(f"  {told}.\n")
        self._emit(scene="repeat", did=not nothing)
        return nothing

    def _did(self) -> tuple[int, int, int]:
        calls = self._sandbox.requests()
        posted = len(self._sandbox.ledger())
        return posted, calls.get("SubmitVoucher", 0), calls.get("hesi_voucher", 0)

    def end(self) -> bool:
        """Show what Hesi holds; say whether each number stands there exactly once."""
        made = table(
            "document", "what", "state", "voucher number", "period", "凭证状态", texts=("what",)
        )
        documents = self._hesi.documents()
        for one in documents:
            title = self._hesi.details(one["id"])["form"]["title"]
            row(
                made,
                one["code"],
                title,
                one["state"],
                one["voucherNo"],
                one["fiscalPeriod"],
                one["voucherStatus"],
            )
            self._emit(scene="hesi", title=title, **one)
        self._show(made, title="5 · What Hesi holds")
        entries = {
            str(listed.journal_entry).partition(" / ")[0] for listed in self._sandbox.ledger()
        }
        written = self._write_backs()
        once = (
            sorted(entries) == sorted(one["voucherNo"] for one in documents)
            and all(len(one["effects"]) == 1 for one in documents)
            and all(one.state is WriteBackState.DONE for one in written)
        )
        self._say(
            f"{len(documents)} documents, {len(self._sandbox.ledger())} journal entries, "
            f"{self._did()[2]} numbers sent, the answer to one of them lost: each number stands "
            f"in its document {'exactly once' if once else 'NOT exactly once'}."
        )
        return once


def _examples(folder: str) -> Iterator[bytes]:
    """Yield the example files of a folder, in the order of their names."""
    found = files("claimbridge.examples").joinpath(folder).iterdir()
    for path in sorted(found, key=lambda one: one.name):
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
