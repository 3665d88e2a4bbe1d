"""Documents that travel as a string inside a message: written by a schema, and read."""
