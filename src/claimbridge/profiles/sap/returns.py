"""What SAP's function modules answer as web services: names in two spellings, RETURN, OBJ_KEY."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Reason
from claimbridge.profiles.kit.forms import YEAR, EntryForm

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

ENTRY: Final = EntryForm(
    number=r"[0-9]{10}|(?=.*[A-Za-z])[A-Za-z0-9_/.-]{1,10}",
    filled=10,
    company=r"\S{1,4}",
    year=YEAR,
    needs_company=True,
    needs_year=True,
)
"""BKPF's key: BELNR, BUKRS and GJAHR; a number of digits only gets leading zeros (ALPHA)."""
_REFUSING: Final = frozenset({"E", "A", "X"})
_DUPLICATE: Final = "286(F5)"
_DOCUMENT: Final = "BKPFF"
"""The OBJ_TYPE of documents that FI made itself: their key is the document's own key."""


def spelt(part: Reply, name: str) -> list[Reply]:
    """Return the elements called by an ABAP name, in either spelling of SAP's web services.

    ``OBJ_KEY`` is ``ObjKey`` in services of the "mc-style".
    """
    camel = "".join(word.capitalize() for word in name.split("_"))
    return part.all(camel) or part.all(name)


def value(part: Reply, name: str) -> str:
    """Return the one value called by an ABAP name; raises DocumentError for two that differ."""
    values = {found: None for each in spelt(part, name) if (found := each.text())}
    if len(values) > 1:
        raise DocumentError(f"the reply gives {len(values)} different values for {name}")
    return next(iter(values), "")


def refusals(reply: Reply) -> tuple[Reason, ...]:
    """Return the messages of RETURN that refuse, in SAP's own words.

    RETURN is a table of BAPIRET2, or a single one (after commit and rollback).
    """
    messages = [row for found in spelt(reply, "RETURN") for row in found.all("item") or [found]]
    return tuple(
        _reason(message) for message in messages if value(message, "TYPE").upper() in _REFUSING
    )


def is_duplicate(reasons: Sequence[Reason]) -> bool:
    """Say whether SAP refused a document because one like it is there already.

    F5 286 ("Check whether document has already been entered"): the same vendor, currency, company,
    date and reference. Usually a warning; a site can make it an error.
    """
    return any(reason.code == _DUPLICATE for reason in reasons)


def _reason(message: Reply) -> Reason:
    number, group = value(message, "NUMBER"), value(message, "ID")
    table, row = value(message, "PARAMETER"), value(message, "ROW").strip("0")
    place = f"{table}[{row}]" if table and row else table
    return Reason(
        value(message, "MESSAGE") or "no text",
        code=f"{number}({group})" if group else number,
        field="/".join(filter(None, (place, value(message, "FIELD")))),
    )


def object_key(reply: Reply) -> JournalEntry | None:
    """Return the document that a posting was given; None for none.

    OBJ_KEY is the number (10), company code (4) and fiscal year (4). In a refusal OBJ_KEY is blank
    or "$". Raises DocumentError for a key that does not name a document.
    """
    key, kind = value(reply, "OBJ_KEY"), value(reply, "OBJ_TYPE")
    if not key.strip("$0"):
        return None
    number, company, year = key[:10], key[10:-4].strip(), key[-4:]
    whole = len(number) == 10 and company and len(company) <= 4 and re.fullmatch(YEAR, year)
    if kind not in {"", _DOCUMENT} or not whole:
        raise DocumentError(f"the object key {key!r} (type {kind!r}) does not name a document")
    return JournalEntry(number, company, year)
