"""Comparators by name: the only door to RapidFuzz.

Each takes two equal-long lists of texts and gives a similarity from 0 to 1 for each position, the
same either way round. They work on distinct text pairs, a column at a
time. A comparator's docstring is what a steward reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import distance, fuzz, process

from rules.forms import digits, folded, organisation, street

Similarities = NDArray[np.float32]
Texts = Sequence[str]


def exact(left: Texts, right: Texts) -> Similarities:
    """The same, letter by letter."""
    return np.fromiter((a == b for a, b in zip(left, right, strict=True)), np.float32, len(left))


def code(left: Texts, right: Texts) -> Similarities:
    """The same identifier, allowing for a slip of the finger (one edit is about 0.9)."""
    a, b = [_bare(t) for t in left], [_bare(t) for t in right]
    return _pairwise(a, b, distance.OSA.normalized_similarity)


def organisation_name(left: Texts, right: Texts) -> Similarities:
    """The same company name, whatever its legal form, accents and order of words."""
    a, b = [organisation(t) for t in left], [organisation(t) for t in right]
    sorted_a, sorted_b = [_sorted(t) for t in a], [_sorted(t) for t in b]
    start = _pairwise(a, b, distance.JaroWinkler.similarity)
    whole = _pairwise(sorted_a, sorted_b, distance.Indel.normalized_similarity)
    same = exact([t.replace(" ", "") for t in a], [t.replace(" ", "") for t in b])
    near: Similarities = np.minimum(np.maximum(0.5 * (start + whole), whole), np.float32(0.999))
    return np.maximum(near, same)


def person_name(left: Texts, right: Texts) -> Similarities:
    """The same person's name, whatever the order of its parts."""
    a, b = [_sorted(folded(t)) for t in left], [_sorted(folded(t)) for t in right]
    return _pairwise(a, b, distance.JaroWinkler.similarity)


def address_line(left: Texts, right: Texts) -> Similarities:
    """The same street and number; common words may be shortened. Another house number is another address."""
    a, b = [street(t) for t in left], [street(t) for t in right]
    number = exact([digits(t) for t in a], [digits(t) for t in b])
    return _pairwise(a, b, distance.Indel.normalized_similarity) * (0.6 + 0.4 * number)


def words(left: Texts, right: Texts) -> Similarities:
    """The same words in any order."""
    a, b = [folded(t) for t in left], [folded(t) for t in right]
    return _pairwise(a, b, fuzz.token_sort_ratio) / np.float32(100)


COMPARATORS: dict[str, Callable[[Texts, Texts], Similarities]] = {
    "exact": exact,
    "code": code,
    "organisation_name": organisation_name,
    "person_name": person_name,
    "address_line": address_line,
    "words": words,
}


def similarities(name: str, left: Texts, right: Texts) -> Similarities:
    """The comparator's answer for each position; each distinct pair of texts is compared once."""
    distinct: dict[tuple[str, str], int] = {}
    pairs = [(a, b) if a <= b else (b, a) for a, b in zip(left, right, strict=True)]
    where = np.fromiter((distinct.setdefault(pair, len(distinct)) for pair in pairs), np.int64, len(pairs))
    if not distinct:
        return np.zeros(0, np.float32)
    answers = COMPARATORS[name]([a for a, _ in distinct], [b for _, b in distinct])
    return answers[where]


METRICS: dict[str, Callable[..., float]] = {
    "jaro_winkler": distance.JaroWinkler.normalized_similarity,
    "indel": distance.Indel.normalized_similarity,
    "osa": distance.OSA.normalized_similarity,
    "token_set": fuzz.token_set_ratio,
}


def pairwise(metric: str, left: Texts, right: Texts) -> Similarities:
    """The metric for each position, 0 to 1 (`METRICS`); the texts are compared as they are."""
    found = _pairwise(left, right, METRICS[metric])
    return found / np.float32(100) if metric == "token_set" else found


def _pairwise(left: Texts, right: Texts, scorer: Callable[..., float]) -> Similarities:
    found: Similarities = process.cpdist(
        list(left), list(right), scorer=scorer, dtype=np.float32, workers=-1 if len(left) > 50_000 else 1
    )
    return found


def _bare(text: str) -> str:
    return folded(text).replace(" ", "")


def _sorted(text: str) -> str:
    return " ".join(sorted(text.split()))
