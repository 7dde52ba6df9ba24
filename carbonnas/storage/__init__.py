"""The store: everything that survives the process."""
