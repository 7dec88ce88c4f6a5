"""Texts as weighted sets of words and trigrams: cosine of pairs, and the nearest of each by capped postings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rules.match.columns import Codes, Hashes, Rows, distinct, hashed

BLOCK = 2000  # texts searched at once
HELD = 0.15  # how much being held by a longer text counts against being as long as it
RAREST = 16  # features of a text that search for it
POSTINGS = 1000  # a feature of more texts finds nobody


@dataclass(frozen=True, slots=True)
class Weighted:
    """One row of unit length per text: words and letter trigrams by their rarity."""

    matrix: sparse.csr_matrix
    length: NDArray[np.float32]  # of each text, before it was made one

    def alike(self, a: Codes, b: Codes) -> NDArray[np.float32]:
        """How much two texts share, 0 to 1: between their cosine and how much of the shorter one the longer holds."""
        out = np.empty(len(a), np.float32)
        for start in range(0, len(a), 200_000):
            part = slice(start, start + 200_000)
            cosine = np.asarray(self.matrix[a[part]].multiply(self.matrix[b[part]]).sum(1)).ravel()
            one, other = self.length[a[part]], self.length[b[part]]
            held = np.minimum(cosine * np.maximum(one, other) / np.maximum(np.minimum(one, other), 1e-6), 1)
            out[part] = cosine ** (1 - HELD) * held**HELD
        return out

    def nearest(self, k: int, side: Codes | None) -> tuple[Rows, Rows]:
        """Pairs (smaller first) of each text with its `k` nearest, searched by its rarest features."""
        n = self.matrix.shape[0]
        spread = np.diff(self.matrix.tocsc().indptr)
        search = _rarest(self.matrix, spread)
        columns = (self.matrix @ sparse.diags((spread <= POSTINGS).astype(np.float32))).T.tocsr()
        found = [
            _best((search[start : start + BLOCK] @ columns).tocsr(), start, k, side, n) for start in range(0, n, BLOCK)
        ]
        both = distinct(np.concatenate(found)) if found else np.zeros(0, np.int64)
        return both // n, both % n


def _rarest(matrix: sparse.csr_matrix, spread: NDArray[np.int64]) -> sparse.csr_matrix:
    """Each row with its rarest features only, of those that at most `POSTINGS` rows have."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    common = spread[matrix.indices]
    order = np.lexsort((matrix.indices, common, row))
    rank = np.arange(len(row)) - matrix.indptr[:-1][row]
    keep = np.sort(order[(rank < RAREST) & (common[order] <= POSTINGS)])
    return sparse.csr_matrix((matrix.data[keep], (row[keep], matrix.indices[keep])), shape=matrix.shape)


def _best(near: sparse.csr_matrix, start: int, k: int, side: Codes | None, n: int) -> Rows:
    found = []
    for at, (first, last) in enumerate(zip(near.indptr[:-1].tolist(), near.indptr[1:].tolist(), strict=True)):
        row = start + at
        other, score = near.indices[first:last], near.data[first:last]
        keep = other != row
        if side is not None:
            keep &= side[other] != side[row]
        other, score = other[keep], score[keep]
        if len(other) > k:
            least = np.partition(score, len(score) - k)[len(score) - k]
            other = other[score >= least][: 2 * k]  # ties at the edge, up to a bound
        other = other.astype(np.int64)
        found.append(np.minimum(other, row) * n + np.maximum(other, row))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Spread:
    """In how many of the distinct texts of a whole table each word and trigram stands; in one if it is not named."""

    texts: int
    grams: Hashes  # in order
    counts: NDArray[np.int64]

    def of(self, grams: Sequence[str]) -> NDArray[np.int64]:
        """In how many texts each of these stands."""
        if not len(self.grams):
            return np.ones(len(grams), np.int64)
        hashes = hashed(grams)
        at = np.minimum(np.searchsorted(self.grams, hashes), len(self.grams) - 1)
        return np.where(self.grams[at] == hashes, self.counts[at], 1)


def grams_of(text: str) -> list[str]:
    """The words and letter trigrams of a text, each once, in order."""
    words = text.split()
    grams = set(words)
    for word in words:
        framed = f"^{word}$"
        grams.update(framed[p : p + 3] for p in range(len(framed) - 2))
    return sorted(grams)


def weighted(texts: Sequence[str], known_spread: Spread | None = None) -> Weighted:
    """The texts' words and trigrams, weighted by rarity: among these texts, or as it is known from more of them."""
    known: dict[str, int] = {}
    features: list[int] = []
    counts = np.zeros(len(texts), np.int64)
    for i, text in enumerate(texts):
        grams = grams_of(text)
        counts[i] = len(grams)
        features.extend(known.setdefault(g, len(known)) for g in grams)
    indices = np.array(features, np.int32)
    indptr = np.r_[0, np.cumsum(counts)]
    matrix = sparse.csr_matrix(
        (np.ones(len(indices), np.float32), indices, indptr), shape=(len(texts), max(len(known), 1))
    )
    if known_spread is None:
        every, spread = len(texts), np.bincount(indices, minlength=max(len(known), 1))
    else:
        every, spread = known_spread.texts, known_spread.of(list(known) or [""])
    rarity = np.maximum(np.log((every + 1) / (spread + 0.5)), 0).astype(np.float32)
    matrix = (matrix @ sparse.diags(rarity)).tocsr()
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1))).ravel()
    length[length == 0] = 1
    return Weighted((sparse.diags((1 / length).astype(np.float32)) @ matrix).tocsr(), length.astype(np.float32))
