"""What sources gave and what became of it, in the journal's own database.

``open_record`` opens a record by the URL of its journal. To keep one elsewhere, write a
``RecordStore`` and give it to a ``SourceRecord``, which has the rules.
"""

from claimbridge.sources.record.arrivals import ArrivalState, Delivery, Hint, StoredArrival
from claimbridge.sources.record.opening import MemoryRecord, SqliteRecord, open_record
from claimbridge.sources.record.ports import (
    ArrivalQuery,
    ArrivalRows,
    MessageRows,
    RecordRows,
    RecordStore,
    WriteBackRows,
)
from claimbridge.sources.record.record import SourceRecord

__all__ = [
    "ArrivalQuery",
    "ArrivalRows",
    "ArrivalState",
    "Delivery",
    "Hint",
    "MemoryRecord",
    "MessageRows",
    "RecordRows",
    "RecordStore",
    "SourceRecord",
    "SqliteRecord",
    "StoredArrival",
    "WriteBackRows",
    "open_record",
]
