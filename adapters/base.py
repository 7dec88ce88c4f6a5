"""What a source and a target are: the two protocols, and the letters that pass through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Protocol

import orjson

from canonical.findings import Finding
from canonical.record import GoldenRecord, SourceRecord


@dataclass(frozen=True, slots=True)
class Translation:
    """What a payload was translated to. Without records it is rejected, and a finding says why."""

    system: str
    entity: str  # of the first record, or what the mapping could tell
    records: tuple[SourceRecord, ...]
    findings: tuple[Finding, ...]


class Source(Protocol):
    """A system that we read from."""

    name: str

    def translate(self, payload: Mapping[str, Any], received_at: datetime) -> Translation:
        """The payload in canonical words. Bad data is findings; nothing is raised for it."""
        ...


class Status(StrEnum):
    """What became of a message. Exactly one holds."""

    APPLIED = "applied"  # the target has it now
    UNCHANGED = "unchanged"  # the target had it so
    REPLAYED = "replayed"  # the target had seen this very message
    REJECTED = "rejected"  # the target refuses it; sending again does not help
    THROTTLED = "throttled"  # later
    UNAVAILABLE = "unavailable"  # later
    UNKNOWN = "unknown"  # the answer was lost: look before sending again


@dataclass(frozen=True, slots=True)
class Message:
    """One golden version for one target, in the target's words."""

    target: str
    entity: str
    golden_id: str
    version: int
    action: str  # create, update or deactivate
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The idempotency key: sending the same key twice has one effect."""
        return f"{self.target}/{self.golden_id}/{self.version}/{self.action}"

    @property
    def body_hash(self) -> bytes:
        """16 bytes over the body, whatever the order of its fields."""
        return blake2b(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the target made of a message, in one word and in its own words."""

    status: Status
    remote_id: str | None = None
    code: str | None = None
    says: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a target that keeps its own books has of one golden record."""

    entity: str
    version: int
    body_hash: bytes
    body: Mapping[str, Any] | None  # None when it was deactivated

    @classmethod
    def of(cls, message: Message) -> Kept:
        """What stays of a message once it was taken; nothing of it is shared with the caller."""
        gone = message.action == "deactivate"
        body = None if gone else orjson.loads(orjson.dumps(message.body))
        return cls(message.entity, message.version, message.body_hash, body)


def answer(message: Message, kept: Kept | None, sent: Mapping[str, bytes]) -> Receipt:
    """What such a target says to a message. `sent` gives the body hash of each message key that it took.

    Unless it is rejected or replayed, the message is to be kept: an unchanged body, too, has a new version.
    """
    known = sent.get(message.key)
    if known is not None:
        if known == message.body_hash:
            return Receipt(Status.REPLAYED, message.golden_id)
        return Receipt(Status.REJECTED, message.golden_id, "key_reused", "the same key was sent with another body")
    if kept is not None and kept.version > message.version:
        return Receipt(Status.REJECTED, message.golden_id, "stale", f"version {kept.version} is here already")
    wanted = None if message.action == "deactivate" else message.body_hash
    if wanted == (kept.body_hash if kept is not None and kept.body is not None else None):
        return Receipt(Status.UNCHANGED, message.golden_id)
    return Receipt(Status.APPLIED, message.golden_id)


class Target(Protocol):
    """A system that we write to."""

    name: str
    entities: frozenset[str]

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The record in the target's words; `parents` gives the golden id behind each reference field."""
        ...

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order. A message seen before has no second effect."""
        ...

    def read(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that the target has of an entity: golden id and body."""
        ...
