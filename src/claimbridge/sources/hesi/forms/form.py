"""Documents of Hesi's: which of them are approved, and the claims that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model import Claim
from claimbridge.sources.hesi.api.http import JsonObject, read_json
from claimbridge.sources.hesi.forms.fields import FieldMap
from claimbridge.sources.hesi.forms.log import (
    WAITING,
    came_and_went_back,
    states_of,
    times_at,
    waiting_node,
)
from claimbridge.sources.hesi.forms.translation import Translation
from claimbridge.sources.hesi.forms.values import FormValues


def documents_in(data: bytes, *, name: str) -> tuple[JsonObject, ...]:
    """Return the documents in saved JSON: one, a list, or an answer of Hesi's (value, items).

    ``name`` is the file's, for the error. Raises ClaimError CB-526 where there is none.
    """
    content = read_json(data)
    if isinstance(content, dict) and "form" not in content:
        content = content.get("items", content.get("value"))
    documents = content if isinstance(content, list) else [content]
    if not documents or not all(isinstance(each, dict) and "form" in each for each in documents):
        raise ClaimError(
            f"{name} holds no document of Hesi's: a JSON object with a form, a list of them, or an "
            "answer of its interface",
            code="CB-526",
        )
    return tuple(documents)


class HesiForms:
    """Reads documents by one field map.

    ``states`` are those in which a document is approved; so is one that waits at ``node``, the
    EBot node of the ledger, where there is one. ``zone`` and ``employees`` are those of
    ``FormValues``.
    """

    def __init__(
        self,
        fields: FieldMap,
        *,
        zone: ZoneInfo,
        states: tuple[str, ...] = ("paid", "archived"),
        node: str = "",
        employees: Callable[[str], str | None] | None = None,
    ) -> None:
        self._map = fields
        self._states = frozenset(states)
        self._node = node
        self._values = FormValues(fields, zone=zone, employees=employees)

    def is_approved(self, document: JsonObject) -> bool:
        """Return whether a document is there and approved."""
        if document.get("active") is False:
            return False
        state = str(document.get("state"))
        waits = bool(self._node) and waiting_node(document, self._node) != ""
        return state in self._states or (waits and state == WAITING)

    def was_approved(self, document: JsonObject) -> bool:
        """Return whether one that is not approved now was so once: by its state, and by its log."""
        went_back = bool(self._node) and came_and_went_back(document, self._node)
        return went_back or not self._states.isdisjoint(states_of(document))

    def occasion(self, document: JsonObject) -> str:
        """Return which time it is that the unchanged form waits at the node; empty the first."""
        times = times_at(document, self._node) if self._node else 0
        return str(times) if times > 1 else ""

    def label(self, document: JsonObject) -> str:
        """Return what people call a document: its number; empty where it has none."""
        form = document.get("form")
        code = form.get("code") if isinstance(form, Mapping) else None
        return code[:64] if isinstance(code, str) else ""

    def claim(self, document: JsonObject) -> Claim:
        """Return the claim that an approved document is.

        Raises ClaimError for what the map cannot read, or what cannot be a claim.
        """
        label = self.label(document)
        try:
            form = document.get("form")
            kind = document.get("formType")
            if kind not in self._map.forms or not isinstance(form, Mapping):
                raise ClaimError(
                    f"it is a {str(kind)[:30]}, and the field map reads "
                    f"{', '.join(self._map.forms)} only",
                    code="CB-524",
                )
            return Translation(self._map, self._values, form, document).claim()
        except ClaimBridgeError as error:
            error.claim_id = error.claim_id or label or str(document.get("id"))[:64]
            raise
