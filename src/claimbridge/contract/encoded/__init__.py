"""Calls in SOAP encoding (rpc/encoded)."""
