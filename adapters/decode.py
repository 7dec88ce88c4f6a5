"""The strict edge: bytes of a file into payloads, one by one, flat in memory.

CSV, JSON Lines and JSON (an array of objects, or one object). What one of the databases would not
take, or what two readers would read differently, is refused here: doubled keys, NaN, NUL, lone
surrogates, numbers out of range, too deep, too wide, too long. A bad row is a finding with its place;
the rest of the file goes on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from adapters.errors import UnreadableFile
from canonical.findings import Finding, Severity

LONGEST = 1 << 20  # bytes of one payload
DEEPEST = 32
WIDEST = 256  # keys of one object
MOST_CELLS = 10_000  # entries of one list


@dataclass(frozen=True, slots=True)
class Payload:
    """One record as received. `content` is None when it could not be read, and a finding says why."""

    line: int
    body: str
    content: dict[str, Any] | None
    findings: tuple[Finding, ...] = ()


def read_payloads(path: Path, form: str | None = None) -> Iterator[Payload]:
    """The payloads of a file in its order. Raises UnreadableFile if it cannot be opened or has no known form."""
    form = form or _form_of(path)
    reader = {"csv": _csv, "jsonl": _lines, "json": _json}.get(form)
    if reader is None:
        raise UnreadableFile(f"{path.name}: {form!r} is not a form that is read here.", file=str(path))
    try:
        with path.open("rb") as stream:
            yield from reader(stream, path.name)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}.", file=str(path)) from error


def decode(text: str, line: int) -> Payload:
    """One JSON object, strictly."""
    try:
        content = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_object
        )
        if not isinstance(content, dict):
            raise _Refused("HUB-3102", "a payload is one JSON object")
        _sound(content, 1)
    except _Refused as refused:
        return _refused(line, text, refused.code, str(refused))
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        code = "HUB-3102" if isinstance(error, json.JSONDecodeError) else "HUB-3103"
        return _refused(line, text, code, f"not JSON{where}" if where else "nested too deeply")
    return Payload(line, text, content)


class _Refused(Exception):
    """A payload that no store should see."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def _form_of(path: Path) -> str:
    ending = path.suffix.lower().lstrip(".")
    if ending in ("jsonl", "ndjson"):
        return "jsonl"
    return {"csv": "csv", "tsv": "csv", "txt": "csv", "json": "json"}.get(ending, ending)


def _lines(stream: BinaryIO, _name: str) -> Iterator[Payload]:
    for number, raw in enumerate(_bounded_lines(stream), 1):
        if raw is None:
            yield _refused(number, "", "HUB-3103", f"longer than {LONGEST} bytes")
            continue
        text = _text(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
        if text is None:
            yield _refused(number, raw.decode("utf-8", "replace").replace("\0", "\ufffd"), "HUB-3101", "not UTF-8")
        elif text.strip():
            yield decode(text.strip(), number)


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines; None for one beyond the limit, which is read past without being held."""
    while raw := stream.readline(LONGEST + 1):
        if len(raw) <= LONGEST:
            yield raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST)
        yield None


def _json(stream: BinaryIO, name: str) -> Iterator[Payload]:
    """An array's objects one after the other without holding the array, or the one object."""
    with io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="") as text:
        yield from _values(text, name)


def _values(text: TextIO, name: str) -> Iterator[Payload]:
    buffer, number, scanner = text.read(LONGEST).lstrip("\ufeff \t\r\n"), 0, json.JSONDecoder()
    if buffer[:1] not in ("[", "{", ""):
        raise UnreadableFile(f"{name}: a JSON file holds an object or an array of objects.", file=name)
    single, buffer = buffer[:1] == "{", buffer.removeprefix("[")
    while True:
        buffer = buffer.lstrip(" \t\r\n,")
        if not buffer or buffer[0] == "]":
            more = text.read(LONGEST) if not buffer else ""
            if not more:
                return
            buffer += more
            continue
        number += 1
        end = _end_of_value(scanner, buffer)
        while end is None and len(buffer) <= 4 * LONGEST and (more := text.read(LONGEST)):
            buffer += more
            end = _end_of_value(scanner, buffer)
        piece = buffer[: end or len(buffer)]
        yield _piece(piece, number)
        if end is None or single:
            return
        buffer = buffer[end:]


def _end_of_value(scanner: json.JSONDecoder, buffer: str) -> int | None:
    """Where the value at the start of the text ends, or None while it is not whole."""
    try:
        return scanner.raw_decode(buffer)[1]
    except (json.JSONDecodeError, RecursionError):
        return None


def _piece(piece: str, number: int) -> Payload:
    if len(piece) > LONGEST:
        return _refused(number, piece[:1000], "HUB-3103", f"longer than {LONGEST} characters")
    if any("\udc80" <= c <= "\udcff" for c in piece):
        return _refused(number, piece.encode("utf-8", "replace").decode(), "HUB-3101", "not UTF-8")
    return decode(piece, number)


def _csv(stream: BinaryIO, name: str) -> Iterator[Payload]:
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield from _rows(text, name)


def _rows(text: TextIO, name: str) -> Iterator[Payload]:
    start = text.readline(LONGEST)
    if not start:
        return
    delimiter = max(",;\t|", key=start.count)
    csv.field_size_limit(LONGEST)
    rows = csv.reader(_Again(start, text), delimiter=delimiter, strict=True)
    header = [cell.strip() for cell in next(rows)]
    if len(set(header)) != len(header) or not all(header):
        raise UnreadableFile(f"{name}:1 the header names a column twice or not at all.", file=name, line=1)
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield _refused(line, "", "HUB-3103" if "limit" in str(error) else "HUB-3105", str(error))
            continue
        if cells:
            yield _row(header, cells, line)


class _Again:
    """The lines of a file of which the first was read already."""

    def __init__(self, first: str, rest: TextIO) -> None:
        self.first: str | None = first
        self.rest = rest

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.first is not None:
            line, self.first = self.first, None
            return line
        return next(self.rest)


def _row(header: list[str], cells: list[str], line: int) -> Payload:
    body = json.dumps(dict(zip(header, cells, strict=False)), ensure_ascii=False)
    if any("\udc80" <= c <= "\udcff" for c in body):
        return _refused(line, body.encode("utf-8", "replace").decode(), "HUB-3101", "not UTF-8")
    if len(cells) != len(header):
        return _refused(line, body, "HUB-3105", f"{len(cells)} cells under a header of {len(header)}")
    if "\\u0000" in body:
        return _refused(line, body.replace("\\u0000", "\ufffd"), "HUB-3104", "a NUL character")
    formulas = tuple(
        Finding("HUB-3106", "starts like a spreadsheet formula", Severity.INFO, name, f"line {line}")
        for name, cell in zip(header, cells, strict=True)
        if cell[:1] in ("=", "@") or (cell[:1] in ("+", "-") and not _is_number(cell))
    )
    return Payload(line, body, dict(zip(header, cells, strict=True)), formulas)


def _is_number(cell: str) -> bool:
    return cell[1:].strip().replace(" ", "").replace("-", "").replace(".", "").replace(",", "").replace(
        "(", ""
    ).replace(")", "").isdigit() or cell in ("-", "+")


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _refused(line: int, body: str, code: str, message: str) -> Payload:
    kept = body[:LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return Payload(line, kept, None, (Finding(code, message, Severity.ERROR, place=f"line {line}"),))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _Refused("HUB-3102", "a key stands twice in one object")
    if len(content) > WIDEST:
        raise _Refused("HUB-3103", f"an object with {len(content)} keys; at most {WIDEST}")
    return content


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if abs(number.adjusted()) > 18 or not isinstance(exponent, int) or exponent < -18:
        raise _Refused("HUB-3107", "a number with more than 18 digits before or after the point")
    return number


def _integer(text: str) -> int:
    if len(text) > 19:
        raise _Refused("HUB-3107", "a number with more than 18 digits")
    return int(text)


def _no_constant(word: str) -> Any:
    raise _Refused("HUB-3102", f"{word} is not JSON")


def _sound(node: Any, depth: int) -> None:
    """Refuse what the stores would not take: too deep, too many entries, NUL, lone surrogates."""
    if depth > DEEPEST:
        raise _Refused("HUB-3103", f"nested more than {DEEPEST} levels")
    if isinstance(node, str):
        if "\0" in node or any("\ud800" <= c <= "\udfff" for c in node):
            raise _Refused("HUB-3104", "a NUL character or half a character pair")
    elif isinstance(node, dict):
        for key, value in node.items():
            _sound(key, depth)
            _sound(value, depth + 1)
    elif isinstance(node, list):
        if len(node) > MOST_CELLS:
            raise _Refused("HUB-3103", f"a list of {len(node)} entries; at most {MOST_CELLS}")
        for value in node:
            _sound(value, depth + 1)
