"""Which rows are worth comparing: rows that share a key, from cheap keys of several kinds.

A *strong* key speaks alone (a mail address, a word of a company's name). *Weak* ones (a family name, a
postcode, a year) speak in twos. A key that more than `cap` rows share is refined with a second atom of
the row, then by neighbourhood in order of the text; what is left out even then is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from rules.match.columns import Column, Hashes, Rows, distinct, hashed, mixed

Texts = Sequence[str]
MOST_PARTS = 12  # words of one text that make keys
WINDOW = 4  # rows before and after, for groups that no second atom divides


@dataclass(slots=True)
class Cost:
    """What the keys of one name brought."""

    name: str
    keys: int = 0  # distinct keys that at least two rows share
    pairs: int = 0  # pairs from groups within the cap
    refined: int = 0  # rows in groups above the cap
    left_out: int = 0  # rows that no second atom told apart; compared with neighbours only


@dataclass(slots=True)
class Atoms:
    """Hashes of the rows under one name: (hash, row) pairs, sorted by neither."""

    name: str
    hashes: Hashes
    rows: Rows

    def only(self, mask: NDArray[np.bool_]) -> Atoms:
        """The atoms of some rows."""
        keep = mask[self.rows]
        return Atoms(self.name, self.hashes[keep], self.rows[keep])


@dataclass(slots=True)
class Found:
    """Candidate pairs, smaller row first, each once, in order; and what each key cost."""

    i: Rows
    j: Rows
    costs: list[Cost] = field(default_factory=list)


def _whole(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t,) for t in texts)


def _tokens(texts: Texts) -> Iterator[tuple[str, ...]]:
    return (tuple(dict.fromkeys(w for w in t.split() if len(w) > 2)) for t in texts)


def _compact(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t.replace(" ", "")[:8],) if len(t) > 4 else () for t in texts)


_VOWELS = re.compile(r"[aeiouyhw]")
_DOUBLES = re.compile(r"(.)\1+")
_SOUNDS = (
    ("ph", "f"),
    ("ck", "k"),
    ("c", "k"),
    ("q", "k"),
    ("z", "s"),
    ("x", "ks"),
    ("v", "f"),
    ("d", "t"),
    ("j", "g"),
)


def sound(word: str) -> str:
    """A word by its consonants, those that are taken for each other being one: a phonetic key."""
    for spelled, heard in _SOUNDS:
        word = word.replace(spelled, heard)
    return word[:1] + _DOUBLES.sub(r"\1", _VOWELS.sub("", word[1:]))[:4]


def _sounds(texts: Texts) -> Iterator[tuple[str, ...]]:
    return (tuple(dict.fromkeys(sound(w) for w in t.split() if len(w) > 3)) for t in texts)


def _two_words(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((" ".join(t.split()[:2]),) if " " in t else () for t in texts)


def _last8(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t[-8:],) if len(t) >= 7 else () for t in texts)


def _last7(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t[-7:],) if len(t) >= 7 else () for t in texts)


def _local(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t.split("@")[0],) if t.find("@") > 3 else () for t in texts)


def _start4(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t[:4],) for t in texts)


def _initial(texts: Texts) -> Iterator[tuple[str, ...]]:
    return ((t[:1],) for t in texts)


def _numbered(texts: Texts) -> Iterator[tuple[str, ...]]:
    """House number and the longest word of the street."""
    for t in texts:
        words = t.split()
        numbers = [w for w in words if w[0].isdigit()]
        named = [w for w in words if not w[0].isdigit() and len(w) > 3]
        yield tuple(f"{n} {max(named, key=len)}" for n in numbers[:2]) if named else ()


PARTS: dict[str, Callable[[Texts], Iterable[tuple[str, ...]]]] = {
    "whole": _whole, "tokens": _tokens, "compact": _compact, "sounds": _sounds, "two-words": _two_words,
    "last8": _last8, "last7": _last7, "local": _local, "start4": _start4, "initial": _initial, "numbered": _numbered,
}  # fmt: skip


def atoms(name: str, column: Column, part: str) -> Atoms:
    """The rows' hashes of one part of a column. Rows that are silent have none."""
    found = list(PARTS[part](column.texts))
    hashes: list[Hashes] = []
    rows: list[Rows] = []
    which = list(range(len(found)))
    for slot in range(MOST_PARTS):
        which = [k for k in which if len(found[k]) > slot]
        if not which:
            break
        values = np.zeros(len(found) + 1, np.uint64)  # the last one is for rows that are silent: their code is -1
        values[which] = hashed([found[k][slot] for k in which], name)
        each = values[column.codes]
        spoken = np.flatnonzero(each)
        hashes.append(each[spoken])
        rows.append(spoken)
    if not rows:
        return Atoms(name, np.zeros(0, np.uint64), np.zeros(0, np.int64))
    return Atoms(name, np.concatenate(hashes), np.concatenate(rows))


def crossed(name: str, left: Atoms, right: Atoms, n: int) -> Atoms:
    """Rows under the combination of two atoms; of several in a row, the first of the right one counts."""
    one = np.zeros(n, np.uint64)
    one[right.rows[::-1]] = right.hashes[::-1]
    other = one[left.rows]
    keep = other != 0
    with np.errstate(over="ignore"):
        both = mixed(left.hashes[keep] * np.uint64(3) + other[keep])
    return Atoms(name, both, left.rows[keep])


def twos(weak: Sequence[Atoms], n: int) -> Iterator[Atoms]:
    """Weak keys of different features, two by two."""
    apart = ((a, b) for a, b in combinations(weak, 2) if a.name.split("|")[0] != b.name.split("|")[0])
    return (crossed(f"{a.name} + {b.name}", a, b, n) for a, b in apart)


def candidates(
    n: int, strong: Sequence[Atoms], weak: Sequence[Atoms], order: Rows, cap: int, *, sparing: bool = False
) -> Found:
    """The pairs of rows that share a strong key or two weak ones. `order` is the rows' rank by their text.

    With `sparing`, a pair that only a loose key brings (one word in common, an initial in one place) needs
    a second key.
    """
    firm: list[Rows] = []
    loose: list[Rows] = []
    costs: list[Cost] = []
    refiners = [single(atom, n) for atom in weak]
    for atom in chain(strong, twos(weak, n)):
        cost = Cost(atom.name)
        found = _pairs(atom, refiners, order, cap, cost)
        if sparing and LOOSE.search(atom.name):
            loose.append(distinct(np.concatenate(found)) if found else np.zeros(0, np.int64))
        else:
            firm += found
        costs.append(cost)
    if loose:
        every = np.sort(np.concatenate([*loose, distinct(np.concatenate([np.zeros(0, np.int64), *firm]))]))
        firm.append(every[1:][every[1:] == every[:-1]])
    both = distinct(np.concatenate(firm)) if firm else np.zeros(0, np.int64)
    return Found(both // n, both % n, costs)


LOOSE = re.compile(r"\|(?:tokens|local|initial)")  # keys that strangers often share


def single(atom: Atoms, n: int) -> Hashes:
    """The first hash of each row, 0 where it is silent."""
    one = np.zeros(n, np.uint64)
    one[atom.rows[::-1]] = atom.hashes[::-1]
    return one


def _pairs(atom: Atoms, refiners: Sequence[Hashes], order: Rows, cap: int, cost: Cost) -> list[Rows]:
    n = len(order)
    found, hashes, rows = groups(atom.hashes, atom.rows, n, cap)
    cost.pairs = sum(len(f) for f in found)
    cost.refined = len(rows)
    if not len(rows):
        return found
    told = np.zeros(len(rows), bool)
    for refiner in refiners:
        second = refiner[rows]
        spoken = second != 0
        keys = refined(hashes, second)
        more, left_hashes, _ = groups(keys[spoken], rows[spoken], n, cap)
        found += more
        cost.pairs += sum(len(f) for f in more)
        told[np.flatnonzero(spoken)] |= ~np.isin(keys[spoken], left_hashes)
    found.append(_neighbours(hashes[~told], rows[~told], order, n))
    cost.left_out = int((~told).sum())
    return found


def refined(hashes: Hashes, second: Hashes) -> Hashes:
    """Over-full keys, each with a second atom of its row."""
    with np.errstate(over="ignore"):
        return mixed(hashes * np.uint64(5) + second)


def groups(hashes: Hashes, rows: Rows, n: int, cap: int) -> tuple[list[Rows], Hashes, Rows]:
    """All pairs within groups of at most `cap` rows, and the (hash, row) of the larger groups."""
    sort = np.argsort(hashes)
    hashes, rows = hashes[sort], rows[sort]
    if not len(rows):
        return [], hashes, rows
    start = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    size = np.diff(np.r_[start, len(hashes)])
    found: list[Rows] = []
    for s in np.unique(size[(size > 1) & (size <= cap)]).tolist():
        block = np.sort(rows[start[size == s][:, None] + np.arange(s)], axis=1)
        x, y = np.triu_indices(s, 1)
        a, b = block[:, x].ravel(), block[:, y].ravel()
        found.append((a * n + b)[a != b])
    large = np.repeat(size > cap, size)
    return found, hashes[large], rows[large]


def _neighbours(hashes: Hashes, rows: Rows, order: Rows, n: int) -> Rows:
    """Each row with the next few of its group in order of their text: bounded whatever the group's size."""
    sort = np.lexsort((rows, order[rows], hashes))
    hashes, rows = hashes[sort], rows[sort]
    found = []
    for step in range(1, WINDOW + 1):
        same = hashes[step:] == hashes[:-step]
        a, b = rows[:-step][same], rows[step:][same]
        found.append((np.minimum(a, b) * n + np.maximum(a, b))[a != b])
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def random_pairs(n: int, count: int, seed: int, side: NDArray[np.int32] | None) -> tuple[Rows, Rows]:
    """Pairs of different rows by chance, or all if there are no more; across sources only where `side` is given."""
    if n * (n - 1) // 2 <= count:
        a, b = np.triu_indices(n, 1)
    else:
        chance = np.random.default_rng(seed)
        a, b = chance.integers(0, n, count), chance.integers(0, n, count)
    keep = a != b
    if side is not None:
        keep &= side[a] != side[b]
    return a[keep], b[keep]
