"""What the drill of divided claims starts, harms and judges."""
