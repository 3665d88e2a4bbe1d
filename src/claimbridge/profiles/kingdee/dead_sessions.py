"""Faults of EAS that report a dead session, which it does before it does anything.

No document lists their words. So a fault counts only if it says nothing else: every sentence in it
is one of the known ones, word for word. Its sentences are those of the Fault's reason and of its
detail, without the class names that Axis and EAS put before them. Words about a session within
another sentence prove nothing: a voucher may have been saved, and the session of a mail server or a
database be meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from claimbridge.contract.calls.fault import Fault

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_DEAD: Final = re.compile(
    r"((the|your|user|current|login) )?session ?(id)?"
    r"( (is|has|was|been|already)){0,3} (invalid|expired|timed ?out|timeout)"
    r"|session ?id ?[:：] ?(is )?(invalid|expired)"
    r"|((the|your|user|current|login) )?session ?(id)? (does not|doesn't|not) exists?"
    r"|(the )?(invalid|expired) session ?(id)?"
    r"|((the )?user( is| has)? |you are |you have )?not( yet)? logged (in|on)( yet)?"
    r"|(当前|用户|您的)?(会话|session) ?(已经|已)?(失效|过期|超时|不存在|无效)"
    r"|(当前|用户|您的)?登录(会话|信息|状态)?(已经|已)(失效|过期|超时)"
    r"|(当前|用户|您)?(尚未|还未|未|没有)登录(系统)?"
    r"|please (re-?)?(log ?in|log ?on)( again)?|请?您?重新登录(系统)?",
    re.IGNORECASE,
)
"""What a whole sentence says of a dead session, or asks for because of one."""
_BESIDE: Final = re.compile(
    r"(re-?)?(log ?in|log ?on)( again)?|请?您?先?登录(系统)?", re.IGNORECASE
)
"""What a whole sentence may add to one of those; alone it says nothing of a session that ended."""
_THROWN: Final = re.compile(
    r"((nested exception is|caused by)\s*[:：]?\s*"
    r"|([\w$]+\.)*(WSInvokeException|BOSException|EASBizException|AxisFault|RemoteException"
    r"|InvocationTargetException|Exception|Fault)(?![\w.$])\s*[:：;]?\s*)*",
    re.IGNORECASE,
)
"""Names of exceptions that only carry a sentence; any other exception says that more went wrong."""
_NAMED: Final = re.compile(r"[\w.$]*(Exception|Error|Fault)\s*[:：;]?\s*", re.IGNORECASE)
"""A reason that is only an exception's name, whichever: then a person wants to read the detail."""
_WORDS: Final = re.compile(r"\w\s+\w|[\u4e00-\u9fff]{2}")
"""More than one word; in Chinese, two characters."""
_LETTER: Final = re.compile(r"[^\W\d_]")
"""What has none is no sentence: a status, a count."""
_BETWEEN: Final = re.compile(
    r"[,，;；。.!！()（）]|(?<=[a-z]) (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) (?=[a-z])",
    re.IGNORECASE,
)
"""What parts sentences; also a blank between two languages."""
_NO_SENTENCES: Final = frozenset({"stackTrace", "hostname", "exceptionName"})
"""What Axis puts into a detail beside the service's own words."""
_LONGEST: Final = 200
"""Characters of a sentence; what is longer is a dump."""


def is_dead(answer: Reply | Fault) -> bool:
    """Say whether a fault reports a dead session, and nothing else."""
    if not isinstance(answer, Fault):
        return False
    said = _sentences(answer.reason)
    if answer.detail is not None:
        # Beside a reason, a word or a dump of the calls is no sentence; in its place it is.
        texts = [
            one
            for one in _texts(answer.detail)
            if not said or (len(one) <= _LONGEST and _WORDS.search(one))
        ]
        said = [*said, *(sentence for text in texts for sentence in _sentences(text))]
    dead = [sentence for sentence in said if _DEAD.fullmatch(sentence)]
    return bool(dead) and all(one in dead or _BESIDE.fullmatch(one) for one in said)


def told(answer: Reply | Fault) -> str:
    """Return the sentence of a fault: its reason, or its detail's where the reason says nothing."""
    if not isinstance(answer, Fault):
        return ""
    if answer.detail is None or not _NAMED.fullmatch(answer.reason.strip() or "Fault"):
        return answer.reason
    return "; ".join(one for one in _texts(answer.detail) if len(one) <= _LONGEST) or answer.reason


def _sentences(text: str) -> list[str]:
    """Return what stands between a text's punctuation, without the names before it."""
    folded = " ".join(text.split())
    if len(folded) > _LONGEST:
        return [folded]
    thrown = _THROWN.match(folded)
    parts = _BETWEEN.split(folded[thrown.end() :] if thrown else folded)
    return [part.strip() for part in parts if _LETTER.search(part)]


def _texts(part: Reply) -> list[str]:
    within = part.children
    if within:
        return [text for one in within for text in _texts(one)]
    text = " ".join((part.element.text or "").split())
    return [text] if text and part.local not in _NO_SENTENCES else []


__all__ = ["is_dead", "told"]
