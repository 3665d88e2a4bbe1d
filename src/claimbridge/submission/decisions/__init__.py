"""What is decided: pure, from a history, an outcome and the rules of a book."""
