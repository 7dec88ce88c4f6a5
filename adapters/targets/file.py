"""A target that is a folder: JSON Lines, one file per batch, written aside and renamed when whole.

A batch sent again has no second file: each message in it is known by its key. What the folder holds
is what its files say, read in order; a reader never sees half a file.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from adapters.base import Capabilities, Found, Kept, Message, Receipt, Status, answer
from adapters.errors import TargetDamaged, TargetUnavailable
from adapters.ledger_words import WORDS, render
from canonical.record import GoldenRecord

_WORDS = ("key", "golden_id", "entity", "version", "action", "body")


class FileTarget:
    """A ledger that takes files from a folder."""

    entities = frozenset(WORDS)
    capabilities = Capabilities(native_upsert=True, stale_guard=True, batch=200, atomic_batch=True)

    def __init__(self, name: str, folder: Path) -> None:
        """A target in this folder; it is made when something is sent."""
        self.name, self.folder = name, folder
        self._files: set[str] = set()
        self._kept: dict[str, Kept] = {}
        self._sent: dict[str, bytes] = {}

    def check(self) -> str:
        """The folder, and how many records it holds."""
        self._load()
        return f"folder {self.folder}: {len(self._kept)} records"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Write what is new as one file, whole or not at all; one receipt per message, in order.

        Raises TargetUnavailable if the folder cannot be written, TargetDamaged if a file in it is not ours.
        """
        self._load()
        kept, sent = ChainMap[str, Kept]({}, self._kept), ChainMap[str, bytes]({}, self._sent)
        receipts, fresh = [], []
        for message in messages:
            receipt = answer(message, kept.get(message.golden_id), sent)
            receipts.append(receipt)
            if receipt.status in (Status.APPLIED, Status.UNCHANGED):
                fresh.append(message)
                kept[message.golden_id], sent[message.key] = Kept.of(message), message.body_hash
        if fresh:
            self._write(fresh)
            self._kept.update(kept.maps[0])
            self._sent.update(sent.maps[0])
        return receipts

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What is kept under these keys."""
        wanted = frozenset(golden_ids)
        return [found for found in self.read(entity) if found.golden_id in wanted]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:  # noqa: ARG002 (no times here)
        """What the folder holds of an entity, by golden id; deactivated records are left out."""
        self._load()
        for golden_id, kept in sorted(self._kept.items(), key=lambda one: one[0]):
            if kept.entity == entity and kept.body is not None:
                yield Found(entity, golden_id, golden_id, dict(kept.body), str(kept.version))

    def _write(self, messages: Sequence[Message]) -> None:
        keys = blake2b("\n".join(m.key for m in messages).encode(), digest_size=8).hexdigest()
        name = f"{len(self._files):06d}-{keys}.jsonl"
        aside = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as stream:
                for message in messages:
                    line = {word: getattr(message, word) for word in _WORDS}
                    stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                stream.flush()
                os.fsync(stream.fileno())
            aside.rename(self.folder / name)
            _settle(self.folder)
        except OSError as error:
            raise TargetUnavailable(f"{self.folder} cannot be written: {error.strerror}.") from error
        self._files.add(name)

    def _load(self) -> None:
        """Read the files that were written since, by this process or another."""
        try:
            for path in sorted(self.folder.glob("*.jsonl")):
                if path.name not in self._files:
                    with path.open("rb") as stream:
                        self._fold([_message(self.name, path, n, line) for n, line in enumerate(stream, 1)])
                    self._files.add(path.name)
        except OSError as error:
            raise TargetUnavailable(f"{self.folder} cannot be read: {error.strerror}.") from error

    def _fold(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._sent[message.key] = message.body_hash
            kept = self._kept.get(message.golden_id)
            if kept is None or kept.version <= message.version:
                self._kept[message.golden_id] = Kept.of(message)


def _message(target: str, path: Path, number: int, line: bytes) -> Message:
    try:
        said = orjson.loads(line)
        return Message(target, **{word: said[word] for word in _WORDS if word != "key"})
    except (orjson.JSONDecodeError, KeyError, TypeError):
        what = f"{path.name}:{number} is not a message of this target; nothing was sent."
        raise TargetDamaged(what, file=str(path), line=number) from None


def _settle(folder: Path) -> None:
    """Make the new name in the folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
