"""The parts of the drill of the intake."""
