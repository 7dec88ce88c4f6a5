"""What was handed to a system that keeps no books for us: JSON Lines in a folder, one file per batch.

Each file is written aside, made to last, and renamed when whole. What the book holds is what its files
say, read in order; a reader never sees half a file, and a second process sees what the first wrote.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import orjson

from adapters.base import Found, Kept, Message, Receipt, Status, answer
from adapters.errors import TargetDamaged, TargetUnavailable

_STAGED = ".staged"
_WORDS = ("key", "golden_id", "entity", "version", "action", "body")


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that leave together: their number in the book, and when they were staged."""

    number: int
    messages: tuple[Message, ...]
    at: datetime

    @property
    def name(self) -> str:
        """Sorted by number, and the same whenever the same messages leave under it."""
        return f"{self.number:06d}-{batch_key(self.messages)}"


class Book:
    """A folder of batches."""

    def __init__(self, name: str, folder: Path) -> None:
        """The book of the target of that name; the folder is made when something is written."""
        self.name, self.folder = name, folder
        self._files: dict[str, tuple[str, ...]] = {}  # file → the keys of its messages
        self._kept: dict[str, Kept] = {}
        self._sent: dict[str, bytes] = {}

    def __len__(self) -> int:
        """How many golden records it knows."""
        return len(self._kept)

    @property
    def batches(self) -> int:
        """How many batches were written; the next one has this number."""
        return len(self._files)

    def judge(self, messages: Sequence[Message]) -> tuple[list[Receipt], list[Message]]:
        """One receipt per message, and the messages that are to be written; nothing is written yet."""
        kept, sent = ChainMap[str, Kept]({}, self._kept), ChainMap[str, bytes]({}, self._sent)
        receipts, fresh = [], []
        for message in messages:
            receipt = answer(message, kept.get(message.golden_id), sent)
            receipts.append(receipt)
            if receipt.status in (Status.APPLIED, Status.UNCHANGED):
                fresh.append(message)
                kept[message.golden_id], sent[message.key] = Kept.of(message), message.body_hash
        return receipts, fresh

    def write(self, messages: Sequence[Message]) -> None:
        """Keep one batch, whole or not at all. Raises TargetUnavailable."""
        if messages:
            name = f"{self.batches:06d}-{batch_key(messages)}.jsonl"
            put(self.folder, name, _lines(messages))
            self._files[name] = tuple(one.key for one in messages)
            self._fold(messages)

    def stage(self, messages: Sequence[Message]) -> Batch:
        """Write down what is about to leave, so that it leaves as this batch whatever happens meanwhile."""
        name = f"{self.batches:06d}-{batch_key(messages)}.jsonl{_STAGED}"
        put(self.folder, name, _lines(messages))
        return self._batch(self.folder / name)

    def staged(self) -> list[Batch]:
        """What was staged and, as far as the book knows, did not leave. Raises TargetDamaged."""
        return [self._batch(path) for path in sorted(self.folder.glob(f"*.jsonl{_STAGED}"))]

    def commit(self, batch: Batch) -> None:
        """Keep a staged batch: it has left."""
        name = f"{batch.name}.jsonl"
        (self.folder / f"{name}{_STAGED}").rename(self.folder / name)
        _settle(self.folder)
        self._files[name] = tuple(one.key for one in batch.messages)
        self._fold(batch.messages)

    def keys(self, number: int) -> tuple[str, ...]:
        """The keys of the messages of a batch, in order; none if there is no batch of that number."""
        return next((keys for name, keys in self._files.items() if int(name.split("-")[0]) == number), ())

    def read(self, entity: str) -> Iterator[Found]:
        """What stands there of an entity, by golden id; deactivated records are left out."""
        for golden_id, kept in sorted(self._kept.items(), key=lambda one: one[0]):
            if kept.entity == entity and kept.body is not None:
                yield Found(entity, golden_id, golden_id, dict(kept.body), str(kept.version))

    def load(self) -> None:
        """Read the batches that were written since, by this process or another.

        Raises TargetUnavailable if the folder cannot be read, TargetDamaged if a file in it is not ours.
        """
        try:
            for path in sorted(self.folder.glob("*.jsonl")):
                if path.name not in self._files:
                    messages = self._messages(path)
                    self._fold(messages)
                    self._files[path.name] = tuple(one.key for one in messages)
        except OSError as error:
            raise TargetUnavailable(f"{self.folder} cannot be read: {error.strerror}.") from error

    def _messages(self, path: Path) -> tuple[Message, ...]:
        with path.open("rb") as stream:
            return tuple(_message(self.name, path, number, line) for number, line in enumerate(stream, 1))

    def _batch(self, path: Path) -> Batch:
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Batch(int(path.name.split("-")[0]), self._messages(path), at)

    def _fold(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._sent[message.key] = message.body_hash
            kept = self._kept.get(message.golden_id)
            if kept is None or kept.version <= message.version:
                self._kept[message.golden_id] = Kept.of(message)


def batch_key(messages: Sequence[Message]) -> str:
    """16 letters that name a batch by the keys of its messages."""
    return blake2b("\n".join(one.key for one in messages).encode(), digest_size=8).hexdigest()


def put(folder: Path, name: str, content: bytes) -> None:
    """Write a file under a name that nobody reads, make it last, and rename it. Raises TargetUnavailable."""
    aside = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(folder / name)
        _settle(folder)
    except OSError as error:
        raise TargetUnavailable(f"{folder} cannot be written: {error.strerror}.") from error


def _lines(messages: Sequence[Message]) -> bytes:
    rows = ({word: getattr(one, word) for word in _WORDS} for one in messages)
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


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
