"""Simulations: the production search in virtual time, for many schedulers and seeds."""
