"""The digest of a claim's content, and the forms that it had: a journal may hold any of them.

A digest is ``2:`` and a SHA-256 in hex. What changed its meaning gave it another number; without
one it is of a time before there were numbers:

- form 2, first without its number: fields that say nothing are left out.
- form 1: every field that a claim had then, said or not.

Whoever changes what is hashed adds a form here, and keeps the older ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

_FORM: Final = "2:"
_FIRST: Final = {
    "": "id revision company employee currency total lines title employee_name department "
    "cost_centre country approved_at approver posting_date dimensions",
    "lines": "type date amount currency rate tax tax_rate deductible payment cost_centre "
    "department project text dimensions documents",
    "documents": "kind number code date amount tax seller uri",
}
"""The fields of form 1: of a claim, of its lines, of their documents."""


class Digest(str):
    """A digest that knows its older forms; they are computed where a journal holds one.

    It is a text like any other to whoever keeps it.
    """

    __slots__ = ("_older",)

    def __new__(cls, hashed: str, older: Callable[[], tuple[str, ...]]) -> Digest:
        """Return the digest of what ``hashed`` is the SHA-256 of."""
        made = super().__new__(cls, _FORM + hashed)
        made._older = older
        return made

    _older: Callable[[], tuple[str, ...]]

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    @property
    def older(self) -> tuple[str, ...]:
        """The same content's digests in older forms, the latest first."""
        return self._older()

    def of_part(self, part: int, parts: int) -> Digest:
        """Return the digest of one of the ``parts`` documents that the claim is divided into."""
        return Digest(
            _of_part(self.removeprefix(_FORM), part, parts),
            lambda: tuple(_of_part(one, part, parts) for one in self.older),
        )


def same_content(kept: str, wanted: str) -> bool:
    """Tell whether a digest that a journal kept is of the content whose digest is ``wanted``."""
    if kept == wanted or not isinstance(wanted, Digest):
        return kept == wanted
    return not kept.startswith(_FORM) and kept in wanted.older


def digest_of(claim: msgspec.Struct, said: dict[str, Any]) -> Digest:
    """Return the digest of a claim; ``said`` is the claim as plain values that say something."""
    hashed = _sha256(said)
    return Digest(hashed, lambda: tuple(filter(None, (hashed, _first_form(claim, said)))))


def _first_form(claim: msgspec.Struct, said: dict[str, Any]) -> str:
    """Return the digest that form 1 gave; "" where the claim says what it had no field for."""
    documents = [one for line in said["lines"] for one in line.get("documents", ())]
    found = {"": [said], "lines": said["lines"], "documents": documents}
    for part, names in _FIRST.items():
        known = frozenset(names.split())
        if any(one.keys() - known for one in found[part]):
            return ""
    whole = _only(msgspec.to_builtins(claim), "")
    whole["approved_at"] = said.get("approved_at")
    whole["lines"] = [_only(line, "lines") for line in whole["lines"]]
    for line in whole["lines"]:
        line["documents"] = [_only(one, "documents") for one in line["documents"]]
    return _sha256(whole)


def _only(plain: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: plain[name] for name in _FIRST[part].split()}


def _sha256(plain: object) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def _of_part(hashed: str, part: int, parts: int) -> str:
    return hashlib.sha256(f"{hashed} {part}/{parts}".encode()).hexdigest()


__all__ = ["Digest", "digest_of", "same_content"]
