"""SOAP over HTTP: envelopes, faults, WS-Security user names, and the transports that carry them.

``envelope`` puts a body into an envelope and opens the reply's; ``faults`` reads a Fault of either
version; ``security`` writes the UsernameToken header; ``transport`` sends, and sorts what goes
wrong by what it means for the ledger.
"""
