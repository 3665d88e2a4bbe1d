"""What sources gave and what became of it, in the journal's own database."""

from claimbridge.sources.record.kept import ArrivalState, Delivery, Hint, Kept
from claimbridge.sources.record.record import Record, open_record

__all__ = ["ArrivalState", "Delivery", "Hint", "Kept", "Record", "open_record"]
