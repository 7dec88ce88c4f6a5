"""Golden records: by id, by key, in pages. Root fields load whole pages; the fields of records never ask the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import graphene

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub import queries
from hub.flow import travel
from hub.web.graphql.context import asks, hub_of
from hub.web.graphql.types import Node, page_type, record_type
from rules.why import Ruling, Why, explain

MOST = 200  # records of one page
MOST_FLIPS = 20  # records of one page that asks what would flip their fields


def plural(entity: str) -> str:
    """`legal_entity` → `legal_entities`."""
    return entity[:-1] + "ies" if entity.endswith("y") else entity + "s"


def node(
    row: Mapping[str, Any], parents: Mapping[str, Any], asked: str | None = None, ruling: Ruling | None = None
) -> dict[str, Any]:
    """A golden row as the types read it. `ruling` is what it was judged by, where the query asks why."""
    provenance = [
        {
            "field": name,
            "source": p[0],
            "rule": p[1],
            "asserted_at": p[2],
            "losers": [{"source": s, "reason": r} for s, r in p[3]],
            "why": cache(partial(_explained, ruling, name)),
        }
        for name, p in row["provenance"].items()
    ]
    values = dict(row["values"])
    for name in ENTITIES[row["entity"]].references:
        values[name] = parents.get(values.get(name) or "")
    return {
        "entity": row["entity"], "id": row["id"], "version": row["version"], "label": row["label"], "values": values,
        "rule_set": row["ruleset"], "changed_at": row["changed_at"].isoformat(), "provenance": provenance,
        "basis": row.get("basis"), "redirected_from": asked if asked not in (None, row["id"]) else None,
        "sources": [{"source_key": key, "version": version or None} for key, version in row["members"]],
    }  # fmt: skip


def _one(entity: str) -> Callable[..., dict[str, Any] | None]:
    def resolve(
        _root: None, info: graphene.ResolveInfo, id: str, believed_at: str | None = None, as_of: str | None = None
    ) -> dict[str, Any] | None:
        if believed_at or as_of:
            row = travel.known(hub_of(info).engine, id, as_of=believed_at, asserted_by=as_of)
            return node(row, queries.references(hub_of(info).engine, [row]), id) if row["entity"] == entity else None
        rows, parents = queries.records(hub_of(info).engine, entity, [id])
        judged = _rulings(info, list(rows.values()))
        return node(rows[id], parents, id, judged.get(rows[id]["id"])) if id in rows else None

    return resolve


def _page(entity: str) -> Callable[..., dict[str, Any]]:
    def resolve(_root: None, info: graphene.ResolveInfo, first: int, after: str, text: str) -> dict[str, Any]:
        size = max(1, min(first, MOST_FLIPS if asks(info, ("flip",)) else MOST))
        rows, parents = queries.page(hub_of(info).engine, entity, after=after, text=text, first=size + 1)
        shown = rows[:size]
        more = {"has_next_page": len(rows) > size, "end_cursor": shown[-1]["id"] if shown else None}
        judged = _rulings(info, shown)
        return {"nodes": [node(row, parents, ruling=judged.get(row["id"])) for row in shown], "page_info": more}

    return resolve


def _by_key(_root: None, info: graphene.ResolveInfo, system: str, entity: str, key: str) -> dict[str, Any] | None:
    found, parents = queries.record_by_key(hub_of(info).engine, SourceKey(system, entity, key))
    return node(found, parents, ruling=_rulings(info, [found]).get(found["id"])) if found else None


def _explained(ruling: Ruling | None, name: str, *, flips: bool) -> Why | None:
    return explain(ruling, name, flips=flips) if ruling else None


def _rulings(info: graphene.ResolveInfo, rows: Sequence[Mapping[str, Any]]) -> dict[str, Ruling]:
    """What the rows were judged by, if the query asks why anywhere: one look for the whole page."""
    return queries.rulings(hub_of(info).engine, rows) if rows and asks(info, ("candidates", "flip")) else {}


def _fields() -> dict[str, Any]:
    """Two fields per entity, and the look-up by a system's own key."""
    fields: dict[str, Any] = {}
    for name in ENTITIES:
        fields[name] = graphene.Field(
            record_type(name),
            id=graphene.NonNull(graphene.ID),
            believed_at=graphene.String(description="As the hub believed at this date or time"),
            as_of=graphene.String(description="Judged again with only what was asserted by this date or time"),
            resolver=_one(name),
            description="By golden id; former ids lead on.",
        )
        fields[plural(name)] = graphene.Field(
            graphene.NonNull(page_type(name)),
            first=graphene.Int(default_value=50),
            after=graphene.String(default_value=""),
            text=graphene.String(default_value="", description="Starts an indexed value"),
            resolver=_page(name),
        )
    fields["by_key"] = graphene.Field(
        Node,
        system=graphene.NonNull(graphene.String),
        entity=graphene.NonNull(graphene.String),
        key=graphene.NonNull(graphene.String),
        resolver=_by_key,
        description="The golden record that a system's own key belongs to.",
    )
    return fields


Query = type("Query", (), {"__doc__": "Golden records."} | _fields())
