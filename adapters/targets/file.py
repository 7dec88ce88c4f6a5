"""A target that is a folder: JSON Lines, one file per batch, written aside and renamed when whole.

A batch sent again has no second file: each message in it is known by its key. What the folder holds
is what its files say, read in order; a reader never sees half a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.base import Capabilities, Found, Message, Receipt
from adapters.book import Book
from adapters.ledger_words import WORDS, render
from canonical.record import GoldenRecord


class FileTarget:
    """A ledger that takes files from a folder."""

    entities = frozenset(WORDS)
    capabilities = Capabilities(native_upsert=True, stale_guard=True, batch=200, atomic_batch=True)

    def __init__(self, name: str, folder: Path) -> None:
        """A target in this folder; it is made when something is sent."""
        self.name, self.folder = name, folder
        self._book = Book(name, folder)

    def check(self) -> str:
        """The folder, and how many records it holds."""
        self._book.load()
        return f"folder {self.folder}: {len(self._book)} records"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Write what is new as one file, whole or not at all; one receipt per message, in order.

        Raises TargetUnavailable if the folder cannot be written, TargetDamaged if a file in it is not ours.
        """
        self._book.load()
        receipts, fresh = self._book.judge(messages)
        self._book.write(fresh)
        return receipts

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What is kept under these keys."""
        wanted = frozenset(golden_ids)
        return [found for found in self.read(entity) if found.golden_id in wanted]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:  # noqa: ARG002 (no times here)
        """What the folder holds of an entity, by golden id; deactivated records are left out."""
        self._book.load()
        yield from self._book.read(entity)
