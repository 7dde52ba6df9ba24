"""Providers of carbon intensity, one per module; none knows another."""
