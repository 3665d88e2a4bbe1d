"""Documents that travel as a string inside a message."""
