"""`carbonnas intensity`: what the grid is like, was and will be, and recordings of it."""
