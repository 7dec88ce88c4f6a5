"""A target in this process's memory: real in every promise, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapters.base import Message, Receipt, Status
from adapters.ledger_words import WORDS, render
from canonical.record import GoldenRecord


class MemoryTarget:
    """Keeps what it is sent. `fault` may answer for it, or raise, to play a target in trouble."""

    entities = frozenset(WORDS)

    def __init__(self, name: str = "memory", fault: Callable[[Message], Receipt | None] | None = None) -> None:
        """An empty target."""
        self.name = name
        self.fault = fault
        self.effects = 0  # how often something was changed
        self._seen: set[str] = set()
        self._kept: dict[str, tuple[str, int, dict[str, Any] | None]] = {}

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order."""
        return [self._take(message) for message in messages]

    def read(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is kept and active of an entity, by golden id."""
        for golden_id, (kind, _, body) in sorted(self._kept.items()):
            if kind == entity and body is not None:
                yield golden_id, body

    def _take(self, message: Message) -> Receipt:
        answer = self.fault(message) if self.fault else None
        if answer is not None:
            return answer
        if message.key in self._seen:
            return Receipt(Status.REPLAYED, message.golden_id)
        _, version, _ = self._kept.get(message.golden_id, ("", 0, None))
        if message.version < version:
            return Receipt(Status.REJECTED, message.golden_id, "stale", f"version {version} is here already")
        body = None if message.action == "deactivate" else dict(message.body)
        self._kept[message.golden_id] = (message.entity, message.version, body)
        self._seen.add(message.key)
        self.effects += 1
        return Receipt(Status.APPLIED, message.golden_id)
