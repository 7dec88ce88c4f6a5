"""Tables in and out: CSV, JSON Lines and Parquet by pyarrow, read as texts, column by column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
PIECE, BLOCK = 100_000, 1 << 24  # rows and bytes read at once, where a table is read in pieces
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
    ids = texts(whole, id_column) if id_column else [str(k) for k in range(len(whole))]
    by = source_column or (_FILE if len(paths) > 1 else None)
    sources = column(whole, by) if by else None
    columns = {n: column(whole, n) for n in whole.column_names if n not in (id_column, source_column, _FILE)}
    return Table(ids, columns, sources.codes if sources else None, sources.texts if sources else ())


def _kind(path: Path) -> str:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise TableUnreadable(f"{path.name}: a table ends in {', '.join(KINDS)}.")
    if not path.is_file():
        raise TableUnreadable(f"{path}: there is no such file.")
    return kind


def _frame(path: Path) -> pa.Table:
    kind = _kind(path)
    try:
        if kind == "parquet":
            return pyarrow.parquet.read_table(path)
        if kind == "jsonl":
            return pyarrow.json.read_json(path)
        return _csv(path, "\t" if kind == "tsv" else ",", pyarrow.csv.read_csv)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError) as problem:
        raise TableUnreadable(f"{path.name}: {str(problem).splitlines()[0]}") from None


def _csv(path: Path, delimiter: str, read: Callable[..., Any], **block: int) -> Any:
    """What pyarrow reads, whole or in pieces: columns are texts whatever they look like; line breaks may be quoted."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        header = next(csv.reader(opened, delimiter=delimiter), [])
    if not header:
        raise TableUnreadable(f"{path.name}: the file is empty; its first line names the columns.")
    if len(set(header)) < len(header):
        raise TableUnreadable(f"{path.name}: two columns have the same name.")
    return read(
        path,
        read_options=pyarrow.csv.ReadOptions(**block),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )


def header(path: Path) -> list[str]:
    """The names of a file's columns. Raises TableUnreadable."""
    return list(next(iter(frames(path))).column_names)


def frames(path: Path) -> Iterator[pa.Table]:
    """The rows of a file, `PIECE` or so at a time where its kind allows; one empty piece at least."""
    kind = _kind(path)
    try:
        if kind == "parquet":
            opened = pyarrow.parquet.ParquetFile(path)
            pieces, schema = opened.iter_batches(PIECE), opened.schema_arrow
        elif kind == "jsonl":
            whole = pyarrow.json.read_json(path)
            pieces, schema = whole.to_batches(PIECE), whole.schema
        else:
            pieces = _csv(path, "\t" if kind == "tsv" else ",", pyarrow.csv.open_csv, block_size=BLOCK)
            schema = pieces.schema
        yield schema.empty_table()
        for piece in pieces:
            yield pa.Table.from_batches([piece])
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError) as problem:
        raise TableUnreadable(f"{path.name}: {str(problem).splitlines()[0]}") from None


def texts(whole: pa.Table, name: str) -> list[str]:
    """A column as it is written, silence as an empty text."""
    return ["" if v is None else v for v in pc.cast(whole.column(name), pa.string()).to_pylist()]


def column(whole: pa.Table, name: str) -> Column:
    """A column as distinct cleaned texts and codes; numbers and dates are read as they are written."""
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
    write_pieces(path, made.schema, [made])


def write_pieces(path: Path, schema: pa.Schema, pieces: Iterable[pa.Table]) -> None:
    """A table that comes in pieces as CSV or Parquet, by the file's ending."""
    if path.suffix.lower() in (".parquet", ".pq"):
        opened = pyarrow.parquet.ParquetWriter(path, schema)
    else:
        opened = pyarrow.csv.CSVWriter(path, schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed"))
    with opened as writer:
        for piece in pieces:
            writer.write_table(piece)
