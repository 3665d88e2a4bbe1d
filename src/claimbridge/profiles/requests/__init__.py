"""What our own contracts take, as types: one module per contract in ``claimbridge.wsdl``.

Written by ``claimbridge contract types OPERATION… --contract wsdl/NAME.wsdl --sourced``; a test
writes them again and compares. They are for checkers, and never imported when claimbridge runs.
"""
