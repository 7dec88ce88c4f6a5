"""How alike two records are: evidence in log-odds, comparison by comparison, on whole columns of pairs.

One code for forty pairs and for a million. Within a family of comparisons (a name, its domain, its
mail address) the strongest counts fully and the rest a little, since they say the same thing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canonical.ids import SourceKey
from rules.case import Evidence
from rules.clustering import Bounds
from rules.compare import similarities
from rules.document import Comparison, Matching
from rules.forms import fields_of, joined_at, texts_at
from rules.match.frozen import Frozen, frozen
from rules.ruleset import RuleSet

DAMPED = 0.35  # what a second voice of one family still counts
Values = Mapping[str, Any]
Numbers = NDArray[np.float32]


def weigh(ruleset: RuleSet, pairs: Sequence[tuple[Values, Values]], least: float = -inf) -> list[Evidence]:
    """The evidence of each pair, in order. A comparison on which one side is silent says nothing.

    What each comparison adds is told of pairs of at least that much evidence.
    """
    matching = ruleset.document.matching
    if not pairs:
        return []
    if (model := frozen(ruleset)) is not None:
        return _by_model(model, pairs, least)
    likeness = [_similar(ruleset, comparison, pairs) for comparison in matching.compare]
    weights = [_weights(c, s) for c, s in zip(matching.compare, likeness, strict=True)]
    totals = _totals(matching, weights, len(pairs))
    names = [comparison.name for comparison in matching.compare]
    found = []
    for row in range(len(pairs)):
        parts = tuple(
            (name, round(float(like[row]), 3), round(float(weight[row]), 2))
            for name, like, weight in zip(names, likeness, weights, strict=True)
            if like[row] >= 0
        )
        found.append(Evidence(round(float(totals[row]), 3), parts))
    return found


def _by_model(model: Frozen, pairs: Sequence[tuple[Values, Values]], least: float) -> list[Evidence]:
    """The evidence by a fitted model; what chance alone says stands first."""
    place: dict[int, int] = {}
    records: list[Values] = []
    for both in pairs:
        for values in both:
            if place.setdefault(id(values), len(records)) == len(records):
                records.append(values)
    i = np.fromiter((place[id(a)] for a, _ in pairs), np.int64, len(pairs))
    j = np.fromiter((place[id(b)] for _, b in pairs), np.int64, len(pairs))
    odds, said = model.weigh(records, i, j)
    chance = ("chance", 0.0, round(model.fitted.prior, 2))
    found = [Evidence(score) for score in np.round(odds.astype(np.float64), 3).tolist()]
    told = np.flatnonzero(odds >= least - 0.001)
    columns = [(name, like[told].tolist(), weight[told].tolist()) for name, (like, weight) in said.items()]
    for at, row in enumerate(told.tolist()):
        parts = [(n, round(like[at], 3), round(weight[at], 2)) for n, like, weight in columns if like[at] >= 0]
        found[row] = Evidence(found[row].score, (chance, *parts))
    return found


def bounds(ruleset: RuleSet, records: Mapping[SourceKey, Values], published: Mapping[SourceKey, str]) -> Bounds:
    """The bands of the document and what each record may not be joined over."""
    matching = ruleset.document.matching
    exclusive = {key: found for key, values in records.items() if (found := _exclusive(ruleset, values))}
    return Bounds(matching.match, matching.review, exclusive, published)


def _exclusive(ruleset: RuleSet, values: Values) -> dict[str, str]:
    """What the record holds of each vetoing field: by veto name, split by `per` where one is given."""
    held: dict[str, str] = {}
    for veto in ruleset.document.matching.veto:
        name = veto.field.split(".")[0]
        value = joined_at(values, veto.field)
        if value and not ruleset.entity.fields[name].doubtful(values[name]):
            held[veto.name + (f" {joined_at(values, veto.per)}" if veto.per else "")] = value
    return held


def _similar(ruleset: RuleSet, comparison: Comparison, pairs: Sequence[tuple[Values, Values]]) -> Numbers:
    """The best similarity over the comparison's fields for each pair; -1 where a side is silent."""
    left: list[str] = []
    right: list[str] = []
    rows: list[int] = []
    seen: dict[int, tuple[str, ...]] = {}
    for row, (a, b) in enumerate(pairs):
        for one, other in product(_texts(ruleset, comparison, a, seen), _texts(ruleset, comparison, b, seen)):
            left.append(one)
            right.append(other)
            rows.append(row)
    best = np.full(len(pairs), -1, np.float32)
    np.maximum.at(best, np.array(rows, np.int64), similarities(comparison.by, left, right))
    return best


def _texts(
    ruleset: RuleSet, comparison: Comparison, values: Values, seen: dict[int, tuple[str, ...]]
) -> tuple[str, ...]:
    known = seen.get(id(values))
    if known is None:
        known = seen[id(values)] = tuple(
            dict.fromkeys(
                text
                for path in comparison.fields
                if not any(ruleset.entity.fields[name].doubtful(values.get(name)) for name in fields_of(path))
                for text in texts_at(values, path)[:8]
            )
        )
    return known


def _weights(comparison: Comparison, likeness: Numbers) -> Numbers:
    weight = np.where(likeness >= 0, np.float32(comparison.otherwise), np.float32(0))
    for level in sorted(comparison.levels, key=lambda level: level.at_least):
        weight = np.where(likeness >= level.at_least - 1e-6, np.float32(level.weight), weight)
    return weight


def _totals(matching: Matching, weights: list[Numbers], count: int) -> Numbers:
    total = np.zeros(count, np.float32)
    families: dict[str, list[Numbers]] = {}
    for comparison, weight in zip(matching.compare, weights, strict=True):
        families.setdefault(comparison.family or comparison.name, []).append(weight)
    for family in families.values():
        stack = np.stack(family)
        for signed, strongest in ((np.maximum(stack, 0), np.max), (np.minimum(stack, 0), np.min)):
            peak = strongest(signed, axis=0)
            total += peak + DAMPED * (signed.sum(axis=0) - peak)
    return total
