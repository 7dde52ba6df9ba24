"""Carbon-aware neural architecture search."""
