"""What only the whole table tells: the values of each column, what it holds, and what to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from hub.match.spark.session import Spark, arrays, column_of, mapped, numbers
from hub.match.spark.stage import Staged
from rules.match import normal
from rules.match.columns import Column, Table
from rules.match.evidence import MEASURES
from rules.match.plan import NUMBERED, STREETS, Settled, ends, formed, holds_places, models_of
from rules.match.profile import Profile, sampled, told
from rules.match.spec import Spec

PLACED = ("date", "code", "year", "number", "label")  # kinds whose weak keys need several values


def said(spark: Spark, read: Staged) -> DataFrame:
    """c, text, n, first: each distinct text of column `c{c}`, its rows, and the first of them."""
    rows = spark.read("staged")
    each = F.array(*(F.struct(F.lit(k).alias("c"), F.col(f"c{k}").alias("text")) for k in range(len(read.names))))
    long = rows.select("row", F.explode(each).alias("one")).select("row", "one.c", "one.text").where("text is not null")
    return spark.kept(long.groupBy("c", "text").agg(F.count("*").alias("n"), F.min("row").alias("first")), "said")


def profiles(values: DataFrame, read: Staged, spec: Spec) -> dict[str, Profile]:
    """What each column holds, the spec's word first. Columns to ignore are left out."""
    found = {}
    sizes = arrays(values.groupBy("c").agg(F.count("*").alias("many"), F.sum("n").alias("spoken")))
    shape = {int(c): (int(m), int(s)) for c, m, s in zip(*sizes.values(), strict=True)}
    texts = _samples(values, {k: sampled(many) for k, (many, _) in shape.items()})
    for k, name in enumerate(read.names):
        kind = spec.columns.get(name)
        if kind != "ignore":
            many, spoken = shape.get(k, (0, 0))
            found[name] = told(name, texts.get(k, []), many, (spoken, read.rows)).told(kind)
    return found


def _samples(values: DataFrame, chosen: Mapping[int, slice]) -> dict[int, list[str]]:
    """The texts of each column that a profile looks at, chosen by where they first stand."""
    found: dict[int, list[str]] = {}
    if not chosen:
        return found
    step, stop = (F.create_map(*(F.lit(x) for k, one in chosen.items() for x in (k, of(one)))) for of in (_step, _stop))
    at = F.row_number().over(Window.partitionBy("c").orderBy("first")) - 1
    placed = values.select("c", "text", at.alias("at"), step[F.col("c")].alias("step"), stop[F.col("c")].alias("stop"))
    for row in placed.where("at % step = 0 and at < stop").sort("c", "at").collect():
        found.setdefault(row.c, []).append(row.text)
    return found


def _step(chosen: slice) -> int:
    return int(chosen.step)


def _stop(chosen: slice) -> int:
    return int(chosen.stop)


def settled(spark: Spark, read: Staged, values: DataFrame, found: Mapping[str, Profile]) -> Settled:
    """What a plan for a part of the rows must know of all of them."""
    kinds: dict[str, list[str]] = {}
    for name, one in found.items():
        kinds.setdefault(one.kind, []).append(name)
    first = {name: _day_first(_of(values, read, name)) for name in kinds.get("date", ())}
    forms = {n: (MEASURES[kind].form, first.get(n)) for kind in PLACED for n in kinds.get(kind, ())}
    single = _single(values, read, forms)
    places = [_of(values, read, name) for name in kinds.get("city", ())]
    streets = [t for name in kinds.get("street", ()) for t in _streets(_of(values, read, name))]
    return Settled(read.rows, single, _placed(streets, places), _numbered(spark, read, kinds), first)


def _of(values: DataFrame, read: Staged, name: str) -> DataFrame:
    return values.where(F.col("c") == read.names.index(name))


def _day_first(values: DataFrame) -> bool:
    def voted(table):  # type: ignore[no-untyped-def]
        one, other = normal.day_votes(table.column("text").to_pylist())
        yield {"one": np.array([one]), "other": np.array([other])}

    votes = mapped(values.select("text"), voted, "one long, other long").agg(F.sum("one"), F.sum("other")).first()
    return bool(votes and (votes[0] or 0) > (votes[1] or 0))


def _single(values: DataFrame, read: Staged, forms: Mapping[str, tuple[str, bool | None]]) -> frozenset[str]:
    """The columns in which, in the form in which they are compared, all rows that speak say the same."""
    if not forms:
        return frozenset()
    asked = {read.names.index(name): form for name, form in forms.items()}

    def done(table):  # type: ignore[no-untyped-def]
        of = numbers(table, "c")
        for k, form in asked.items():
            texts = formed(column_of("", table.column("text").filter(pa.array(of == k))), *form).texts
            yield {"c": np.full(len(texts), k, np.int32), "text": texts}

    made = mapped(values.where(F.col("c").isin(list(asked))).select("c", "text"), done, "c int, text string")
    several = made.groupBy("c").agg(F.min("text").alias("one"), F.max("text").alias("other")).where("one <> other")
    return frozenset(forms) - {read.names[row.c] for row in several.collect()}


def _streets(values: DataFrame) -> list[str]:
    """The first distinct streets, in the form in which they are compared."""
    asked = 2 * STREETS
    while True:
        rows = values.sort("first").limit(asked).collect()
        texts = [row.text for row in rows]
        made = formed(Column("", texts, np.arange(len(texts), dtype=np.int32)), MEASURES["street"].form).texts
        if len(made) >= STREETS or len(rows) < asked:
            return list(made[:STREETS])
        asked *= 4


def _placed(streets: list[str], places: Sequence[DataFrame]) -> bool:
    wanted = frozenset(end for street in streets for end in ends(street))

    def done(table):  # type: ignore[no-untyped-def]
        yield {
            "text": [t for t in formed(column_of("", table.column("text")), MEASURES["city"].form).texts if t in wanted]
        }

    known: set[str] = set()
    for one in places if wanted else ():
        known |= {row.text for row in mapped(one.select("text"), done, "text string").distinct().collect()}
    return holds_places(streets, known)


def _numbered(spark: Spark, read: Staged, kinds: Mapping[str, list[str]]) -> bool:
    """Whether enough titles hold a model number."""
    names = [*kinds.get("title", ()), *kinds.get("text", ())]
    if not kinds.get("title") or not read.rows:
        return False

    def counted(table):  # type: ignore[no-untyped-def]
        columns = {name: column_of(name, table.column(read.at(name))) for name in names}
        made = models_of(Table([""] * len(table), columns), names)
        yield {"n": np.array([int((made.codes >= 0).sum())])}

    holding = mapped(spark.read("staged").select(*map(read.at, names)), counted, "n long").agg(F.sum("n")).first()
    return bool(holding and (holding[0] or 0) / read.rows > NUMBERED)
