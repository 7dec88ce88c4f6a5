"""A target that is a folder: JSON Lines, one file per batch, written aside and renamed when whole.

A file is named after the keys of its messages, so the same batch sent again is the same file. What
the folder holds is what its files say, read in order; a reader never sees half a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from adapters.base import Message, Receipt, Status
from adapters.errors import TargetUnavailable
from adapters.ledger_words import WORDS, render
from canonical.record import GoldenRecord


class FileTarget:
    """A ledger that takes files from a folder."""

    entities = frozenset(WORDS)

    def __init__(self, name: str, folder: Path) -> None:
        """A target in this folder; it is made when something is sent."""
        self.name, self.folder = name, folder
        self._files: set[str] = set()
        self._kept: dict[str, dict[str, Any]] = {}
        self._seen: set[str] = set()

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Write what is new as one file; one receipt per message. Raises TargetUnavailable if it cannot."""
        self._load()
        receipts = [self._answer(message) for message in messages]
        fresh = [m for m, receipt in zip(messages, receipts, strict=True) if receipt.status is Status.APPLIED]
        if fresh:
            try:
                self._write(fresh)
            except OSError as error:
                raise TargetUnavailable(f"{self.folder} cannot be written: {error.strerror}.") from error
        return receipts

    def read(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the folder holds of an entity, by golden id; deactivated records are left out."""
        self._load()
        for golden_id, line in sorted(self._kept.items()):
            if line["entity"] == entity and line["action"] != "deactivate":
                yield golden_id, line["body"]

    def _answer(self, message: Message) -> Receipt:
        if message.key in self._seen:
            return Receipt(Status.REPLAYED, message.golden_id)
        kept = self._kept.get(message.golden_id)
        if kept is not None and kept["version"] > message.version:
            return Receipt(Status.REJECTED, message.golden_id, "stale", f"version {kept['version']} is here already")
        return Receipt(Status.APPLIED, message.golden_id)

    def _write(self, messages: Sequence[Message]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        keys = blake2b("\n".join(m.key for m in messages).encode(), digest_size=8).hexdigest()
        name = f"{len(self._files):06d}-{keys}.jsonl"
        lines = [
            {
                "key": m.key,
                "golden_id": m.golden_id,
                "entity": m.entity,
                "version": m.version,
                "action": m.action,
                "body": m.body,
            }
            for m in messages
        ]
        aside = self.folder / f".{name}.part"
        with aside.open("wb") as stream:
            stream.writelines(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(self.folder / name)
        self._files.add(name)
        for line in lines:
            self._fold(line)

    def _load(self) -> None:
        """Read the files that were written since, by this process or another."""
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.name not in self._files:
                with path.open("rb") as stream:
                    for line in stream:
                        self._fold(orjson.loads(line))
                self._files.add(path.name)

    def _fold(self, line: dict[str, Any]) -> None:
        self._seen.add(line["key"])
        kept = self._kept.get(line["golden_id"])
        if kept is None or kept["version"] <= line["version"]:
            self._kept[line["golden_id"]] = line
