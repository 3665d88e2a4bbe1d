"""What the exchange platform of Yonyou NC answers: a ``ufinterface`` with one ``sendresult``.

What is known of its results comes from what public clients read and log; the vendor publishes no
page on them. So a reply proves little, and only in these ways:

- *posted*: code 1, not ``successful="N"``, and the voucher's number in ``content``.
- *refused*: another code with ``successful="N"``, nothing that names a document, and words that
  leave no doubt: none of a repeat, of what was saved, or of a commit, a time-out, a connection.
- *a repeat*: a refusal that says so in words and names our own document.

Code -32000 is what the platform did not foresee. It is a refusal only where the platform says in
full that nothing was kept: its own exception is the last cause (it ends the document's
transaction), and both places of a document's key are there and empty. Anything else is unknown.
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
_OWN_EXCEPTION: Final = re.compile(
    r"(?:[\w.$]+(?:Exception|Error):\s*)*nc\.vo\.pfxx\.exception\.PfxxException:(?P<said>.+)", re.S
)
"""The exception by which the platform itself refuses a document, as the last cause."""
_CLASS: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$<][\w$<>]*){2,}")
"""The name of a class or a method of Java: a further cause, or a stack frame."""
_KEYS: Final = ("billpk", "bdocid")
"""The keys of what became of the document: in NC, and in the platform's own record."""
_REPEAT: Final = re.compile(
    r"重[复複覆]|[已既](?:经|經|に)?.{0,6}(?:存在|[导匯][入]|登[录録錄]|处理|處理|生成|使用)|"
    r"(?:不能|不得|不可)再次|唯一|unique|duplicat|already|repeat|\bexists?\b|imported before",
    re.I,
)
"""Words of a repeat, as NC says them in Chinese, English and Japanese, and as its databases do."""
_LATE: Final = re.compile(
    r"已保存|保存成功|已提交|事务|超时|連接|连接|正在|saved|commit|time(?:d )?-?out|connection|"
    r"communication|constraint|ORA-\d|deadlock|rollback|interrupt",
    re.I,
)
"""Words of a failure that may have come after the voucher was kept."""
_FRAME: Final = r"单据\s*{}(?:\.xml)?\s*(?:开始处理|处理(?:完毕|错误|失败))"
"""The platform's own frame around what it says; ``{}`` is the document's name."""


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
        """Whether the words leave no doubt that nothing was kept."""
        if self.keys or _LATE.search(self.description) or self._speaks_of_us:
            return False
        if self.code != _UNFORESEEN:
            return True
        found = _OWN_EXCEPTION.fullmatch(self.description.strip())
        return self.keys == "" and found is not None and not _CLASS.search(found["said"])

    @property
    def _speaks_of_us(self) -> bool:
        """Whether it names our document beside the platform's own frame: we may not understand."""
        if not self.reference:
            return False
        frame = _FRAME.format(re.escape(self.reference))
        rest = re.sub(frame, "", self.description, flags=re.I)
        return self.reference.casefold() in rest.casefold()


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
    if result.refuses and result.kept_nothing:
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
