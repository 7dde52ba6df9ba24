"""Objectives and the Pareto front."""
