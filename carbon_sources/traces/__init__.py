"""Recorded traces: their files, columns and formats, read and written."""
