"""Training: stacked networks, one loop, random streams by name."""
