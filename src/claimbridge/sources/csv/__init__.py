"""Claims from spreadsheets."""
