"""NetSuite: journal entries and expense reports by SuiteTalk."""
