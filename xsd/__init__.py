"""The schemas of our contracts: read them with ``importlib.resources``."""
