"""What all rooms of a contract build on: names and operations."""
