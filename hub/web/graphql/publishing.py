"""Publishing over GraphQL: plan, look, approve exactly that, send it."""

from __future__ import annotations

from typing import Any

import graphene

from hub import queries
from hub.flow import publish
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of, seen
from hub.web.graphql.facts import Json, listed
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed

MAY_RUN = ("operator", "approver")
MOST = 1000  # entries of one answer


class PlanEntry(graphene.ObjectType):
    """One record of a plan; it ends in exactly one state."""

    position = graphene.NonNull(graphene.Int)
    entity = graphene.NonNull(graphene.String)
    golden = graphene.NonNull(graphene.ID)
    label = graphene.String()
    version = graphene.NonNull(graphene.Int)
    action = graphene.NonNull(graphene.String, description="create, update, deactivate or unchanged")
    state = graphene.NonNull(
        graphene.String, description="planned, sending, acknowledged, rejected, held, superseded or parked"
    )
    changes = Json(description="Field to [before, after], in the target's words")
    reason = graphene.String(description="Why it is held or was not taken")
    attempts = graphene.NonNull(graphene.Int)
    next_at = graphene.String(description="Not tried again before")
    masked = graphene.NonNull(
        graphene.Boolean, description="Whether changes and reason are left out, for the scope of the key lacks a part"
    )


class Plan(graphene.ObjectType):
    """What is to go to a target, saved and sealed."""

    id = graphene.NonNull(graphene.Int)
    target = graphene.NonNull(graphene.String)
    state = graphene.NonNull(graphene.String, description="draft, approved, running, done or stale")
    hash = graphene.NonNull(graphene.String, description="Of its content; what is approved is this")
    created_by = graphene.NonNull(graphene.String)
    created_at = graphene.NonNull(graphene.String)
    approved_by = graphene.String()
    needs = graphene.String(description="The role that must approve it, because of how much it changes there")
    finished_at = graphene.String()
    reason = graphene.String(description="Why it is stale: what has changed, or who discarded it")
    counts = Json(description="Records by state")
    entries = graphene.Field(
        listed(PlanEntry), first=graphene.Int(default_value=100), after=graphene.Int(default_value=-1)
    )

    @staticmethod
    def resolve_counts(row: dict[str, Any], info: graphene.ResolveInfo) -> dict[str, int]:
        """How many records stand in each state."""
        return publish.counted(hub_of(info).engine, row["id"])

    @staticmethod
    def resolve_entries(row: dict[str, Any], info: graphene.ResolveInfo, first: int, after: int) -> list[Any]:
        """The entries in the order of sending, after a position."""
        _, entries = queries.plan_with_entries(hub_of(info).engine, row["id"])
        wanted = [one for one in seen(info, entries) if one["position"] > after][: max(1, min(first, MOST))]
        return [
            timed(one, "next_at") | {"golden": one["golden_id"], "reason": None if one["masked"] else one["reason"]}
            for one in wanted
        ]


class PlanPublish(graphene.Mutation):
    """Read everything that is owed to a target and save what would be sent. Nothing leaves."""

    class Arguments:
        """Which target."""

        target = graphene.NonNull(graphene.String)

    plan = graphene.Field(Plan)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, target: str) -> PlanPublish:
        """Plan, or say why not."""

        def act() -> PlanPublish:
            auth.require(principal_of(info), *MAY_RUN)
            hub = hub_of(info)
            made = publish.make_plan(hub.engine, hub.target(target), principal_of(info).name, hub.clock())
            return PlanPublish(plan=plan_of(info, made), user_errors=[])

        return guarded(act, PlanPublish)


class ApprovePlan(graphene.Mutation):
    """Approve exactly the content of this hash; not by whoever made the plan."""

    class Arguments:
        """Which plan, and the hash that was seen."""

        plan = graphene.NonNull(graphene.Int)
        hash = graphene.NonNull(graphene.String)

    plan = graphene.Field(Plan)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, plan: int, hash: str) -> ApprovePlan:
        """Approve, or say why not."""

        def act() -> ApprovePlan:
            hub, who = hub_of(info), principal_of(info)
            publish.approve(hub.engine, plan, hash, who.name, hub.clock(), role=who.role)
            return ApprovePlan(plan=plan_of(info, plan), user_errors=[])

        return guarded(act, ApprovePlan)


class ApplyPlan(graphene.Mutation):
    """Send exactly what an approved plan says; interrupted, it goes on where it was."""

    class Arguments:
        """Which plan."""

        plan = graphene.NonNull(graphene.Int)

    plan = graphene.Field(Plan)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, plan: int) -> ApplyPlan:
        """Send, or say why not."""

        def act() -> ApplyPlan:
            auth.require(principal_of(info), *MAY_RUN)
            hub = hub_of(info)
            target = hub.target(queries.plan(hub.engine, plan)["target"])
            publish.apply(hub.engine, target, plan, hub.clock)
            return ApplyPlan(plan=plan_of(info, plan), user_errors=[])

        return guarded(act, ApplyPlan)


class Query:
    """What has gone and what is to go."""

    plans = graphene.Field(listed(Plan), description="The newest publish plans.")
    plan = graphene.Field(Plan, id=graphene.NonNull(graphene.Int), description="One publish plan.")

    @staticmethod
    def resolve_plans(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The newest first."""
        return [told(row) for row in queries.plans(hub_of(info).engine)]

    @staticmethod
    def resolve_plan(_root: None, info: graphene.ResolveInfo, id: int) -> dict[str, Any]:
        """The plan. Raises NotFound."""
        return plan_of(info, id)


class Mutation:
    """Publishing."""

    plan_publish = PlanPublish.Field()
    approve_plan = ApprovePlan.Field()
    apply_plan = ApplyPlan.Field()


def plan_of(info: graphene.ResolveInfo, plan_id: int) -> dict[str, Any]:
    """A plan as it is told. Raises NotFound."""
    return told(queries.plan(hub_of(info).engine, plan_id))


def told(row: Any) -> dict[str, Any]:
    """A plan's row as it is told."""
    return timed(row, "created_at", "finished_at") | {"hash": row["content_hash"]}
