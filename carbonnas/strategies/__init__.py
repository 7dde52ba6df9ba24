"""Search strategies: what to look at next."""
