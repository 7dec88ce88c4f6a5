"""Files in the systems' native shapes, and the truth beside them. Streaming: nothing is held."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

_BUFFER = 1 << 18


class Writer:
    """The folder of one generated company: one file per system and kind of object."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written before it is entered as a context."""
        self.folder = folder
        self.records: Counter[tuple[str, str]] = Counter()
        self._stack = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self._tables: dict[str, tuple[list[str], Any]] = {}

    def __enter__(self) -> Self:
        """Open for writing."""
        self._file("truth/clusters.csv").write(b"system,entity,key,thing\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every file."""
        self._stack.close()

    def line(self, system: str, kind: str, content: Mapping[str, Any]) -> None:
        """Add a JSON line to a system's file."""
        self._file(f"{system}/{kind}.jsonl").write(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))

    def row(self, system: str, kind: str, content: Mapping[str, str]) -> None:
        """Add a row to a system's CSV file; the first row's keys are the header of all."""
        path = f"{system}/{kind}.csv"
        if path not in self._tables:
            text = TextIOWrapper(self._file(path), encoding="utf-8", newline="", write_through=True)
            self._stack.callback(text.detach)
            self._tables[path] = list(content), csv.writer(text, delimiter=";", lineterminator="\n")
            self._tables[path][1].writerow(content)
        header, table = self._tables[path]
        if list(content) != header:
            raise ValueError(f"{path}: a row has other columns than the header")
        table.writerow(content.values())

    def truth(self, system: str, entity: str, key: str | int, thing: str) -> None:
        """Say what a source record truly is."""
        self._files["truth/clusters.csv"].write(f"{system},{entity},{key},{thing}\n".encode())
        self.records[system, entity] += 1

    def case(self, name: str, expect: str, keys: Sequence[str], words: str, **where: Any) -> None:
        """Name a hard case: the source keys in it, what must come of it, and in words why it is hard."""
        self.line(
            "truth", "cases", {"case": name, "expect": expect, "keys": list(keys), "where": where, "words": words}
        )

    def _file(self, path: str) -> BinaryIO:
        found = self._files.get(path)
        if found is None:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            found = self._files[path] = self._stack.enter_context(target.open("wb", buffering=_BUFFER))
        return found
