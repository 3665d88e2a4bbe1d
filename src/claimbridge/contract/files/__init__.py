"""A contract's files: a closed bundle, what its WSDL leads to, and how large that may be."""
