"""The words of a form for what a message calls by the words of a claim."""

from __future__ import annotations

import re
from typing import Final

from claimbridge.model import Claim
from claimbridge.sources.hesi.forms.fields import FieldMap
from claimbridge.sources.hesi.forms.values import FormPlace

_CLAIM_PATH: Final = re.compile(
    r"\b(?:lines\[(?P<line>\d+)\]\.)?(?:(?P<list>documents|allocations|payees|advances)"
    r"\[(?P<index>\d+)\]\.)?(?P<name>[a-z_]+(?:\.\w+)?)\b"
)
_SECTION: Final = {
    "documents": "invoice",
    "allocations": "allocation",
    "payees": "payee",
    "advances": "advance",
}
_WORD: Final = {"invoice": "invoice", "allocation": "分摊", "payee": "支付计划", "advance": "核销"}
_COUNTED_LINE: Final = re.compile(r"\bline (?P<line>[0-9]{1,6})\b")
_COUNTED_ALLOCATION: Final = re.compile(r"\ballocation (?P<number>[0-9]{1,6})\b")
_NAMED_ALONE: Final = frozenset(
    {"title", "employee", "employee_name", "department", "cost_centre", "country", "grade"}
)
"""The claim's own fields whose names stand in messages, and are no words of a sentence there."""


class FormWords:
    """Says in the words of a company's form what stands in those of a claim."""

    def __init__(self, fields: FieldMap) -> None:
        self._map = fields

    def of_refusal(self, text: str) -> str:
        """Return what a claim's own checks say, by the form's fields."""
        return _CLAIM_PATH.sub(lambda path: self._place(path, alone=True), text)

    def of_reason(self, text: str, claim: Claim, *, counted: bool) -> str:
        """Return a reason from behind the claim, by details with their 费用类型, and fields.

        ``counted``: its ``line 1`` is the claim's first line, and not one of the ERP's document.
        """

        def detail(path: re.Match[str]) -> str:
            number = int(path["line"])
            if not 0 < number <= len(claim.lines):
                return path[0]
            kind = claim.lines[number - 1].type
            return f"detail {number} (费用类型 {kind})" if kind else f"detail {number}"

        text = _CLAIM_PATH.sub(lambda path: self._place(path, alone=False), text)
        if counted:
            text = _COUNTED_LINE.sub(detail, text)
            text = _COUNTED_ALLOCATION.sub(rf"{_WORD['allocation']} \g<number>", text)
        return text

    def _place(self, path: re.Match[str], *, alone: bool) -> str:
        """Return the place in the form for a path of the claim; a word of a sentence stays."""
        section = _SECTION.get(path["list"] or "", "line" if path["line"] else "claim")
        name = path["name"]
        field = self._map.sections[section].get(name)
        if field is None and name.startswith("dimensions."):
            free = self._map.dimensions.get(section, {})
            field = free.get(name.removeprefix("dimensions."))
        if field is None and not (section == "invoice" and name in {"number", "code"}):
            return path[0]
        if not (path["line"] or path["list"]) and not (alone and name in _NAMED_ALONE):
            return path[0]
        where = [f"detail {int(path['line']) + 1}"] if path["line"] else []
        if path["list"]:
            where.append(f"{_WORD[section]} {int(path['index']) + 1}")
        return str(FormPlace(field or self._map.sections["invoice"]["id"], ", ".join(where)))
