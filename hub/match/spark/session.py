"""A Spark session, tables between it and numpy, and steps that are set down in a folder all workers see."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from rules.match.columns import Column

Batches = Iterator[pa.RecordBatch]
Work = Callable[[pa.Table], Iterable[Mapping[str, Any]]]  # columns for a table; for nothing, no columns
BATCH = 100_000  # rows that Python sees at once


@dataclass(frozen=True, slots=True)
class Spark:
    """A session and the folder in which its steps are set down."""

    session: SparkSession
    folder: Path

    def kept(self, frame: DataFrame, name: str) -> DataFrame:
        """The frame, computed once and read again from the folder."""
        where = (self.folder / name).as_uri()
        frame.write.mode("overwrite").parquet(where)
        return self.read(name)

    def read(self, name: str) -> DataFrame:
        """What was set down under a name."""
        return self.session.read.parquet((self.folder / name).as_uri())

    def frame(self, **columns: NDArray[Any] | Sequence[str]) -> DataFrame:
        """A frame of the driver's arrays."""
        made = pa.table({name: pa.array(one) for name, one in columns.items()})
        return self.session.createDataFrame(made)


@contextmanager
def opened(master: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Spark]:
    """A session on the master, closed at the end. Workers run this same Python with this same path."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("concord-hub match")
    for name, value in (
        _DEFAULTS | {"spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | dict(settings)
    ).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    if "spark.sql.shuffle.partitions" not in settings:
        session.conf.set("spark.sql.shuffle.partitions", str(4 * max(session.sparkContext.defaultParallelism, 2)))
    try:
        yield Spark(session, folder)
    finally:
        session.stop()


_DEFAULTS = {
    "spark.sql.files.openCostInBytes": "65536",  # many small files are one partition
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH),
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
}


def mapped(frame: DataFrame, work: Work, schema: str, *, by: str | None = None) -> DataFrame:
    """The frame through a function over Arrow tables; rows of one value of `by` stand, and are seen, together."""
    names = [part.split()[0] for part in schema.split(", ")]

    def worked(batches: Batches) -> Batches:
        for table in _whole(batches, by) if by else (pa.Table.from_batches([b]) for b in batches if len(b)):
            for columns in work(table):
                arrays = [columns[n] if isinstance(columns[n], pa.Array) else pa.array(columns[n]) for n in names]
                for start in range(0, len(arrays[0]), BATCH):
                    yield pa.RecordBatch.from_arrays([a.slice(start, BATCH) for a in arrays], names=names)

    return frame.mapInArrow(worked, schema)


def _whole(batches: Batches, key: str) -> Iterator[pa.Table]:
    held: pa.Table | None = None
    for batch in batches:
        if not len(batch):
            continue
        table = pa.Table.from_batches([batch])
        held = table if held is None else pa.concat_tables([held, table])
        keys = numbers(held, key)
        before = np.flatnonzero(keys != keys[-1])
        if len(before):
            yield held.slice(0, int(before[-1]) + 1)
            held = held.slice(int(before[-1]) + 1)
    if held is not None:
        yield held


def numbers(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[Any]:
    """A column of numbers, without nulls."""
    return np.asarray(table.column(name))


def arrays(frame: DataFrame) -> dict[str, NDArray[Any]]:
    """A small frame of numbers in the driver."""
    table = frame.toArrow()
    return {name: numbers(table, name) for name in table.column_names}


def column_of(name: str, values: pa.ChunkedArray) -> Column:
    """An Arrow column of texts as distinct texts and codes."""
    coded = values.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return Column(name, coded.dictionary.to_pylist(), np.asarray(coded.indices.fill_null(-1)).astype(np.int32))


def array_of(column: Column) -> pa.Array:
    """Distinct texts and codes as an Arrow column of texts."""
    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.array(column.texts, pa.string()).take(codes)
