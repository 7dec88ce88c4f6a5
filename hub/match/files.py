"""Tables in and out: CSV, JSON Lines and Parquet by pyarrow, read as texts, column by column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from hub.errors import TableUnreadable
from rules.match import normal
from rules.match.columns import Column, Table

_FILE = "\0file"  # a column of our own: no header can hold its name
KINDS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}


def read(paths: Sequence[Path], *, id_column: str | None, source_column: str | None) -> Table:
    """The rows of all files, one after the other. Raises TableUnreadable, naming file and column.

    Without `id_column` a row is named by its number from 0; without `source_column`, and with several
    files, a row's source is its file.
    """
    frames = [_frame(path) for path in paths]
    named = [
        f.append_column(_FILE, pa.array([p.stem] * len(f), pa.string())) for f, p in zip(frames, paths, strict=True)
    ]
    whole = pa.concat_tables(named, promote_options="permissive")
    for asked in (id_column, source_column):
        if asked and asked not in whole.column_names:
            raise TableUnreadable(
                f"there is no column {asked!r}; the columns are {', '.join(whole.column_names[:-1])}."
            )
    ids = _texts(whole.column(id_column)) if id_column else [str(k) for k in range(len(whole))]
    by = source_column or (_FILE if len(paths) > 1 else None)
    sources = _column(whole, by) if by else None
    columns = {n: _column(whole, n) for n in whole.column_names if n not in (id_column, source_column, _FILE)}
    return Table(ids, columns, sources.codes if sources else None, sources.texts if sources else ())


def _frame(path: Path) -> pa.Table:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise TableUnreadable(f"{path.name}: a table ends in {', '.join(KINDS)}.")
    if not path.is_file():
        raise TableUnreadable(f"{path}: there is no such file.")
    try:
        if kind == "parquet":
            return pyarrow.parquet.read_table(path)
        if kind == "jsonl":
            return pyarrow.json.read_json(path)
        return _csv(path, "\t" if kind == "tsv" else ",")
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError) as problem:
        raise TableUnreadable(f"{path.name}: {str(problem).splitlines()[0]}") from None


def _csv(path: Path, delimiter: str) -> pa.Table:
    """Every column as text, whatever it looks like; quoted line breaks are allowed."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        header = next(csv.reader(opened, delimiter=delimiter), [])
    if not header:
        raise TableUnreadable(f"{path.name}: the file is empty; its first line names the columns.")
    if len(set(header)) < len(header):
        raise TableUnreadable(f"{path.name}: two columns have the same name.")
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )


def _texts(values: pa.ChunkedArray) -> list[str]:
    return ["" if v is None else v for v in pc.cast(values, pa.string()).to_pylist()]


def _column(whole: pa.Table, name: str) -> Column:
    """The column as distinct cleaned texts and codes; numbers and dates are read as they are written."""
    values = whole.column(name)
    if pa.types.is_nested(values.type):
        values = pa.chunked_array([pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())])
    coded = pc.cast(values, pa.string()).combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    texts = normal.cleaned(coded.dictionary.to_pylist())
    codes = np.asarray(coded.indices.fill_null(-1)).astype(np.int32)
    return Column(name, texts, codes).map(name, texts)


def write(path: Path, header: Sequence[str], columns: Sequence[Iterable[object]]) -> None:
    """A table of equal-long columns as CSV or Parquet, by the file's ending."""
    made = pa.table({name: pa.array(list(values)) for name, values in zip(header, columns, strict=True)})
    if path.suffix.lower() in (".parquet", ".pq"):
        pyarrow.parquet.write_table(made, path)
    else:
        pyarrow.csv.write_csv(made, path, pyarrow.csv.WriteOptions(quoting_style="needed"))
