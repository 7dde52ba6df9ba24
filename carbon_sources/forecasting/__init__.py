"""Forecasters of carbon intensity: what is expected, from what was."""
