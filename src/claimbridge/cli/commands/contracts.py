"""Commands about contracts as a whole: lock."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from claimbridge.cli.exit_codes import DONE
from claimbridge.cli.inputs import at_hand, is_stdin, read_file
from claimbridge.cli.options import Json
from claimbridge.cli.output import YES, emit, say
from claimbridge.clock import SYSTEM

if TYPE_CHECKING:
    from claimbridge.contract.study.lock import Lock


def lock_contract(
    source: str,
    /,
    *,
    into: Path,
    allow_host: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006 - never changed
    ca: Path | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Fetch a contract's files once, and write them with their hashes into a folder.

    Parameters
    ----------
    source
        A WSDL file, a contract's folder, or an https address; - is stdin.
    into
        The folder to write; it must be new or empty.
    allow_host
        Another server that the WSDL's files may lie on (NAME or NAME:PORT); may be repeated.
    ca
        PEM file with trust anchors beside the system's own.
    force
        Let an older lock in the folder give way.

    """
    # Imported here: help needs none of it, and zeep takes 150 ms.
    from claimbridge.contract.study.lock import lock
    from claimbridge.soap.transport.download import Downloads

    fetch = Downloads(ca=read_file(ca) if ca else None)
    with ExitStack() as files:
        if is_stdin(Path(source)):
            source = str(files.enter_context(at_hand(Path(source), suffix=".wsdl")))
        locked = lock(
            source, into=into, fetch=fetch, at=SYSTEM.now(), hosts=allow_host, replace=force
        )
    if json:
        emit(_lock_record(locked))
        return DONE
    ports = [port for service in locked.offer.services for port in service.ports]
    say(YES, f" {len(locked.files)} files of {locked.source} are locked in {into}")
    for port in ports:
        kind = f"SOAP {port.version}" if port.version else "not SOAP"
        say(f"  port {port.name} ({kind}): {len(port.operations)} operations at {port.address}")
    return DONE


def _lock_record(locked: Lock) -> dict[str, Any]:
    return {
        "into": str(locked.folder),
        "from": locked.source,
        "at": locked.at,
        "wsdl": locked.entry,
        "files": {name: f"sha256:{value}" for name, value in locked.files.items()},
        "ports": [
            {
                "service": service.name,
                "name": port.name,
                "version": port.version or None,
                "address": port.address,
                "operations": [operation.name for operation in port.operations],
            }
            for service in locked.offer.services
            for port in service.ports
        ],
    }
