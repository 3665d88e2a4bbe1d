"""The calls of Hesi's open interface."""
