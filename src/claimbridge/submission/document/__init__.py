"""One document: asked for, sent, taken in, brought out of doubt, taken back."""
