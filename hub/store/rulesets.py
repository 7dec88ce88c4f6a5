"""The rule sets in force: immutable versions, one live per entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from hub.store.tables import ruleset
from rules.ruleset import RuleSet, load


@dataclass(frozen=True, slots=True)
class Live:
    """A rule set in force."""

    ruleset: RuleSet
    since: datetime


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
    query = sa.select(ruleset).where(ruleset.c.state == "live")
    return {
        row.entity: Live(compiled.get(row.version) or _compiled(row.document, row.version), row.activated_at)
        for row in connection.execute(query)
    }


@lru_cache(maxsize=64)
def _compiled(document: str, version: str) -> RuleSet:
    return load(document, version)
