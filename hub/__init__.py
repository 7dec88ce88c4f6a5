"""The hub: wires the rooms together, stores, schedules, and shows."""
