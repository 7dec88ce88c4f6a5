"""The strict edge: bytes of a file into payloads, one by one, flat in memory.

CSV, JSON Lines and JSON (an array of objects, or objects one after the other). What one of the
databases would not take, or what two readers would read differently, is refused here: doubled keys,
NaN, NUL, lone surrogates, numbers out of range, too deep, too wide, too long. A bad record is a
finding with its place; the rest of the file goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from adapters.decode.json_files import read_json, read_lines, whole_object
from adapters.decode.strict import DEEPEST, LONGEST, MOST_CELLS, SPACE, WIDEST, Payload, decode
from adapters.decode.tables import read_table
from adapters.errors import UnreadableFile

__all__ = ["DEEPEST", "LONGEST", "MOST_CELLS", "WIDEST", "Payload", "decode", "read_payloads"]

_READERS: dict[str, Callable[[BinaryIO, str], Iterator[Payload]]] = {
    "csv": read_table,
    "jsonl": read_lines,
    "json": read_json,
}
_ENDINGS = {"csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}
_FOREIGN = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "ZIP (perhaps a workbook)",
    b"\x1f\x8b": "gzip",
}


def read_payloads(file: Path | BinaryIO, form: str | None = None) -> Iterator[Payload]:
    """The payloads of a file, or of a seekable stream (left open), in order.

    The form is csv, jsonl or json; without one it is taken from the ending, else from the first bytes.
    Raises UnreadableFile if it cannot be opened or read at all. An empty file has no payloads.
    """
    if not isinstance(file, Path):
        yield from _read(file, "the stream", form or _form_of(file, ""))
        return
    try:
        with file.open("rb") as stream:
            yield from _read(stream, file.name, form or _form_of(stream, file.suffix))
    except OSError as error:
        raise UnreadableFile(f"{file}: {error.strerror}.", file=str(file)) from error


def _read(stream: BinaryIO, name: str, form: str) -> Iterator[Payload]:
    reader = _READERS.get(form)
    if reader is None:
        raise UnreadableFile(f"{name}: {form!r} is not a form that is read here.", file=name)
    start = stream.tell()
    head = stream.read(4)
    stream.seek(start)
    for mark, kind in _FOREIGN.items():
        if head.startswith(mark):
            raise UnreadableFile(f"{name} is {kind}, not UTF-8 text.", file=name)
    return reader(stream, name)


def _form_of(stream: BinaryIO, ending: str) -> str:
    ending = ending.lower().lstrip(".")
    if ending in _ENDINGS or ending not in ("", "json"):
        return _ENDINGS.get(ending, ending)
    start = stream.tell()
    first = stream.readline(LONGEST).decode("utf-8", "replace").strip(SPACE)
    stream.seek(start)
    if first.startswith("{"):  # a whole object in the first line: one object a line, whatever the ending says
        return "jsonl" if whole_object(first) else "json"
    return "json" if first.startswith("[") or ending == "json" else "csv"
