"""A Hesi on loopback: documents, approvals, write-backs, messages, and disturbances to order."""
