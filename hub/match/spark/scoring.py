"""The evidence of pairs: both rows side by side in Arrow batches, through the comparisons of `rules.match`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from hub.match.spark.rows import Known, Shape
from hub.match.spark.session import Spark, arrays, column_of, mapped, numbers
from rules.match.columns import Column, Rows
from rules.match.evidence import COSINE_EDGES, MEASURES
from rules.match.fit import Weights, total
from rules.match.plan import Comparison, Plan
from rules.match.scorer import NAMING, Levels, Numbers, Scorer, common_worth, rare, weighed_by_value
from rules.match.similar import Spread, weighted


@dataclass(slots=True)
class Judge:
    """Levels of pairs and, once there are weights, their log-odds."""

    spark: Spark
    shape: Shape
    known: Known
    weights: Weights | None = None

    def levels(self, asked: DataFrame, *, apart: bool = False) -> DataFrame:
        """i, j, what else the pairs carry, l0.. (levels), v0.. (how common the value agreed on is), the rows' bounds.

        With `apart` only of the pairs across sources.
        """
        shape, spread, valued = self.shape, self.known.spread, self.valued
        used = sorted({shape.at(f) for c in shape.plan.compare for f in c.features})
        sides = {f"{side}_source": "int" for side in "xy"}
        sides |= {f"{side}_b{k}": "string" for side in "xy" for k in range(len(shape.hard))}
        kinds = {one.name: one.dataType.simpleString() for one in asked.schema.fields} | sides

        def done(table):  # type: ignore[no-untyped-def]
            both = {shape.features[k]: column_of("", _both(table, f"f{k}")) for k in used}
            code = {shape.features[k]: _both(table, f"n{k}").combine_chunks() for k in used}
            seen = _levels(shape.plan, both, code, spread)
            values = {}
            for k, c in valued.items():
                common = np.asarray(code[c.features[0]].slice(0, len(table)).fill_null(1))
                values[f"v{k}"] = np.where(_equal(c, seen[c.name]), common, 0)
            told = {f"l{k}": seen[c.name] for k, c in enumerate(shape.plan.compare)}
            yield {**{name: table.column(name).combine_chunks() for name in kinds}, **told, **values}

        schema = [f"{name} {kind}" for name, kind in kinds.items()]
        schema += [f"l{k} tinyint" for k in range(len(shape.plan.compare))] + [f"v{k} bigint" for k in valued]
        beside = self._beside(asked, used, sorted({name[2:] for name in sides}))
        return mapped(beside.where("x_source <> y_source") if apart else beside, done, ", ".join(schema))

    @property
    def valued(self) -> dict[int, Comparison]:
        """The comparisons in which it matters on which value two rows agree, by number."""
        told = weighed_by_value(self.shape.plan, self.known.counts)
        return {k: c for k, c in enumerate(self.shape.plan.compare) if c in told}

    def _beside(self, asked: DataFrame, used: list[int], sides: list[str]) -> DataFrame:
        rows = self.spark.read("rows").select("row", *sides, *(f"f{k}" for k in used), *(f"n{k}" for k in used))
        x, y = (rows.select(*(F.col(name).alias(f"{side}_{name}") for name in rows.columns)) for side in "xy")
        return asked.join(x, asked.i == x.x_row).join(y, asked.j == y.y_row).drop("x_row", "y_row")

    def odds(self, seen: DataFrame) -> DataFrame:
        """The levels with `odds`, the log-odds of each pair."""
        weights, made, counts = self.fitted, self.shape.plan, self.known.counts
        valued = {k: c for k, c in self.valued.items() if c.name in weights.values}

        def done(table):  # type: ignore[no-untyped-def]
            levels: dict[str, Levels] = {c.name: numbers(table, f"l{k}") for k, c in enumerate(made.compare)}
            extra: dict[str, Numbers] = {}
            for k, c in valued.items():
                equal = np.flatnonzero(_equal(c, levels[c.name]))
                code, extra[c.name] = numbers(table, f"v{k}")[equal], np.zeros(len(table), np.float32)
                worth = rare(weights, c, np.maximum(code, 1), max(counts[c.features[0]].spoken, 1)).astype(np.float32)
                worth[code < 0] = weights.values[c.name][-code[code < 0] - 1]
                extra[c.name][equal] = worth
            columns = {name: table.column(name).combine_chunks() for name in table.column_names}
            yield {**columns, "odds": total(weights, levels, made.families, extra)}

        kinds = [f"{one.name} {one.dataType.simpleString()}" for one in seen.schema.fields]
        return mapped(seen, done, ", ".join([*kinds, "odds float"]))

    @property
    def fitted(self) -> Weights:
        """The weights, once there are any."""
        if self.weights is None:
            raise ValueError("no weights were fitted")
        return self.weights

    def __call__(self, i: Rows, j: Rows) -> Numbers:
        """The log-odds of a few pairs that the driver asks for."""
        if not len(i):
            return np.zeros(0, np.float32)
        asked = self.spark.frame(i=i, j=j, at=np.arange(len(i)))
        got = arrays(self.odds(self.levels(asked)).select("at", "odds"))
        found = np.empty(len(i), np.float32)
        found[got["at"]] = got["odds"]
        return found

    def few(self, i: Rows, j: Rows) -> dict[str, Levels]:
        """The levels of a few pairs that the driver asks for, in order."""
        compare = self.shape.plan.compare
        got = arrays(
            self.levels(self.spark.frame(i=i, j=j, at=np.arange(len(i)))).select(
                "at", *(f"l{k}" for k in range(len(compare)))
            )
        )
        order = np.argsort(got["at"])
        return {c.name: got[f"l{k}"][order] for k, c in enumerate(compare)}

    def weigh_values(self) -> None:
        """Learn what agreement on the common values is worth."""
        weights, drawn = self.fitted, self.known.drawn
        for c in self.valued.values():
            weights.values[c.name] = np.zeros(0, np.float32)
        asked = [name for name, (which, _, _) in drawn.items() if len(which)]
        if not asked:
            return
        seen = self.few(np.concatenate([drawn[n][1] for n in asked]), np.concatenate([drawn[n][2] for n in asked]))
        scorer, end = Scorer(self.shape.plan, {}, {}, weights=weights), 0
        compared = {c.name: c for c in self.shape.plan.compare}
        for name in asked:
            c, which = compared[name], drawn[name][0]
            start, end = end, end + len(which)
            part = {other: level[start:end] for other, level in seen.items()}
            begin = rare(weights, c, self.known.common[name], max(self.known.counts[c.features[0]].spoken, 1))
            weights.values[name] = common_worth(scorer, c, part, which, begin).astype(np.float32)


def _both(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column of the pairs' first rows, then of their second ones."""
    return pa.chunked_array([c for side in "xy" for c in table.column(f"{side}_{name}").chunks])


def _levels(
    made: Plan, both: dict[str, Column], code: Mapping[str, pa.Array], spread: Mapping[str, Spread]
) -> dict[str, Levels]:
    """The levels of rows 0, 1 .. of the first half of the columns with those of the second half."""
    nobody: dict[str, NDArray[np.bool_]] = {}
    for feature in (f for c in made.compare if c.kind in NAMING for f in c.features):
        codes, shared = both[feature].codes, np.asarray(code[feature].fill_null(0)) == 1
        nobody[feature] = np.zeros(len(both[feature].texts), bool)
        nobody[feature][codes[shared & (codes >= 0)]] = True
    whole = {c.name: weighted(both[c.features[0]].texts, spread[c.name]) for c in made.compare if c.kind == "cosine"}
    pairs = np.arange(len(next(iter(both.values())).codes) // 2)
    return Scorer(replace(made, features=both), whole, nobody).levels(pairs, pairs + len(pairs))


def _equal(comparison: Comparison, level: Levels) -> NDArray[np.bool_]:
    """Where both say the same, which is the highest level."""
    top = len(COSINE_EDGES) + 1 if comparison.kind == "cosine" else MEASURES[comparison.kind].top
    found: NDArray[np.bool_] = level == top
    return found
