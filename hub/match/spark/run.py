"""A table matched from end to end on Spark: the steps of `rules.match.run`, each over partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from hub.errors import SpecUnfit
from hub.match.spark import facts, groups
from hub.match.spark.blocks import Fetch, Fetched, pairs
from hub.match.spark.rows import codes_of, features, known, shape_of, texts_of, twins
from hub.match.spark.scoring import Judge
from hub.match.spark.session import Spark, arrays
from hub.match.spark.stage import Staged
from rules.match.candidates import random_pairs
from rules.match.columns import Rows
from rules.match.fit import Rivals, Weights, fit
from rules.match.meeting import FEWEST, LARGE, MOST, forced, gathered, with_twins
from rules.match.plan import SEARCHED
from rules.match.profile import Profile
from rules.match.run import CHANCE, ROOM, SURE, every_pair, ground, nearest_rows, once_each, unfitted
from rules.match.scorer import Numbers, Scorer
from rules.match.similar import weighted
from rules.match.spec import Spec, weights_of


@dataclass(slots=True)
class Found:
    """What was found. The scored pairs are set down as `scored`."""

    labels: Rows  # the smallest row of each row's cluster
    profiles: Mapping[str, Profile]
    weights: Weights
    spec: Spec
    once: bool
    left_out: int


def match(spark: Spark, read: Staged, spec: Spec, mark: Callable[[str], None]) -> Found:
    """The clusters that `rules.match.run.match` finds in the same rows."""
    n, kind = read.rows, spec.kind or "dedupe"
    values = facts.said(spark, read)
    profiles = facts.profiles(values, read, spec)
    shape = shape_of(read, profiles, facts.settled(spark, read, values, profiles), spec)
    mark("profile")
    rows = features(spark, read, shape)
    kept, late = twins(spark, rows, shape, apart=kind != "dedupe" and read.sources is not None)
    counted = known(spark, rows, shape, spec.seed)
    cap = min(max(ROOM // max(n, 1), FEWEST), MOST)
    asked, left_out = pairs(spark, kept, shape, n=n, cap=cap, sparing=n > SEARCHED)
    side = read.sources if kind == "link" else None
    if shape.plan.text is not None and n <= SEARCHED:
        asked = asked.union(_nearest(spark, rows, side)).distinct()
    asked = spark.kept(asked, "candidates")
    mark("candidates")
    judge = Judge(spark, shape, counted)
    seen = spark.kept(judge.levels(asked, apart=side is not None), "levels")
    mark("compare")
    judge.weights = _weights(judge, seen, read, spec, link=side is not None)
    scored = spark.kept(judge.odds(seen), "scored")
    mark("weigh")
    once = _once(read, spec, scored)
    exclusive = [shape.hard.index(c) for c in spec.must_not]
    labels = np.arange(n)
    met = _met(spark, judge, scored, n, kind)
    joined = spark.kept(
        groups.clustered(met, _parts(spark, met, spec.match), spec.match, once=once, exclusive=exclusive), "joined"
    )
    moved = arrays(joined)
    labels[moved["row"]] = moved["head"]
    mark("cluster")
    if not once and not spec.must_not:
        labels = _gathered(spark, judge, labels, met)
    labels = _with_twins(judge, labels, late)
    labels = forced(labels, codes_of(rows, [f"b{shape.hard.index(c)}" for c in spec.must], n))
    mark("gather")
    return Found(labels, profiles, judge.fitted, spec, once, left_out)


def _nearest(spark: Spark, rows: DataFrame, side: NDArray[np.int32] | None) -> DataFrame:
    """Pairs of similar texts, searched for in the driver: the rows are few."""
    text = texts_of(rows, "text")
    i, j = nearest_rows(weighted(text.texts), text.codes, side)
    return spark.frame(i=i, j=j)


def _weights(judge: Judge, seen: DataFrame, read: Staged, spec: Spec, *, link: bool) -> Weights:
    made, n = judge.shape.plan, read.rows
    some = not seen.isEmpty()
    if spec.model is not None and {c.name for c in made.compare} == spec.model.levels.keys():
        weights = weights_of(spec.model)
    elif not some:
        weights = unfitted(made)
    else:
        side = read.sources if link else None
        chance = judge.few(*random_pairs(n, CHANCE, spec.seed, side))
        counts = {name: judge.known.counts[name] for name in judge.shape.features}
        base = ground(made, chance, counts, n, every_pair(n, side))
        names = [f"l{k}" for k in range(len(made.compare))]
        if link:
            got = arrays(seen.select("i", "j", *names).sort("i", "j"))
            rivals, times = Rivals(got["i"], got["j"], n), None
        else:
            got = arrays(seen.groupBy(*names).count())
            rivals, times = None, got["count"]
        levels = {c.name: got[name] for c, name in zip(made.compare, names, strict=True)}
        weights = fit(levels, base, made.families, rivals, times)
    judge.weights = weights
    if some:
        judge.weigh_values()
    return weights


def _once(read: Staged, spec: Spec, scored: DataFrame) -> bool:
    """Whether sources hold each thing once: as the spec says; all when linking; else if sure pairs hardly occur."""
    if read.sources is None:
        return False
    if spec.once is not None:
        if 0 < len(set(spec.once) & set(read.source_names)) < len(read.source_names):
            raise SpecUnfit("`once` names some of the sources; on Spark it may name all or none.")
        return bool(set(spec.once) & set(read.source_names))
    if spec.kind == "link":
        return True
    inside = F.sum((F.col("x_source") == F.col("y_source")).cast("int"))
    sure = scored.where(F.col("odds") > SURE).agg(F.count("*"), inside).first()
    return bool(sure) and once_each(np.bincount(read.sources), int(sure[0]), int(sure[1] or 0))


def _met(spark: Spark, judge: Judge, scored: DataFrame, n: int, kind: str) -> DataFrame:
    """The scored pairs, and those with all others that small components have: silence is not taken for agreement."""
    slim = [name for name in scored.columns if name in ("i", "j", "odds") or name[:2] in ("x_", "y_")]
    if kind == "link":
        return scored.select(slim)
    parts = spark.kept(groups.components(spark, scored.where("odds > 0"), "parts"), "parts")
    asked = spark.kept(groups.completed(parts, scored, n), "completing")
    more = spark.kept(judge.odds(judge.levels(asked)).select(slim), "completed")
    return scored.select(slim).union(more)


def _parts(spark: Spark, met: DataFrame, match: float) -> DataFrame:
    """Groups of rows that the clustering cannot tie to any other."""
    return spark.kept(groups.components(spark, met.where(F.col("odds") - F.lit(match) > 0), "tied"), "tied")


def _gathered(spark: Spark, judge: Judge, labels: Rows, met: DataFrame) -> Rows:
    """Large clusters meet again by a few of their rows, in the driver; it holds numbers of rows alone."""
    n, made = len(labels), judge.shape.plan
    if not n or np.bincount(labels, minlength=n).max() < LARGE:
        return labels
    order = np.arange(n)
    if made.text is not None:
        by_text = spark.read("rows").sort(F.asc_nulls_first("text"), "row").select("row")
        order[arrays(by_text)["row"]] = np.arange(n)
    moved = np.flatnonzero(labels != np.arange(n))
    heads = spark.frame(row=moved, head=labels[moved])
    tied = met.where("odds > 0").select("i", "j", "odds")
    for side in "ij":
        tied = tied.join(heads.withColumnsRenamed({"row": side, "head": f"{side}h"}), side, "left")
    apart = tied.where("coalesce(ih, i) <> coalesce(jh, j)").select("i", "j", "odds").sort("i", "j")
    got = arrays(apart)
    fetch = Fetch(spark, len(made.strong))
    strong = [Fetched(k, f"{f}|{p}", fetch) for k, (f, p) in enumerate(made.strong)]
    return gathered(_Asked(judge), (list(strong), [], order), labels, (got["i"], got["j"], got["odds"]))


class _Asked(Scorer):
    """A scorer whose pairs are weighed by Spark."""

    def __init__(self, judge: Judge) -> None:
        super().__init__(judge.shape.plan, {}, {}, weights=judge.weights)
        self.judge = judge

    def __call__(self, i: Rows, j: Rows) -> Numbers:
        return self.judge(i, j)


def _with_twins(judge: Judge, labels: Rows, late: DataFrame) -> Rows:
    """The clusters with the rows that did not take part because too many others say the same."""
    got = arrays(late)
    if not len(got["row"]):
        return labels
    n = len(labels)
    kept, twin = np.ones(n, bool), np.arange(n)
    kept[got["row"]], twin[got["row"]] = False, got["twin"]
    return with_twins(_Asked(judge), labels, kept, twin)
