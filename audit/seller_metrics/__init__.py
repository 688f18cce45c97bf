"""Plain computations of what the catalogue's metrics are made of, from facts: one module for each source."""
