"""Golden records for systems: the schema follows from the catalogue."""
