"""What a chart of accounts says: read from its files, checked, and ready to be asked."""
