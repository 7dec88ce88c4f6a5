"""The systems that we write to: one module each, and a line in `adapters.registry`."""
