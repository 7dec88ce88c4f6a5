"""A target read back and compared with what it was sent: what is missing, extra or different there, since when and why.

Everything active is read, page by page, and compared by field in the target's words. What is missing is known
only after a complete reading, and is then looked for by key. Each difference stands until a later reading does
not find it, and is resent, or accepted until a date, by a person with a reason. What the golden record says is
never changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any

import orjson

from adapters.base import Found, Target
from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from hub.clock import Clock
from hub.errors import Conflict, InvalidRequest, NotFound, require_reason
from hub.store import audit, drift
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing

PAGE = 500  # records compared at once
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation came to."""

    id: int
    target: str
    read: int
    complete: bool
    counts: Mapping[str, int]
    trouble: str | None


def reconcile(
    engine: Engine, target: Target, clock: Clock, progress: Callable[[int], None] = lambda _count: None
) -> Reconciled:
    """Read the target back whole and keep what differs. Trouble on the way ends it, and nothing counts as missing."""
    with writing(engine) as connection:
        run = drift.begin(connection, target.name, clock())
    reading = _Reading(engine, target, run, clock, progress)
    trouble: str | None = None
    try:
        for entity in ENTITIES:
            if entity in target.entities:
                reading.entity(entity)
    except MasterDataError as error:
        trouble = str(error)
    now = clock()
    with writing(engine) as connection:
        if trouble is None:
            _never_there(connection, target, run, now)
            drift.close_unseen(connection, run, target.name, ("missing", "extra", "different"), now)
        counts = drift.counts(connection, target.name)
        said = {"complete": trouble is None, "read": reading.read, "counts": counts, "trouble": trouble}
        drift.end(connection, run, now, **said)
    return Reconciled(run, target.name, reading.read, trouble is None, counts, trouble)


class _Reading:
    """One reading of a target."""

    def __init__(self, engine: Engine, target: Target, run: int, clock: Clock, progress: Callable[[int], None]) -> None:
        self.engine, self.target, self.run, self.clock, self.progress = engine, target, run, clock, progress
        self.read = 0

    def entity(self, entity: str) -> None:
        """Compare everything that is there; then look for what was not met."""
        met = 0
        for page in _pages(self.target.read(entity)):
            self.read += len(page)
            met += self._compare(page)
            self.progress(self.read)
        with reading(self.engine) as connection:
            wanted = drift.active(connection, self.target.name, entity)
        if met < wanted:
            self._look(entity)

    def _compare(self, page: Sequence[Found]) -> int:
        """Keep what differs in a page; how many of it were sent from here."""
        keys = [one.golden_id for one in page if one.golden_id]
        now, met = self.clock(), 0
        rows: list[dict[str, Any]] = []
        moved: dict[str, str | None] = {}
        with writing(self.engine) as connection:
            sent = drift.published(connection, self.target.name, keys)
            unknown = [key for key in keys if key not in sent]
            refused = drift.refused(connection, self.target.name, unknown) if unknown else {}
            for one in page:
                row = sent.get(one.golden_id or "")
                if row is None or row["remote_id"] != one.remote_id:
                    rows.append(self._extra(one, row, now) | _left_of(refused.get(one.golden_id or "")))
                    continue
                met += bool(row["active"])
                if differing := fields_of(row["body"] if row["active"] else {}, one.body):
                    rows.append(self._different(one, row, differing, now))
                elif one.version != row["remote_version"]:
                    moved[row["golden_id"]] = one.version
            drift.note(connection, self.run, rows, now)
            drift.rebind(connection, self.target.name, moved)
        return met

    def _look(self, entity: str) -> None:
        """What should be there and was not met, by key."""
        now, after = self.clock(), ""
        while True:
            with reading(self.engine) as connection:
                page = drift.page(connection, self.target.name, entity, after, PAGE)
            if not page:
                return
            after = page[-1]["golden_id"]
            here = {one.golden_id for one in self.target.find(entity, [row["golden_id"] for row in page])}
            gone = [self._missing(row, now) for row in page if row["golden_id"] not in here]
            with writing(self.engine) as connection:
                drift.note(connection, self.run, gone, now)

    def _extra(self, one: Found, bound: Row | None, now: datetime) -> dict[str, Any]:
        cause = f"not sent from here{f'; last changed by {one.changed_by}' if one.changed_by else ''}"
        if bound is not None:
            cause = f"stands under the key of {bound['golden_id']}, which is bound to {bound['remote_id']}"
        return self._row(one.entity, one.remote_id, None, "extra", cause) | {
            "remote_id": one.remote_id, "there": dict(one.body), "version": one.version, "since": one.changed_at or now,
        }  # fmt: skip

    def _different(self, one: Found, row: Row, differing: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        edited = one.changed_at is not None and one.changed_at > row["acknowledged_at"]
        by = f" by {one.changed_by}" if one.changed_by else ""
        cause = f"edited there{by}" if edited else "differs since it was sent"
        return self._row(one.entity, row["golden_id"], row, "different", cause) | {
            "remote_id": one.remote_id, "there": dict(one.body), "version": one.version, "fields": differing,
            "since": one.changed_at if edited else now,
        }  # fmt: skip

    def _missing(self, row: Row, now: datetime) -> dict[str, Any]:
        made = self._row(row["entity"], row["golden_id"], row, "missing", "deleted or hidden there")
        return made | {"remote_id": row["remote_id"], "since": now}

    def _row(self, entity: str, subject: str, sent: Row | None, kind: str, cause: str) -> dict[str, Any]:
        return {
            "target": self.target.name, "entity": entity, "subject": subject, "kind": kind, "cause": cause,
            "golden_id": sent["golden_id"] if sent else None, "remote_id": None, "fields": {}, "there": None,
            "version": None, "amount": money_of(entity, sent["golden_values"]) if sent else None,
        }  # fmt: skip


def resend(engine: Engine, drift_id: int, author: str, reason: str, now: datetime) -> None:
    """Owe the golden record to the target again, against what was found there. Raises NotFound, Conflict."""
    with writing(engine) as connection:
        row = standing_one(connection, drift_id, reason)
        if row["golden_id"] is None:
            raise InvalidRequest("nobody sent this record from here, so there is nothing to resend.", hint="Accept it.")
        if row["kind"] == "missing":
            drift.forget(connection, row["target"], row["golden_id"])
        else:
            drift.found_so(connection, row, _hash(row["there"]))
        if not drift.owe(connection, row["target"], row["golden_id"]):
            raise Conflict(f"{row['golden_id']} is not owed to {row['target']} by any rule; nothing was changed.")
        close(connection, row, ("closed", "resend", None), (author, reason), now)


def accept(
    engine: Engine, drift_id: int, author: str, reason: str, now: datetime, *, until: datetime | None = None
) -> None:
    """Let it be as it is there, until a date or for good. Raises NotFound, Conflict."""
    if until is not None and until <= now:
        raise InvalidRequest("that date is over.", hint="Accept it until a later one.")
    with writing(engine) as connection:
        row = standing_one(connection, drift_id, reason)
        close(connection, row, ("accepted", "accept", until), (author, reason), now)


def standing_one(connection: Connection, drift_id: int, reason: str) -> dict[str, Any]:
    """Drift that stands, to be dealt with for a reason. Raises InvalidRequest, NotFound, Conflict."""
    require_reason(reason, "this")
    row = drift.get(connection, drift_id)
    if row is None:
        raise NotFound(f"there is no drift D-{drift_id}.", hint="`hub drift ls` lists it.")
    if row["state"] == "closed":
        raise Conflict(f"D-{drift_id} is closed: {row['reason']}. Nothing was changed.")
    return row


def close(
    connection: Connection,
    row: Row,
    what: tuple[str, str, datetime | None],
    who: tuple[str, str],
    now: datetime,
) -> None:
    """Write what was done about it: the state, the act and until when; by whom and why."""
    (state, action, until), (author, reason) = what, who
    closed = {"closed_at": now} if state == "closed" else {"until": until}
    drift.change(connection, row["id"], state=state, author=author, reason=reason, **closed)
    detail = {"drift": row["id"], "target": row["target"], "kind": row["kind"], "reason": reason}
    audit.append(connection, Act(author, f"{action} drift", row["subject"], detail), now)


def _never_there(connection: Connection, target: Target, run: int, now: datetime) -> None:
    """What is owed and was never taken, with how its last try ended."""
    rows = []
    for row in drift.never_there(connection, target.name, sorted(target.entities)):
        ended = {"rejected": "rejected", "held": "held", "parked": "given up", "superseded": "superseded"}
        cause = ended.get(row["state"], "never sent")
        rows.append({
            "target": target.name, "entity": row["entity"], "subject": row["golden_id"], "golden_id": row["golden_id"],
            "remote_id": None, "kind": "missing", "cause": f"{cause}: {row['reason']}" if row["reason"] else cause,
            "fields": {}, "there": None, "version": None, "amount": money_of(row["entity"], row["golden_values"]),
            "since": row["changed_at"],
        })  # fmt: skip
    drift.note(connection, run, rows, now)


def fields_of(sent: Row, there: Row) -> dict[str, list[Any]]:
    """The fields that differ: as sent, as it is there."""
    names = sorted(sent.keys() | there.keys())
    return {name: [sent.get(name), there.get(name)] for name in names if sent.get(name) != there.get(name)}


def money_of(entity: str, values: Row) -> dict[str, Any] | None:
    """The first amount of money that a golden record speaks of, in the order of its fields; a total before others."""
    fields = [name for name, field in ENTITIES[entity].fields.items() if field.marks.money]
    for name in sorted(fields, key=lambda name: name != "total"):
        value = values.get(name)
        if isinstance(value, dict) and "amount" in value:
            return {"amount": value["amount"], "currency": value["currency"]}
    return None


def _left_of(refusal: str | None) -> dict[str, Any]:
    """What a refused try has left there, such as a draft."""
    return {"cause": f"left there by a try that was not taken: {refusal}"} if refusal else {}


def _hash(body: Any) -> bytes:
    return blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _pages(found: Iterator[Found]) -> Iterator[list[Found]]:
    while page := list(islice(found, PAGE)):
        yield page
