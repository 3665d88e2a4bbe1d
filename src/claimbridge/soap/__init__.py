"""SOAP over HTTP: envelopes, faults, WS-Security, and the transports that carry them.

``wire`` writes the message of a request and opens its reply. ``envelope`` puts a body into an
envelope and opens the reply's. ``faults`` reads a Fault of either version. ``http`` judges what an
HTTP answer means, ``authenticator`` whether a reply is the ERP's own. ``security`` writes the
UsernameToken header. ``transport`` sends, and sorts what goes wrong on the way by what that means
for the ledger. It knows nothing of SOAP.
"""
