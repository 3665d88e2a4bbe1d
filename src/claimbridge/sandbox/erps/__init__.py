"""The ERPs that the sandbox plays, one module each."""
