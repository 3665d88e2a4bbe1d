"""What a source is, and what goes back to it: the seam that everybody implements."""

from claimbridge.sources.base.source import (
    NOT_ASKED,
    AnswersDoctor,
    Arrival,
    KnowsWhatIsDue,
    RereadsBeforeSending,
    Source,
    SpeaksFormLanguage,
    WriteBackPort,
    WritesBack,
)
from claimbridge.sources.base.writeback import (
    FOR_A_PERSON,
    OPEN,
    WRITE_BACK_MOVES,
    WriteBack,
    WriteBackKind,
    WriteBacks,
    WriteBackState,
)

__all__ = [
    "FOR_A_PERSON",
    "NOT_ASKED",
    "OPEN",
    "WRITE_BACK_MOVES",
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
    "WriteBacks",
    "WritesBack",
]
