"""Identities: how a thing is named by a system, and how the hub names it.

A source key is the system's own, raw and never cleaned. A golden id is opaque, derived from the
source key that founded the record, and never reused: a second record founded on the same key is a
new *generation* of it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from canonical.errors import MalformedKey

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


class SourceKey(NamedTuple):
    """One thing as one system names it. Ordered: the last step of every tie-break.

    A tuple, because keys are compared and looked up more often than anything else.
    """

    system: str
    entity: str
    key: str

    def __str__(self) -> str:
        return f"{self.system}:{self.entity}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> SourceKey:
        """The key written as system:entity:key (the key itself may hold colons). Raises MalformedKey."""
        parts = text.split(":", 2)
        if len(parts) != 3 or not all(parts):
            raise MalformedKey(f"{text!r} is not a source key.", key=text)
        return cls(*parts)

    @property
    def record_id(self) -> int:
        """A 63-bit number made of the key alone: the same on every machine and in any order of arrival.

        Two different keys share one about once in 9e18 pairs; the store's uniqueness then refuses the
        second loudly.
        """
        digest = blake2b(f"{self.system}\0{self.entity}\0{self.key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1


def golden_id(prefix: str, founder: SourceKey, generation: int = 0) -> str:
    """`prefix_` and 16 letters (80 bits), from the founding key and how often it founded before."""
    digest = blake2b(f"{founder}\0{generation}".encode(), digest_size=10).digest()
    number = int.from_bytes(digest, "big")
    return f"{prefix}_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5))
