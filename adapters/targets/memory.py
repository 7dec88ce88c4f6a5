"""A target in this process's memory: real in every promise, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from adapters.base import Capabilities, Found, Kept, Message, Receipt, Status, answer
from adapters.errors import UnknownOutcome
from adapters.ledger_words import WORDS, render
from canonical.record import GoldenRecord


class MemoryTarget:
    """Keeps what it is sent, and can play a target in trouble.

    `fault` may answer for it or raise, before anything is kept; where `cut` is true, the connection is
    lost after the message was kept.
    """

    entities = frozenset(WORDS)
    capabilities = Capabilities(native_upsert=True, stale_guard=True, batch=200, parallel=4)

    def __init__(
        self,
        name: str = "memory",
        fault: Callable[[Message], Receipt | None] | None = None,
        *,
        cut: Callable[[Message], bool] | None = None,
    ) -> None:
        """An empty target."""
        self.name = name
        self.fault, self.cut = fault, cut
        self.effects = 0  # how often something was changed
        self._sent: dict[str, bytes] = {}
        self._kept: dict[str, Kept] = {}
        self._turn = Lock()

    def check(self) -> str:
        """How many records are kept."""
        return f"memory: {len(self._kept)} records"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order. Raises UnknownOutcome when the connection is cut."""
        return [self._take(message) for message in messages]

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What is kept under these keys."""
        wanted = frozenset(golden_ids)
        return [found for found in self.read(entity) if found.golden_id in wanted]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:  # noqa: ARG002 (no times here)
        """What is kept and active of an entity, by golden id."""
        for golden_id, kept in sorted(self._kept.items(), key=lambda one: one[0]):
            if kept.entity == entity and kept.body is not None:
                yield Found(entity, golden_id, golden_id, dict(kept.body), str(kept.version))

    def _take(self, message: Message) -> Receipt:
        said = self.fault(message) if self.fault else None
        if said is not None:
            return said
        with self._turn:
            receipt = answer(message, self._kept.get(message.golden_id), self._sent)
            if receipt.status in (Status.APPLIED, Status.UNCHANGED):
                self._kept[message.golden_id] = Kept.of(message)
                self._sent[message.key] = message.body_hash
                self.effects += receipt.status is Status.APPLIED
        if self.cut is not None and self.cut(message):
            raise UnknownOutcome(f"{self.name} took {message.golden_id}, and its answer was lost.")
        return receipt
