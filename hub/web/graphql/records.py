"""Golden records: by id, by a system's key, by a natural key, and in lists; now or at another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import graphene

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.errors import Ambiguous, InvalidRequest
from hub.store import listing, past, reads, related
from hub.store.conditions import Condition, Every, Scope, Test
from hub.store.engine import Connection as Store
from hub.store.engine import reading
from hub.store.listing import Slice, Sort
from hub.web.graphql import connections
from hub.web.graphql.cohort import Cohort, Node, When
from hub.web.graphql.connections import Asked, Connection
from hub.web.graphql.context import asks, hub_of, sight_of
from hub.web.graphql.shapes import plural, shape, type_name
from hub.web.graphql.types import GoldenRecord, connection_type, record_type
from hub.web.graphql.types import Node as NodeInterface

MOST_FLIPS = 20  # records of one page that asks what would flip their fields, or is judged anew
Rows = Mapping[str, Mapping[str, Any]]  # by the id that was asked for
_REASONS = ("provenance", "sources")
_TIMES = {
    "believed_at": graphene.String(description="As the hub believed at this date or time"),
    "as_of": graphene.String(description="Judged again with only what was asserted by this date or time"),
}


@cache
def key_type(entity: str) -> type[graphene.InputObjectType]:
    """The natural keys of an entity: fields by which a record is named across systems."""
    fields = {
        name: graphene.String(description=ENTITIES[entity].fields[name].marks.description)
        for name in ENTITIES[entity].indexed
    }
    said = {"__doc__": "Values that name one record; all that are given must be its own."}
    return type(f"{type_name(entity)}Key", (graphene.InputObjectType,), said | fields)


def _one(entity: str, _root: None, info: graphene.ResolveInfo, **asked: Any) -> Node | None:
    """The record of an entity that is named in one of three ways."""
    named = {name: asked[name] for name in ("id", "source_key") if asked.get(name)}
    if by := {name: value for name, value in (asked.get("by") or {}).items() if value is not None}:
        named["by"] = by
    if len(named) != 1:
        raise InvalidRequest(f"name one {entity} by `id`, by `sourceKey` or `by` a natural key.")
    when = When.of(asked.get("believed_at"), asked.get("as_of"))
    engine, sight = hub_of(info).engine, sight_of(info)
    sight.require(entity)
    for name in named.get("by", ()):
        sight.require_field(entity, name, "look up")
    with reading(engine) as connection:
        if "by" in named:
            id_ = _by_natural_key(connection, entity, named["by"])
        elif "source_key" in named:
            id_ = _by_source_key(connection, named["source_key"], when)
        else:
            id_ = named["id"]
        rows = _rows(connection, [id_], when, reasons=asks(info, _REASONS)) if id_ else {}
    own = {one: row for one, row in rows.items() if row["entity"] == entity}
    return Cohort(engine, own, when, sight=sight).nodes.get(id_ or "")


def _list(entity: str, _root: None, info: graphene.ResolveInfo, **given: Any) -> Connection:
    """A page of the records of an entity."""
    when, sight = When.of(given.get("believed_at"), given.get("as_of")), sight_of(info)
    sight.require(entity)
    few = asks(info, ("flip",)) or (when is not None and when.asserted)
    asked = Asked.of(entity, given, MOST_FLIPS if few else connections.MOST, sight=sight)
    then = when.at if when and not when.asserted else None
    if then and asked.part.sort.by in ("label", "changed_at"):
        raise InvalidRequest("at another time records are put in order by id or by a field.")
    engine, scope = hub_of(info).engine, Scope(entity, then)
    with reading(engine) as connection:
        rows = listing.page(connection, scope, asked.condition, asked.part, reasons=asks(info, _REASONS))
        shown = _at(connection, rows, when)

    def count() -> int:
        with reading(engine) as connection:
            return listing.count(connection, scope, asked.condition)

    return Connection(Cohort(engine, shown, when, sight=sight), rows, asked.part, count)


def _by_key(_root: None, info: graphene.ResolveInfo, system: str, entity: str, key: str) -> Node | None:
    if entity not in ENTITIES:
        return None
    return _one(entity, None, info, source_key=str(SourceKey(system, entity, key)))


def _node(_root: None, info: graphene.ResolveInfo, id: str) -> Node | None:
    return _several(None, info, [id])[0]


def _several(_root: None, info: graphene.ResolveInfo, ids: Sequence[str]) -> list[Node | None]:
    """The records of these ids, in the order asked, null where there is none."""
    if len(ids) > connections.MOST:
        raise InvalidRequest(f"{len(ids)} records were asked for at once; at most {connections.MOST} are answered.")
    engine = hub_of(info).engine
    with reading(engine) as connection:
        rows = _rows(connection, ids, None, reasons=asks(info, _REASONS))
    nodes = Cohort(engine, rows, sight=sight_of(info)).nodes
    return [nodes.get(id_) for id_ in ids]


def _rows(connection: Store, ids: Sequence[str], when: When | None, *, reasons: bool = False) -> Rows:
    """Golden rows by the id that was asked for, redirects followed."""
    if when is None:
        return listing.led(connection, ids, reasons=reasons)
    led = reads.golden_ids(connection, ids) if when.asserted else related.led_at(connection, ids, when.at)
    found = when.rows(connection, sorted(set(led.values())))
    return {asked: found[id_] for asked, id_ in led.items() if id_ in found}


def _at(connection: Store, rows: Sequence[dict[str, Any]], when: When | None) -> Rows:
    """The rows of a list as they are to be shown at that time."""
    if when is not None and when.asserted:
        return when.rows(connection, [row["id"] for row in rows])
    return {row["id"]: row if when is None else row | when.told(row) for row in rows}


def _by_source_key(connection: Store, text: str, when: When | None) -> str | None:
    key = SourceKey.parse(text)
    if when is not None and not when.asserted:
        return past.holder_at(connection, key.record_id, when.at)
    return reads.golden_of(connection, [key]).get(key)


def _by_natural_key(connection: Store, entity: str, given: Mapping[str, str]) -> str | None:
    """The one record that has these values. Raises Ambiguous when there are several."""
    tests = Every(tuple(_has(entity, name, value) for name, value in given.items()))
    found = listing.page(connection, Scope(entity), tests, Slice(Sort(), 2))
    if len(found) > 1:
        named = ", ".join(f"{name} {value!r}" for name, value in given.items())
        raise Ambiguous(f"several {plural(entity)} have {named}.", hint=f"List them: {plural(entity)}(filter: …).")
    return found[0]["id"] if found else None


def _has(entity: str, name: str, value: str) -> Condition:
    field = ENTITIES[entity].fields[name]
    if isinstance(shape(field), str):
        return Test((name,), "eq", field.read(value)[0] or value)
    read = field.read({"number": value})[0]
    return Test((name, "number"), "eq", read["number"] if isinstance(read, dict) and read.get("number") else value)


def _fields() -> dict[str, Any]:
    """Two fields per entity, and the look-ups that serve all of them."""
    fields: dict[str, Any] = {}
    for name, described in ENTITIES.items():
        fields[name] = graphene.Field(
            partial(record_type, name),
            id=graphene.ID(description="A golden id; former ids lead on, and the record tells so"),
            source_key=graphene.String(description="A system's own key, such as crm:account:0013X00002"),
            by=graphene.Argument(key_type(name)) if described.indexed else None,
            **_TIMES,
            resolver=partial(_one, name),
            description=f"One {name.replace('_', ' ')}, by golden id, by source key or by a natural key.",
        )
        fields[plural(name)] = graphene.Field(
            lambda name=name: graphene.NonNull(connection_type(name)),
            **connections.arguments(name),
            **_TIMES,
            resolver=partial(_list, name),
            description="A list; filter and order look at what is in force, with `believedAt` at what was then. "
            f"With `asOf`, or where `flip` is asked for, a page holds at most {MOST_FLIPS}.",
        )
    return fields | {
        "by_key": graphene.Field(
            GoldenRecord,
            system=graphene.NonNull(graphene.String),
            entity=graphene.NonNull(graphene.String),
            key=graphene.NonNull(graphene.String),
            resolver=_by_key,
            description="The golden record that a system's own key belongs to.",
        ),
        "node": graphene.Field(
            NodeInterface, id=graphene.NonNull(graphene.ID), resolver=_node, description="A record by its id."
        ),
        "nodes": graphene.Field(
            graphene.NonNull(graphene.List(NodeInterface)),
            ids=graphene.NonNull(graphene.List(graphene.NonNull(graphene.ID))),
            resolver=_several,
            description="Records by their ids, in the order asked, null where there is none.",
        ),
    }


Query = type("Query", (), {"__doc__": "Golden records."} | _fields())
