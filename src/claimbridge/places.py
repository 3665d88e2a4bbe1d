"""Where a configuration points: at files from its own folder, and at things in Python modules."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path


def path_in(folder: Path | str, value: str) -> Path:
    """Return the path that ``value`` names, which starts at ``folder`` where it is relative.

    ``~`` and ``~user`` at its beginning are home folders. Raises ValueError, in words that name the
    path, where nobody knows such a home.
    """
    try:
        # First the home: pathlib expands no ~ behind a folder.
        return Path(folder, Path(value).expanduser())
    except RuntimeError as error:
        raise ValueError(f"the path {value} names a home that is not known here") from error


def attribute_at(target: str) -> object:
    """Return what ``module:attribute`` names; the attribute may have dots.

    Raises whatever the module raises while it loads, and AttributeError where it has no such thing.
    """
    module, _, path = target.partition(":")
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def offers(group: str) -> Mapping[str, str]:
    """Return the entry points of ``group`` that installed packages have: targets by name."""
    return {entry.name: entry.value for entry in metadata.entry_points(group=group)}


__all__ = ["attribute_at", "offers", "path_in"]
