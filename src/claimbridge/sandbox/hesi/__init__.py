"""A Hesi on loopback: documents, approvals, write-backs and messages, with faults to order."""
