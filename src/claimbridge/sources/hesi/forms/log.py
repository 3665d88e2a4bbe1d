"""The approval of a document, read from its log 审批日志: what happened, when, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from claimbridge.sources.hesi.api.http import JsonObject

_EBOT: Final = "ebot"
_CHANGING: Final = frozenset(
    {"freeflow.submit", "freeflow.editApproving", "freeflow.modify", "freeflow.alter"}
)
"""The actions after which a form may hold something else."""


def states_of(document: JsonObject) -> set[str]:
    """Return the states in which a document is, or was by its log."""
    return {
        state
        for entry in (document, *_log(document))
        if isinstance(state := entry.get("state"), str)
    }


def revision(document: JsonObject) -> int:
    """Return how many times the form was handed in or changed; 1 at least."""
    return max(1, sum(str(entry.get("action")) in _CHANGING for entry in _log(document)))


def times_at(document: JsonObject, name: str) -> int:
    """Return how many times the form, as it is, came to the step called ``name``."""
    times = 0
    for entry in _log(document):
        if str(entry.get("action")) in _CHANGING:
            times = 0
        attributes = entry.get("attributes")
        times += isinstance(attributes, Mapping) and attributes.get("nextName") == name
    return times


def approval(document: JsonObject) -> tuple[object, str]:
    """Return when the last person agreed, in milliseconds, and that person's id.

    Where nobody did, because no step asked a person: when the document was complete, and "".
    None: the log does not say.
    """
    entries = _log(document)
    agreed = [
        entry
        for entry in entries
        if entry.get("action") == "freeflow.agree" and entry.get("operatorId") != _EBOT
    ]
    if agreed:
        person = agreed[-1].get("operatorId")
        return agreed[-1].get("time"), person if isinstance(person, str) else ""
    complete = [entry.get("time") for entry in entries if entry.get("state") == "paid"]
    return (complete[-1] if complete else None), ""


def _log(document: JsonObject) -> list[Mapping[str, Any]]:
    logs = document.get("logs")
    return [entry for entry in logs if isinstance(entry, Mapping)] if isinstance(logs, list) else []
