"""Gathering a case: from records that changed to everything that judgement of them may need.

Three questions are asked of the tables, each with a fixed number of statements however large the
batch is: who shares a blocking key, who hangs together with whom, and what is known of all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store import bulk, echoes, journal, rulesets
from hub.store.engine import Among, Prepared, among
from hub.store.tables import (
    decision,
    evidence,
    golden,
    hot_key,
    link,
    match_key,
    publication,
    record,
    record_version,
)
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


def candidates(connection: sa.Connection, ids: Sequence[int], *, loose: bool = False) -> list[Edge]:
    """Pairs of records that share a key which is not too common; one of the two is among the given.

    With `loose`, odd keys are loose ones: two records that share one of them and nothing else are no pair.
    """
    rows = (_SHARING_TWO if loose else _SHARING)(connection, ids)
    return sorted({(a, b) if a < b else (b, a) for a, b in rows})


def _sharing(among: Among) -> sa.Select[Any]:
    mine, other = match_key.alias("mine"), match_key.alias("other")
    cold = ~sa.exists().where(hot_key.c.key == mine.c.key)
    query = sa.select(mine.c.record_id, other.c.record_id)
    query = query.join(other, sa.and_(other.c.key == mine.c.key, other.c.record_id != mine.c.record_id))
    return query.where(among(mine.c.record_id), cold).group_by(mine.c.record_id, other.c.record_id)


def _sharing_two(among: Among) -> sa.Select[Any]:
    query = _sharing(among)
    key = query.get_final_froms()[0].left.c.key  # type: ignore[attr-defined]
    return query.having(sa.or_(sa.func.count() > 1, sa.func.min(key % 2) == 0))


_SHARING, _SHARING_TWO = Prepared(_sharing), Prepared(_sharing_two)


def sharing(connection: sa.Connection, keys: Sequence[int], *, loose: bool = False) -> list[int]:
    """The records that would be compared with one that has these keys."""
    return list((_HOLDING_TWO if loose else _HOLDING)(connection, keys).scalars())


def _holding(among: Among) -> sa.Select[Any]:
    cold = ~sa.exists().where(hot_key.c.key == match_key.c.key)
    return sa.select(match_key.c.record_id).where(among(match_key.c.key), cold).group_by(match_key.c.record_id)


_HOLDING = Prepared(_holding)
_HOLDING_TWO = Prepared(
    lambda among: _holding(among).having(sa.or_(sa.func.count() > 1, sa.func.min(match_key.c.key % 2) == 0))
)


def neighbours(connection: sa.Connection, ids: Collection[int], least: float) -> set[int]:
    """The records that stored evidence of at least this weight ties to the given ones."""
    return set(_NEIGHBOURS(connection, ids, least=least).scalars())


def tied(connection: sa.Connection, ids: Collection[int], least: float) -> set[int]:
    """The records that such evidence, a golden record or a steward's "same" ties to the given ones."""
    return set(_TIED(connection, ids, least=least).scalars())


def _evidently(among: Among) -> list[sa.Select[Any]]:
    enough = evidence.c.score >= sa.bindparam("least", type_=sa.Float())
    return [
        sa.select(evidence.c.right_id).where(among(evidence.c.left_id), enough),
        sa.select(evidence.c.left_id).where(among(evidence.c.right_id), enough),
    ]


def _otherwise(among: Among) -> list[sa.Select[Any]]:
    mine, other = link.alias("mine"), link.alias("other")
    linked = sa.select(other.c.record_id).join(mine, mine.c.golden_id == other.c.golden_id)
    linked = linked.where(among(mine.c.record_id), mine.c.until.is_(None), other.c.until.is_(None))
    same = sa.and_(decision.c.kind == "same", decision.c.undone_at.is_(None))
    right = sa.select(decision.c.right_id).where(same, among(decision.c.left_id))
    return [linked, right, sa.select(decision.c.left_id).where(same, among(decision.c.right_id))]


_NEIGHBOURS = Prepared(lambda among: sa.union_all(*_evidently(among)))
_TIED = Prepared(lambda among: sa.union_all(*_evidently(among), *_otherwise(among)))


def scores(connection: sa.Connection, ids: Sequence[int]) -> list[tuple[int, int, float]]:
    """The evidence kept of pairs of which one is among the given records: smaller id, larger id, log-odds."""
    return [(row[0], row[1], row[2]) for row in _SCORES(connection, ids)]


_SCORES = Prepared(
    lambda among: sa.select(evidence.c.left_id, evidence.c.right_id, evidence.c.score).where(among(evidence.c.left_id))
)


def stored_evidence(connection: sa.Connection, ids: Sequence[int]) -> dict[Edge, Evidence]:
    """The evidence kept of pairs that lie among the given records."""
    known = set(ids)
    return {
        (row[0], row[1]): Evidence(row[2], tuple((p[0], p[1], p[2]) for p in row[3]))
        for row in _EVIDENCE(connection, ids)
        if row[1] in known
    }


_EVIDENCE = Prepared(
    lambda among: sa.select(evidence.c.left_id, evidence.c.right_id, evidence.c.score, evidence.c.parts).where(
        among(evidence.c.left_id)
    )
)


def replace_evidence(connection: sa.Connection, ids: Sequence[int], found: Mapping[Edge, Evidence]) -> None:
    """Keep this evidence in place of whatever was kept of the given records."""
    for forget in _FORGET:
        forget(connection, ids)
    rows = ((left, right, one.score, one.parts) for (left, right), one in found.items())
    bulk.insert(connection, evidence, ("left_id", "right_id", "score", "parts"), rows)


_FORGET = (
    Prepared(lambda among: sa.delete(evidence).where(among(evidence.c.left_id))),
    Prepared(lambda among: sa.delete(evidence).where(among(evidence.c.right_id))),
)


def pair_decisions(connection: sa.Connection, keys: Mapping[int, SourceKey]) -> tuple[PairDecision, ...]:
    """What stewards said of pairs among these records, undone answers left out."""
    return tuple(
        PairDecision(keys[row.left_id], keys[row.right_id], _SAYS[row.kind], row.id)
        for row in _ANSWERS(connection, keys)
        if row.right_id in keys
    )


_SAYS = {"same": Answer.SAME, "different": Answer.DIFFERENT, "related": Answer.DIFFERENT}  # related is not the same
_ANSWERS = Prepared(
    lambda among: (
        sa.select(decision.c.id, decision.c.kind, decision.c.left_id, decision.c.right_id)
        .where(decision.c.undone_at.is_(None), decision.c.kind.in_(list(_SAYS)))
        .where(among(decision.c.left_id))
        .order_by(decision.c.id)
    )
)


def overrides(connection: sa.Connection, keys: Mapping[int, SourceKey]) -> tuple[Override, ...]:
    """The values that stewards set on these records, lifted ones left out."""
    return tuple(
        Override(keys[row.left_id], row.field, row.value, row.decided_at, row.until, row.id, row.seen)
        for row in _OVERRIDES(connection, keys)
    )


_OVERRIDES = Prepared(
    lambda among: (
        sa.select(decision)
        .where(decision.c.kind == "value", decision.c.undone_at.is_(None), among(decision.c.left_id))
        .order_by(decision.c.id)
    )
)


def links(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The golden record that holds each record now."""
    return {row[0]: row[1] for row in _LINKS(connection, ids)}


_LINKS = Prepared(
    lambda among: sa.select(link.c.record_id, link.c.golden_id).where(link.c.until.is_(None), among(link.c.record_id))
)


def succession(connection: sa.Connection, ids: Collection[int]) -> set[int]:
    """The records that replaced one of these, and those that one of these replaced (of what is here)."""
    rows = _HEIRS(connection, ids).all()
    heirs = [SourceKey.parse(row.replaced_by).record_id for row in rows if row.replaced_by is not None]
    keys = [str(SourceKey(row.system, row.entity, row.key)) for row in rows]
    here = set(_HERE(connection, heirs).scalars()) if heirs else set()
    return here | set(_REPLACED(connection, keys).scalars())


_NOW = sa.and_(record.c.id == record_version.c.record_id, record.c.number == record_version.c.number)
_HEIRS = Prepared(
    lambda among: (
        sa.select(record.c.system, record.c.entity, record.c.key, record_version.c.replaced_by)
        .join(record_version, _NOW)
        .where(among(record.c.id))
    )
)
_HERE = Prepared(lambda among: sa.select(record.c.id).where(among(record.c.id)))
_REPLACED = Prepared(
    lambda among: (
        sa.select(record.c.id)
        .join(record_version, _NOW)
        .where(record_version.c.replaced_by.is_not(None), among(record_version.c.replaced_by))
    )
)


def inherited(connection: sa.Connection, records: Mapping[int, SourceRecord]) -> dict[SourceKey, tuple[str, ...]]:
    """The golden ids of keys that one of these records replaced."""
    found: dict[SourceKey, tuple[str, ...]] = {}
    for replaced_by, golden_id in _INHERITED(connection, [str(one.key) for one in records.values()]):
        key = SourceKey.parse(replaced_by)
        found[key] = (*found.get(key, ()), golden_id)
    return found


_INHERITED = Prepared(
    lambda among: (
        sa.select(record_version.c.replaced_by, link.c.golden_id)
        .join(record, _NOW)
        .join(link, sa.and_(link.c.record_id == record.c.id, link.c.until.is_(None)))
        .join(golden, sa.and_(golden.c.id == link.c.golden_id, golden.c.state != "merged"))
        .where(record_version.c.replaced_by.is_not(None), among(record_version.c.replaced_by))
        .order_by(link.c.golden_id)
    )
)


def priors(connection: sa.Connection, ids: Iterable[str]) -> dict[str, Prior]:
    """The golden records of these ids, as they stand; merged ones are left out."""
    rows = _PRIORS(connection, sorted(set(ids))).all()
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


_FOUNDER = record.alias("founder")
_PRIORS = Prepared(
    lambda among: (
        sa.select(golden, _FOUNDER.c.system, _FOUNDER.c.key.label("founder_key"))
        .join(_FOUNDER, _FOUNDER.c.id == golden.c.founder_id)
        .where(golden.c.state != "merged", among(golden.c.id))
    )
)


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
    return {keys[row[0]]: row[1] for row in _FOUNDED(connection, keys)}


_FOUNDED = Prepared(
    lambda among: (
        sa.select(golden.c.founder_id, sa.func.count()).where(among(golden.c.founder_id)).group_by(golden.c.founder_id)
    )
)


def rulings(connection: sa.Connection, goldens: Iterable[Mapping[str, Any]]) -> dict[str, Ruling]:
    """What these golden records were judged by, by id: members, overrides, rules and time of their last version.

    A fixed number of statements. One whose rule set version is not kept is left out.
    """
    rows = list(goldens)
    members = {row["id"]: [SourceKey.parse(key).record_id for key, _ in row["members"]] for row in rows}
    everybody = sorted({id_ for ids in members.values() for id_ in ids})
    records = {id_: one for id_, one in journal.load_records(connection, everybody).items() if not one.tombstone}
    said = overrides(connection, {id_: one.key for id_, one in records.items()})
    sent = echoes.published_there(connection, records)
    known = rulesets.versions(connection, {row["ruleset"] for row in rows})
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
    for record_id, key in _KEYS(connection, ids):
        found.setdefault(record_id, []).append(key)
    return {record_id: tuple(sorted(keys)) for record_id, keys in found.items()}


_KEYS = Prepared(lambda among: sa.select(match_key.c.record_id, match_key.c.key).where(among(match_key.c.record_id)))


def _retemper(connection: sa.Connection, entity: str, gained: set[int], lost: set[int], limit: int) -> set[int]:
    """Mark the keys that have become too common and unmark those that are so no more; who shares them."""
    touched = sorted(gained | lost)
    hot = set(_HOT(connection, touched).scalars())
    counted = [key for key in touched if key not in hot or key in lost]
    count: dict[int, int] = dict(_COUNTED(connection, counted).all())
    heated = sorted(key for key in counted if key not in hot and count.get(key, 0) > limit)
    cooled = sorted(key for key in counted if key in hot and count.get(key, 0) <= limit)
    bulk.insert(connection, hot_key, ("key", "entity"), ((key, entity) for key in heated))
    if cooled:
        _COOL(connection, cooled)
    return set(_SHARERS(connection, heated + cooled).scalars()) if heated or cooled else set()


_HOT = Prepared(lambda among: sa.select(hot_key.c.key).where(among(hot_key.c.key)))
_COUNTED = Prepared(
    lambda among: sa.select(match_key.c.key, sa.func.count()).where(among(match_key.c.key)).group_by(match_key.c.key)
)
_COOL = Prepared(lambda among: sa.delete(hot_key).where(among(hot_key.c.key)))
_SHARERS = Prepared(lambda among: sa.select(match_key.c.record_id).where(among(match_key.c.key)))
