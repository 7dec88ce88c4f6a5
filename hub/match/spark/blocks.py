"""Pairs that share a key, as `rules.match.candidates` finds them, by grouping instead of sorting.

Keys are counted first, so that no group above the cap is ever gathered in one place: its rows are told apart by a
second atom, and what is left of it meets its neighbours in order of the text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from hub.match.spark.rows import Shape
from hub.match.spark.session import Spark, arrays, column_of, mapped, numbers
from rules.match.candidates import LOOSE, WINDOW, Atoms, atoms, groups, refined, single, twos
from rules.match.columns import Rows


def names_of(shape: Shape) -> list[str]:
    """The names of the keys, strong ones first; number `k` is called `k` in the keys."""
    none = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    weak = [Atoms(f"{f}|{p}", *none) for f, p in shape.plan.weak]
    return [*(f"{f}|{p}" for f, p in shape.plan.strong), *(one.name for one in twos(weak, 0))]


def keys(spark: Spark, rows: DataFrame, shape: Shape) -> DataFrame:
    """k, key, row: the keys of the rows; set down with them, as `second`, the atoms that tell over-full keys apart."""
    made = shape.plan
    used = sorted({shape.at(f) for f, _ in (*made.strong, *made.weak)})

    def atoms_of(table: pa.Table, wanted: Sequence[tuple[str, str]]) -> list[Atoms]:
        columns = {k: column_of("", table.column(f"f{k}")) for k in {shape.at(f) for f, _ in wanted}}
        return [atoms(f"{f}|{p}", columns[shape.at(f)], p) for f, p in wanted]

    def done(table):  # type: ignore[no-untyped-def]
        row, n = numbers(table, "row"), len(table)
        for k, one in enumerate((*atoms_of(table, made.strong), *twos(atoms_of(table, made.weak), n))):
            yield {"k": np.full(len(one.rows), k, np.int32), "key": one.hashes.view(np.int64), "row": row[one.rows]}

    def seconds(table):  # type: ignore[no-untyped-def]
        found = [single(one, len(table)).view(np.int64) for one in atoms_of(table, made.weak)]
        yield {"row": numbers(table, "row"), **{f"r{k}": one for k, one in enumerate(found)}}

    slim = rows.select("row", *(f"f{k}" for k in used))
    spark.kept(mapped(slim, seconds, ", ".join(["row long", *(f"r{k} long" for k in range(len(made.weak)))])), "second")
    return spark.kept(mapped(slim, done, "k int, key long, row long"), "keys")


def pairs(spark: Spark, rows: DataFrame, shape: Shape, *, n: int, cap: int, sparing: bool) -> tuple[DataFrame, int]:
    """i, j of the rows that share a key, and the largest number of rows that one key left to their neighbours."""
    made = keys(spark, rows, shape)
    full = spark.kept(made.groupBy("k", "key").count().where(F.col("count") > cap).select("k", "key"), "full")
    found = _within(made.join(full, ["k", "key"], "left_anti"), n, cap)
    over = spark.kept(made.join(full, ["k", "key"]), "over")
    left_out = 0
    if not over.isEmpty():
        more, told = _refined(spark, over, len(shape.plan.weak), n, cap)
        untold = spark.kept(over.join(told, ["k", "key", "row"], "left_anti"), "untold")
        left_out = max((int(row[1]) for row in untold.groupBy("k").count().collect()), default=0)
        found = found.unionByName(more).unionByName(
            _neighbours(untold.join(spark.read("features").select("row", "text"), "row"), n)
        )
    if sparing:
        loose = [k for k, name in enumerate(names_of(shape)) if LOOSE.search(name)]
        firm = F.max((~F.col("k").isin(loose)).cast("int")) if loose else F.lit(1)
        every = found.groupBy("pair").agg(firm.alias("firm"), F.min("k").alias("one"), F.max("k").alias("other"))
        found = every.where("firm = 1 or one <> other").select("pair")
    else:
        found = found.select("pair").distinct()
    return _parted(found, n), left_out


def _parted(found: DataFrame, n: int) -> DataFrame:
    return found.select(F.expr(f"pair div {n}").alias("i"), F.expr(f"pair % {n}").alias("j"))


def _within(keyed: DataFrame, n: int, cap: int) -> DataFrame:
    """k, pair: all pairs of the rows under each key; no key has more than `cap` rows."""

    def done(table):  # type: ignore[no-untyped-def]
        k, rows = numbers(table, "k"), table.column("rows").combine_chunks()
        size = np.asarray(pc.list_value_length(rows))
        flat = np.asarray(rows.flatten())
        group, of = np.repeat(np.arange(len(k)), size), np.repeat(k, size)
        for one in np.unique(k).tolist():
            at = of == one
            for found in groups(group[at].astype(np.uint64), flat[at], n, cap)[0]:
                yield {"k": np.full(len(found), one, np.int32), "pair": found}

    grouped = keyed.groupBy("k", "key").agg(F.collect_list("row").alias("rows")).where(F.size("rows") > 1)
    return mapped(grouped, done, "k int, pair long")


def _refined(spark: Spark, over: DataFrame, seconds: int, n: int, cap: int) -> tuple[DataFrame, DataFrame]:
    """Pairs of the rows that share an over-full key and a second atom, and the (k, key, row) thus told apart."""

    def done(table):  # type: ignore[no-untyped-def]
        key, row, k = numbers(table, "key"), numbers(table, "row"), numbers(table, "k")
        for by in range(seconds):
            second = numbers(table, f"r{by}").view(np.uint64)
            at = np.flatnonzero(second)
            both = refined(key[at].view(np.uint64), second[at]).view(np.int64)
            yield {"by": np.full(len(at), by, np.int32), "both": both, "k": k[at], "key": key[at], "row": row[at]}

    made = mapped(over.join(spark.read("second"), "row"), done, "by int, both long, k int, key long, row long")
    made = spark.kept(made, "refined")
    counts = made.groupBy("by", "k", "both").count()
    full = spark.kept(counts.where(F.col("count") > cap).select("by", "k", "both"), "refined-full")
    apart = made.join(full, ["by", "k", "both"], "left_anti")
    found = [
        _within(apart.where(F.col("by") == by).select("k", F.col("both").alias("key"), "row"), n, cap)
        for by in range(seconds)
    ]
    every = spark.session.createDataFrame([], "k int, pair long")
    for one in found:
        every = every.unionByName(one)
    return every, apart.select("k", "key", "row").distinct()


def _neighbours(untold: DataFrame, n: int) -> DataFrame:
    """Each row with the next few under its key, in order of their text."""
    window = Window.partitionBy("k", "key").orderBy(F.asc_nulls_first("text"), "row")
    following = F.array(*(F.lead("row", step).over(window) for step in range(1, WINDOW + 1)))
    near = untold.select("k", "row", following.alias("others"))
    both = near.select("k", "row", F.explode("others").alias("other")).where("other is not null and other <> row")
    return both.select(
        "k", (F.least("row", "other") * F.lit(n).cast("long") + F.greatest("row", "other")).alias("pair")
    )


class Fetched(Atoms):
    """The keys of one name, fetched for the rows that are asked for."""

    def __init__(self, number: int, name: str, source: Fetch) -> None:
        """Know where they are."""
        super().__init__(name, np.zeros(0, np.uint64), np.zeros(0, np.int64))
        self._of = (number, source)

    def only(self, mask: NDArray[np.bool_]) -> Atoms:
        """The keys of some rows."""
        number, source = self._of
        found = source.of(np.flatnonzero(mask))
        at = found["k"] == number
        return Atoms(self.name, found["key"][at].view(np.uint64), found["row"][at])


class Fetch:
    """Strong keys of few rows, asked for several times."""

    def __init__(self, spark: Spark, strong: int) -> None:
        """Only the first `strong` names."""
        self._spark, self._strong = spark, strong
        self._rows: Rows = np.full(1, -1)
        self._found: dict[str, Rows] = {}

    def of(self, rows: Rows) -> dict[str, Rows]:
        """k, key, row."""
        if not np.array_equal(rows, self._rows):
            self._rows = rows
            keyed = self._spark.read("keys").where(F.col("k") < self._strong)
            few = keyed.join(self._spark.frame(row=rows), "row", "left_semi").sort("k", "row", "key")
            self._found = arrays(few)
        return self._found
