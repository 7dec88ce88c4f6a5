"""Real systems to publish to, set up on this machine: for the demo, for tests, and for trying a connection out."""
