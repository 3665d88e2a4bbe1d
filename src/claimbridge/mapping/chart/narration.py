"""Narration templates 摘要: ``{name} {employee_name} {text}`` with field names checked at load."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Final

import msgspec

CLAIM_FIELDS: Final = (
    "id",
    "title",
    "employee",
    "employee_name",
    "company",
    "department",
    "country",
)
"""What a claim's text may name: fields of the claim."""

LINE_FIELDS: Final = (*CLAIM_FIELDS, "type", "name", "text", "date", "project", "cost_centre")
"""What a line's narration may name besides; ``name`` is the chart row's."""


class NarrationTemplate(msgspec.Struct, frozen=True):
    """A text with fields in braces; ``parse`` makes one that cannot fail to fill."""

    text: str

    @classmethod
    def parse(cls, text: str, fields: tuple[str, ...]) -> NarrationTemplate:
        """Return the template; raises ValueError saying what is wrong with ``text``."""
        for _, field, spec, conversion in string.Formatter().parse(text):
            if field is None:
                continue
            if field not in fields:
                raise ValueError(f"unknown field {{{field}}}; there are {', '.join(fields)}")
            if spec or conversion:
                raise ValueError(f"field {{{field}}} takes no format")
        return cls(text)

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the text with its fields filled, on one line, without doubled spaces."""
        return " ".join(self.text.format_map(values).split())
