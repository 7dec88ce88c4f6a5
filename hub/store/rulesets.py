"""The rule sets in force: immutable versions, one live per entity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.rule_tables import promotion, ruleset
from rules.ruleset import RuleSet, load


@dataclass(frozen=True, slots=True)
class Live:
    """A rule set in force."""

    ruleset: RuleSet
    since: datetime


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that was put in force in place of another: by whom, why, and on which simulation."""

    entity: str
    version: str
    previous: str
    simulation_id: int
    author: str
    reason: str
    at: datetime


def activate(connection: sa.Connection, rulesets: Mapping[str, RuleSet], now: datetime) -> None:
    """Put these versions in force where no version of the entity is yet."""
    live = set(connection.execute(sa.select(ruleset.c.entity).where(ruleset.c.state == "live")).scalars())
    rows = [
        {"version": one.version, "entity": name, "document": one.text, "state": "live", "activated_at": now}
        for name, one in rulesets.items()
        if name not in live
    ]
    if rows:
        connection.execute(sa.insert(ruleset), rows)


def in_force(connection: sa.Connection, known: Mapping[str, RuleSet]) -> dict[str, RuleSet]:
    """The live rule set of each entity; documents that are already compiled in `known` are taken from there."""
    return {entity: one.ruleset for entity, one in live(connection, known).items()}


def live(connection: sa.Connection, known: Mapping[str, RuleSet]) -> dict[str, Live]:
    """The live rule set of each entity, and since when it is in force."""
    compiled = {one.version: one for one in known.values()}
    rows = connection.execute(_LIVE).all()
    compiled |= versions(connection, {row.version for row in rows} - compiled.keys())
    return {row.entity: Live(compiled[row.version], row.activated_at) for row in rows}


_LIVE = sa.select(ruleset.c.entity, ruleset.c.version, ruleset.c.activated_at).where(ruleset.c.state == "live")


def current(connection: sa.Connection, known: RuleSet) -> RuleSet:
    """The version in force of the same entity: `known` itself unless another was promoted since."""
    version = connection.execute(_CURRENT, {"entity": known.entity.name}).scalar()
    return known if version in (None, known.version) else versions(connection, [version])[version]


_CURRENT = sa.select(ruleset.c.version).where(ruleset.c.entity == sa.bindparam("entity"), ruleset.c.state == "live")


def promote(connection: sa.Connection, made: Promotion, document: str) -> None:
    """Put a version in force in place of the one that is."""
    connection.execute(
        sa.update(ruleset).where(ruleset.c.entity == made.entity, ruleset.c.state == "live").values(state="retired")
    )
    now = {"state": "live", "activated_at": made.at}
    again = sa.update(ruleset).where(ruleset.c.version == made.version).values(now).returning(ruleset.c.version)
    if connection.execute(again).one_or_none() is None:
        row = {"version": made.version, "entity": made.entity, "document": document}
        connection.execute(sa.insert(ruleset).values(row | now))
    connection.execute(sa.insert(promotion).values(asdict(made)))


def document_of(connection: sa.Connection, entity: str, version: str) -> str | None:
    """The document of a version that is or was in force."""
    query = sa.select(ruleset.c.document).where(ruleset.c.entity == entity, ruleset.c.version == version)
    return connection.execute(query).scalar()


def history(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every version with its state and each time that it was put in force; who and why are empty for a shipped one."""
    p = promotion.c
    query = sa.select(
        ruleset.c.entity, ruleset.c.version, ruleset.c.state, p.author, p.reason, p.simulation_id,
        sa.func.coalesce(p.at, ruleset.c.activated_at).label("at"),
    )  # fmt: skip
    query = query.join(promotion, p.version == ruleset.c.version, isouter=True)
    rows = connection.execute(query.order_by(ruleset.c.entity, sa.desc("at"), p.id.desc().nulls_last())).mappings()
    return [{str(name): value for name, value in row.items()} for row in rows]


def versions(connection: sa.Connection, asked: Collection[str]) -> dict[str, RuleSet]:
    """These versions, whether they are in force or were; each is compiled once in a process."""
    found = {version: _COMPILED[version] for version in asked if version in _COMPILED}
    missing = sorted(set(asked) - found.keys())
    if missing:
        query = sa.select(ruleset.c.version, ruleset.c.document).where(ruleset.c.version.in_(missing))
        for row in connection.execute(query):
            if len(_COMPILED) >= MOST_COMPILED:
                _COMPILED.pop(next(iter(_COMPILED)))
            found[row.version] = _COMPILED[row.version] = load(row.document, row.version)
    return found


MOST_COMPILED = 64
_COMPILED: dict[str, RuleSet] = {}  # a version never changes, so it is compiled once in a process
