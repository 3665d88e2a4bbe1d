"""One run of the command: what was asked for is done, and ends in an exit code."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Final, TextIO

from cyclopts import CycloptsError

from claimbridge.cli.catalogue import acts
from claimbridge.cli.exit_codes import DONE, INTERRUPTED, USAGE, exit_code
from claimbridge.cli.outlet import fill_standard_descriptors, outlets
from claimbridge.cli.output import complain
from claimbridge.cli.tree import build
from claimbridge.errors import ClaimBridgeError

_STDIN: Final = "./-"
"""The path ``-`` for cyclopts, which takes the bare sign for an option."""


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning as everything else is shown that is no result."""
    complain(str(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no traceback for what a user can fix.

    The code comes from the work alone: output that cannot be printed never changes it.
    """
    fill_standard_descriptors()
    warnings.showwarning = _warn
    words = sys.argv[1:] if arguments is None else arguments
    words = [_STDIN if word == "-" else word for word in words]
    try:
        with outlets(acts=acts(words)):
            return _run(words)
    except KeyboardInterrupt:  # while the last words were printed
        return INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    try:
        code = build()(
            arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        call = " ".join(("claimbridge", *(error.command_chain or ())))
        for line in [*str(error).strip().splitlines(), f"Try: {call} --help"]:
            complain(line)
        return USAGE
    except ClaimBridgeError as error:
        complain(str(error))
        return exit_code(error)
    except KeyboardInterrupt:
        complain("interrupted; what was under way is in the journal: claimbridge reconcile")
        return INTERRUPTED
    return code if isinstance(code, int) else DONE


__all__ = ["main"]
