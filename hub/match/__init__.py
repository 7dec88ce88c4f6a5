"""Matching any table by itself: files in, clusters, pairs, a spec and a report out."""
