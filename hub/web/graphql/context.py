"""What a resolver may ask of the request: the hub, who is asking, their desk, and what the query selects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import graphene

from hub.desk import Desk
from hub.store import audit
from hub.store.access import Principal
from hub.store.sight import Sight
from hub.wiring import Hub


def hub_of(info: graphene.ResolveInfo) -> Hub:
    """The hub that is asked."""
    hub: Hub = info.context["hub"]
    return hub


def principal_of(info: graphene.ResolveInfo) -> Principal:
    """Who is asking."""
    principal: Principal = info.context["principal"]
    return principal


def sight_of(info: graphene.ResolveInfo) -> Sight:
    """What whoever is asking may see."""
    return principal_of(info).sight


def seen(info: graphene.ResolveInfo, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows that name their entity, as whoever is asking may see them; those of entities out of sight are left out."""
    sight, rows = sight_of(info), list(rows)
    for row in rows:
        if sight.sees(row["entity"]):
            audit.saw(row["entity"], [row["golden"]] if row.get("golden") else ())
    return [
        {**sight.row(row["entity"], row), "masked": bool(sight.masked(row["entity"]))}
        for row in rows
        if sight.sees(row["entity"])
    ]


def desk_of(info: graphene.ResolveInfo, seen: str | None = None) -> Desk:
    """The desk of whoever is asking, now; `seen` is the golden record that they speak of, as ID@VERSION."""
    return replace(hub_of(info).desk(principal_of(info)), seen=seen)


def asks(info: graphene.ResolveInfo, wanted: Sequence[str]) -> bool:
    """Whether the query selects a field of one of these names anywhere below."""
    seen: set[str] = set()
    waiting = list(info.field_nodes)
    while waiting:
        one = waiting.pop()
        name = one.name.value if getattr(one, "name", None) else ""
        if one.kind == "fragment_spread":
            waiting += [] if name in seen else [info.fragments[name]]
            seen.add(name)
            continue
        if one.kind == "field" and name in wanted:
            return True
        waiting += one.selection_set.selections if one.selection_set else ()
    return False
