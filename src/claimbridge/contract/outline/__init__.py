"""The one reading of a contract's schemas, and what its WSDL offers, word for word.

zeep wraps the WSDL: it says which operations a Body is resolved for, and refuses what has no
meaning. Its types are not used.
"""
