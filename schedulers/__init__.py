"""Scheduling policies: when to train and when to score."""
