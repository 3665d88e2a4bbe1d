"""Faults of EAS that report a dead session, which it does before it does anything.

No document lists their words. They stand in the Fault's reason, or in its detail where the reason
is empty or only names an exception. A detail beside a reason proves nothing: a trace of calls may
mention sessions of all kinds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from claimbridge.contract.calls.fault import Fault

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_DEAD: Final = re.compile(
    r"session(\s?id\W+|\s)((is|has|was|been|already)\s)*(invalid|expired|timed?\s?out)"
    r"|session(\s?id)?\s(does\snot|doesn't|not)\sexists?"
    r"|(invalid|expired)\ssession\b(?!\sbean)"
    r"|not\slogged\s(in|on)\b|please\s(re-?)?log\s?(in|on)\b"
    r"|(会话|登录)\w{0,4}(失效|过期|超时|不存在)|(尚未|未)登录|重新登录",
    re.IGNORECASE,
)
"""The words of a dead session; a fault from a session bean, or its transaction, is another one."""
_ONLY_NAMED: Final = re.compile(r"[\w.$]*(Exception|Error|Fault)\s*[:：;]?\s*", re.IGNORECASE)
_NO_SENTENCES: Final = frozenset({"stackTrace", "hostname", "exceptionName"})
"""What Axis puts into a detail beside the service's own words."""
_LONGEST: Final = 200
"""Characters of a sentence; what is longer is a dump."""


def is_dead(answer: Reply | Fault) -> bool:
    """Say whether a fault reports a dead session."""
    return bool(_DEAD.search(told(answer)))


def told(answer: Reply | Fault) -> str:
    """Return the sentence of a fault: its reason, or its detail's where the reason says nothing."""
    if not isinstance(answer, Fault):
        return ""
    if answer.detail is None or not _ONLY_NAMED.fullmatch(answer.reason.strip() or "Fault"):
        return answer.reason
    return "; ".join(_sentences(answer.detail)) or answer.reason


def _sentences(part: Reply) -> list[str]:
    within = part.children
    if within:
        return [text for one in within for text in _sentences(one)]
    text = " ".join((part.element.text or "").split())
    return [text] if text and len(text) <= _LONGEST and part.local not in _NO_SENTENCES else []


__all__ = ["is_dead", "told"]
