"""Long runs against the hard cases, each a command: ``python -m tests.drills.NAME``."""
