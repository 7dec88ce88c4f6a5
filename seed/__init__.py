"""A synthetic company that sells subscriptions: what its five systems say, and what is true.

The same seed gives the same bytes on every machine. Every customer has its own random stream, so the
company can be made a hundred times larger without holding it in memory.
"""

from seed.generate import Summary, generate

__all__ = ["Summary", "generate"]
