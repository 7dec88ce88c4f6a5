"""Files of JSON: one object a line, or an array of objects, read without holding the file."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from adapters.decode.strict import LONGEST, SHOWN, SPACE, TOO_LONG, Payload, decoded, refused
from adapters.errors import UnreadableFile

_READ = 1 << 18  # characters between two reads
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],"]', re.DOTALL)  # a lone quote is a text that is cut off
_PLAIN = json.JSONDecoder(parse_float=str, parse_int=str)  # only for where a value ends


def read_lines(stream: BinaryIO, _name: str) -> Iterator[Payload]:
    """One object a line."""
    for number, raw in enumerate(_bounded_lines(stream), 1):
        place = (number, f"line {number}")
        if len(raw) > LONGEST:
            yield refused(place, raw[:SHOWN].decode("utf-8", "ignore"), *TOO_LONG)
            continue
        try:
            text = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).decode("utf-8").strip()
        except UnicodeDecodeError as error:
            what = f"not UTF-8 at byte {error.start + 1} of the line"
            yield refused(place, raw.decode("utf-8", "replace"), "HUB-3101", what)
            continue
        if text:
            yield decoded(text, place)


def read_json(stream: BinaryIO, name: str) -> Iterator[Payload]:
    """The entries of an array, or objects in a row. What is malformed is passed over by its brackets."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        yield from _values(_Window(text), name)
    finally:
        text.detach()


def whole_object(text: str) -> bool:
    """Whether the text is one sound object and nothing else."""
    return _end_of_object(text, 0) == len(text)


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; one beyond the limit is cut to just above it, the rest of it read past without being held."""
    while raw := stream.readline(LONGEST + 1):
        yield raw
        while len(raw) > LONGEST and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST + 1)


def _values(window: _Window, name: str) -> Iterator[Payload]:
    first, number = window.skip(SPACE), 0
    if first not in ("[", "{", ""):
        raise UnreadableFile(f"{name}: a JSON file holds an object or an array of objects.", file=name)
    in_array = first == "["
    window.at += in_array
    while char := window.skip(SPACE + ","):
        if char == "]" and in_array:
            window.at += 1
            in_array = False
            continue
        number += 1
        piece, fits, whole = window.take()
        place = (number, f"$[{number - 1}]")
        if not fits:
            yield refused(place, piece, *TOO_LONG)
        elif not whole:
            yield refused(place, piece, "HUB-3102", "the record does not end; the file may be cut off")
            return
        else:
            yield decoded(piece, place)
    if in_array:
        yield refused((number + 1, "the end"), "", "HUB-3102", "the array does not end; the file may be cut off")


class _Window:
    """What is held of a JSON file: the text from the value that is being read."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.text, self.at = stream, "", 0

    def skip(self, blanks: str) -> str:
        """The first character that is none of these, not taken; nothing at the end of the file."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in blanks:
                    return self.text[self.at]
                self.at += 1
            if not self._more():
                return ""

    def take(self) -> tuple[str, bool, bool]:
        """The text of the value here (its start, if it is too long), whether it fits, whether it ended."""
        end = _end_of_object(self.text, self.at)
        if end is not None:
            return self._cut(end), True, True
        depth, seen = 0, 0  # `seen` counts from the value's start
        while True:
            end, depth, seen = _scan(self.text, self.at, depth, seen)
            if end is not None:
                return self._cut(end), True, True
            if len(self.text) - self.at > LONGEST:
                return self.text[self.at : self.at + SHOWN], False, self._pass_over(depth, seen)
            if not self._more():
                return self._cut(len(self.text)), True, False

    def _pass_over(self, depth: int, seen: int) -> bool:
        """Go to the end of a value without holding it; whether there is one."""
        while True:
            rest = self.text[self.at + seen :]
            if rest[:1] == '"':  # inside a text: only whether its end escapes the next character matters
                rest = '"' + "\\" * ((len(rest) - len(rest.rstrip("\\"))) % 2)
            self.text, self.at, seen = rest, 0, 0
            if not self._more():
                self.at = len(self.text)
                return False
            end, depth, seen = _scan(self.text, 0, depth, 0)
            if end is not None:
                self.at = end
                return True

    def _cut(self, end: int) -> str:
        piece, self.at = self.text[self.at : end].rstrip(), end
        return piece

    def _more(self) -> bool:
        chunk = self.stream.read(_READ)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)


def _scan(text: str, start: int, depth: int, seen: int) -> tuple[int | None, int, int]:
    """Where the value at `start` ends, or None; how deep we are, and how far from the start we have seen."""
    for found in _TOKEN.finditer(text, start + seen):
        mark = found[0]
        if mark == '"':
            return None, depth, found.start() - start
        if depth == 0 and mark in ",]}":
            return max(found.start(), start + 1), 0, 0
        depth += (mark in "{[") - (mark in "}]")
        seen = found.end() - start
        if depth == 0 and mark in "}]":
            return found.end(), 0, 0
    return None, depth, seen


def _end_of_object(text: str, start: int) -> int | None:
    """Where a sound object ends that is wholly here. Fast; says nothing of why it is not."""
    if text[start : start + 1] != "{":
        return None
    try:
        return _PLAIN.raw_decode(text, start)[1]
    except (json.JSONDecodeError, RecursionError):
        return None
