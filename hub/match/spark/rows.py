"""The rows in the forms that are compared, and how common what they say is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from hub.match.spark.session import Spark, array_of, arrays, column_of, mapped, numbers
from hub.match.spark.stage import Staged
from rules.match.columns import Codes, Column, Hashes, Rows, Table, column, hashed
from rules.match.meeting import TWINS
from rules.match.plan import Plan, Settled, plan
from rules.match.profile import Profile
from rules.match.scorer import COMMON, GENERIC, NAMING, SEVERAL, Counts, drawn, naming, sounds, weighed_by_value
from rules.match.similar import Spread, grams_of
from rules.match.spec import Spec


@dataclass(frozen=True, slots=True)
class Shape:
    """What is compared and by which keys; its plan has no rows."""

    plan: Plan
    features: list[str]  # number `k` is called `f{k}` in the rows
    hard: list[str]  # columns of the spec's hard rules; number `k` is called `b{k}`
    profiles: Mapping[str, Profile]
    settled: Settled

    def at(self, feature: str) -> int:
        """The number of a feature."""
        return self.features.index(feature)


def shape_of(read: Staged, profiles: Mapping[str, Profile], settled: Settled, spec: Spec) -> Shape:
    """The plan of the whole table."""
    empty = {name: column(name, ()) for name in read.names}
    made = plan(Table([], empty), profiles, settled=settled)
    return Shape(made, list(made.features), list(dict.fromkeys((*spec.must, *spec.must_not))), profiles, settled)


def features(spark: Spark, read: Staged, shape: Shape) -> DataFrame:
    """row, source, f0.., text, heard, b0..: the rows in the forms that are compared."""
    heard = naming(shape.plan)

    def done(table):  # type: ignore[no-untyped-def]
        columns = {name: column_of(name, table.column(read.at(name))) for name in shape.profiles}
        made = plan(Table([""] * len(table), columns), shape.profiles, settled=shape.settled)
        names = made.features[heard] if heard else column("", [""] * len(table))
        yield {
            "row": numbers(table, "row"),
            "source": table.column("source").combine_chunks()
            if read.sources is not None
            else pa.nulls(len(table), pa.int32()),
            **{f"f{k}": array_of(made.features[name]) for k, name in enumerate(shape.features)},
            "text": array_of(made.text) if made.text is not None else pa.nulls(len(table), pa.string()),
            "heard": array_of(names.map("", sounds(names.texts))),
            **{f"b{k}": table.column(read.at(name)).combine_chunks() for k, name in enumerate(shape.hard)},
        }

    texts = [f"f{k} string" for k in range(len(shape.features))] + ["text string", "heard string"]
    schema = ", ".join(["row long", "source int", *texts, *(f"b{k} string" for k in range(len(shape.hard)))])
    return spark.kept(mapped(spark.read("staged"), done, schema), "features")


def twins(spark: Spark, rows: DataFrame, shape: Shape, *, apart: bool) -> tuple[DataFrame, DataFrame]:
    """The rows that take part, and (row, twin) of those that say what so many others say that they do not.

    `apart`: rows of different sources are no twins.
    """
    said = [F.col(f"f{k}") for k in range(len(shape.features))]
    if not said:
        return rows.where("false").select("row"), spark.kept(
            rows.where("false").select("row", F.col("row").alias("twin")), "late"
        )
    spoken = rows.where(F.coalesce(*said).isNotNull())
    pattern = F.xxhash64(*(F.coalesce(one, F.lit("")) for one in said), *([F.col("source")] if apart else []))
    window = Window.partitionBy("pattern").orderBy("row")
    numbered = spoken.select("row", pattern.alias("pattern")).select(
        "row", F.row_number().over(window).alias("place"), F.first("row").over(window).alias("twin")
    )
    late = spark.kept(numbered.where(F.col("place") > TWINS).select("row", "twin"), "late")
    return spoken.join(late.select("row"), "row", "left_anti"), late


@dataclass(slots=True)
class Known:
    """How common what the rows say is."""

    counts: dict[str, Counts]  # by feature
    common: dict[str, NDArray[np.int64]]  # by comparison: how many rows hold each of its common values
    drawn: dict[str, tuple[Rows, Rows, Rows]] = field(default_factory=dict)  # which common value, and two rows of it
    spread: dict[str, Spread] = field(default_factory=dict)  # by comparison of whole texts


def known(spark: Spark, rows: DataFrame, shape: Shape, seed: int) -> Known:
    """Count the values, and set down `rows`: the rows with how common each of their values is.

    `n{k}` is how many rows say what this one says in `f{k}`, or -1, -2 .. for the common values; of features that
    should name one thing alone it is 1 where many different names share the value.
    """
    made = shape.plan
    used = sorted({shape.at(f) for c in made.compare for f in c.features})
    if not used:
        spark.kept(rows, "rows")
        return Known({}, {})
    each = F.array(*(F.struct(F.lit(k).alias("f"), F.col(f"f{k}").alias("text")) for k in used))
    long = rows.select("row", "heard", F.explode(each).alias("one")).select("row", "heard", "one.f", "one.text")
    long = long.where("text is not null")
    named = [shape.at(f) for c in made.compare if c.kind in NAMING for f in c.features]
    values = spark.kept(_values(long, named, heard=naming(made) is not None), "values")
    found = Known(_counts(values, shape), {})
    commons = _commons(values, shape, found)
    marked = F.broadcast(commons)
    if not commons.isEmpty():
        _draw(long.join(marked, ["f", "text"]), shape, found, seed)
    generic = F.when(F.col("f").isin(named), F.col("generic").cast("long"))
    code = F.coalesce(generic, -F.col("place") - 1, F.col("n"))
    shared = values.where("n > 1").join(marked, ["f", "text"], "left").select("f", "text", code.alias("code"))
    pivot = [F.max(F.when(F.col("f") == k, F.col("code"))).alias(f"n{k}") for k in used]
    spark.kept(rows.join(long.join(shared, ["f", "text"]).groupBy("row").agg(*pivot), "row", "left"), "rows")
    for c in made.compare:
        if c.kind == "cosine":
            found.spread[c.name] = _spread(values, shape.at(c.features[0]), found.counts[c.features[0]])
    return found


def _values(long: DataFrame, named: list[int], *, heard: bool) -> DataFrame:
    """f, text, n (rows), first (row), generic (shared by rows of many names): each value of each feature."""
    names = F.countDistinct(F.when(F.col("f").isin(named), F.col("heard")))
    generic = names > GENERIC if heard else F.count("*") > 3 * GENERIC
    counted = F.count("*").alias("n"), F.min("row").alias("first"), generic.alias("generic")
    return long.groupBy("f", "text").agg(*counted)


def _counts(values: DataFrame, shape: Shape) -> dict[str, Counts]:
    equal = F.sum(F.col("n").cast("double") * (F.col("n") - 1))
    sums = values.groupBy("f").agg(F.sum("n"), F.count("*"), equal).collect()
    told = {shape.features[row[0]]: Counts(int(row[1]), int(row[2]), float(row[3])) for row in sums}
    return dict.fromkeys(shape.features, Counts(0, 0, 0.0)) | told


def _commons(values: DataFrame, shape: Shape, found: Known) -> DataFrame:
    """f, text, place: the commonest values of each comparison in which the value matters."""
    rows: list[tuple[int, str, int]] = []
    for comparison in weighed_by_value(shape.plan, found.counts):
        k = shape.at(comparison.features[0])
        often = values.where((F.col("f") == k) & (F.col("n") >= SEVERAL)).sort(F.desc("n"), "first").limit(COMMON)
        found.common[comparison.name] = arrays(often.select("n"))["n"]
        rows += [(k, row.text, place) for place, row in enumerate(often.collect())]
    return values.sparkSession.createDataFrame(rows, "f int, text string, place long")


def _draw(common: DataFrame, shape: Shape, found: Known, seed: int) -> None:
    """Draw pairs of rows that share a common value."""
    number = {c.name: shape.at(c.features[0]) for c in shape.plan.compare}
    chosen = {name: drawn(counts, seed) for name, counts in found.common.items()}
    asked = [
        np.stack([np.full(2 * len(w), number[name]), np.r_[w, w], np.r_[a, b]]) for name, (w, a, b) in chosen.items()
    ]
    f, place, at = np.unique(np.concatenate(asked, axis=1), axis=1)
    wanted = common.sparkSession.createDataFrame(pa.table({"f": f.astype(np.int32), "place": place, "at": at}))
    ranked = F.row_number().over(Window.partitionBy("f", "place").orderBy("row")) - 1
    named = common.withColumn("at", ranked.cast("long")).join(F.broadcast(wanted), ["f", "place", "at"])
    got = arrays(named.select("f", "place", "at", "row"))
    row = {(f, p, x): r for f, p, x, r in zip(*(one.tolist() for one in got.values()), strict=True)}
    for name, (which, a, b) in chosen.items():
        spots = zip(which.tolist(), a.tolist(), b.tolist(), strict=True)
        pairs = np.array([sorted((row[number[name], p, x], row[number[name], p, y])) for p, x, y in spots], np.int64)
        i, j = pairs.reshape(-1, 2).T
        found.drawn[name] = (which, i, j)


def _spread(values: DataFrame, k: int, counts: Counts) -> Spread:
    """In how many texts each word and trigram stands; those that stand in one alone are not named."""

    def cut(table):  # type: ignore[no-untyped-def]
        grams: list[str] = []
        for text in table.column("text").to_pylist():
            grams += grams_of(text)
        yield {"gram": hashed(grams).view(np.int64)}

    often = (
        mapped(values.where(F.col("f") == k).select("text"), cut, "gram long")
        .groupBy("gram")
        .count()
        .where("count > 1")
    )
    got = arrays(often)
    grams: Hashes = got["gram"].view(np.uint64)
    order = np.argsort(grams)
    return Spread(counts.distinct, grams[order], got["count"][order])


def codes_of(rows: DataFrame, names: Sequence[str], n: int) -> list[Codes]:
    """For each of some columns of texts a number of each row that says the same as another there, else -1."""
    found = []
    for name in names:
        first = F.min("row").over(Window.partitionBy(name))
        got = arrays(rows.where(F.col(name).isNotNull()).select("row", first.alias("code")))
        codes = np.full(n, -1, np.int32)
        codes[got["row"]] = np.unique(got["code"], return_inverse=True)[1]
        found.append(codes)
    return found


def texts_of(rows: DataFrame, name: str) -> Column:
    """A column of texts of few rows, in the driver, in order."""
    return column_of(name, rows.select("row", name).sort("row").toArrow().column(name))
