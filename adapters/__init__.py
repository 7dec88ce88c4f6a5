"""The edge: other people's words become ours, and ours become theirs. No database, no rules."""
