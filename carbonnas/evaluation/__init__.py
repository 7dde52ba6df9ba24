"""Evaluation of architectures, and the data it needs."""
