"""What the drill ``tests.drills.interrupt`` is made of."""
