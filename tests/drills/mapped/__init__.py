"""What the drill of mapping is made of: random charts and claims, and an independent oracle."""
