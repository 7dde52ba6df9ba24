"""Conformance suites of the plug-in groups, for the built-ins and for everybody else's."""
