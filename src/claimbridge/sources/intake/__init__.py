"""The intake: claims from one source into their ledgers, one pass at a time."""

from claimbridge.sources.intake.intake import Intake, IntakeItem, IntakeReport
from claimbridge.sources.intake.rereading import reread

__all__ = ["Intake", "IntakeItem", "IntakeReport", "reread"]
