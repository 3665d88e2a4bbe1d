"""What sources gave and what became of it, in the journal's own database."""

from claimbridge.sources.record.arrivals import ArrivalState, Delivery, Hint, StoredArrival
from claimbridge.sources.record.record import SourceRecord, open_record

__all__ = ["ArrivalState", "Delivery", "Hint", "SourceRecord", "StoredArrival", "open_record"]
