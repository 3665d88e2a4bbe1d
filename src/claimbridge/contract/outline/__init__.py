"""The one reading of a contract's schemas, and what its WSDL offers, word for word.

zeep wraps the WSDL; its types are not used, since they drop facets, documentation, bases,
substitutes and the bounds of choices, and agree with the outline in all else
(``tests/contract/test_zeep_agrees.py``: 5,600 types). For NetSuite's 2.8 MB the outline takes 75 ms
and 10 MB, zeep 500 ms and 27 MB.
"""
