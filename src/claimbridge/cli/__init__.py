"""The command ``claimbridge``; ``main`` is its entry point.

It imports what it needs only when it is called: Ctrl-C in that moment too ends it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        command = _command()
    except KeyboardInterrupt:
        return _end("interrupted; nothing was begun", 130)
    return _end(command, 2) if isinstance(command, str) else command(arguments)


def _command() -> Callable[[Sequence[str] | None], int] | str:
    """Return the command; where its packages are not installed, a sentence that names them."""
    from claimbridge.errors import MissingExtra, requires_extra

    try:
        with requires_extra("cli", need="the command needs cyclopts and rich"):
            from claimbridge.cli.app import main as run
    except MissingExtra as error:
        return str(error)
    return run


def _end(sentence: str, code: int) -> int:
    import sys

    sys.stderr.write(f"{sentence}\n")
    return code


__all__ = ["main"]
