"""Gathering a case: from records that changed to everything that judgement of them may need.

Three questions are asked of the tables, each with a fixed number of statements however large the
batch is: who shares a blocking key, who hangs together with whom, and what is known of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store import bulk, journal, rulesets
from hub.store.engine import among
from hub.store.tables import decision, evidence, golden, hot_key, link, match_key, publication, record, record_version
from rules.case import Answer, Case, Evidence, Override, PairDecision, Prior
from rules.why import Ruling

Keys = Mapping[int, tuple[int, ...]]
Edge = tuple[int, int]


def claim(connection: sa.Connection, name: str) -> None:
    """Be the only one who judges this entity until the transaction ends. SQLite has one writer anyway.

    Whoever judges on an overlay changes nothing, and so neither waits nor keeps others waiting.
    """
    if connection.dialect.name == "postgresql" and not connection.get_execution_options().get("overlay"):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"concord {name}", 0))))


def replace_keys(connection: sa.Connection, entity: str, keys: Keys, limit: int) -> set[int]:
    """Store the blocking keys of these records in place of their old ones.

    Gives the other records that must be looked at again, because a key that they share has become
    too common to say anything, or has ceased to be.
    """
    before = _keys_of(connection, list(keys))
    changed = {id_: new for id_, new in keys.items() if new != before.get(id_, ())}
    gone = [id_ for id_ in changed if id_ in before]
    if gone:
        connection.execute(sa.delete(match_key).where(among(connection, match_key.c.record_id, gone)))
    rows = sorted((key, id_) for id_, new in changed.items() for key in new)
    bulk.insert(connection, match_key, ("key", "record_id"), rows)
    lost = {key for id_ in gone for key in before[id_]} - {key for key, _ in rows}
    return _retemper(connection, entity, {key for key, _ in rows}, lost, limit) - keys.keys()


def candidates(connection: sa.Connection, ids: Sequence[int]) -> list[Edge]:
    """Pairs of records that share a key which is not too common; one of the two is among the given."""
    mine, other = match_key.alias("mine"), match_key.alias("other")
    cold = ~sa.exists().where(hot_key.c.key == mine.c.key)
    query = sa.select(mine.c.record_id, other.c.record_id).distinct()
    query = query.join(other, sa.and_(other.c.key == mine.c.key, other.c.record_id != mine.c.record_id))
    query = query.where(among(connection, mine.c.record_id, ids), cold)
    return sorted({(min(a, b), max(a, b)) for a, b in connection.execute(query)})


def neighbours(connection: sa.Connection, ids: Sequence[int], least: float) -> set[int]:
    """The records that stored evidence of at least this weight ties to the given ones."""
    there = sa.select(evidence.c.right_id).where(among(connection, evidence.c.left_id, ids), evidence.c.score >= least)
    back = sa.select(evidence.c.left_id).where(among(connection, evidence.c.right_id, ids), evidence.c.score >= least)
    return {row[0] for row in connection.execute(sa.union_all(there, back))}


def companions(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """The records that share a golden record, or a steward's "same", with the given ones."""
    mine, other = link.alias("mine"), link.alias("other")
    linked = sa.select(other.c.record_id).join(mine, mine.c.golden_id == other.c.golden_id)
    linked = linked.where(among(connection, mine.c.record_id, ids), mine.c.until.is_(None), other.c.until.is_(None))
    same = sa.and_(decision.c.kind == "same", decision.c.undone_at.is_(None))
    right = sa.select(decision.c.right_id).where(same, among(connection, decision.c.left_id, ids))
    left = sa.select(decision.c.left_id).where(same, among(connection, decision.c.right_id, ids))
    return {row[0] for row in connection.execute(sa.union_all(linked, right, left))}


def stored_evidence(connection: sa.Connection, ids: Sequence[int]) -> dict[Edge, Evidence]:
    """The evidence kept of pairs that lie among the given records."""
    known = set(ids)
    query = sa.select(evidence.c.left_id, evidence.c.right_id, evidence.c.score, evidence.c.parts)
    return {
        (row[0], row[1]): Evidence(row[2], tuple((p[0], p[1], p[2]) for p in row[3]))
        for row in connection.execute(query.where(among(connection, evidence.c.left_id, ids)))
        if row[1] in known
    }


def replace_evidence(connection: sa.Connection, ids: Sequence[int], found: Mapping[Edge, Evidence]) -> None:
    """Keep this evidence in place of whatever was kept of the given records."""
    for side in (evidence.c.left_id, evidence.c.right_id):
        connection.execute(sa.delete(evidence).where(among(connection, side, ids)))
    rows = ((left, right, one.score, one.parts) for (left, right), one in found.items())
    bulk.insert(connection, evidence, ("left_id", "right_id", "score", "parts"), rows)


def pair_decisions(connection: sa.Connection, keys: Mapping[int, SourceKey]) -> tuple[PairDecision, ...]:
    """What stewards said of pairs among these records, undone answers left out."""
    query = sa.select(decision.c.id, decision.c.kind, decision.c.left_id, decision.c.right_id)
    query = query.where(decision.c.undone_at.is_(None), decision.c.kind.in_([a.value for a in Answer]))
    query = query.where(among(connection, decision.c.left_id, list(keys))).order_by(decision.c.id)
    return tuple(
        PairDecision(keys[row.left_id], keys[row.right_id], Answer(row.kind), row.id)
        for row in connection.execute(query)
        if row.right_id in keys
    )


def overrides(connection: sa.Connection, keys: Mapping[int, SourceKey]) -> tuple[Override, ...]:
    """The values that stewards set on these records, lifted ones left out."""
    query = sa.select(decision).where(decision.c.kind == "value", decision.c.undone_at.is_(None))
    query = query.where(among(connection, decision.c.left_id, list(keys))).order_by(decision.c.id)
    return tuple(
        Override(keys[row.left_id], row.field, row.value, row.decided_at, row.until, row.id)
        for row in connection.execute(query)
    )


def links(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The golden record that holds each record now."""
    query = sa.select(link.c.record_id, link.c.golden_id).where(link.c.until.is_(None))
    return {row[0]: row[1] for row in connection.execute(query.where(among(connection, link.c.record_id, ids)))}


def succession(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """The records that replaced one of these, and those that one of these replaced (of what is here)."""
    now = sa.and_(record.c.id == record_version.c.record_id, record.c.number == record_version.c.number)
    query = sa.select(record.c.id, record_version.c.replaced_by).join(record_version, now)
    query = query.where(record_version.c.replaced_by.is_not(None))
    mine = connection.execute(query.where(among(connection, record.c.id, ids)))
    heirs = {SourceKey.parse(text).record_id for _, text in mine}
    named = sa.select(record.c.system, record.c.entity, record.c.key).where(among(connection, record.c.id, ids))
    keys = [str(SourceKey(*row)) for row in connection.execute(named)]
    before = connection.execute(query.where(among(connection, record_version.c.replaced_by, keys)))
    here = sa.select(record.c.id).where(among(connection, record.c.id, sorted(heirs)))
    return {row[0] for row in before} | set(connection.execute(here).scalars())


def inherited(connection: sa.Connection, records: Mapping[int, SourceRecord]) -> dict[SourceKey, tuple[str, ...]]:
    """The golden ids of keys that one of these records replaced."""
    keys = [str(one.key) for one in records.values()]
    query = sa.select(record_version.c.replaced_by, link.c.golden_id).join(
        record, sa.and_(record.c.id == record_version.c.record_id, record.c.number == record_version.c.number)
    )
    query = query.join(link, sa.and_(link.c.record_id == record.c.id, link.c.until.is_(None)))
    query = query.join(golden, sa.and_(golden.c.id == link.c.golden_id, golden.c.state != "merged"))
    query = query.where(
        record_version.c.replaced_by.is_not(None), among(connection, record_version.c.replaced_by, keys)
    )
    query = query.order_by(link.c.golden_id)
    found: dict[SourceKey, tuple[str, ...]] = {}
    for replaced_by, golden_id in connection.execute(query):
        key = SourceKey.parse(replaced_by)
        found[key] = (*found.get(key, ()), golden_id)
    return found


def priors(connection: sa.Connection, ids: Iterable[str]) -> dict[str, Prior]:
    """The golden records of these ids, as they stand; merged ones are left out."""
    founder = record.alias("founder")
    query = sa.select(golden, founder.c.system, founder.c.key.label("founder_key")).join(
        founder, founder.c.id == golden.c.founder_id
    )
    query = query.where(golden.c.state != "merged", among(connection, golden.c.id, sorted(set(ids))))
    rows = connection.execute(query).all()
    sent = _sent(connection, [row.id for row in rows if row.published])
    return {
        row.id: Prior(
            row.id,
            SourceKey(row.system, row.entity, row.founder_key),
            row.version,
            row.content_hash,
            row.created_at,
            row.published,
            row.state == "live",
            sent.get(row.id, {}),
        )
        for row in rows
    }


def _sent(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """What each target has of these golden records."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    if ids:
        query = sa.select(publication.c.golden_id, publication.c.target, publication.c["values"])
        query = query.where(publication.c.active, among(connection, publication.c.golden_id, ids))
        for golden_id, target, values in connection.execute(query):
            found.setdefault(golden_id, {})[target] = values
    return found


def founded(connection: sa.Connection, keys: Mapping[int, SourceKey]) -> dict[SourceKey, int]:
    """How many golden records were ever founded on each of these records."""
    query = sa.select(golden.c.founder_id, sa.func.count()).group_by(golden.c.founder_id)
    rows = connection.execute(query.where(among(connection, golden.c.founder_id, list(keys))))
    return {keys[row[0]]: row[1] for row in rows}


def published_there(
    connection: sa.Connection, records: Mapping[int, SourceRecord]
) -> dict[SourceKey, Mapping[str, Any]]:
    """Of records in a system that is also a target: what the hub itself published under that key."""
    mine = {(one.key.system, one.key.key): one.key for one in records.values()}
    query = sa.select(publication.c.target, publication.c.remote_id, publication.c["values"])
    query = query.where(among(connection, publication.c.remote_id, sorted({key for _, key in mine})))
    return {mine[row[0], row[1]]: row[2] for row in connection.execute(query) if (row[0], row[1]) in mine}


def rulings(connection: sa.Connection, goldens: Iterable[Mapping[str, Any]]) -> dict[str, Ruling]:
    """What these golden records were judged by, by id: members, overrides, rules and time of their last version.

    A fixed number of statements. One whose rule set version is not kept is left out.
    """
    rows = list(goldens)
    members = {row["id"]: [SourceKey.parse(key).record_id for key, _ in row["members"]] for row in rows}
    everybody = sorted({id_ for ids in members.values() for id_ in ids})
    records = {id_: one for id_, one in journal.load_records(connection, everybody).items() if not one.tombstone}
    said = overrides(connection, {id_: one.key for id_, one in records.items()})
    sent = published_there(connection, records)
    known = rulesets.versions(connection, (row["ruleset"] for row in rows))
    found = {}
    for row in rows:
        if row["ruleset"] in known:
            own = tuple(sorted((records[id_] for id_ in members[row["id"]] if id_ in records), key=lambda one: one.key))
            keys = {one.key for one in own}
            case = Case(row["entity"], own, overrides=tuple(one for one in said if one.record in keys), published=sent)
            again = row["version"] > 1
            found[row["id"]] = Ruling(
                case, known[row["ruleset"]], row["changed_at"], known=again, published=row["published"]
            )
    return found


def _keys_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    query = sa.select(match_key.c.record_id, match_key.c.key).where(among(connection, match_key.c.record_id, ids))
    for record_id, key in connection.execute(query):
        found.setdefault(record_id, []).append(key)
    return {record_id: tuple(sorted(keys)) for record_id, keys in found.items()}


def _retemper(connection: sa.Connection, entity: str, gained: set[int], lost: set[int], limit: int) -> set[int]:
    """Mark the keys that have become too common and unmark those that are so no more; who shares them."""
    touched = sorted(gained | lost)
    hot = set(connection.execute(sa.select(hot_key.c.key).where(among(connection, hot_key.c.key, touched))).scalars())
    counted = [key for key in touched if key not in hot or key in lost]
    query = sa.select(match_key.c.key, sa.func.count()).group_by(match_key.c.key)
    count: dict[int, int] = dict(connection.execute(query.where(among(connection, match_key.c.key, counted))).all())
    heated = sorted(key for key in counted if key not in hot and count.get(key, 0) > limit)
    cooled = sorted(key for key in counted if key in hot and count.get(key, 0) <= limit)
    bulk.insert(connection, hot_key, ("key", "entity"), ((key, entity) for key in heated))
    if cooled:
        connection.execute(sa.delete(hot_key).where(among(connection, hot_key.c.key, cooled)))
    if not heated and not cooled:
        return set()
    sharing = sa.select(match_key.c.record_id).where(among(connection, match_key.c.key, heated + cooled))
    return set(connection.execute(sharing).scalars())
