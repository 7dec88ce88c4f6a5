"""The steward's queue and what a steward answers."""

from __future__ import annotations

from typing import Any

import graphene

from canonical.ids import SourceKey
from hub import queries
from hub.store import attention
from hub.web.graphql.context import desk_of, hub_of, sight_of
from hub.web.graphql.payloads import guarded, user_errors

MOST = 200  # tasks of one page
_AS_THEY_ARE = ("id", "entity", "kind", "reason", "score", "left_golden", "right_golden")


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
    mark = graphene.NonNull(
        graphene.String, description="What the question looks like now: give it back with the answer"
    )


class Decide(graphene.Mutation):
    """Answer a question about two records with `same`, `different` or `related`."""

    class Arguments:
        """What is decided."""

        task = graphene.NonNull(graphene.ID)
        answer = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)
        seen = graphene.String(description="The task's `mark` as you saw it; refused when it has moved on")

    decision = graphene.ID(description="The decision's id, to undo it by")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, task: str, **said: str) -> Decide:
        """Decide, or say why not."""

        def act() -> Decide:
            made = desk_of(info).answer(task, said["answer"], said["reason"], seen=said.get("seen"))
            return Decide(decision=made, user_errors=[])

        return guarded(act, Decide)


class Undo(graphene.Mutation):
    """Take a decision back."""

    class Arguments:
        """Which one."""

        decision = graphene.NonNull(graphene.ID)
        seen = graphene.String(description="ID@VERSION of a golden record that it is about, as you saw it")

    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, decision: str, seen: str | None = None) -> Undo:
        """Undo, or say why not."""

        def act() -> Undo:
            desk_of(info, seen).undo(decision)
            return Undo(done=True, user_errors=[])

        return guarded(act, Undo, done=False)


class Detach(graphene.Mutation):
    """Take a source record out of its golden record and keep it out."""

    class Arguments:
        """Which one, and why."""

        key = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)
        block = graphene.Boolean(default_value=True, description="For good, or only until the evidence changes")
        seen = graphene.String(description="ID@VERSION of its golden record as you saw it")

    decisions = graphene.List(graphene.NonNull(graphene.ID), description="Each can be undone alone")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, key: str, reason: str, **said: Any) -> Detach:
        """Detach, or say why not."""

        def act() -> Detach:
            made = desk_of(info, said.get("seen")).detach(SourceKey.parse(key), reason, block=said["block"])
            return Detach(decisions=made, user_errors=[])

        return guarded(act, Detach)


class Approve(graphene.Mutation):
    """Let a publication go that waits for an approval."""

    class Arguments:
        """What is approved, and the version that was seen."""

        golden = graphene.NonNull(graphene.ID)
        target = graphene.NonNull(graphene.String)
        version = graphene.NonNull(graphene.Int)
        reason = graphene.NonNull(graphene.String)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, golden: str, **seen: Any) -> Approve:
        """Approve, or say why not."""

        def act() -> Approve:
            desk_of(info).approve(golden, seen["target"], seen["version"], seen["reason"])
            return Approve(done=True, user_errors=[])

        return guarded(act, Approve, done=False)


class Query:
    """Open questions."""

    tasks = graphene.Field(
        graphene.NonNull(graphene.List(graphene.NonNull(Task))),
        first=graphene.Int(default_value=50),
        after=graphene.String(default_value=""),
        description="Open questions, the oldest first.",
    )

    @staticmethod
    def resolve_tasks(
        _root: None, info: graphene.ResolveInfo, first: int | None, after: str | None
    ) -> list[dict[str, Any]]:
        """Open questions, each with its two sides."""
        entities = sight_of(info).entities
        many = 50 if first is None else max(1, min(first, MOST))
        rows = queries.tasks(hub_of(info).engine, first=many, after=after or "", entities=entities)
        return [
            {
                **{name: row[name] for name in _AS_THEY_ARE},
                "left": f"{row['left_system']}:{row['entity']}:{row['left_key']}",
                "right": f"{row['right_system']}:{row['entity']}:{row['right_key']}" if row["right_key"] else None,
                "opened_at": row["opened_at"].isoformat(),
                "mark": attention.mark_in(row),
            }
            for row in rows
        ]


class Mutation:
    """What a steward or an approver may do."""

    decide = Decide.Field()
    undo = Undo.Field()
    detach = Detach.Field()
    approve = Approve.Field()
