"""What a source and a target are: the two protocols, and the letters that pass through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
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


NOT_SENT = "not_sent"  # the code of a receipt for a message that stayed here: another one had met the trouble


class Status(StrEnum):
    """What became of a message: taken, or one class of trouble, named by what the hub does next."""

    APPLIED = "applied"  # the target has it now
    UNCHANGED = "unchanged"  # the target had it so
    REPLAYED = "replayed"  # the target had seen this very message
    THROTTLED = "throttled"  # pause the connection, not the record
    TRANSIENT = "transient"  # nothing reached it; try again, later
    SESSION_LOST = "session_lost"  # sign in again once, then try again
    UNCERTAIN = "uncertain"  # the answer was lost: find it by key after the target's cut-off, then decide
    STALE = "stale"  # the target has moved on: read again, and ask if a published field was edited there
    DUPLICATE = "duplicate"  # another record there has this key: bind to it if it is exactly one
    INVALID = "invalid"  # the target refuses the content; sending again does not help
    FORBIDDEN = "forbidden"  # we may not: stop the connection
    SCHEMA_DRIFT = "schema_drift"  # a field that the target does not know: stop the mapping
    GONE = "gone"  # the record there is no more; never made again in silence

    @property
    def taken(self) -> bool:
        """Whether the target has it."""
        return self in (Status.APPLIED, Status.UNCHANGED, Status.REPLAYED)

    @property
    def passing(self) -> bool:
        """Whether the same message may be sent again later as it is."""
        return self in (Status.THROTTLED, Status.TRANSIENT, Status.SESSION_LOST)

    @property
    def halting(self) -> bool:
        """Whether nothing more should be sent until somebody has looked."""
        return self in (Status.FORBIDDEN, Status.SCHEMA_DRIFT)


@dataclass(frozen=True, slots=True)
class Message:
    """One golden version for one target, in the target's words."""

    target: str
    entity: str
    golden_id: str
    version: int
    action: str  # create, update or deactivate
    body: Mapping[str, Any]
    remote_id: str | None = None  # the target's own key, once it is bound
    expected: str | None = None  # the remote version that we saw last: the stale-write guard
    heir: str | None = None  # deactivate: the golden record that it was merged into; what was posted stays where it is
    remote_ids: Mapping[str, str] = field(default_factory=dict)  # golden ids that the body or `heir` names → remote

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
    version: str | None = None  # the remote version after it, for the next `expected`
    wait: timedelta | None = None  # throttled: how long the target asks for


@dataclass(frozen=True, slots=True)
class Found:
    """What the target has of one record, in the words of `render`."""

    entity: str
    golden_id: str | None  # None: nobody published it from here
    remote_id: str
    body: Mapping[str, Any]
    version: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do, so that the hub asks no more of it."""

    native_upsert: bool = False  # one call makes or changes by our key
    stale_guard: bool = False  # refuses a write whose `expected` is old
    merge: bool = False  # notes there which record took its place; else it is only deactivated
    batch: int = 1  # messages in one call
    atomic_batch: bool = False  # a batch is taken whole or not at all
    parallel: int = 1  # calls at once
    settle: timedelta = timedelta(seconds=0)  # its own cut-off: how long an uncertain write may still land
    idempotency: timedelta | None = None  # how long it knows our keys; None: for ever
    changed_since: bool = False  # `read` can be limited to what changed


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured target: its name, what kind of system it is, and how to reach it."""

    name: str
    kind: str
    folder: Path  # for what it keeps in files
    options: Mapping[str, Any] = field(default_factory=dict)


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

    Unless it is refused or replayed, the message is to be kept: an unchanged body, too, has a new version.
    """
    known = sent.get(message.key)
    if known is not None:
        if known == message.body_hash:
            return Receipt(Status.REPLAYED, message.golden_id)
        return Receipt(Status.INVALID, message.golden_id, "key_reused", "the same key was sent with another body")
    if kept is not None and kept.version > message.version:
        return Receipt(Status.STALE, message.golden_id, "stale", f"version {kept.version} is here already")
    wanted = None if message.action == "deactivate" else message.body_hash
    if wanted == (kept.body_hash if kept is not None and kept.body is not None else None):
        return Receipt(Status.UNCHANGED, message.golden_id)
    return Receipt(Status.APPLIED, message.golden_id)


class Target(Protocol):
    """A system that we write to."""

    name: str
    entities: frozenset[str]
    capabilities: Capabilities

    def check(self) -> str:
        """Reach the target as ourselves and say what it is, in a line; nothing is changed there.

        Raises TargetUnavailable, or TargetRefuses when it does not let us in.
        """
        ...

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The record in the target's words; `parents` gives the golden id behind each reference field."""
        ...

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order. A message seen before has no second effect.

        Trouble is a receipt, never an exception, unless nothing at all is known of the whole call.
        """
        ...

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What the target has under these keys now; several with one golden id mean that somebody must choose."""
        ...

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:
        """Everything active that the target has of an entity, or what changed since then; paged by key."""
        ...
