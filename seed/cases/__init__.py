"""The hard cases: small scenes that a master-data hub gets wrong, each with its name and its right end.

A case is a function: its name is the case's, its docstring says why it is hard. README.md explains the
words of `expect`. Their customers have numbers from 90,000,000 and names that nobody else has.
"""

from seed.cases.play import CASES, play

__all__ = ["CASES", "play"]
