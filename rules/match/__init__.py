"""Matching for any table: profile, candidates, evidence, clusters; arrays from end to end."""
