"""A whole claim: divided, sent with others, reversed, recovered, withdrawn, settled."""
