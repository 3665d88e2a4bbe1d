"""The digest of a claim's content, and its older forms: a journal may hold any of them.

A digest is ``2:`` and a SHA-256 in hex. The number is that of the form. Older digests have no
number:

- form 2, first written without its number: empty fields are left out.
- form 1: every field that a claim had then, empty or not.

If you change what is hashed, add a form here and keep the older ones.
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

    It is stored like any other text.
    """

    __slots__ = ("_older",)

    def __new__(cls, hashed: str, older: Callable[[], tuple[str, ...]]) -> Digest:
        """Return the digest of what ``hashed`` is the SHA-256 of."""
        digest = super().__new__(cls, _FORM + hashed)
        digest._older = older
        return digest

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
            lambda: tuple(_of_part(digest, part, parts) for digest in self.older),
        )


def same_content(stored: str, digest: str) -> bool:
    """Whether a digest that a journal holds is of the same content as ``digest``."""
    if stored == digest or not isinstance(digest, Digest):
        return stored == digest
    return not stored.startswith(_FORM) and stored in digest.older


def digest_of(claim: msgspec.Struct, plain: dict[str, Any]) -> Digest:
    """Return the digest of a claim; ``plain`` is the claim as plain values without empty fields."""
    hashed = _sha256(plain)
    return Digest(hashed, lambda: tuple(filter(None, (hashed, _first_form(claim, plain)))))


def _first_form(claim: msgspec.Struct, plain: dict[str, Any]) -> str:
    """Return the digest of form 1; "" where the claim fills a field that the form did not have."""
    documents = [document for line in plain["lines"] for document in line.get("documents", ())]
    filled = {"": [plain], "lines": plain["lines"], "documents": documents}
    for part, names in _FIRST.items():
        fields = frozenset(names.split())
        if any(values.keys() - fields for values in filled[part]):
            return ""
    whole = _only(msgspec.to_builtins(claim), "")
    whole["approved_at"] = plain.get("approved_at")
    whole["lines"] = [_only(line, "lines") for line in whole["lines"]]
    for line in whole["lines"]:
        line["documents"] = [_only(document, "documents") for document in line["documents"]]
    return _sha256(whole)


def _only(plain: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: plain[name] for name in _FIRST[part].split()}


def _sha256(plain: object) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def _of_part(hashed: str, part: int, parts: int) -> str:
    return hashlib.sha256(f"{hashed} {part}/{parts}".encode()).hexdigest()


__all__ = ["Digest", "digest_of", "same_content"]
