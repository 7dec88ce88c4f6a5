"""A column of a table as distinct values and a code for each row: the shape that all matching works on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_PRIME_INT, _ALL = int(_PRIME), 2**64 - 1
LONGEST = 300  # characters that count for a hash
FEW = 8  # texts up to which they are hashed one by one


@dataclass(frozen=True, slots=True)
class Column:
    """Distinct texts, and for each row the number of its text, or -1 where the row is silent."""

    name: str
    texts: Sequence[str]
    codes: Codes

    @property
    def filled(self) -> float:
        """The share of rows that speak, 0 to 1."""
        return float((self.codes >= 0).mean()) if len(self.codes) else 0.0

    def counts(self) -> NDArray[np.int64]:
        """How many rows hold each distinct text."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    def map(self, name: str, texts: Sequence[str]) -> Column:
        """Another form of the column: one text for each distinct text; texts that became equal are one."""
        known: dict[str, int] = {}
        new = np.fromiter((known.setdefault(t, len(known)) if t else -1 for t in texts), np.int32, len(texts))
        codes = np.where(self.codes >= 0, new[self.codes] if len(new) else -1, -1).astype(np.int32)
        return Column(name, list(known), codes)


def column(name: str, texts: Iterable[str]) -> Column:
    """A column of texts, one for each row; empty texts are silence."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(t, len(known)) if t else -1 for t in texts), np.int32)
    return Column(name, list(known), codes)


def joined(name: str, parts: Sequence[Column]) -> Column:
    """The rows' texts of several columns, one after the other with a space."""
    made = parts[0]
    for part in parts[1:]:
        both = (made.codes + 1).astype(np.int64) * (len(part.texts) + 1) + (part.codes + 1)
        distinct, first, codes = np.unique(both, return_index=True, return_inverse=True)
        order = np.argsort(first)  # texts stand in the order of the rows that bring them, as in any column
        distinct, codes = distinct[order], np.argsort(order)[codes]
        one, other = ["", *made.texts], ["", *part.texts]
        left, right = (distinct // (len(part.texts) + 1)).tolist(), (distinct % (len(part.texts) + 1)).tolist()
        texts = [f"{one[x]} {other[y]}".strip() for x, y in zip(left, right, strict=True)]
        made = Column("", texts, codes.astype(np.int32)).map(name, texts)
    return Column(name, made.texts, made.codes)


def distinct(numbers: Rows) -> Rows:
    """The numbers, each once, in order; by sorting, which is several times faster than `np.unique` on millions."""
    found = np.sort(numbers)
    return found[np.r_[True, found[1:] != found[:-1]]] if len(found) else found


def mixed(numbers: Hashes) -> Hashes:
    """Numbers stirred so that equal ones stay equal and others spread over 64 bits (splitmix64)."""
    x = numbers + _PRIME  # of arrays numpy lets numbers wrap around in silence
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    found: Hashes = x ^ (x >> np.uint64(31))
    return found


def hashed(texts: Sequence[str], salt: str = "") -> Hashes:
    """A 64-bit number for each text, the same on every machine and in every run; an empty text gives 0."""
    if len(texts) <= FEW:
        return np.array([_hash(text, salt) for text in texts], np.uint64)
    whole = "".join(t[:LONGEST] for t in texts)
    if whole.isascii():
        raw = np.frombuffer(whole.encode(), np.uint8)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        lengths = np.minimum(lengths, LONGEST)
    else:
        parts = [t[:LONGEST].encode() for t in texts]
        raw = np.frombuffer(b"".join(parts), np.uint8)
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    starts = np.zeros(len(texts), np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    filled = lengths > 0
    out = np.zeros(len(texts), np.uint64)
    if raw.size:
        place = np.arange(len(raw)) - np.repeat(starts, lengths)
        powers = np.ones(int(lengths.max()), np.uint64)
        with np.errstate(over="ignore"):
            powers[1:] = np.cumprod(np.full(len(powers) - 1, _PRIME, np.uint64))
            terms = (raw.astype(np.uint64) + np.uint64(1)) * powers[place]
            out[filled] = np.add.reduceat(terms, starts[filled])
            out = np.where(filled, mixed(out + np.uint64(_salt(salt))), out)
    return out


@lru_cache(maxsize=100_000)
def _hash(text: str, salt: str) -> int:
    """What `hashed` gives for one text; for a few texts this is faster than arrays."""
    number, power = _salt(salt), 1
    for byte in text[:LONGEST].encode():
        number += (byte + 1) * power
        power = power * _PRIME_INT & _ALL
    return _stirred(number & _ALL) if text else 0


def _stirred(number: int) -> int:
    x = number + _PRIME_INT & _ALL
    x = (x ^ (x >> 30)) * int(_MIX1) & _ALL
    x = (x ^ (x >> 27)) * int(_MIX2) & _ALL
    return x ^ (x >> 31)


@cache
def _salt(text: str) -> int:
    number = 1469598103934665603
    for byte in text.encode():
        number = (number ^ byte) * 1099511628211 % 2**64
    return number


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to be matched: an id and a source for each, and columns of texts."""

    ids: Sequence[str]
    columns: dict[str, Column]
    sources: Codes | None = None
    source_names: Sequence[str] = field(default=())

    def __len__(self) -> int:
        return len(self.ids)
