"""The judge: who is who, who wins, what may leave. Pure: no clock, no database, no network, no log."""
