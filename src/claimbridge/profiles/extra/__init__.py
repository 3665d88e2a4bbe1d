"""Fields that a configuration adds to a profile's requests, or leaves out: ``extra``, ``omit``."""
