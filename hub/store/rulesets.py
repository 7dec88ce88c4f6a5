"""The rule sets in force: immutable versions, one live per entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from hub.store.tables import ruleset
from rules.ruleset import RuleSet, load


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
    compiled = {one.version: one for one in known.values()}
    query = sa.select(ruleset).where(ruleset.c.state == "live")
    return {
        row.entity: compiled.get(row.version) or load(row.document, row.version) for row in connection.execute(query)
    }


def versions(connection: sa.Connection, asked: Iterable[str]) -> dict[str, RuleSet]:
    """These versions, whether they are in force or were; each is compiled once in a process."""
    query = sa.select(ruleset.c.version, ruleset.c.document).where(ruleset.c.version.in_(sorted(set(asked))))
    return {row.version: _compiled(row.version, row.document) for row in connection.execute(query)}


@lru_cache(maxsize=64)
def _compiled(version: str, document: str) -> RuleSet:
    return load(document, version)
