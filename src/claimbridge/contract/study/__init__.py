"""What is done to a contract at a desk: lock, show, check, compare, write types."""
