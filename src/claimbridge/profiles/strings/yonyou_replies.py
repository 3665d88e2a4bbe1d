"""What the exchange platform of Yonyou NC answers: a ``ufinterface`` with one ``sendresult``.

What is known of its results comes from what public clients read and log; the vendor publishes no
page on them. So a reply proves little, and only in these ways:

- *posted*: code 1, not ``successful="N"``, and the voucher's number in ``content``.
- *refused*: another code with ``successful="N"``, and nothing that names a document.
- *a repeat*: a refusal that says so in words and names our own document.

Code -32000 is what the platform did not foresee. It is a refusal only where the platform says in
full that nothing was kept: its own exception (which ends the document's transaction), and both
places of a document's key there and empty. Anything else is unknown.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.strings.replies import read_inner
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason
from claimbridge.profiles.kit.reading import unknown

_K = OutcomeKind
_TAKEN: Final = "1"
_UNFORESEEN: Final = "-32000"
_OWN_EXCEPTION: Final = re.compile(r"\bnc\.vo\.(?:pfxx\.exception\.Pfxx|pub\.Business)Exception\b")
"""The exceptions by which the platform and NC's services refuse a document."""
_KEYS: Final = ("billpk", "bdocid")
"""The keys of what became of the document: in NC, and in the platform's own record."""
_REPEAT: Final = re.compile(r"重复|已经?存在|已经?导入|duplicat|already|repeat", re.I)


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    """One result in the platform's words; ``keys`` None where it has no place for them."""

    code: str
    well: str
    description: str
    number: str
    reference: str
    keys: str | None

    @property
    def refuses(self) -> bool:
        """Whether it says "no" in every place that it has, and names no document."""
        return self.well == "N" and self.code not in {"", _TAKEN} and not self.number

    @property
    def kept_nothing(self) -> bool:
        """Whether an unforeseen end says in full that nothing was kept."""
        return self.keys == "" and _OWN_EXCEPTION.search(self.description) is not None


def read_result(reply: Reply, number: int) -> Outcome:
    """Return what ``synchronizeDataResponse`` says of the one document that was sent."""
    document = read_inner(reply.text("return"))
    return msgspec.structs.replace(_outcome(document, number), drift=document.drift)


def _outcome(document: Reply, number: int) -> Outcome:
    results = document.all("sendresult")
    if document.local != "ufinterface" or len(results) != 1:
        return unknown(f"the answer is a {document.local} with {len(results)} results")
    result = _result(document, results[0])
    if result.code == _TAKEN and result.well != "N":
        return _taken(result, number)
    if result.refuses and _REPEAT.search(result.description):
        return _repeat(result, number)
    if result.refuses and not result.keys and (result.code != _UNFORESEEN or result.kept_nothing):
        text = result.description or "the ERP refused it without a reason"
        return Outcome(
            kind=_K.REJECTED,
            reference=result.reference or None,
            reasons=(Reason(text, code=result.code),),
            item=number,
        )
    return unknown(
        f"the result has code {result.code!r}, successful {result.well!r}, "
        f"number {result.number!r}: {result.description}"
    )


def _result(document: Reply, result: Reply) -> _Result:
    has_keys = all(result.all(name) for name in _KEYS)
    return _Result(
        code=result.text("resultcode"),
        well=document.text("@successful"),
        description=result.text("resultdescription"),
        number=result.text("content"),
        # The platform may keep the document as a file of that name.
        reference=result.text("filename").removesuffix(".xml"),
        keys="".join(result.text(name) for name in _KEYS) if has_keys else None,
    )


def _taken(result: _Result, number: int) -> Outcome:
    if not result.number:
        return unknown(f"the result has code 1, but no number: {result.description}")
    return Outcome(
        kind=_K.POSTED,
        reference=result.reference or None,
        journal_entry=JournalEntry(result.number),
        item=number,
    )


def _repeat(result: _Result, number: int) -> Outcome:
    """Return DUPLICATE if the words name our document; else they may be about anything."""
    if not result.reference or result.reference not in result.description:
        return unknown(f"the result speaks of a repeat, but of what? {result.description}")
    return Outcome(
        kind=_K.DUPLICATE, reference=result.reference, text=result.description, item=number
    )


__all__ = ["read_result"]
