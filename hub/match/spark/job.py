"""One run of `hub match --engine spark`: read, match, write what was asked for, a piece at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.dataset
from pyspark.sql import functions as F  # noqa: N812

from hub.errors import SpecUnfit
from hub.match import files
from hub.match.asked import Job, spec_of
from hub.match.proposal import proposal
from hub.match.spark.run import Found, match
from hub.match.spark.session import Spark, opened
from hub.match.spark.stage import staged


def run(job: Job, tell: Callable[[str], None]) -> tuple[int, int, int, int, str]:
    """Match and write; gives records, clusters, pairs, pairs to review, seconds. Raises TableUnreadable, SpecUnfit."""
    if job.report:
        raise SpecUnfit("the Spark engine writes no report.", hint="Leave --report out, or --engine.")
    if wrong := [one for one in job.conf if "=" not in one]:
        raise SpecUnfit(f"{wrong[0]!r} is no setting of Spark.", hint="--conf spark.executor.memory=4g")
    began = time.perf_counter()
    with TemporaryDirectory(prefix="hub-match-", dir=job.work) as made:
        folder = Path(made).resolve()
        read = staged(job.files, folder / "staged", id_column=job.id_column, source_column=job.source_column)
        spec = spec_of(job, read.names, len(read.source_names))
        settings = dict(one.split("=", 1) for one in job.conf)
        with opened(job.master, folder, settings) as spark:
            found = match(spark, read, spec, lambda step: tell(f"{step}: {time.perf_counter() - began:.1f} s"))
            if found.left_out:
                tell(f"up to {found.left_out} records share a value that too many have, and met only neighbours by it.")
            counts = _write(job, spark, found)
    if job.propose:
        job.propose.write_text(proposal(found), "utf-8")
    return read.rows, len(np.unique(found.labels)), *counts, f"{time.perf_counter() - began:.1f}"


def _write(job: Job, spark: Spark, found: Found) -> tuple[int, int]:
    """Clusters in the order of the rows, pairs in that of their rows; gives the pairs and how many ask for review."""
    staged_rows = pyarrow.dataset.dataset(sorted((spark.folder / "staged").glob("*.parquet")))
    pieces = (
        pa.table({"record_id": piece["id"], "cluster_id": [f"c{head}" for head in found.labels[piece["row"]].tolist()]})
        for piece in map(pa.Table.from_batches, ([b] for b in staged_rows.to_batches(columns=["row", "id"])))
    )
    files.write_pieces(job.out, pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())]), pieces)
    scored, review = spark.read("scored"), F.lit(found.spec.review).cast("float")
    match = F.lit(found.spec.match).cast("float")
    asked = F.sum(((F.col("odds") >= review) & (F.col("odds") < match)).cast("int"))
    sums = scored.agg(F.count("*"), asked).first()
    if job.pairs:
        ids = spark.read("staged")
        shown = scored.where(F.col("odds") >= review).select("i", "j", "odds")
        for side, name in (("i", "id_l"), ("j", "id_r")):
            shown = shown.join(ids.select(F.col("row").alias(side), F.col("id").alias(name)), side)
        spark.kept(shown.sort("i", "j").select("id_l", "id_r", "odds"), "shown")
        parts = pyarrow.dataset.dataset(sorted((spark.folder / "shown").glob("*.parquet")))
        schema = pa.schema([("id_l", pa.string()), ("id_r", pa.string()), ("score", pa.float64())])
        files.write_pieces(job.pairs, schema, (_scored(pa.Table.from_batches([b])) for b in parts.to_batches()))
    return (int(sums[0]), int(sums[1] or 0)) if sums else (0, 0)


def _scored(piece: pa.Table) -> pa.Table:
    odds = np.asarray(piece["odds"]).astype(np.float64)
    score = np.round(1 / (1 + np.exp(-np.clip(odds, -40, 40))), 6)
    return pa.table({"id_l": piece["id_l"], "id_r": piece["id_r"], "score": score})
