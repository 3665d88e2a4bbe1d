"""合思 Hesi: its client, its documents as claims, what goes back to it, and its messages."""
