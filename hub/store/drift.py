"""Drift: what a target has against what it was sent, from one reconciliation to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store import bulk
from hub.store.drift_tables import drift, heard, reconciliation
from hub.store.engine import among, inserting
from hub.store.tables import golden, golden_version, outbox, plan, plan_entry, publication

Row = dict[str, Any]
COLUMNS = (
    "target", "entity", "subject", "golden_id", "remote_id", "kind", "cause", "fields", "there", "version", "amount",
    "since", "seen_in", "state",
)  # fmt: skip
_SAME = ("kind", "fields")  # what makes a drift another one, so that an acceptance of the old says nothing of it


def begin(connection: sa.Connection, target: str, now: datetime) -> int:
    """A reconciliation that begins; its id."""
    row = sa.insert(reconciliation).values(target=target, started_at=now, complete=False, read=0)
    return int(connection.execute(row.returning(reconciliation.c.id)).scalar_one())


def end(connection: sa.Connection, run: int, now: datetime, **said: Any) -> None:
    """A reconciliation that ends, with what there is to say of it."""
    connection.execute(sa.update(reconciliation).where(reconciliation.c.id == run).values(finished_at=now, **said))


def published(connection: sa.Connection, target: str, ids: Sequence[str]) -> dict[str, Row]:
    """What the target has acknowledged of these golden records, with what each says now."""
    query = sa.select(publication, golden.c.entity, golden_version.c["values"].label("golden_values"))
    query = query.join(golden, golden.c.id == publication.c.golden_id).join(golden_version, _IN_FORCE)
    query = query.where(publication.c.target == target, among(connection, publication.c.golden_id, ids))
    return {row["golden_id"]: dict(row) for row in connection.execute(query).mappings()}


def refused(connection: sa.Connection, target: str, ids: Sequence[str]) -> dict[str, str]:
    """Of golden records whose last try the target did not take: what it said."""
    last = sa.select(plan_entry.c.golden_id, sa.func.max(plan_entry.c.plan_id).label("plan_id"))
    last = last.join(plan, plan.c.id == plan_entry.c.plan_id).where(plan.c.target == target)
    tried = last.where(among(connection, plan_entry.c.golden_id, ids)).group_by(plan_entry.c.golden_id).subquery()
    here = sa.and_(plan_entry.c.plan_id == tried.c.plan_id, plan_entry.c.golden_id == tried.c.golden_id)
    query = sa.select(plan_entry.c.golden_id, plan_entry.c.reason).join(tried, here)
    rows = connection.execute(query.where(plan_entry.c.state.in_(("rejected", "parked"))))
    return {row[0]: row[1] or "it said nothing" for row in rows}


def active(connection: sa.Connection, target: str, entity: str) -> int:
    """How many records of an entity the target should have."""
    query = sa.select(sa.func.count()).select_from(publication).join(golden, golden.c.id == publication.c.golden_id)
    return int(connection.execute(query.where(_active_in(target, entity))).scalar_one())


def page(connection: sa.Connection, target: str, entity: str, after: str, most: int) -> list[Row]:
    """What the target should have of an entity, by golden id, after this one."""
    query = sa.select(publication, golden.c.entity, golden_version.c["values"].label("golden_values"))
    query = query.join(golden, golden.c.id == publication.c.golden_id).join(golden_version, _IN_FORCE)
    query = query.where(_active_in(target, entity), publication.c.golden_id > after)
    rows = connection.execute(query.order_by(publication.c.golden_id).limit(most)).mappings()
    return [dict(row) for row in rows]


def never_there(connection: sa.Connection, target: str, entities: Sequence[str]) -> list[Row]:
    """Golden records that are owed to the target, and that it has never had: with how their last try ended."""
    last = sa.select(plan_entry.c.golden_id, sa.func.max(plan_entry.c.plan_id).label("plan_id"))
    last = last.join(plan, plan.c.id == plan_entry.c.plan_id).where(plan.c.target == target)
    tried = last.group_by(plan_entry.c.golden_id).subquery()
    entry = plan_entry.alias("entry")
    query = sa.select(
        golden.c.id.label("golden_id"), golden.c.entity, golden.c.changed_at, entry.c.state, entry.c.reason,
        golden_version.c["values"].label("golden_values"),
    ).join(golden_version, _IN_FORCE)  # fmt: skip
    query = query.join(tried, tried.c.golden_id == golden.c.id, isouter=True)
    here = sa.and_(entry.c.plan_id == tried.c.plan_id, entry.c.golden_id == golden.c.id)
    query = query.join(entry, here, isouter=True)
    mine = sa.exists().where(outbox.c.golden_id == golden.c.id, outbox.c.target == target, outbox.c.state == "pending")
    had = sa.exists().where(publication.c.golden_id == golden.c.id, publication.c.target == target)
    query = query.where(golden.c.state == "live", golden.c.entity.in_(sorted(entities)), mine, ~had)
    return [dict(row) for row in connection.execute(query.order_by(golden.c.id)).mappings()]


def rebind(connection: sa.Connection, target: str, versions: Mapping[str, str | None]) -> None:
    """Records that are as they were sent, under another version there: the guard looks for the new one."""
    rows = [{"target": target, "golden_id": id_, "remote_version": version} for id_, version in versions.items()]
    bulk.update(connection, publication, ("target", "golden_id"), rows)


def note(connection: sa.Connection, run: int, found: Sequence[Row], now: datetime) -> None:
    """Keep drift as it is seen: what stood already keeps its age, and its acceptance unless it is another one."""
    for entity in sorted({row["entity"] for row in found}):
        mine = [row for row in found if row["entity"] == entity]
        query = sa.select(drift).where(drift.c.target == mine[0]["target"], drift.c.entity == entity)
        query = query.where(drift.c.state != "closed", among(connection, drift.c.subject, [r["subject"] for r in mine]))
        stood = {row["subject"]: dict(row) for row in connection.execute(query).mappings()}
        fresh = [row | {"seen_in": run, "state": "open"} for row in mine if row["subject"] not in stood]
        bulk.insert(connection, drift, COLUMNS, (tuple(row[name] for name in COLUMNS) for row in fresh))
        again = [_again(stood[row["subject"]], row, run, now) for row in mine if row["subject"] in stood]
        bulk.update(connection, drift, ("id",), again)


def _again(stood: Mapping[str, Any], row: Row, run: int, now: datetime) -> Row:
    same = all(stood[name] == row[name] for name in _SAME)
    lapsed = stood["state"] == "accepted" and stood["until"] is not None and stood["until"] <= now
    state = stood["state"] if same and not lapsed else "open"
    named = ("kind", "cause", "fields", "there", "version", "amount", "remote_id")
    since = stood["since"] if same else row["since"]
    return {"id": stood["id"], "seen_in": run, "state": state, "since": since} | {name: row[name] for name in named}


def close_unseen(connection: sa.Connection, run: int, target: str, kinds: Sequence[str], now: datetime) -> int:
    """Drift of these kinds that a complete reading has not met again is no more; how much."""
    gone = sa.and_(drift.c.target == target, drift.c.state != "closed", drift.c.seen_in < run, drift.c.kind.in_(kinds))
    done = sa.update(drift).where(gone).values(state="closed", closed_at=now, reason="not seen any more")
    return int(connection.execute(done).rowcount)


def standing(connection: sa.Connection, target: str | None = None, most: int = 500) -> list[Row]:
    """Drift that stands, the oldest first; accepted too."""
    query = sa.select(drift, golden.c.label).join(golden, golden.c.id == drift.c.golden_id, isouter=True)
    query = query.where(drift.c.state != "closed")
    if target is not None:
        query = query.where(drift.c.target == target)
    return [dict(row) for row in connection.execute(query.order_by(drift.c.since, drift.c.id).limit(most)).mappings()]


def get(connection: sa.Connection, drift_id: int) -> Row | None:
    """One drift."""
    row = connection.execute(sa.select(drift).where(drift.c.id == drift_id).with_for_update()).mappings().one_or_none()
    return dict(row) if row else None


def change(connection: sa.Connection, drift_id: int, **values: Any) -> None:
    """Set columns of a drift."""
    connection.execute(sa.update(drift).where(drift.c.id == drift_id).values(values))


def counts(connection: sa.Connection, target: str) -> dict[str, int]:
    """How much drift stands, by kind; accepted apart."""
    word = sa.case((drift.c.state == "accepted", "accepted"), else_=drift.c.kind).label("word")
    query = sa.select(word, sa.func.count()).where(drift.c.target == target, drift.c.state != "closed")
    return {"missing": 0, "extra": 0, "different": 0, "accepted": 0} | dict(
        connection.execute(query.group_by(word)).all()
    )


def latest(connection: sa.Connection, most: int = 50) -> list[Row]:
    """The newest reconciliations."""
    query = sa.select(reconciliation).order_by(reconciliation.c.id.desc()).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]


def forget(connection: sa.Connection, target: str, golden_id: str) -> None:
    """The target has the record no more; what is owed is to make it again."""
    mine = sa.and_(publication.c.target == target, publication.c.golden_id == golden_id)
    connection.execute(sa.delete(publication).where(mine))


def found_so(connection: sa.Connection, row: Mapping[str, Any], body_hash: bytes) -> None:
    """The target has the record as it was found: what is owed is the difference to that."""
    mine = sa.and_(publication.c.target == row["target"], publication.c.golden_id == row["golden_id"])
    values = {"body": row["there"], "body_hash": body_hash, "remote_version": row["version"], "active": True}
    connection.execute(sa.update(publication).where(mine).values(values))


def owe(connection: sa.Connection, target: str, golden_id: str) -> bool:
    """Owe the newest version to the target once more; False when it was never owed."""
    newest = sa.select(sa.func.max(outbox.c.id)).where(
        outbox.c.target == target, outbox.c.golden_id == golden_id, outbox.c.action == "upsert"
    )
    again = sa.update(outbox).where(outbox.c.id.in_(newest)).values(state="pending").returning(outbox.c.id)
    return connection.execute(again).one_or_none() is not None


def heard_until(connection: sa.Connection, target: str, entity: str) -> datetime | None:
    """The newest change of an entity there that was read; None before the first reading."""
    query = sa.select(heard.c.until).where(heard.c.target == target, heard.c.entity == entity)
    return connection.execute(query).scalar_one_or_none()


def hear_until(connection: sa.Connection, target: str, entity: str, until: datetime) -> None:
    """Remember how far an entity was read there."""
    made = inserting(connection, heard).values(target=target, entity=entity, until=until)
    connection.execute(made.on_conflict_do_update(index_elements=["target", "entity"], set_={"until": until}))


_IN_FORCE = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)


def _active_in(target: str, entity: str) -> sa.ColumnElement[bool]:
    return sa.and_(publication.c.target == target, publication.c.active, golden.c.entity == entity)
