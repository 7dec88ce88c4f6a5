"""Files in the systems' native shapes, and the truth beside them. Streaming: nothing is held."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO


class Writer:
    """The folder of one generated company: one file per system and kind of object."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written before it is entered as a context."""
        self.folder = folder
        self.records: Counter[tuple[str, str]] = Counter()
        self._stack = ExitStack()
        self._files: dict[str, TextIO] = {}
        self._tables: dict[str, csv.DictWriter[str]] = {}

    def __enter__(self) -> Self:
        """Open for writing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every file."""
        self._stack.close()

    def line(self, system: str, kind: str, content: Mapping[str, Any]) -> None:
        """Add a JSON line to a system's file."""
        json.dump(content, self._file(f"{system}/{kind}.jsonl"), ensure_ascii=False, separators=(",", ":"))
        self._file(f"{system}/{kind}.jsonl").write("\n")

    def row(self, system: str, kind: str, content: Mapping[str, str]) -> None:
        """Add a row to a system's CSV file; the first row's keys are the header."""
        path = f"{system}/{kind}.csv"
        if path not in self._tables:
            table = csv.DictWriter(self._file(path), list(content), delimiter=";", lineterminator="\n")
            table.writeheader()
            self._tables[path] = table
        self._tables[path].writerow(content)

    def truth(self, system: str, entity: str, key: str, thing: str) -> None:
        """Say what a source record truly is."""
        if not self._files.get("truth/clusters.csv"):
            self._file("truth/clusters.csv").write("system,entity,key,thing\n")
        self._file("truth/clusters.csv").write(f"{system},{entity},{key},{thing}\n")
        self.records[system, entity] += 1

    def case(self, name: str, expect: str, keys: list[str], words: str) -> None:
        """Name a hard case, the source keys in it, and what must come of it."""
        content = {"case": name, "expect": expect, "keys": keys, "words": words}
        self._file("truth/cases.jsonl").write(json.dumps(content, ensure_ascii=False) + "\n")

    def _file(self, path: str) -> TextIO:
        if path not in self._files:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = self._stack.enter_context(target.open("w", encoding="utf-8", newline=""))
        return self._files[path]
