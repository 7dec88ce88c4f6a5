"""A target of records that are found by our key: compared with what is wanted, made or changed, and read back.

What all such targets have in common stands here: nothing is made before it was looked for, nothing is
overwritten that somebody edited there, a record that is refused stands alone, and trouble with the
connection ends the batch instead of being met once per record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from adapters.base import NOT_SENT, Capabilities, Found, Message, Receipt, Status
from adapters.errors import TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.transport import Answer
from canonical.errors import MasterDataError
from canonical.record import GoldenRecord

LOCKED = "locked"  # somebody has this one record open; the others may go


class Refused(Exception):
    """The system says no: what that means, and its own words."""

    def __init__(self, status: Status, says: str, *, code: str | None = None, wait: float | None = None) -> None:
        """`wait` is in seconds, as far as the system says."""
        super().__init__(says)
        self.status, self.says, self.code = status, says, code or status.value
        self.wait = None if wait is None else timedelta(seconds=wait)


@dataclass(frozen=True, slots=True)
class Row:
    """A record there: under which keys, in the words of `render`, and as the system has it."""

    entity: str
    golden_id: str | None
    remote_id: str
    body: Mapping[str, Any]
    version: str
    raw: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None
    changed_by: str | None = None


class RecordTarget:
    """What a target must say of itself, and what follows from it."""

    name: str
    entities: frozenset[str]
    order: tuple[str, ...]  # entities, parents first
    capabilities: Capabilities

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The record in the system's words."""
        raise NotImplementedError

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:
        """What stands under these keys, hidden records too. Raises Refused."""
        raise NotImplementedError

    def pages(self, entity: str, since: datetime | None) -> Iterator[list[Row]]:
        """All active records of an entity, or all that changed since then. Raises Refused."""
        raise NotImplementedError

    def make(self, message: Message) -> Row:
        """Make one record, and say how it stands there. Raises Refused."""
        raise NotImplementedError

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        """Write what differs, guarded by the row's version where the system can; how it stands then. Raises Refused."""
        raise NotImplementedError

    def make_all(self, messages: Sequence[Message]) -> list[Receipt]:
        """Make several; one receipt each, in order. Systems that take many in one call do so here."""
        return self.each(messages, self._made)

    def gone(self, row: Row) -> Mapping[str, Any]:
        """How a record reads that is deactivated."""
        return {**row.body, "active": False}

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What the system has under these keys. Raises TargetUnavailable or TargetRefuses."""
        return [_found(row) for row in _read(partial(self.rows, entity, golden_ids))]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:
        """Everything active of an entity, or what changed since then. Raises TargetUnavailable or TargetRefuses."""
        pages = self.pages(entity, since)
        while (page := _read(lambda: next(pages, None))) is not None:
            yield from map(_found, page)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order; each entity in turn, parents first."""
        strange = Receipt(Status.INVALID, code="entity", says="this target does not take such records")
        receipts = [strange] * len(messages)
        stopped: Receipt | None = None
        for entity in self.order:
            places = [place for place, message in enumerate(messages) if message.entity == entity]
            mine = [messages[place] for place in places]
            said = [stopped] * len(mine) if stopped else self._send(entity, mine) if mine else []
            for place, receipt in zip(places, said, strict=True):
                receipts[place] = receipt
            stopped = stopped or next((one for one in map(_ends, said) if one), None)
        return receipts

    def each(self, messages: Sequence[Message], act: Callable[[Message], Receipt]) -> list[Receipt]:
        """A receipt each, in order; once the connection is in trouble, the rest is not sent."""
        receipts: list[Receipt] = []
        stopped: Receipt | None = None
        for message in messages:
            receipt = stopped or told(partial(act, message))
            receipts.append(receipt)
            stopped = stopped or _ends(receipt)
        return receipts

    def _send(self, entity: str, messages: Sequence[Message]) -> list[Receipt]:
        """Look for all of them, change what is there, make what is not."""
        there: dict[str, list[Row]] = {}
        try:
            for row in self.rows(entity, [one.golden_id for one in messages]):
                there.setdefault(str(row.golden_id), []).append(row)
        except TROUBLE as error:
            return [_not_sent(trouble(error))] * len(messages)
        seen: set[str] = set()
        new: list[int] = []
        old: list[int] = []
        for place, message in enumerate(messages):
            known = message.golden_id in there or message.golden_id in seen or message.action == "deactivate"
            (old if known or message.remote_id else new).append(place)
            seen.add(message.golden_id)
        receipts = dict(zip(new, self.make_all([messages[place] for place in new]), strict=True)) if new else {}
        stopped = next((one for one in map(_ends, receipts.values()) if one), None)
        rest = [messages[place] for place in old]
        said = [stopped] * len(rest) if stopped else self.each(rest, lambda one: self._changed(entity, one, there))
        receipts |= dict(zip(old, said, strict=True))
        return [receipts[place] for place in range(len(messages))]

    def _made(self, message: Message) -> Receipt:
        """Make a record; where its key is taken, by an earlier try of ours, go on with what is there."""
        try:
            return applied(self.make(message))
        except Refused as error:
            rows = self.rows(message.entity, [message.golden_id]) if error.status is Status.DUPLICATE else []
            if len(rows) != 1:
                raise
            return self.settle(message, rows[0])

    def _changed(self, entity: str, message: Message, there: Mapping[str, list[Row]]) -> Receipt:
        rows = there.get(message.golden_id)
        if rows is None:  # made a moment ago, by an earlier message of the batch
            rows = self.rows(entity, [message.golden_id])
        if len(rows) > 1:
            ids = ", ".join(row.remote_id for row in rows)
            return Receipt(Status.DUPLICATE, rows[0].remote_id, "twice", f"it is there {len(rows)} times: {ids}")
        if not rows and message.action == "deactivate":
            return Receipt(Status.UNCHANGED, message.remote_id or message.golden_id, says="it is not there")
        if not rows:  # somebody deleted it there; it is not made again in silence
            return Receipt(Status.GONE, message.remote_id, "gone", "it was there, and is not there any more")
        return self.settle(message, rows[0])

    def settle(self, message: Message, row: Row) -> Receipt:
        """Bring a record to what the message wants, unless somebody edited it since we saw it. Raises Refused."""
        wanted = self.gone(row) if message.action == "deactivate" else message.body
        if dict(wanted) == dict(row.body):
            return Receipt(Status.UNCHANGED, row.remote_id, version=row.version)
        if message.expected is not None and message.expected != row.version:
            says = f"changed there since we saw it, by {row.changed_by or 'somebody'}"
            return Receipt(Status.STALE, row.remote_id, "stale", says, row.version)
        return applied(self.change(message, row, wanted))


def applied(row: Row) -> Receipt:
    """The record stands there now."""
    return Receipt(Status.APPLIED, row.remote_id, version=row.version)


def told(act: Callable[[], Receipt]) -> Receipt:
    """What an act came to, trouble included."""
    try:
        return act()
    except TROUBLE as error:
        return trouble(error)


def trouble(error: Exception) -> Receipt:
    """What an exception means for the record."""
    if isinstance(error, Refused):
        return Receipt(error.status, code=error.code, says=error.says[:1000], wait=error.wait)
    if isinstance(error, UnknownOutcome):
        return Receipt(Status.UNCERTAIN, code="uncertain", says=error.message)
    status = Status.FORBIDDEN if isinstance(error, TargetRefuses) else Status.TRANSIENT
    return Receipt(status, code=status.value, says=error.message if isinstance(error, MasterDataError) else str(error))


def by_status(answer: Answer, says: str, *, wrote: bool) -> Refused | UnknownOutcome:
    """What an HTTP status means where the system said nothing better. `wrote`: the call may have changed something."""
    refused = partial(Refused, says=says or f"HTTP {answer.status}")
    match answer.status:
        case 429 | 503:
            return refused(Status.THROTTLED, wait=answer.retry_after)
        case 401:
            return refused(Status.SESSION_LOST)
        case 403:
            return refused(Status.FORBIDDEN)
        case 404 | 410:
            return refused(Status.GONE)
        case 409:
            return refused(Status.DUPLICATE)
        case 412 | 428:
            return refused(Status.STALE)
        case 423:
            return refused(Status.TRANSIENT, code=LOCKED)
        case status if 400 <= status < 500:
            return refused(Status.INVALID)
    if wrote:
        return UnknownOutcome(f"the system answers {answer.status} without a word that can be understood.")
    return refused(Status.TRANSIENT)


T = TypeVar("T")
TROUBLE = (Refused, TargetUnavailable, TargetRefuses, UnknownOutcome)


def _ends(receipt: Receipt | None) -> Receipt | None:
    """What the rest of a batch is told, where a receipt speaks of the connection and not of the record."""
    if receipt is None or receipt.code == LOCKED or not (receipt.status.passing or receipt.status.halting):
        return None
    return _not_sent(receipt)


def _not_sent(receipt: Receipt) -> Receipt:
    """Nothing was sent of a record; it may go once the connection is well."""
    status = receipt.status if receipt.status.passing or receipt.status.halting else Status.TRANSIENT
    return Receipt(status, code=NOT_SENT, says=receipt.says, wait=receipt.wait)


def _read(act: Callable[[], T]) -> T:
    try:
        return act()
    except (Refused, UnknownOutcome) as error:
        says = error.says if isinstance(error, Refused) else error.message
        halting = isinstance(error, Refused) and error.status.halting
        raise (TargetRefuses if halting else TargetUnavailable)(f"it answers: {says}") from error


def _found(row: Row) -> Found:
    return Found(row.entity, row.golden_id, row.remote_id, row.body, row.version, row.changed_at, row.changed_by)
