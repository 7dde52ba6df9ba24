"""`carbonnas latency-table`: what networks take on a device."""
