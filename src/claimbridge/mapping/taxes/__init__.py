"""The taxes of a line: split, levied, allocated, by its documents."""
