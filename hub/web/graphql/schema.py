"""Queries and mutations. Root fields load whole pages through `queries`; resolvers never ask the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import graphene

from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub import queries
from hub.flow import travel
from hub.store.access import Principal
from hub.web.graphql import asking
from hub.web.graphql.types import Node, page_type, record_type
from hub.wiring import Hub
from rules.why import Ruling, Why, explain

MOST = 200  # records of one page
MOST_FLIPS = 20  # records of one page that asks what would flip their fields


class Task(graphene.ObjectType):
    """A question that waits for a steward."""

    id = graphene.NonNull(graphene.ID)
    entity = graphene.NonNull(graphene.String)
    kind = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String, description="Why a person must look")
    score = graphene.Float(description="Log-odds that the two are the same")
    left = graphene.NonNull(graphene.String, description="Source key")
    left_golden = graphene.ID()
    right = graphene.String(description="Source key")
    right_golden = graphene.ID()
    opened_at = graphene.NonNull(graphene.String)


class UserError(graphene.ObjectType):
    """Why a mutation did nothing."""

    code = graphene.NonNull(graphene.String)
    field = graphene.String()
    message = graphene.NonNull(graphene.String)
    hint = graphene.NonNull(graphene.String)


class Decide(graphene.Mutation):
    """Answer a match task with `same` or `different`."""

    class Arguments:
        """What is decided."""

        task = graphene.NonNull(graphene.ID)
        answer = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    decision = graphene.ID(description="The decision's id, to undo it by")
    user_errors = graphene.NonNull(graphene.List(graphene.NonNull(UserError)))

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, task: str, answer: str, reason: str) -> Decide:
        """Decide, or say why not."""
        return _guarded(lambda: Decide(decision=_desk(info).answer(task, answer, reason), user_errors=[]), Decide)


class Undo(graphene.Mutation):
    """Take a decision back."""

    class Arguments:
        """Which one."""

        decision = graphene.NonNull(graphene.ID)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = graphene.NonNull(graphene.List(graphene.NonNull(UserError)))

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, decision: str) -> Undo:
        """Undo, or say why not."""

        def act() -> Undo:
            _desk(info).undo(decision)
            return Undo(done=True, user_errors=[])

        return _guarded(act, Undo, done=False)


class Approve(graphene.Mutation):
    """Let a publication go that waits for an approval."""

    class Arguments:
        """What is approved, and the version that was seen."""

        golden = graphene.NonNull(graphene.ID)
        target = graphene.NonNull(graphene.String)
        version = graphene.NonNull(graphene.Int)
        reason = graphene.NonNull(graphene.String)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = graphene.NonNull(graphene.List(graphene.NonNull(UserError)))

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, golden: str, **seen: Any) -> Approve:
        """Approve, or say why not."""

        def act() -> Approve:
            _desk(info).approve(golden, seen["target"], seen["version"], seen["reason"])
            return Approve(done=True, user_errors=[])

        return _guarded(act, Approve, done=False)


class Mutation(graphene.ObjectType):
    """What a steward or an approver may do."""

    decide = Decide.Field()
    undo = Undo.Field()
    approve = Approve.Field()


def build() -> graphene.Schema:
    """The schema: two fields per entity, look-ups by key, the steward's queue."""
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
    fields["tasks"] = graphene.Field(
        graphene.NonNull(graphene.List(graphene.NonNull(Task))),
        first=graphene.Int(default_value=50),
        after=graphene.String(default_value=""),
        resolver=_tasks,
        description="Open questions, the oldest first.",
    )
    fields |= asking.fields()
    query = type("Query", (graphene.ObjectType,), {"__doc__": "Golden records and open questions.", **fields})
    return graphene.Schema(query=query, mutation=Mutation, types=[record_type(name) for name in ENTITIES])


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
            row = travel.known(_hub(info).engine, id, as_of=believed_at, asserted_by=as_of)
            return node(row, queries.references(_hub(info).engine, [row]), id) if row["entity"] == entity else None
        rows, parents = queries.records(_hub(info).engine, entity, [id])
        judged = _rulings(info, list(rows.values()))
        return node(rows[id], parents, id, judged.get(rows[id]["id"])) if id in rows else None

    return resolve


def _page(entity: str) -> Callable[..., dict[str, Any]]:
    def resolve(_root: None, info: graphene.ResolveInfo, first: int, after: str, text: str) -> dict[str, Any]:
        size = max(1, min(first, MOST_FLIPS if _asks(info, ("flip",)) else MOST))
        rows, parents = queries.page(_hub(info).engine, entity, after=after, text=text, first=size + 1)
        shown = rows[:size]
        more = {"has_next_page": len(rows) > size, "end_cursor": shown[-1]["id"] if shown else None}
        judged = _rulings(info, shown)
        return {"nodes": [node(row, parents, ruling=judged.get(row["id"])) for row in shown], "page_info": more}

    return resolve


def _by_key(_root: None, info: graphene.ResolveInfo, system: str, entity: str, key: str) -> dict[str, Any] | None:
    found, parents = queries.record_by_key(_hub(info).engine, SourceKey(system, entity, key))
    return node(found, parents, ruling=_rulings(info, [found]).get(found["id"])) if found else None


def _explained(ruling: Ruling | None, name: str, *, flips: bool) -> Why | None:
    return explain(ruling, name, flips=flips) if ruling else None


def _rulings(info: graphene.ResolveInfo, rows: Sequence[Mapping[str, Any]]) -> dict[str, Ruling]:
    """What the rows were judged by, if the query asks why anywhere: one look for the whole page."""
    return queries.rulings(_hub(info).engine, rows) if rows and _asks(info, ("candidates", "flip")) else {}


def _asks(info: graphene.ResolveInfo, wanted: Sequence[str]) -> bool:
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


def _tasks(_root: None, info: graphene.ResolveInfo, first: int, after: str) -> list[dict[str, Any]]:
    rows = queries.tasks(_hub(info).engine, first=max(1, min(first, MOST)), after=after)
    return [
        {
            **{name: row[name] for name in ("id", "entity", "kind", "reason", "score", "left_golden", "right_golden")},
            "left": f"{row['left_system']}:{row['entity']}:{row['left_key']}",
            "right": f"{row['right_system']}:{row['entity']}:{row['right_key']}" if row["right_key"] else None,
            "opened_at": row["opened_at"].isoformat(),
        }
        for row in rows
    ]


def _guarded(act: Callable[[], Any], payload: type[Any], **nothing: Any) -> Any:
    try:
        return act()
    except MasterDataError as error:
        why = UserError(code=error.code, message=error.message, hint=error.hint)
        return payload(user_errors=[why], **nothing)


def _hub(info: graphene.ResolveInfo) -> Hub:
    hub: Hub = info.context["hub"]
    return hub


def _desk(info: graphene.ResolveInfo) -> Any:
    principal: Principal = info.context["principal"]
    return _hub(info).desk(principal)
