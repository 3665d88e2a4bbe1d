"""One cell of claims in CSV: from the text that a spreadsheet wrote to the field that it means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import inspect

from claimbridge.mapping.chart.files.cells import (
    UnreadableCell,
    amount_of,
    day_of,
    number_of,
    unescape,
)
from claimbridge.model import Claim, ClaimLine, SupportingDocument
from claimbridge.model.claim_lines import FREE_TEXT, IDENTIFIERS, PRINTED
from claimbridge.model.text import hidden_in, plain

Kind: TypeAlias = Literal[
    "amount", "number", "day", "moment", "truth", "whole", "choice", "code", "text"
]

_SHARES: Final = frozenset({"rate", "tax_rate", "deductible", "quantity"})
"""Numbers that are no money."""
_TRUTHS: Final = MappingProxyType(
    {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}
)
_PAYMENTS: Final = ("employee", "company_card")
_WRAPPED: Final = re.compile(r'="([^"]*)"')


def _kinds(struct: type[msgspec.Struct], prefix: str = "") -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for field in msgspec.structs.fields(struct):
        info = inspect.type_info(field.type)
        types = info.types if isinstance(info, inspect.UnionType) else (info,)
        for type_ in types:
            kind = _KINDS.get(type(type_))
            if kind is not None:
                kinds[prefix + field.name] = _precise(kind, field.name)
    return kinds


def _precise(kind: Kind, name: str) -> Kind:
    if kind == "amount" and name in _SHARES:
        return "number"
    if kind == "code" and name in FREE_TEXT | PRINTED | IDENTIFIERS:
        return "text"
    return kind


_KINDS: Final[Mapping[type[inspect.Type], Kind]] = MappingProxyType(
    {
        inspect.DecimalType: "amount",
        inspect.DateType: "day",
        inspect.DateTimeType: "moment",
        inspect.BoolType: "truth",
        inspect.IntType: "whole",
        inspect.LiteralType: "choice",
        inspect.StrType: "code",
    }
)
KIND_OF: Final[Mapping[str, Kind]] = MappingProxyType(
    _kinds(Claim) | _kinds(ClaimLine, "line.") | _kinds(SupportingDocument, "document.")
)


def clean(text: str, field: str) -> str:
    """Return a cell's text without what a spreadsheet puts around it; "" is an empty cell."""
    bare = unescape(text).strip()
    if field.startswith("document.") and field.rpartition(".")[2] in PRINTED:
        return bare  # who tells invoices apart knows more of their spellings
    if KIND_OF.get(field) == "text" and field not in IDENTIFIERS:
        return bare
    wrapped = _WRAPPED.fullmatch(bare)
    bare = wrapped[1].strip() if wrapped else bare
    return bare[1:].lstrip() if bare.startswith("'") else bare  # the mark of "this is text"


def value_of(text: str, field: str, currency: str) -> object:
    """Return what a cell means as the value of a field; raises UnreadableCell."""
    match KIND_OF.get(field, "code"):
        case "amount":
            return str(amount_of(text, currency))
        case "number":
            return str(number_of(text))
        case "day":
            return day_of(text)
        case "moment":
            return _moment(text)
        case "truth":
            return _truth(text)
        case "whole":
            return _whole(text)
        case "choice":
            return _choice(text)
        case "code":
            return _code(text)
        case _:
            return text


def _code(text: str) -> str:
    """Return a code in half-width, as full-width letters and digits are typed by hand."""
    if hidden_in(text):
        return text  # the claim says which, and where
    normal = plain(text)
    return normal if normal.isascii() else " ".join(text.split())


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableCell("it is no moment; write it as 2026-03-31T10:00:00+08:00") from None
    if moment.tzinfo is None:
        raise UnreadableCell(f"it has no time zone; write it as {moment.isoformat()}+08:00")
    return moment


def _truth(text: str) -> bool:
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        raise UnreadableCell("it is neither true nor false")
    return truth


def _whole(text: str) -> int:
    number = number_of(text)
    if number != number.to_integral_value() or abs(number) > Decimal(10**12):
        raise UnreadableCell("it is no whole number")
    return int(number)


def _choice(text: str) -> str:
    if text.lower() not in _PAYMENTS:
        raise UnreadableCell(f"it is none of {', '.join(_PAYMENTS)}")
    return text.lower()


__all__ = ["KIND_OF", "clean", "value_of"]
