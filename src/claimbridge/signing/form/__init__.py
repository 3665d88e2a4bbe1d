"""What a signature looks like: its place, its parts, its canonical bytes."""
