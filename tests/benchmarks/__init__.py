"""Figures, not tests: run by hand, printed as tables."""
