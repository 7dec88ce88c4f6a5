"""How alike two values are, by kind of field: similarities from RapidFuzz, and the levels that they fall in.

A comparison looks at distinct pairs of values only. Level -1 is silence (a side says nothing), the
highest level is equality. What a level weighs is learned in `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.compare import pairwise
from rules.match.columns import Column, Rows
from rules.match.similar import Weighted
from rules.match.words import CALLED, NICKNAMES, ROLES

Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]
Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Measure:
    """A way to compare: the form that values take first, the similarity, and where its levels begin."""

    form: str
    edges: tuple[float, ...]  # ascending; equality is one level above the last
    similar: Callable[[Texts, Texts], Numbers]
    says: str  # what a steward reads
    least: float = -12.0  # log-odds: how much disagreement may say; little where a thing changes or has several
    chance: float = 1.0  # at most so often two different things have the same value, unless many rows share it

    @property
    def top(self) -> int:
        """The level of equality."""
        return len(self.edges) + 1


def _sorted(texts: Texts) -> list[str]:
    return [" ".join(sorted(t.split())) for t in texts]


def organisation(left: Texts, right: Texts) -> Numbers:
    """Company names: from their start, in any order of words, and one as a part of the other."""
    start = pairwise("jaro_winkler", left, right) * np.float32(0.97)
    any_order = pairwise("indel", _sorted(left), _sorted(right))
    part = pairwise("token_set", left, right) * np.float32(0.93)
    glued = np.fromiter((a.replace(" ", "") == b.replace(" ", "") for a, b in zip(left, right, strict=True)), np.float32, len(left))
    return np.maximum(np.maximum(start, any_order), np.maximum(part, glued * np.float32(0.99)))


def person(left: Texts, right: Texts) -> Numbers:
    """Whole names of persons in any order; nicknames count nearly as much as the name."""
    spelled = organisation(left, right)
    called = pairwise("indel", _sorted(_called(left)), _sorted(_called(right)))
    return np.maximum(spelled, called * np.float32(0.96))


def _called(texts: Texts) -> list[str]:
    return [" ".join(CALLED.get(w, w) for w in t.split()) for t in texts]


def given(left: Texts, right: Texts) -> Numbers:
    """First names: nicknames and initials, then spelling."""
    found = pairwise("jaro_winkler", left, right)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        x, y = a.split(" ", 1)[0], b.split(" ", 1)[0]
        if x == y and x:
            found[i] = max(found[i], 0.96)
        elif not NICKNAMES.get(x, frozenset()).isdisjoint(NICKNAMES.get(y, ())):
            found[i] = max(found[i], 0.93)
        elif (len(x) == 1 or len(y) == 1) and x[:1] == y[:1]:
            found[i] = max(found[i], 0.86)
    return found


def family(left: Texts, right: Texts) -> Numbers:
    """Family names: spelling, or one name of a double name."""
    return np.maximum(pairwise("jaro_winkler", left, right), pairwise("token_set", left, right) * np.float32(0.9))


def street(left: Texts, right: Texts) -> Numbers:
    """Street lines in any order; another house number is another address."""
    found = np.maximum(pairwise("indel", left, right), pairwise("token_set", left, right) * np.float32(0.95))
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        x, y = _numbers(a), _numbers(b)
        if x and y and x.isdisjoint(y):
            found[i] *= 0.75
    return found


def _numbers(text: str) -> set[str]:
    return {w for w in text.split() if w[0].isdigit()}


def spelled(left: Texts, right: Texts) -> Numbers:
    """Names of places and short labels: their spelling."""
    return pairwise("jaro_winkler", left, right)


def code(left: Texts, right: Texts) -> Numbers:
    """Identifiers and codes, allowing for a slip of the finger."""
    return pairwise("osa", left, right)


def phone(left: Texts, right: Texts) -> Numbers:
    """Telephone numbers; one may lack the country's or the area's part."""
    found = pairwise("osa", left, right)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if min(len(a), len(b)) >= 7 and (a.endswith(b) or b.endswith(a)):
            found[i] = 0.97
    return found


def mail(left: Texts, right: Texts) -> Numbers:
    """Mail addresses: the whole, or the part before the @."""
    found = pairwise("indel", left, right)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        x, y = a.split("@", 1)[0], b.split("@", 1)[0]
        if x == y and len(x) > 3 and x not in ROLES:
            found[i] = max(found[i], 0.9)
        elif x == y or len(x) < 4:
            found[i] = min(found[i], 0.87)
    return found


def date(left: Texts, right: Texts) -> Numbers:
    """Dates: day and month may be swapped, one digit may be wrong."""
    found = pairwise("osa", left, right)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]:
            found[i] = 0.96
    return found


def number(left: Texts, right: Texts) -> Numbers:
    """Quantities: the smaller as a share of the larger; the same in another unit (60, 100, 1000) is nearly the same."""
    a, b = np.array([float(t) for t in left]), np.array([float(t) for t in right])
    low, high = np.minimum(np.abs(a), np.abs(b)), np.maximum(np.abs(a), np.abs(b))
    found = np.where(high > 0, low / np.maximum(high, 1e-12), 1.0)
    for unit in (60.0, 100.0, 1000.0, 60000.0):
        share = np.where(high > 0, low * unit / np.maximum(high, 1e-12), 0.0)
        found = np.where(np.abs(share - 1) < 0.01, np.maximum(found, 0.985), found)
    return np.where(a * b < 0, 0.0, found).astype(np.float32)


def year(left: Texts, right: Texts) -> Numbers:
    """Years: two digits are enough; neighbours are near."""
    found = pairwise("osa", left, right) * np.float32(0.8)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if a[-2:] == b[-2:] and min(len(a), len(b)) == 2:
            found[i] = 0.95
        elif a.isdigit() and b.isdigit() and abs(int(a) - int(b)) == 1:
            found[i] = max(found[i], 0.85)
    return found


def models(left: Texts, right: Texts) -> Numbers:
    """Model numbers in two texts: one in common, one that goes on where the other ends, or a slip of the finger."""
    found = np.zeros(len(left), np.float32)
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        x, y = set(a.split()), set(b.split())
        if not x.isdisjoint(y):
            found[i] = 0.95
        elif any(p.startswith(q) or q.startswith(p) for p in x for q in y):
            found[i] = 0.85
    return found


def equal(left: Texts, _right: Texts) -> Numbers:
    """Equal or not."""
    return np.zeros(len(left), np.float32)


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


def levels(kind: str, left: Column, right: Column, i: Rows, j: Rows) -> Levels:
    """The level of each pair of rows; `left` and `right` are columns in the measure's form (often the same)."""
    measure = MEASURES[kind]
    a, b = left.codes[i], right.codes[j]
    out = np.full(len(i), -1, np.int8)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    if not len(both):
        return out
    same_column = left is right
    x, y = a[both].astype(np.int64), b[both].astype(np.int64)
    if same_column:
        x, y = np.minimum(x, y), np.maximum(x, y)
        out[both[x == y]] = measure.top
        unequal = np.flatnonzero(x != y)
        both, x, y = both[unequal], x[unequal], y[unequal]
    distinct, where = np.unique(x * len(right.texts) + y, return_inverse=True)
    p, q = distinct // len(right.texts), distinct % len(right.texts)
    one, other = [left.texts[k] for k in p.tolist()], [right.texts[k] for k in q.tolist()]
    similar = measure.similar(one, other) if one else np.zeros(0, np.float32)
    level = np.searchsorted(np.array(measure.edges, np.float32), similar + np.float32(1e-6), side="right").astype(np.int8)
    if not same_column:
        level[[s == t for s, t in zip(one, other, strict=True)]] = measure.top
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
