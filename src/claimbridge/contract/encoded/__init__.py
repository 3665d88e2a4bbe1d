"""Calls in SOAP encoding (rpc/encoded): written with their types, and read as if literal."""
