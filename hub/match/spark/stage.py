"""Files into a folder that all workers see: rows numbered as they stand, cleaned texts, a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from hub.errors import TableUnreadable
from hub.match import files
from hub.match.spark.session import array_of


@dataclass(frozen=True, slots=True)
class Staged:
    """What was read. Column number `k` of the names is called `c{k}` in the folder."""

    rows: int
    names: list[str]
    sources: NDArray[np.int32] | None  # of each row
    source_names: list[str]

    def at(self, name: str) -> str:
        """What a column is called in the folder."""
        return f"c{self.names.index(name)}"


def staged(paths: Sequence[Path], folder: Path, *, id_column: str | None, source_column: str | None) -> Staged:
    """Write the rows of all files as Parquet. Raises TableUnreadable, naming file and column."""
    folder.mkdir(parents=True)
    every = list(dict.fromkeys(name for path in paths for name in files.header(path)))
    for asked in filter(None, (id_column, source_column)):
        if asked not in every:
            raise TableUnreadable(f"there is no column {asked!r}; the columns are {', '.join(every)}.")
    names = [n for n in every if n not in (id_column, source_column)]
    known: dict[str, int] = {}
    sources: list[NDArray[np.int32]] = []
    rows = part = 0
    for path in paths:
        for frame in files.frames(path):
            size = len(frame)
            made = {"row": pa.array(np.arange(rows, rows + size)), "id": _ids(frame, id_column, rows)}
            if source_column or len(paths) > 1:
                codes = _sources(frame, source_column, path, known)
                sources.append(codes)
                made["source"] = pa.array(codes)
            for k, name in enumerate(names):
                found = files.column(frame, name) if name in frame.column_names else None
                made[f"c{k}"] = pa.nulls(size, pa.string()) if found is None else array_of(found)
            pyarrow.parquet.write_table(pa.table(made), folder / f"part-{part:06}.parquet")
            rows, part = rows + size, part + 1
    return Staged(rows, names, np.concatenate(sources) if sources else None, list(known))


def _ids(frame: pa.Table, id_column: str | None, start: int) -> pa.Array:
    if id_column is None:
        return pa.array([str(k) for k in range(start, start + len(frame))], pa.string())
    return pa.array(files.texts(frame, id_column), pa.string())


def _sources(frame: pa.Table, name: str | None, path: Path, known: dict[str, int]) -> NDArray[np.int32]:
    if name is None:
        return np.full(len(frame), known.setdefault(path.stem, len(known)), np.int32)
    found = files.column(frame, name)
    place = np.array([known.setdefault(text, len(known)) for text in found.texts] + [-1], np.int32)
    return place[found.codes]
