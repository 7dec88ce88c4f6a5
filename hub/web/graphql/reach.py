"""What a key with a narrow scope may ask at all. A field of the roots that is not named here is refused to it.

Reads that are named mask what they show (`hub.store.sight`); acts that are named speak of one record, whose entity
can be told before anything is done. All else concerns the hub as a whole: it needs a key that sees everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import graphene

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.errors import OutOfSight
from hub.store import decisions
from hub.store.engine import reading
from hub.store.sight import Sight
from hub.web.graphql.context import hub_of, sight_of
from hub.web.graphql.shapes import camel, plural

Given = Mapping[str, Any]
_OF_PREFIX = {described.prefix: name for name, described in ENTITIES.items()}


def guard(schema: graphene.Schema) -> graphene.Schema:
    """The schema, of which each field of the roots looks first at the scope of whoever is asking."""
    made = schema.graphql_schema
    for root in (made.query_type, made.mutation_type):
        for name, field in root.fields.items() if root else ():
            field.resolve = partial(_within, name, field.resolve)
    return schema


def _within(name: str, resolve: Any, root: Any, info: graphene.ResolveInfo, /, **given: Any) -> Any:
    sight = sight_of(info)
    if not sight.whole:
        if name not in REACH:
            raise OutOfSight(f"`{name}` concerns the whole hub, and the scope of this key does not.")
        REACH[name](sight, info, given)
    return resolve(root, info, **given)


def _freely(_sight: Sight, _info: graphene.ResolveInfo, _given: Given) -> None:
    """It masks what it shows, and leaves out what is out of sight."""


def _alike(sight: Sight, _info: graphene.ResolveInfo, given: Given) -> None:
    sight.require(given["entity"])
    for name in given["values"] if isinstance(given["values"], dict) else ():
        sight.require_field(given["entity"], name, "look up")


def _by_key(sight: Sight, _info: graphene.ResolveInfo, given: Given) -> None:
    key = SourceKey.parse(given["key"])
    sight.require(key.entity)
    if "field" in given:
        sight.require_field(key.entity, given["field"], "set")


def _of_task(sight: Sight, info: graphene.ResolveInfo, given: Given) -> None:
    with reading(hub_of(info).engine) as connection:
        task = decisions.task_of(connection, given["task"])
    if task is not None:
        sight.require(task["entity"])


def _of_golden(sight: Sight, _info: graphene.ResolveInfo, given: Given) -> None:
    sight.require(_OF_PREFIX.get(given["golden"].split("_")[0], "an unknown entity"))


def _of_system(_sight: Sight, _info: graphene.ResolveInfo, _given: Given) -> None:
    """It refuses a system that speaks of entities out of sight (`hub.web.ingest.take_in`)."""


REACH: dict[str, Callable[[Sight, graphene.ResolveInfo, Given], None]] = {
    **{camel(word): _freely for name in ENTITIES for word in (name, plural(name))},
    **dict.fromkeys(("byKey", "node", "nodes", "changes", "changesCursor", "tasks", "waiting"), _freely),
    **dict.fromkeys(("valuesSet", "drift", "plan", "plans", "reconciliations", "bookClosings"), _freely),
    "publishFailures": _freely,
    **dict.fromkeys(("ruleVersions", "checkRules", "simulations", "unmappedCodes"), _freely),
    "matches": _alike,
    "submit": _of_system,
    **dict.fromkeys(("setValue", "detach"), _by_key),
    "decide": _of_task,
    **dict.fromkeys(("approve", "parkPublication"), _of_golden),
}
