"""From a Hesi form to a claim."""
