"""Energy meters and the split of energy over its users."""
