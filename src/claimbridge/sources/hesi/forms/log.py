"""What a document says of its own way: its state, and its log 审批日志 of what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from claimbridge.sources.hesi.api.http import JsonObject

WAITING: Final = "approving"
"""The state of a document that waits at an EBot node."""
DRAFT: Final = "draft"
"""The state of a document that was not handed in, or was retracted."""
ON_THE_WAY: Final = frozenset(
    {"pending", "approving", "paying", "PROCESSING", "sending", "receiving"}
)
DECISION_MARK: Final = "[claimbridge "
"""What the mark in the comment of each of our decisions begins with."""
_EBOT: Final = "ebot"
_CHANGING: Final = frozenset(
    {"freeflow.submit", "freeflow.editApproving", "freeflow.modify", "freeflow.alter"}
)
"""The actions after which a form may hold something else."""
_DECISIONS: Final = frozenset({"freeflow.agree", "freeflow.reject"})
_TAKES_BACK: Final = frozenset(
    {"freeflow.reject", "freeflow.retract", "freeflow.nullify", "freeflow.submit"}
)
"""The actions after which a document is at its beginning again, or nowhere."""


def text_of(value: object) -> str:
    """Return a value of Hesi's as text; "" for None."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def object_in(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object of a name; empty where there is none."""
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def log_entries(document: JsonObject) -> list[Mapping[str, Any]]:
    """Return the entries of a document's log, oldest first."""
    logs = document.get("logs")
    return [entry for entry in logs if isinstance(entry, Mapping)] if isinstance(logs, list) else []


def states_of(document: JsonObject) -> set[str]:
    """Return the states in which a document is, or was by its log."""
    return {
        state
        for entry in (document, *log_entries(document))
        if isinstance(state := entry.get("state"), str)
    }


def revision(document: JsonObject) -> int:
    """Return how many times the form was handed in or changed; 1 at least."""
    return max(1, sum(str(entry.get("action")) in _CHANGING for entry in log_entries(document)))


def times_at(document: JsonObject, step: str) -> int:
    """Return how many times the form, as it is, came to the step called ``step``."""
    times = 0
    for entry in log_entries(document):
        if str(entry.get("action")) in _CHANGING:
            times = 0
        times += object_in(entry, "attributes").get("nextName") == step
    return times


def approval(document: JsonObject) -> tuple[object, str]:
    """Return when the last person agreed, in milliseconds, and that person's id.

    Where nobody did, because no step asked a person: when the document was complete, and "".
    None: the log does not say.
    """
    entries = log_entries(document)
    agreements = [
        entry
        for entry in entries
        if entry.get("action") == "freeflow.agree" and entry.get("operatorId") != _EBOT
    ]
    if agreements:
        person = agreements[-1].get("operatorId")
        return agreements[-1].get("time"), person if isinstance(person, str) else ""
    complete = [entry.get("time") for entry in entries if entry.get("state") == "paid"]
    return (complete[-1] if complete else None), ""


def waiting_node(document: JsonObject, step: str) -> str:
    """Return the id of the step called ``step`` if the document waits there; else ""."""
    for entry in reversed(log_entries(document)):
        attributes = object_in(entry, "attributes")
        if attributes.get("nextId"):
            return text_of(attributes["nextId"]) if attributes.get("nextName") == step else ""
    return ""


def came_and_went_back(document: JsonObject, step: str) -> bool:
    """Return whether a document came to the step called ``step``, and went back from there.

    A document under way went back if its log says so and the step did not agree. A rejected, draft
    or deleted document counts as gone back even if its log does not say so.
    """
    actions = _actions_since(document, step)
    under_way = text_of(document.get("state")) in ON_THE_WAY and document.get("active") is not False
    if not under_way:
        decided = any(DECISION_MARK in comment for comment in decision_comments(document))
        return actions is not None or decided
    agreed = False
    for action in actions or ():
        agreed = agreed or action == "freeflow.agree"
        # Between later steps a document may go to and fro.
        if action in _TAKES_BACK or (action == "freeflow.back" and not agreed):
            return True
    return False


def _actions_since(document: JsonObject, step: str) -> list[str] | None:
    """Return what happened after the document last came to a step; None: it never came there."""
    actions: list[str] | None = None
    for entry in log_entries(document):
        if object_in(entry, "attributes").get("nextName") == step:
            actions = []
        elif actions is not None:
            actions.append(text_of(entry.get("action")))
    return actions


def decision_comments(document: JsonObject) -> list[str]:
    """Return the comments of all decisions."""
    return [
        text_of(object_in(entry, "attributes").get("comment"))
        for entry in log_entries(document)
        if entry.get("action") in _DECISIONS
    ]
