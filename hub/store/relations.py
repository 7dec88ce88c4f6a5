"""Golden records around golden records, by the walks of rules; and what was found not to be as it must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.store import bulk, plans, questions
from hub.store.change_table import change
from hub.store.engine import among
from hub.store.relation_tables import relation_finding, relation_mark
from hub.store.tables import golden, golden_reference, golden_version, link, task
from rules.document import Relation
from rules.relations import Surroundings
from rules.ruleset import RuleSet
from rules.steps import Steps, walks

KIND = "relation"  # of the task that a broken relation opens
Pairs = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where an entity's relations have been looked at."""

    rules: str
    change: int
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A relation that a golden record does not meet."""

    golden_id: str
    rule: Relation


class World(Protocol):
    """What stands, as walks and values are read from it: the store's own, or what rehearsed rules would leave."""

    def step(self, connection: sa.Connection, here: Sequence[str], name: str, /) -> Iterable[Any]:
        """Pairs of golden records: these, and where one step leads from each."""

    def values(self, connection: sa.Connection, ids: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """The values of those that stand; references are golden ids, None while the other is not here."""


def around(
    connection: sa.Connection, ruleset: RuleSet, ids: Sequence[str], world: World | None = None
) -> dict[str, Surroundings]:
    """Each of these live golden records with those that its entity's relations speak of; references are golden ids."""
    entity, world = ruleset.entity.name, world or STORED
    wanted = {walk for rule in ruleset.document.relations for walk in walks(rule, entity) if walk}
    reached = {walk: walked(connection, ids, walk, world) for walk in sorted(wanted)}
    everybody = sorted({*ids, *(end for pairs in reached.values() for _, end in pairs)})
    values = world.values(connection, everybody)
    found: dict[str, dict[Steps, list[Mapping[str, Any]]]] = {id_: {walk: [] for walk in wanted} for id_ in ids}
    for walk, pairs in reached.items():
        for start, end in sorted(pairs):
            if end in values:
                found[start][walk].append(values[end])
    return {id_: Surroundings(values[id_], found[id_]) for id_ in ids if id_ in values}


def walked(connection: sa.Connection, ids: Iterable[str], steps: Steps, world: World | None = None) -> Pairs:
    """Where a walk leads from each golden record: pairs of start and end, one statement a step."""
    pairs = {(id_, id_) for id_ in ids}
    for step in steps if pairs else ():
        here = sorted({end for _, end in pairs})
        led: dict[str, list[str]] = {}
        for start, end in (world or STORED).step(connection, here, step):
            led.setdefault(start, []).append(end)
        pairs = {(start, further) for start, end in pairs for further in led.get(end, ())}
    return pairs


def back(steps: Steps, entity: str) -> Steps:
    """The same walk the other way round."""
    turned, here = [], entity
    for step in steps:
        child, _, field = step.partition(".")
        turned.append(field or f"{here}.{step}")
        here = child if field else ENTITIES[here].references[step]
    return tuple(reversed(turned))


def changed(connection: sa.Connection, mark: int, most: int) -> list[tuple[int, str, str, int]]:
    """The changes after a mark, the oldest first: number, entity, golden id, version."""
    query = sa.select(change.c.id, change.c.entity, change.c.golden_id, change.c.version)
    query = query.where(change.c.id > mark).order_by(change.c.id).limit(most)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def last_change(connection: sa.Connection) -> int:
    """The number of the last change of all."""
    return connection.execute(sa.select(sa.func.max(change.c.id))).scalar() or 0


def once_referred(connection: sa.Connection, seen: Sequence[tuple[str, int]], field: str) -> set[str]:
    """The golden records that versions of golden records, or those before them, referred to by a field."""
    v = golden_version.c
    wanted = {(id_, number) for id_, version in seen for number in (version - 1, version)}
    query = sa.select(v.golden_id, v.version, v["values"]).where(
        among(connection, v.golden_id, sorted({id_ for id_, _ in wanted}))
    )
    keys = {
        SourceKey.parse(values[field]).record_id
        for id_, version, values in connection.execute(query)
        if (id_, version) in wanted and values.get(field)
    }
    live = sa.select(link.c.golden_id).where(link.c.until.is_(None), among(connection, link.c.record_id, sorted(keys)))
    return set(connection.execute(live.distinct()).scalars())


def entity_of(connection: sa.Connection, ids: Sequence[str]) -> str | None:
    """The entity of golden records that are all of one, as far as one of them is here."""
    query = sa.select(golden.c.entity).where(among(connection, golden.c.id, list(ids))).limit(1)
    return connection.execute(query).scalar()


def ids_after(connection: sa.Connection, entity: str, after: str, most: int) -> list[str]:
    """The next live golden records of an entity, by id."""
    query = sa.select(golden.c.id).where(golden.c.entity == entity, golden.c.state == "live", golden.c.id > after)
    return list(connection.execute(query.order_by(golden.c.id).limit(most)).scalars())


def marks(connection: sa.Connection) -> dict[str, Mark]:
    """Entity → up to where it was looked at."""
    query = sa.select(relation_mark.c.entity, relation_mark.c.rules, relation_mark.c.change, relation_mark.c.after)
    return {entity: Mark(*mark) for entity, *mark in connection.execute(query)}


def keep_mark(connection: sa.Connection, entity: str, mark: Mark) -> None:
    """Note up to where an entity was looked at."""
    connection.execute(sa.delete(relation_mark).where(relation_mark.c.entity == entity))
    row = {"entity": entity, "rules": mark.rules, "change": mark.change, "after": mark.after}
    connection.execute(sa.insert(relation_mark).values(row))


def note(connection: sa.Connection, ids: Sequence[str], broken: Sequence[Broken], now: datetime) -> int:
    """Have these golden records' findings be these, opening and closing tasks; how many came or went."""
    stood = relation_finding.c
    query = sa.select(stood.golden_id, stood.rule, stood.message).where(among(connection, stood.golden_id, ids))
    before = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    wanted = {(one.golden_id, one.rule.id): one for one in broken}
    gone = [key for key in before if key not in wanted or before[key] != wanted[key].rule.message]
    for rule in sorted({rule for _, rule in gone}):
        over = sorted(id_ for id_, one in gone if one == rule)
        connection.execute(
            sa.delete(relation_finding).where(stood.rule == rule, among(connection, stood.golden_id, over))
        )
    new = [one for key, one in sorted(wanted.items()) if key not in before or key in gone]
    columns = ("golden_id", "rule", "severity", "effect", "message", "since")
    bulk.insert(
        connection, relation_finding, columns,
        ((o.golden_id, o.rule.id, o.rule.severity, o.rule.effect, o.rule.message, now) for o in new),
    )  # fmt: skip
    _ask(connection, ids, [one for one in broken if one.rule.effect == "review"], now)
    return len(gone) + len(new)


def _ask(connection: sa.Connection, ids: Sequence[str], broken: Sequence[Broken], now: datetime) -> None:
    """One task a golden record, on its founder; closed when it is settled."""
    query = sa.select(golden.c.id, golden.c.entity, golden.c.founder_id).where(among(connection, golden.c.id, ids))
    founders = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    reasons: dict[int, list[str]] = {}
    entities = {founder: entity for entity, founder in founders.values()}
    for one in broken:
        reasons.setdefault(founders[one.golden_id][1], []).append(f"{one.rule.message} ({one.rule.id})")
    mine = sa.and_(task.c.kind == KIND, questions.OPEN, among(connection, task.c.left_id, sorted(entities)))
    standing = {row.left_id: row for row in connection.execute(sa.select(task).where(mine))}
    questions.withdraw(connection, [row.id for left, row in standing.items() if left not in reasons], now)
    words = {left: "; ".join(said) for left, said in reasons.items()}
    bulk.update(
        connection, task, ("id",),
        [{"id": standing[left].id, "reason": said} for left, said in words.items()
         if left in standing and standing[left].reason != said],
    )  # fmt: skip
    new = sorted(words.keys() - standing.keys())
    questions.ask(connection, ((entities[left], KIND, left, None, words[left], None) for left in new), now)


def _step(connection: sa.Connection, here: Sequence[str], step: str) -> sa.Select[Any]:
    """Pairs of golden records: these, and where one step leads from each."""
    child, _, field = step.partition(".")
    held = sa.and_(link.c.record_id == golden_reference.c.parent_id, link.c.until.is_(None))
    if not field:
        query = sa.select(golden_reference.c.golden_id, link.c.golden_id).join(link, held)
        return query.where(golden_reference.c.field == step, among(connection, golden_reference.c.golden_id, here))
    query = sa.select(link.c.golden_id, golden_reference.c.golden_id).select_from(link).join(golden_reference, held)
    query = query.join(golden, golden.c.id == golden_reference.c.golden_id)
    query = query.where(golden_reference.c.field == field, golden.c.entity == child, golden.c.state == "live")
    return query.where(among(connection, link.c.golden_id, here))


def _values(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The values in force of live golden records; references are golden ids, None while the other is not here."""
    led = plans.parents(connection, ids)
    return {id_: {**one.values, **led.get(id_, {})} for id_, one in plans.goldens(connection, ids, live=True).items()}


class _Stored:
    """What stands in the store."""

    def step(self, connection: sa.Connection, here: Sequence[str], name: str, /) -> Iterable[Any]:
        """Pairs of golden records: these, and where one step leads from each."""
        return connection.execute(_step(connection, here, name))

    def values(self, connection: sa.Connection, ids: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """The values in force of live golden records."""
        return _values(connection, ids)


STORED = _Stored()
