"""The daemon's HTTP side: API, live changes, metrics and pages."""
