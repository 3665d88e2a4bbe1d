"""The command ``sandbox``: an ERP on loopback, with disturbances to order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from claimbridge.cli.exit_codes import DONE
from claimbridge.cli.inputs import read_file
from claimbridge.cli.output import complain

if TYPE_CHECKING:
    from claimbridge.sandbox import Sandbox

_PORTS: Final = {"kingdee-eas": "/WSGLWebServiceFacade"}
"""The port that a ledger's endpoint names, where the ERP has several."""


def addresses(running: Sandbox, served: Sequence[str]) -> list[str]:
    """Return a line for each ERP: the address for a ledger's endpoint, and the contract's."""
    return [
        f"{name}: {running.url(name)}{_PORTS.get(name, '')}   contract: {running.url(name)}?wsdl"
        for name in served
    ]


def sandbox(
    *,
    port: int = 8765,
    profile: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006 - never changed
    faults: str = "",
    state: Path | None = None,
    trust: Path | None = None,
    sign_replies: Path | None = None,
    seed: int | None = None,
    holds: Annotated[bool, Parameter(negative=())] = False,
    record: Path | None = None,
    hesi: Annotated[bool, Parameter(negative=())] = False,
    folds: Annotated[bool, Parameter(negative=())] = False,
    lifelike: Annotated[bool, Parameter(negative="--tidy")] = False,
) -> int:
    """Serve an ERP on 127.0.0.1 to try things against, until interrupted.

    Parameters
    ----------
    port
        Where to listen; 0 takes a free port and says which.
    profile
        Serve this profile, under its name; may be repeated; all when left out.
    faults
        name@N strikes the N-th submission, name%P each with probability P; comma-separated.
    state
        Keep the ledger in this file, which survives kill -9; in memory when left out.
    trust
        PEM file with CA certificates: every voucher must then carry a signature by one of them.
    sign_replies
        PEM or PKCS#12 file, without a password, with the key and certificate that sign replies.
    seed
        Makes disturbances by chance repeatable.
    holds
        Documents are entered first, and posted by POST /sandbox/advance.
    record
        Write each exchange into this folder, as fixtures for tests; secrets are scrubbed.
    hesi
        Serve a Hesi beside the ERP, too, at /hesi; its documents are kept in memory.
    folds
        Keep references, and give them back, in capitals, as some ERPs do.
    lifelike
        Write replies as untidily as real systems do; they mean the same. --tidy is the default.

    """
    from claimbridge.sandbox import PROFILES, Hesi, Sandbox
    from claimbridge.signing import Identity

    served = tuple(profile) or tuple(PROFILES)
    erp = Sandbox(
        port=port,
        profiles=served,
        faults=faults,
        state=state,
        trust=read_file(trust) if trust else None,
        identity=Identity.open(sign_replies) if sign_replies else None,
        seed=seed,
        record=record,
        holds=holds,
        hesi=Hesi() if hesi else None,
        folds=folds,
        lifelike=lifelike,
    )

    def announce(running: Sandbox) -> None:
        for line in addresses(running, served):
            complain(line)
        if hesi:
            complain(
                f"hesi: {running.url('hesi')}   documents: {running.url('sandbox/hesi/documents')}"
                "   app_key sandbox-app-key, app_secret sandbox-secret, signKey sandbox-sign-key"
            )
        complain(f"ledger: {running.url('sandbox/ledger')}   Ctrl-C ends it")

    erp.serve(announce)
    return DONE
