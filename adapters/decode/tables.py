"""Tables: CSV with any of the usual delimiters, quoted line breaks, and one row after the other.

A quote that is never closed would swallow the rows that follow it. Then its first line is refused and
the others are read again, each as a row of its own.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Self, TextIO

import orjson

from adapters.decode.strict import LONGEST, SHOWN, TOO_LONG, WIDEST, Payload, Place, Refused, encodes, refused
from adapters.errors import UnreadableFile
from canonical.findings import Finding, Severity

_SIGNS = frozenset("=+-@\t\r")  # by which a spreadsheet knows a formula
_HARMLESS = re.compile(r"[+-][\d\s().,/-]*(?:(?:x|ext)\.?\s*\d+)?", re.IGNORECASE)  # a signed or a phone number


def read_table(stream: BinaryIO, name: str) -> Iterator[Payload]:
    """The rows under a header, each cell as text. Raises UnreadableFile for a header that names nothing."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _rows(_Feed(text), name)
    finally:
        text.detach()


class _Feed:
    """Physical lines for the CSV reader: bounded, and those of the row being read kept, to go back to."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.line, self.size = text, 0, 0
        self.taken: list[str] = []
        self.back: deque[str] = deque()
        self.suspect = 0  # up to this line, rows are what is left after a quote that did not close

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self.back.popleft() if self.back else self.text.readline(LONGEST + 1)
        if not line:
            raise StopIteration
        self.taken.append(line)
        self.size += len(line)
        if len(line) > LONGEST:
            self._pass_over(line)
        if self.size > LONGEST:
            raise Refused(*TOO_LONG)
        return line

    def begin(self) -> int:
        """Start a row; the number of its first line."""
        self.line += len(self.taken)
        self.taken, self.size = [], 0
        return self.line + 1

    def give_back(self) -> None:
        """All lines of a bad row but the first are read again, as rows of their own."""
        self.suspect = max(self.suspect, self.line + len(self.taken))
        self.back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def _pass_over(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self.text.readline(LONGEST)


def _rows(feed: _Feed, name: str) -> Iterator[Payload]:
    header, rows = _header(feed, name)
    while header:
        line = feed.begin()
        place = (line, f"line {line}")
        try:
            cells = next(rows)
        except StopIteration:
            return
        except (csv.Error, Refused) as error:
            code = error.code if isinstance(error, Refused) and len(feed.taken) == 1 else "HUB-3105"
            words = str(error) if code == "HUB-3103" else "a quote that does not pair"
            feed.give_back()
            yield refused(place, feed.taken[0][:SHOWN], code, words)
            continue
        if cells:
            yield _row(header, cells, place, feed)


def _header(feed: _Feed, name: str) -> tuple[list[str], Iterator[list[str]]]:
    """The names of the columns, and the rows that follow; none if nothing is in the file."""
    try:
        first = "\n"
        while not first.strip():
            feed.begin()
            first = next(feed, "")
            if not first:
                return [], iter(())
        feed.back.appendleft(feed.taken.pop())
        delimiter = max(",;\t|", key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST + 1))
        feed.begin()
        rows = csv.reader(feed, delimiter=delimiter, strict=True)
        header = [cell.strip() for cell in next(rows)]
    except (csv.Error, Refused) as error:
        raise UnreadableFile(f"{name}: the header cannot be read: {error}.", file=name) from None
    fault = _fault_of(header)
    if fault:
        raise UnreadableFile(f"{name}:{feed.line + 1} the header {fault}.", file=name, line=feed.line + 1)
    return header, rows


def _fault_of(header: list[str]) -> str:
    doubled = next((one for place, one in enumerate(header) if one in header[:place]), "")
    if not all(header):
        return "is blank" if not any(header) else f"does not name column {header.index('') + 1}"
    if doubled:
        return f"names the column {doubled!r} twice"
    if any("\0" in one or not encodes(one) for one in header):
        return "is not UTF-8"
    return f"names {len(header)} columns; at most {WIDEST} are read" if len(header) > WIDEST else ""


def _row(header: list[str], cells: list[str], place: Place, feed: _Feed) -> Payload:
    content = dict(zip(header, cells, strict=False))
    raw = feed.taken[0] if len(feed.taken) == 1 else "".join(feed.taken)
    try:
        body = orjson.dumps(content).decode()
    except TypeError:  # what is not UTF-8 was let through as lone surrogates
        return refused(place, raw, "HUB-3101", "not UTF-8")
    if len(cells) != len(header):
        return refused(place, body, "HUB-3105", f"{len(cells)} cells under a header of {len(header)}")
    if "\0" in raw:
        return refused(place, raw, "HUB-3104", "a NUL character")
    if place[0] <= feed.suspect and raw.count('"') % 2:
        return refused(place, body, "HUB-3105", "a quote that does not pair")
    formulas = tuple(
        Finding("HUB-3106", "starts like a spreadsheet formula", Severity.WARNING, name, place[1])
        for name, cell in content.items()
        if cell[:1] in _SIGNS and cell and not _HARMLESS.fullmatch(cell)
    )
    return Payload(place[0], body, content, formulas)
