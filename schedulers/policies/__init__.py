"""Scheduling policies, one in each module."""
