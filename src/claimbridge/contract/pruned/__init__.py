"""A contract cut down to what a profile uses, kept for a fast start."""
