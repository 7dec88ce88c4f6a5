"""The evidence of any pairs of rows of one table: levels, and what they and the values agreed on weigh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.match.candidates import sound
from rules.match.columns import Rows, distinct
from rules.match.evidence import COSINE_EDGES, MEASURES, Side, cosine_levels, levels
from rules.match.fit import Weights, total
from rules.match.plan import Comparison, Plan
from rules.match.similar import Weighted

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # map, or one that uses several processors
Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]
WORTH_SPREADING = 100_000  # pairs from which a second processor pays
NAMING = frozenset({"email", "phone", "identifier"})  # what should name one thing alone
GENERIC = 4  # names that share a value before it is nobody's own
RARE_LIMIT = 4.0  # log-odds that the rarity of a value may add or take away
SEVERAL = 25  # rows that make a value common enough to be looked at by itself
COMMON, DRAWN = 300, 100  # such values of a comparison, and pairs of each


@dataclass(slots=True)
class Scorer:
    """Gives the evidence of any pairs of rows of one table."""

    plan: Plan
    texts: dict[str, Weighted]
    generic: dict[str, NDArray[np.bool_]]
    spread: Spread = map
    sides: dict[str, Side] = field(default_factory=dict)
    weights: Weights | None = None

    @property
    def fitted(self) -> Weights:
        """The weights, once there are any."""
        if self.weights is None:
            raise ValueError("no weights were fitted")
        return self.weights

    def side(self, feature: str) -> Side:
        """The forms of a feature's values."""
        return self.sides.setdefault(feature, Side(self.plan.features[feature].texts))

    def levels(self, i: Rows, j: Rows) -> dict[str, Levels]:
        """The level of each comparison for each pair."""
        names = [c.name for c in self.plan.compare]
        spread = self.spread if len(i) > WORTH_SPREADING else map
        return dict(zip(names, spread(lambda c: self._levels(c, i, j), self.plan.compare), strict=True))

    def _levels(self, comparison: Comparison, i: Rows, j: Rows) -> Levels:
        columns = {f: self.plan.features[f] for f in comparison.features}
        first = columns[comparison.features[0]]
        if comparison.kind == "cosine":
            return cosine_levels(self.texts[comparison.name], first, i, j)
        measure, best = MEASURES[comparison.kind], np.full(len(i), -1, np.int8)
        for one, left in columns.items():
            for other, right in columns.items():
                best = np.maximum(best, levels(measure, left, right, (self.side(one), self.side(other)), (i, j)))
        if comparison.kind in NAMING:
            shared = (first.codes[i] == first.codes[j]) & (first.codes[i] >= 0)
            shared &= self.generic[comparison.features[0]][np.maximum(first.codes[i], 0)] if len(first.texts) else False
            best = np.where(best > 0, best + 1, best).astype(
                np.int8
            )  # a level of its own for values that are nobody's own
            best[shared] = 1
        return best

    def odds(self, seen: Mapping[str, Levels], i: Rows) -> Numbers:
        """The log-odds of each pair from its levels."""
        if not len(i):
            return np.zeros(0, np.float32)
        return total(self.fitted, seen, self.plan.families, rarity(self.plan, seen, self.fitted, i))

    def __call__(self, i: Rows, j: Rows) -> Numbers:
        """The log-odds of each pair."""
        return self.odds(self.levels(i, j), i) if len(i) else np.zeros(0, np.float32)


def tops(made: Plan) -> list[int]:
    """The highest level of each comparison."""
    return [
        len(COSINE_EDGES) + 1 if c.kind == "cosine" else MEASURES[c.kind].top + (c.kind in NAMING) for c in made.compare
    ]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows speak in a feature, how many texts there are, and in how many pairs of rows both say the same."""

    spoken: int
    distinct: int
    equal: float  # each pair counted from both sides


def counted(made: Plan) -> dict[str, Counts]:
    """The counts of each feature."""
    found = {}
    for name, column in made.features.items():
        counts = column.counts().astype(np.float64)
        found[name] = Counts(int(counts.sum()), len(counts), float((counts * (counts - 1)).sum()))
    return found


def shared(counts: Mapping[str, Counts], comparison: Comparison) -> float:
    """How likely two rows that speak have the same value."""
    best = 0.0
    for one in (counts[feature] for feature in comparison.features):
        if one.spoken > 1:
            best = max(best, one.equal / (float(one.spoken) * (one.spoken - 1)))
    return min(max(best, 1e-9), MEASURES[comparison.kind].chance if comparison.kind in MEASURES else 1.0)


def rarity(made: Plan, seen: Mapping[str, Levels], weights: Weights, i: Rows) -> dict[str, Numbers]:
    """What agreement on a rare value adds, and on a common one takes away."""
    extra: dict[str, Numbers] = {}
    for comparison in made.compare:
        worth = weights.values.get(comparison.name)
        if worth is not None:
            equal = np.flatnonzero(seen[comparison.name] == len(weights.levels[comparison.name]) - 1)
            more = np.zeros(len(i), np.float32)
            more[equal] = worth[made.features[comparison.features[0]].codes[i[equal]]]
            extra[comparison.name] = more
    return extra


def worth(scorer: Scorer, seed: int) -> dict[str, Numbers]:
    """What agreement on each value is worth beyond agreement as such, by comparison.

    By how rare the value is; for common ones by what the other fields say of rows that share it: a name may
    be common because many bear it or because one thing has many rows.
    """
    made, weights = scorer.plan, scorer.fitted
    found: dict[str, Numbers] = {}
    for comparison in weighed_by_value(made, counted(made)):
        column = made.features[comparison.features[0]]
        counts = column.counts()
        worth = rare(weights, comparison, counts, max(int(counts.sum()), 1))
        common = np.argsort(-counts, kind="stable")[:COMMON]
        common = common[counts[common] >= SEVERAL]
        if len(common):
            order = np.argsort(column.codes, kind="stable")
            first = np.searchsorted(column.codes[order], common)
            which, a, b = drawn(counts[common], seed)
            i, j = order[first[which] + a], order[first[which] + b]
            seen = scorer.levels(np.minimum(i, j), np.maximum(i, j))
            worth[common] = common_worth(scorer, comparison, seen, which, worth[common])
        found[comparison.name] = worth.astype(np.float32)
    return found


def weighed_by_value(made: Plan, counts: Mapping[str, Counts]) -> list[Comparison]:
    """The comparisons in which it matters on which value two rows agree."""
    return [
        c
        for c in made.compare
        if counts[c.features[0]].distinct >= 5
        and len(c.features) == 1
        and c.kind not in NAMING
        and c.subject not in ("title", "text")
    ]


def rare(weights: Weights, comparison: Comparison, counts: NDArray[np.int64], spoken: int) -> NDArray[np.float64]:
    """What agreement on values that so many of the rows that speak have is worth by their rarity alone."""
    return np.clip(np.log(weights.u[comparison.name][-1] / (counts / spoken)), -RARE_LIMIT, RARE_LIMIT)


def drawn(counts: NDArray[np.int64], seed: int) -> tuple[Rows, Rows, Rows]:
    """Pairs drawn among the rows of common values: which value, and the places of two different rows of it."""
    chance, which = np.random.default_rng(seed), np.repeat(np.arange(len(counts)), DRAWN)
    size = counts[which]
    a = (chance.random(len(which)) * size).astype(np.int64)
    b = (chance.random(len(which)) * size).astype(np.int64)
    keep = a != b
    return which[keep], a[keep], b[keep]


def common_worth(
    scorer: Scorer, comparison: Comparison, seen: Mapping[str, Levels], which: Rows, start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What agreement on common values is worth, from the other fields (`seen`) of pairs drawn among their rows.

    `start` is what rarity alone says.
    """
    weights, many = scorer.fitted, len(start)
    silenced = {**seen, comparison.name: np.full(len(which), -1, np.int8)}
    odds = total(weights, silenced, scorer.plan.families)
    ratio = np.exp(np.clip(odds - weights.prior, -20, 20).astype(np.float64))
    base = weights.prior + float(weights.levels[comparison.name][-1])
    belief = 1 / (1 + np.exp(-(base + start)))
    share = belief.copy()
    for _ in range(40):
        p = share[which] * ratio / (share[which] * ratio + 1 - share[which])
        share = (np.bincount(which, p, many) + 1) / (np.bincount(which, minlength=many) + 1 / belief)
        share = np.clip(share, 1e-9, 1 - 1e-9)
    return np.log(share / (1 - share)) - base


def generic(made: Plan) -> dict[str, NDArray[np.bool_]]:
    """Values of what should name one thing alone that rows of many different names share, by feature."""
    named = naming(made)
    names = made.features[named] if named else None
    found = {}
    for comparison in made.compare:
        if comparison.kind not in NAMING:
            continue
        for feature in comparison.features:
            column = made.features[feature]
            if names is None:
                found[feature] = column.counts() > 3 * GENERIC
                continue
            heard = names.map("sound", sounds(names.texts)).codes
            both = (column.codes >= 0) & (heard >= 0)
            pairs = distinct(column.codes[both].astype(np.int64) * (heard.max(initial=0) + 1) + heard[both])
            found[feature] = np.bincount(pairs // (heard.max(initial=0) + 1), minlength=len(column.texts)) > GENERIC
    return found


def naming(made: Plan) -> str | None:
    """The feature by which different names are told."""
    named = ("family_name", *(f for c in made.compare if c.kind in ("organisation", "person") for f in c.features))
    return next((f for f in named if f in made.features), None)


def sounds(names: Sequence[str]) -> list[str]:
    """What is heard of names, in whatever order."""
    return [" ".join(sorted({sound(w) for w in t.split()})) for t in names]
