"""The sandbox as a whole: in a thread of your own process, or serving until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.places import attribute_at
from claimbridge.sandbox.app import application
from claimbridge.sandbox.hesi.service import Hesi
from claimbridge.sandbox.http.connection import SandboxProtocol
from claimbridge.sandbox.http.control import Control, LedgerRow, Steering
from claimbridge.sandbox.http.endpoint import Endpoint
from claimbridge.sandbox.http.recording import Recorder
from claimbridge.sandbox.kit.books import ErpBooks
from claimbridge.sandbox.kit.disturbances import Disturbances, parse_disturbances
from claimbridge.sandbox.kit.manner import Manners
from claimbridge.sandbox.kit.responder import Desk, Responder
from claimbridge.sandbox.kit.rules import ErpRules
from claimbridge.sandbox.kit.signatures import Signatures
from claimbridge.signing import Identity, Signer

HOST: Final = "127.0.0.1"
PROFILES: Final = {
    "reference": "claimbridge.sandbox.erps.reference:ReferenceResponder",
    "in-string": "claimbridge.sandbox.erps.in_string:InStringResponder",
    "kingdee-eas": "claimbridge.sandbox.erps.kingdee_eas:KingdeeEasResponder",
    "netsuite": "claimbridge.sandbox.erps.netsuite:NetSuiteResponder",
    "sap-bapi": "claimbridge.sandbox.erps.sap_bapi:SapBapiResponder",
    "sap-journal-entry": "claimbridge.sandbox.erps.sap_journal_entry:SapJournalEntryResponder",
    "workday": "claimbridge.sandbox.erps.workday:WorkdayResponder",
    "yonyou-nc": "claimbridge.sandbox.erps.yonyou_nc:YonyouNcResponder",
}
"""The profiles that the sandbox can play, and who plays them."""
_GRACE: Final = 2.0
_RULES: Final = ErpRules()


class Sandbox:
    """An ERP on loopback, with disturbances to order; use it as a context manager, or ``start`` it.

    ``profiles`` are names (see ``PROFILES``), ``module:attribute`` of a Responder, or Responders.
    ``faults`` is a SPEC of disturbances (see ``claimbridge.sandbox.kit.disturbances``), ``seed``
    makes those by chance repeatable. ``state`` is the file of the ledger, None for memory.
    ``trust`` is PEM text: vouchers must be signed under it, where the contract has a place for a
    signature (SAP's has none). ``identity`` signs the replies (WS-Security, over Body, Timestamp,
    and RelatesTo where the request names itself); None leaves them unsigned. ``port`` 0 takes a
    free one. ``holds``: documents are ``entered`` first and posted by ``advance``. ``record`` is a
    folder that keeps every exchange with an ERP. ``hesi`` is a reimbursement system served beside
    them, at ``url("hesi")``. ``folds``: references are kept, found and given back in capitals.
    ``lifelike``: replies are as untidy as those of real systems, and mean the same; ``seed`` makes
    them repeatable too.

    Raises ConfigurationError CB-270 to CB-275.
    """

    def __init__(
        self,
        *,
        profiles: Sequence[str | Responder] = tuple(PROFILES),
        faults: str = "",
        state: Path | None = None,
        trust: bytes | None = None,
        identity: Identity | None = None,
        seed: int | None = None,
        port: int = 0,
        rules: ErpRules = _RULES,
        holds: bool = False,
        record: Path | None = None,
        hesi: Hesi | None = None,
        folds: bool = False,
        lifelike: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        self._seed = seed
        self._hesi = hesi
        disturbances = Disturbances(parse_disturbances(faults), seed=seed)
        signatures = Signatures(trust, clock=clock)
        self._books = ErpBooks(state, clock=clock, seed=seed, folds=folds)
        desk = Desk(books=self._books, rules=rules, signatures=signatures, holds=holds)
        signer = Signer(identity, clock=clock) if identity else None
        self._manners = Manners(lifelike=lifelike, seed=seed)
        self._endpoints = [
            Endpoint(_responder(one), desk, clock, signer, self._manners) for one in profiles
        ]
        self._control = Control(self._books, disturbances, Recorder(record) if record else None)
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port, the same at every start; 0 until the first has found a free one."""
        return self._port

    def url(self, profile: str = "reference") -> str:
        """Return the endpoint of a profile; "sandbox" gives the root of the control pages."""
        return f"{self._base}/{profile}"

    @property
    def _base(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self) -> Self:
        """Serve from a thread; return when the sandbox accepts connections."""
        door, ready = self._enter(), threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(door, ready.set)),
            name="claimbridge-sandbox",
            daemon=True,
        )
        self._thread.start()
        ready.wait()
        return self

    def serve(self, ready: Callable[[Sandbox], None] = lambda _: None) -> None:
        """Serve from the main thread until SIGTERM or SIGINT; call ``ready`` once it serves."""
        stopping = (signal.SIGTERM, signal.SIGINT)
        asyncio.run(self._serve(self._enter(), lambda: ready(self), signals=stopping))

    def stop(self) -> None:
        """Stop serving: an outage. Open calls are cut off; ``start`` ends the outage."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._control.closing.set)
            self._thread.join()

    def close(self) -> None:
        """Stop serving, and close the books."""
        self.stop()
        if self._hesi is not None:
            self._hesi.close()
        self._books.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ledger(self) -> list[LedgerRow]:
        """Return the ledger's documents, in the order of entry; also while it is stopped."""
        return self._control.ledger()

    def requests(self) -> dict[str, int]:
        """Return the number of calls per operation, and of visits to the redirect's ``decoy``."""
        return self._control.counts()

    def set_faults(self, spec: str, *, seed: int | None = None) -> None:
        """Order other disturbances from now on; their calls are counted from 1 again.

        With ``seed`` lifelike replies begin anew as well.
        """
        if seed is not None:
            self._manners.begin(seed)
        seed = self._seed if seed is None else seed
        disturbances = Disturbances(parse_disturbances(spec), seed=seed)
        if self._loop is None or not self._loop.is_running():
            self._control.disturbances = disturbances
            return
        ordered = asyncio.run_coroutine_threadsafe(self._control.order(disturbances), self._loop)
        ordered.result()

    def advance(
        self, *, profile: str | None = None, reference: str | None = None, to: str | None = None
    ) -> list[LedgerRow]:
        """Move documents (entered, posted, paid) one step, or up to ``to``; return those moved.

        ``profile`` and ``reference`` None: all of them. ``to="rejected"`` refuses entered ones.
        """
        return self._control.advance(Steering(profile=profile, reference=reference, to=to))

    def _enter(self) -> Door:
        self._control.closing = asyncio.Event()
        door = Door(application(self._endpoints, self._control, self._hesi), self._port)
        self._port = door.port
        self._control.base = self._base
        return door

    async def _serve(
        self, door: Door, ready: Callable[[], None], *, signals: Sequence[signal.Signals] = ()
    ) -> None:
        self._loop = asyncio.get_running_loop()
        for number in signals:
            self._loop.add_signal_handler(number, self._control.closing.set)
        self._control.settle_door = door.settle
        await door.settle(self._control.disturbances.door_closed)
        ready()
        await self._control.closing.wait()
        await door.shut()


class Door:
    """The listening socket, which can be closed, so that connections are refused, and reopened.

    While the door is closed another socket keeps the port, bound and deaf. Raises
    ConfigurationError CB-275 when the port is taken.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._config = Config(
            app, lifespan="off", ws="none", log_config=None, access_log=False, timeout_keep_alive=60
        )
        self._state = ServerState()
        self._socket = _listening_socket(port)
        self._server: asyncio.Server | None = None
        self.port: int = self._socket.getsockname()[1]

    async def settle(self, closed: bool) -> None:
        """Close or open the door, unless it is so already."""
        if closed and self._server is not None:
            await self._close(self._server)
            self._server = None
            self._socket = _listening_socket(self.port)
            for connection in list(self._state.connections):
                connection.shutdown()  # idle ones now, busy ones after their answer
        elif not closed and self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._wire, sock=self._socket, backlog=2048)

    async def shut(self) -> None:
        """Accept no more connections; give open calls a moment, then cut them off."""
        if self._server is not None:
            await self._close(self._server)
        self._socket.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_GRACE)
        for connection in list(self._state.connections):
            assert isinstance(connection, SandboxProtocol)
            connection.transport.abort()

    async def _close(self, server: asyncio.Server) -> None:
        # A connection accepted at the moment of closing would stay open for ever: asyncio refuses
        # it in Server._attach. So accept nothing more, let accepted ones arrive, then close.
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()

    def _wire(self) -> SandboxProtocol:
        return SandboxProtocol(config=self._config, server_state=self._state, app_state={})


def _listening_socket(port: int) -> socket.socket:
    # Without the protocol asyncio leaves Nagle's algorithm on, and every reply takes 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        raise ConfigurationError(
            f"port {port} is taken ({error.strerror}); name another, or 0 for a free one",
            code="CB-275",
        ) from error
    return made


def _responder(profile: str | Responder) -> Responder:
    if not isinstance(profile, str):
        return profile
    target = PROFILES.get(profile, profile)
    if ":" not in target:
        raise ConfigurationError(
            f"the sandbox has no profile {profile!r}; name one of {', '.join(PROFILES)}, or a "
            "Responder as module:attribute",
            code="CB-276",
        )
    try:
        found: Any = attribute_at(target)
    except ClaimBridgeError:
        raise
    except Exception as error:  # a user's module may raise anything while it loads
        raise ConfigurationError(
            f"the Responder {profile} cannot be loaded: {error}", code="CB-276"
        ) from error
    responder: Responder = found() if isinstance(found, type) else found
    return responder
