"""A world without I/O for the plans of ``claimbridge.submission``: ERP, network, processes."""
