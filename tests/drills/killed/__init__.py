"""What the kill drill kills, where, and how it judges the rest."""
