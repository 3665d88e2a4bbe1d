"""The record in the file of a SQLite journal, and in SQLite's own memory."""
