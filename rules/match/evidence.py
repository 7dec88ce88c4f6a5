"""How alike two values are, by kind of field: similarities from RapidFuzz, and the levels that they fall in.

A comparison looks at distinct pairs of values only. Level -1 is silence (a side says nothing), the
highest level is equality. What a level weighs is learned in `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.compare import pairwise
from rules.match.columns import Column, Rows, hashed
from rules.match.similar import Weighted
from rules.match.words import CALLED, NICKNAMES, ROLES

Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]
Texts = Sequence[str]


class Side:
    """The texts of a column in the forms that comparisons look at, each made once and when it is first asked for."""

    def __init__(self, texts: Texts) -> None:
        """Keep the texts."""
        self.texts = texts
        self._forms: dict[str, Any] = {}

    def at(self, name: str, rows: Rows) -> Any:
        """One form of the texts at some places: a list of texts or sets, or an array.

        Few places are made for the occasion; with many, the form of all texts is made and kept.
        """
        if name not in self._forms and 2 * len(rows) < len(self.texts):
            return _MAKERS[name]([self.texts[k] for k in rows.tolist()])
        if name not in self._forms:
            self._forms[name] = _MAKERS[name](self.texts)
        made = self._forms[name]
        return made[rows] if isinstance(made, np.ndarray) else [made[k] for k in rows.tolist()]


def _coded(texts: Iterable[str]) -> NDArray[np.int64]:
    """A number for each text, the same for equal texts in any column; 0 for an empty one."""
    return hashed(list(texts)).view(np.int64)


def _first(text: str) -> str:
    return text.split(" ", 1)[0]


def _swapped(text: str) -> str:
    return text[:4] + text[6:] + text[4:6]


def _second_name(word: str) -> str:
    return min((str(g) for g in NICKNAMES.get(word, ())), default=word)


_MAKERS: dict[str, Callable[[Texts], Any]] = {
    "": lambda texts: texts,
    "sorted": lambda texts: [" ".join(sorted(t.split())) for t in texts],
    "called": lambda texts: [" ".join(sorted(CALLED.get(w, w) for w in t.split())) for t in texts],
    "glued code": lambda texts: _coded(t.replace(" ", "") for t in texts),
    "words": lambda texts: np.array([t.count(" ") for t in texts], np.int16),
    "length": lambda texts: np.array([len(t) for t in texts], np.int16),
    "first code": lambda texts: _coded(_first(t) for t in texts),
    "called code": lambda texts: _coded(CALLED.get(_first(t), _first(t)) for t in texts),
    "group code": lambda texts: _coded(_second_name(_first(t)) for t in texts),
    "initial code": lambda texts: _coded(t[:1] for t in texts),
    "single": lambda texts: np.array([len(_first(t)) == 1 for t in texts]),
    "numbers": lambda texts: [frozenset(w for w in t.split() if w[0].isdigit()) for t in texts],
    "last7 code": lambda texts: _coded(t[-7:] if len(t) >= 7 else "" for t in texts),
    "local code": lambda texts: _coded(_local(t) for t in texts),
    "role code": lambda texts: _coded(t.split("@", 1)[0] if not _local(t) else "" for t in texts),
    "whole code": _coded,
    "swapped code": lambda texts: _coded(_swapped(t) for t in texts),
    "number": lambda texts: np.array([float(t) for t in texts]),
    "year": lambda texts: np.array([int(t) if t.isdigit() and len(t) < 6 else -9 for t in texts]),
    "set": lambda texts: [frozenset(t.split()) for t in texts],
}


def _local(text: str) -> str:
    name = text.split("@", 1)[0]
    return name if len(name) > 3 and name not in ROLES else ""


Similar = Callable[[Side, Side, Rows, Rows], Numbers]


@dataclass(frozen=True, slots=True)
class Measure:
    """A way to compare: the form that values take first, the similarity, and where its levels begin."""

    form: str
    edges: tuple[float, ...]  # ascending; equality is one level above the last
    similar: Similar
    says: str  # what a steward reads
    least: float = -12.0  # log-odds: how much disagreement may say; little where a thing changes or has several
    chance: float = 1.0  # at most so often two different things have the same value, unless many rows share it

    @property
    def top(self) -> int:
        """The level of equality."""
        return len(self.edges) + 1


def _same(form: str, a: Side, b: Side, p: Rows, q: Rows) -> NDArray[np.bool_]:
    """Where two values have the same, not empty, form."""
    x, y = a.at(form, p), b.at(form, q)
    found: NDArray[np.bool_] = (x == y) & (x != 0)
    return found


def _raised(found: Numbers, where: NDArray[np.bool_], to: float) -> Numbers:
    return np.where(where, np.maximum(found, np.float32(to)), found)


def organisation(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Company names: from their start, in any order of words, and one as a part of the other."""
    found = pairwise("jaro_winkler", a.at("", p), b.at("", q)) * np.float32(0.97)
    found = _raised(found, _same("glued code", a, b, p, q), 0.99)
    several = (a.at("words", p) + b.at("words", q) > 0) & (found < 0.99)
    k = np.flatnonzero(several)
    if len(k):
        found[k] = np.maximum(found[k], pairwise("indel", a.at("sorted", p[k]), b.at("sorted", q[k])))
    k = np.flatnonzero(several & (a.at("words", p) != b.at("words", q)) & (found < 0.93))
    if len(k):
        found[k] = np.maximum(found[k], pairwise("token_set", a.at("", p[k]), b.at("", q[k])) * np.float32(0.93))
    return found


def person(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Whole names of persons in any order; nicknames count nearly as much as the name."""
    found = organisation(a, b, p, q)
    return np.maximum(found, pairwise("indel", a.at("called", p), b.at("called", q)) * np.float32(0.96))


def given(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """First names: nicknames and initials, then spelling."""
    found = pairwise("jaro_winkler", a.at("", p), b.at("", q))
    found = _raised(found, _same("first code", a, b, p, q), 0.96)
    found = _raised(found, _same("called code", a, b, p, q) | _same("group code", a, b, p, q), 0.93)
    return _raised(found, (a.at("single", p) | b.at("single", q)) & _same("initial code", a, b, p, q), 0.86)


def family(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Family names: spelling, or one name of a double name."""
    found = pairwise("jaro_winkler", a.at("", p), b.at("", q))
    k = np.flatnonzero(a.at("words", p) + b.at("words", q) > 0)
    if len(k):
        found[k] = np.maximum(found[k], pairwise("token_set", a.at("", p[k]), b.at("", q[k])) * np.float32(0.9))
    return found


def street(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Street lines, one perhaps a part of the other; another house number is another address."""
    found = pairwise("indel", a.at("", p), b.at("", q))
    k = np.flatnonzero((found > 0.4) & (found < 0.97))
    if len(k):
        found[k] = np.maximum(found[k], pairwise("token_set", a.at("", p[k]), b.at("", q[k])) * np.float32(0.95))
    near = np.flatnonzero(found >= 0.7)
    for at, one, other in zip(near.tolist(), a.at("numbers", p[near]), b.at("numbers", q[near]), strict=True):
        if one and other and one.isdisjoint(other):
            found[at] *= 0.75
    return found


def spelled(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Names of places and short labels: their spelling."""
    return pairwise("jaro_winkler", a.at("", p), b.at("", q))


def code(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Identifiers and codes, allowing for a slip of the finger."""
    return pairwise("osa", a.at("", p), b.at("", q))


def phone(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Telephone numbers; one may lack the country's or the area's part."""
    found = code(a, b, p, q)
    for k in np.flatnonzero(_same("last7 code", a, b, p, q)).tolist():
        one, other = a.texts[p[k]], b.texts[q[k]]
        if one.endswith(other) or other.endswith(one):
            found[k] = max(found[k], 0.97)
    return found


def mail(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Mail addresses: the whole, or the part before the @; a desk's name (info, billing) says nothing."""
    found = pairwise("indel", a.at("", p), b.at("", q))
    found = _raised(found, _same("local code", a, b, p, q), 0.9)
    return np.where(_same("role code", a, b, p, q), np.minimum(found, np.float32(0.87)), found)


def date(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Dates: day and month may be swapped, one digit may be wrong."""
    return _raised(code(a, b, p, q), a.at("whole code", p) == b.at("swapped code", q), 0.96)


def number(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Quantities: the smaller as a share of the larger; the same in another unit (60, 100, 1000) is nearly the same."""
    x, y = a.at("number", p), b.at("number", q)
    low, high = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    found = np.where(high > 0, low / np.maximum(high, 1e-12), 1.0)
    for unit in (60.0, 100.0, 1000.0, 60000.0):
        share = np.where(high > 0, low * unit / np.maximum(high, 1e-12), 0.0)
        found = np.where(np.abs(share - 1) < 0.01, np.maximum(found, 0.985), found)
    return np.where(x * y < 0, 0.0, found).astype(np.float32)


def year(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Years: two digits are enough; neighbours are near."""
    found = code(a, b, p, q) * np.float32(0.8)
    x, y = a.at("year", p), b.at("year", q)
    known = (x >= 0) & (y >= 0)
    found = _raised(found, known & (np.abs(x - y) == 1), 0.85)
    return _raised(found, known & (np.minimum(x, y) < 100) & (x % 100 == y % 100), 0.95)


def models(a: Side, b: Side, p: Rows, q: Rows) -> Numbers:
    """Model numbers in two texts: one in common, or one that goes on where the other ends."""
    found = np.zeros(len(p), np.float32)
    for k, (x, y) in enumerate(zip(a.at("set", p), b.at("set", q), strict=True)):
        if not x.isdisjoint(y):
            found[k] = 0.95
        elif any(s.startswith(t) or t.startswith(s) for s in x for t in y):
            found[k] = 0.85
    return found


def equal(_a: Side, _b: Side, p: Rows, _q: Rows) -> Numbers:
    """Equal or not."""
    return np.zeros(len(p), np.float32)


MEASURES: dict[str, Measure] = {
    "organisation": Measure("organisation", (0.6, 0.7, 0.8, 0.88, 0.94), organisation, "company name"),
    "name": Measure("organisation", (0.6, 0.7, 0.8, 0.88, 0.94), organisation, "name"),
    "person": Measure("person", (0.6, 0.7, 0.8, 0.88, 0.94), person, "person's name"),
    "given_name": Measure("person", (0.7, 0.85, 0.92), given, "given name"),
    "family_name": Measure("person", (0.75, 0.88, 0.94), family, "family name"),
    "street": Measure("street", (0.7, 0.8, 0.9), street, "street", -2.0),
    "city": Measure("folded", (0.75, 0.85, 0.93), spelled, "place", -3.0),
    "region": Measure("folded", (0.85,), spelled, "region", -4.0),
    "postcode": Measure("compact", (0.6, 0.79), code, "postcode", -3.0),
    "phone": Measure("phone", (0.89, 0.965), phone, "telephone", -1.5, 1e-3),
    "email": Measure("email", (0.88, 0.93), mail, "mail address", -1.5, 5e-4),
    "domain": Measure("domain", (0.93,), spelled, "web domain", -3.0),
    "date": Measure("date", (0.6, 0.74, 0.86, 0.955), date, "date"),
    "identifier": Measure("compact", (0.7, 0.85), code, "identifier", -12.0, 1e-4),
    "code": Measure("compact", (0.6, 0.78), code, "code"),
    "year": Measure("compact", (0.6, 0.84, 0.94), year, "year"),
    "number": Measure("number", (0.7, 0.9, 0.98), number, "quantity", -3.0),
    "coordinate": Measure("coordinate", (0.99, 0.9995), number, "coordinate", 0.0),
    "models": Measure("models", (0.8, 0.9), models, "model number", -3.0),
    "label": Measure("folded", (0.7, 0.88), spelled, "label", -3.0),
    "category": Measure("folded", (), equal, "category"),
}


def levels(measure: Measure, left: Column, right: Column, sides: tuple[Side, Side], pairs: tuple[Rows, Rows]) -> Levels:
    """The level of each pair of rows. The columns are in the measure's form, often one and the same."""
    a, b = left.codes[pairs[0]], right.codes[pairs[1]]
    out = np.full(len(a), -1, np.int8)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    if not len(both):
        return out
    x, y = a[both].astype(np.int64), b[both].astype(np.int64)
    if left is right:
        x, y = np.minimum(x, y), np.maximum(x, y)
        out[both[x == y]] = measure.top
        unequal = np.flatnonzero(x != y)
        both, x, y = both[unequal], x[unequal], y[unequal]
    distinct, where = np.unique(x * len(right.texts) + y, return_inverse=True)
    p, q = distinct // len(right.texts), distinct % len(right.texts)
    similar = measure.similar(*sides, p, q) if len(p) else np.zeros(0, np.float32)
    level = np.searchsorted(np.array(measure.edges, np.float32), similar + np.float32(1e-6), side="right").astype(
        np.int8
    )
    if left is not right:
        level[_same("whole code", *sides, p, q)] = measure.top
    out[both] = level[where]
    return out


COSINE_EDGES = np.array((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), np.float32)


COSINE_LEAST = {"text": 0.0, "address": -2.0}  # descriptions that differ say nothing, addresses little


def cosine_levels(weighted: Weighted, column: Column, i: Rows, j: Rows) -> Levels:
    """The level of each pair by the words and letters that two texts share, the rare ones counting more."""
    a, b = column.codes[i], column.codes[j]
    out = np.full(len(i), -1, np.int8)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    out[both] = np.searchsorted(COSINE_EDGES, weighted.alike(a[both], b[both]) + np.float32(1e-6), side="right")
    out[both[a[both] == b[both]]] = len(COSINE_EDGES) + 1
    return out
