"""A synthetic company that sells subscriptions: what its five systems say, and what is true.

The same seed gives the same bytes on every machine. Every customer has its own random stream and
nothing is held in memory, so the company can be made a hundred times larger. README.md lists the
files and the hard cases.
"""

from seed.generate import Summary, generate

__all__ = ["Summary", "generate"]
