"""Pairs into groups: connected components by set operations, and in each of them the clustering of `rules.match`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from hub.match.spark.session import Spark, mapped, numbers
from rules.match.candidates import groups
from rules.match.clusters import Bounds, clusters
from rules.match.columns import Codes, Rows
from rules.match.meeting import COMPLETE


def components(spark: Spark, edges: DataFrame, name: str) -> DataFrame:
    """row, part: the connected component of each row that has an edge (`i`, `j`), named by its smallest row.

    Large-star and small-star in turn until nothing changes (Kiveris et al. 2014): every step is a grouping, and
    their number grows with the logarithm of the longest chain.
    """
    stars = spark.kept(
        edges.select(F.greatest("i", "j").alias("a"), F.least("i", "j").alias("b")).where("a <> b").distinct(),
        f"{name}-0",
    )
    before, step = None, 0
    while (seen := _seal(stars)) != before:
        before, step = seen, step + 1
        stars = spark.kept(_small_star(_large_star(stars)), f"{name}-{step % 2 + 1}")
    return stars.select(F.col("a").alias("row"), F.col("b").alias("part")).union(stars.select("b", "b").distinct())


def _seal(edges: DataFrame) -> tuple[object, ...]:
    found = edges.agg(F.count("*"), F.sum(F.xxhash64("a", "b").cast("decimal(38,0)"))).first()
    return tuple(found) if found else ()


def _large_star(edges: DataFrame) -> DataFrame:
    """Every larger neighbour of a row is tied to the smallest of them and the row."""
    both = edges.union(edges.select("b", "a"))
    least = F.least("a", F.min("b").over(Window.partitionBy("a")))
    return (
        both.select("a", "b", least.alias("m"))
        .where("b > a")
        .select(F.col("b").alias("a"), F.col("m").alias("b"))
        .distinct()
    )


def _small_star(edges: DataFrame) -> DataFrame:
    """Every smaller neighbour of a row, and the row, are tied to the smallest of them."""
    tied = edges.select("a", "b", F.min("b").over(Window.partitionBy("a")).alias("m"))
    return tied.select("a", "m").union(tied.where("b <> m").select("b", "m")).toDF("a", "b").distinct()


def completed(parts: DataFrame, known: DataFrame, n: int) -> DataFrame:
    """i, j: the pairs in components of up to `COMPLETE` rows that are not known yet."""
    sizes = parts.groupBy("part").count().where(f"count > 2 and count <= {COMPLETE}").select("part")
    few = parts.join(sizes, "part").repartition("part").sortWithinPartitions("part", "row")

    def done(table):  # type: ignore[no-untyped-def]
        for found in groups(numbers(table, "part").view(np.uint64), numbers(table, "row"), n, COMPLETE)[0]:
            yield {"i": found // n, "j": found % n}

    return mapped(few, done, "i long, j long", by="part").join(known.select("i", "j"), ["i", "j"], "left_anti")


def clustered(pairs: DataFrame, parts: DataFrame, match: float, *, once: bool, exclusive: list[int]) -> DataFrame:
    """row, head: the rows whose cluster is named by another one. `parts` never divides what might be joined."""
    inside = pairs.join(parts.select(F.col("row").alias("i"), "part"), "i")
    inside = inside.join(parts.select(F.col("row").alias("j"), F.col("part").alias("other")), "j").where("part = other")

    def done(table):  # type: ignore[no-untyped-def]
        rows, places = np.unique(np.r_[numbers(table, "i"), numbers(table, "j")], return_inverse=True)
        i, j = places[: len(table)], places[len(table) :]
        sources = _of_rows(table, "source", i, j, len(rows)) if once else None
        bounds = Bounds(sources, tuple(_of_rows(table, f"b{k}", i, j, len(rows)) for k in exclusive))
        label = clusters(len(rows), i, j, numbers(table, "odds") - np.float32(match), bounds)
        moved = np.flatnonzero(label != np.arange(len(rows)))
        yield {"row": rows[moved], "head": rows[label[moved]]}

    sorted_ = inside.drop("other").repartition("part").sortWithinPartitions("part", "i", "j")
    return mapped(sorted_, done, "row long, head long", by="part")


def _of_rows(table: pa.Table, name: str, i: Rows, j: Rows, n: int) -> Codes:
    """A number for what each row holds, -1 for nothing."""
    both = pa.chunked_array([c for side in "xy" for c in table.column(f"{side}_{name}").chunks])
    coded = both.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    found = np.full(n, -1, np.int32)
    found[np.r_[i, j]] = np.asarray(coded.indices.fill_null(-1))
    return found
