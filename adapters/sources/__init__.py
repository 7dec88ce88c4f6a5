"""The systems that we read from: one mapping each, and a line in `adapters.registry`."""
