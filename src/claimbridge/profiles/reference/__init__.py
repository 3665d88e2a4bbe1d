"""The reference ledger: our own contract, for in-house services."""
