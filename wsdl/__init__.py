"""Our contracts as WSDL: read them with ``importlib.resources``."""
