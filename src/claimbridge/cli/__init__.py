"""The command ``claimbridge``; ``main`` is its entry point.

It imports what it needs only when it is called: Ctrl-C in that moment too ends it in words.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        from claimbridge.cli.app import main as run
    except KeyboardInterrupt:
        return _interrupted()
    except ModuleNotFoundError as error:
        return _missing(error)
    return run(arguments)


def _interrupted() -> int:
    import sys

    sys.stderr.write("interrupted; nothing was begun\n")
    return 130


def _missing(error: ModuleNotFoundError) -> int:
    """Say which extra the command needs; a module of our own that is missing is raised."""
    import sys

    if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
        raise error
    sys.stderr.write(
        f"the command needs {error.name}, which is not installed: pip install 'claimbridge[cli]', "
        "or pip install -e '.[cli]' in a checkout\n"
    )
    return 2


__all__ = ["main"]
