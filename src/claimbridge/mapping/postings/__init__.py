"""From a claim to its postings."""
