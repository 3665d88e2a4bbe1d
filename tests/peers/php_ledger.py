"""A ledger behind PHP's own SoapServer: ``php -S`` in a process group of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from claimbridge.soap.envelope import open_envelope
from claimbridge.xmlio import local_name

SERVICE = Path(__file__).parent / "php" / "service.php"
WORKERS = 3
SETTINGS = ("display_errors=0", "log_errors=1", "soap.wsdl_cache_enabled=0")


class PhpLedger:
    """The ledger as its own people see it: what it holds, what it was sent, what it answered."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.endpoint: str = f"http://127.0.0.1:{port}/voucher-service"
        self._folder = folder

    @classmethod
    @contextmanager
    def serving(
        cls,
        php: str,
        folder: Path,
        *,
        service: Path = SERVICE,
        wsdl: str = "voucher-service.wsdl",
    ) -> Iterator[Self]:
        """Serve from ``folder``, by several processes; complaints of PHP's own are an error."""
        log, complaints = folder / "server.log", folder / "php.log"
        options = [part for each in (*SETTINGS, f"error_log={complaints}") for part in ("-d", each)]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [php, *options, "-S", "127.0.0.1:0", str(service)],
                env={
                    **os.environ,
                    "VOUCHER_WSDL": str(files("claimbridge.wsdl").joinpath(wsdl)),
                    "VOUCHER_FOLDER": str(folder),
                    "PHP_CLI_SERVER_WORKERS": str(WORKERS),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield cls(_port(server, log), folder)
            assert not complaints.exists(), complaints.read_text()
        finally:
            # The group, not the process: any of them may have been killed by a test's order.
            with suppress(ProcessLookupError):  # it never started
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def documents(self) -> dict[str, dict[str, Any]]:
        """What the ledger holds by reference, as it would show it."""
        file = self._folder / "books.json"
        held = json.loads(file.read_bytes())["documents"] if file.exists() else {}
        return {reference: document["shown"] for reference, document in held.items()}

    def statuses(self) -> dict[str, str]:
        """The status of each document, by reference."""
        return {reference: shown["Status"] for reference, shown in self.documents().items()}

    def requests(self) -> list[bytes]:
        """The requests as they came, in their order."""
        return [file.read_bytes() for file in sorted(self._folder.glob("*-request.xml"))]

    def replies(self) -> list[bytes]:
        """The replies as PHP wrote them, in the order of their requests."""
        return [file.read_bytes() for file in sorted(self._folder.glob("*-reply.xml"))]

    def operations(self) -> list[str]:
        """The names of the requests, in their order."""
        bodies = (open_envelope(request).body for request in self.requests())
        return [local_name(body) for body in bodies if body is not None]

    def lose_an_answer(self, how: str) -> None:
        """Commit what comes next, then be ``killed``, or end ``mute``."""
        (self._folder / "mischief").write_text(how)

    def hold(self) -> None:
        """Take documents in as entered from now on."""
        (self._folder / "hold").touch()

    def move(self, to: str) -> None:
        """Post all that is entered, or pay all that is posted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/move/{to}", timeout=10):
            pass


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        started = re.search(rb"http://127\.0\.0\.1:(\d+)\) started", log.read_bytes())
        if started:
            return int(started[1])
        time.sleep(0.01)
    raise AssertionError(f"php -S did not start: {log.read_text()}")
