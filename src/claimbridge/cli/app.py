"""The command's tree and its exit codes; each command's code is loaded when it is called.

0 done · 1 a business no · 2 usage or configuration · 3 outcome unknown · 4 not delivered
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError

from claimbridge.cli.output import complain
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    KeyUnavailable,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)

DONE, BUSINESS_NO, USAGE, UNKNOWN, NOT_DELIVERED = range(5)


def _version() -> str:
    try:
        return version("claimbridge")
    except PackageNotFoundError:
        return "not installed"


app = App(
    name="claimbridge",
    help="Approved expense claims into any ERP's ledger, exactly once in effect.\n\n"
    "Start with: claimbridge demo",
    version=_version,
    help_format="markdown",
    version_flags=["--version"],
)
_COMMANDS = {
    "demo": "claimbridge.cli.demo:demo",
    "submit": "claimbridge.cli.claims:submit",
    "status": "claimbridge.cli.claims:status",
    "preview": "claimbridge.cli.claims:preview",
    "map": "claimbridge.cli.claims:map_claims",
    "reverse": "claimbridge.cli.claims:reverse",
    "reconcile": "claimbridge.cli.claims:reconcile",
    "reply": "claimbridge.cli.documents:reply",
    "validate": "claimbridge.cli.documents:validate",
    "sign": "claimbridge.cli.documents:sign",
    "verify": "claimbridge.cli.documents:verify",
    "schema": "claimbridge.cli.documents:schema",
    "sandbox": "claimbridge.cli.serve:sandbox",
    "doctor": "claimbridge.cli.doctor:doctor",
}
for _name, _place in _COMMANDS.items():
    app.command(_place, name=_name)

_journal = App(name="journal", help="Look into the journal, and settle what is parked.")
for _name in ("list", "show", "settle"):
    _journal.command(f"claimbridge.cli.journal:{_name}_submissions", name=_name)
app.command(_journal)


def exit_code(error: ClaimBridgeError) -> int:
    """Return the exit code that tells a script what kind of end ``error`` is."""
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if isinstance(error, (NotDelivered, LedgerUnavailable)):
        return NOT_DELIVERED
    if isinstance(error, (ConfigurationError, KeyUnavailable)):
        return USAGE
    return BUSINESS_NO


def worst(codes: Iterable[int]) -> int:
    """Return the exit code for several items: an unknown outcome outweighs all else."""
    found = set(codes)
    return next((code for code in (UNKNOWN, USAGE, NOT_DELIVERED, BUSINESS_NO) if code in found), 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no traceback for what a user can mend."""
    try:
        code = app(
            sys.argv[1:] if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        complain(f"{error}\nTry: claimbridge --help")
        return USAGE
    except ClaimBridgeError as error:
        complain(str(error))
        return exit_code(error)
    except KeyboardInterrupt:
        complain("interrupted; what was under way is in the journal: claimbridge reconcile")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (head, less): not an error, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code if isinstance(code, int) else DONE
