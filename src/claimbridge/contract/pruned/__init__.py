"""The part of a locked contract that a profile uses: cut out once, and stored for a fast start."""
