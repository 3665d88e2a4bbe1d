"""Where claims come from: what a source of your own implements, and what it works with.

``Source`` gives each ``Arrival``. What a source can do besides is a protocol of its own:
``AnswersDoctor``, ``RereadsBeforeSending``, ``SpeaksFormLanguage``, ``WritesBack``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from claimbridge.sources.base import (
        AnswersDoctor,
        Arrival,
        KnowsWhatIsDue,
        RereadsBeforeSending,
        Source,
        SpeaksFormLanguage,
        WriteBack,
        WriteBackKind,
        WriteBackPort,
        WriteBackState,
        WritesBack,
    )
    from claimbridge.sources.record import SourceRecord
    from claimbridge.sources.settings import SourceConfig

_NAMES: Final = {
    "base": (
        "AnswersDoctor",
        "Arrival",
        "KnowsWhatIsDue",
        "RereadsBeforeSending",
        "Source",
        "SpeaksFormLanguage",
        "WriteBack",
        "WriteBackKind",
        "WriteBackPort",
        "WriteBackState",
        "WritesBack",
    ),
    "record": ("SourceRecord",),
    "settings": ("SourceConfig",),
}
_HOME_OF: Final = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "AnswersDoctor",
    "Arrival",
    "KnowsWhatIsDue",
    "RereadsBeforeSending",
    "Source",
    "SourceConfig",
    "SourceRecord",
    "SpeaksFormLanguage",
    "WriteBack",
    "WriteBackKind",
    "WriteBackPort",
    "WriteBackState",
    "WritesBack",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'claimbridge.sources' has no attribute {name!r}")
    value = getattr(import_module(f"claimbridge.sources.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
