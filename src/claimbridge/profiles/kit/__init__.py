"""What profiles are made of."""
