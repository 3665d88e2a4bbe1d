"""What a form has, and whether the field map reads it: nothing is left out unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.sources.hesi.api.http import JsonObject
from claimbridge.sources.hesi.forms.fields import LISTS, FieldMap

_PERSONAL: Final = re.compile(
    r"payee|card|account|bank|branch|certificate|phone|mobile|email|name|staff|submitter|owner|"
    r"person|approver|operator|address|收款|账|帐|卡|银行|证|电话|手机|邮|姓名|员工|人",
    re.I,
)
_LONG_NUMBER: Final = re.compile(r"\d{6,}")
_SHOWN: Final = 40


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One field that a form holds something in.

    ``mapped_to`` is the claim's field that it fills; empty: no rule reads it, which is meant where
    ``deliberate`` says so (the map's ``ignore``, and what Hesi keeps for its own ends). ``example``
    is a value, masked where it is a person's or an account's.
    """

    path: str
    kind: str
    mapped_to: str = ""
    deliberate: bool = False
    example: str = ""


def fields_of(document: JsonObject, fields: FieldMap) -> tuple[FormField, ...]:
    """Return every field of a form that holds something, in its order, each once."""
    form = document.get("form")
    mapped = fields.claim_fields()
    by_path: dict[str, FormField] = {}
    for path, value in _walk(form, "", frozenset(mapped)):
        if path in by_path:
            continue
        by_path[path] = FormField(
            path=path,
            kind=_kind(value),
            mapped_to=mapped.get(path, ""),
            deliberate=path not in mapped and _within(path, fields.ignore),
            example=_example(path, value),
        )
    return tuple(by_path.values())


def paths_ignored(document: JsonObject, fields: FieldMap) -> tuple[str, ...]:
    """Return the paths of a form that no rule reads, though nothing says that it may be so."""
    return tuple(
        field.path
        for field in fields_of(document, fields)
        if not field.mapped_to and not field.deliberate
    )


def _walk(part: object, path: str, mapped: frozenset[str]) -> Iterator[tuple[str, object]]:
    """Yield what a map reads and what lies beside it; what it does not enter stays whole."""
    if isinstance(part, list):
        for entry in part:
            if isinstance(entry, Mapping):
                yield from _walk(entry, path, mapped)
            else:
                yield path, entry
    elif isinstance(part, Mapping):
        for name, value in part.items():
            inner = f"{path}.{name}" if path else str(name)
            if value in (None, "", [], {}):
                continue
            if inner not in mapped and _has_inner_field(inner, mapped):
                yield from _walk(value, inner, mapped)
            else:
                yield inner, value
    elif path:
        yield path, part


def _has_inner_field(path: str, mapped: frozenset[str]) -> bool:
    return path in LISTS.values() or any(other.startswith(f"{path}.") for other in mapped)


def _within(path: str, ignored_paths: frozenset[str]) -> bool:
    return any(path == parent or path.startswith(f"{parent}.") for parent in ignored_paths)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "switch"
        case int() | Decimal():
            return "date" if isinstance(value, int) and value > 10**11 else "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "money" if isinstance(value, Mapping) and "standard" in value else "table"


def _example(path: str, value: object) -> str:
    """Return a value as it may be shown to whoever sets the map up."""
    if isinstance(value, Mapping):
        return f"{value['standard']}" if "standard" in value else f"{len(value)} fields"
    if isinstance(value, list):
        return f"{len(value)} entries"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(str(value).split())
    if _PERSONAL.search(path):
        return f"{'•' * min(len(text), 8)} ({len(text)} characters)"
    if not isinstance(value, str):
        return text[:_SHOWN]
    return _LONG_NUMBER.sub(
        lambda digits: digits[0][:2] + "•" * (len(digits[0]) - 2), text[:_SHOWN]
    )
