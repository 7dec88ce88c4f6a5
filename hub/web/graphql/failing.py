"""What did not go across, over GraphQL: looked at, replayed, parked; and plans that are not to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene

from hub.flow import failures, publish
from hub.web.graphql.context import hub_of, principal_of, seen
from hub.web.graphql.facts import Json, listed
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.publishing import Plan, plan_of, told
from hub.web.graphql.shapes import timed


class PublishFailure(graphene.ObjectType):
    """A golden record that a target has not taken."""

    target = graphene.NonNull(graphene.String)
    entity = graphene.NonNull(graphene.String)
    golden = graphene.NonNull(graphene.ID)
    label = graphene.String()
    version = graphene.NonNull(graphene.Int)
    state = graphene.NonNull(graphene.String, description="waiting, dead or parked")
    status = graphene.String(description="Which class of trouble the last try met")
    says = graphene.String(description="In the target's words")
    tries = graphene.NonNull(graphene.Int, description="Of this version, since it was replayed")
    since = graphene.NonNull(graphene.String)
    next_at = graphene.String(description="Not tried again before")
    author = graphene.String(description="Who parked it")
    reason = graphene.String()
    next = graphene.NonNull(graphene.String, description="What happens next, or what somebody has to do")
    masked = graphene.NonNull(
        graphene.Boolean, description="Whether what the target says is left out, for the scope of the key lacks a part"
    )


class PublishStatus(graphene.ObjectType):
    """What is under way to a target."""

    target = graphene.NonNull(graphene.String)
    owed = graphene.NonNull(graphene.Int, description="Golden records that are owed and in no plan")
    failed = Json(required=True, description="Golden records that were not taken, by state")
    opens_at = graphene.String(description="Nothing is sent before: it had trouble, or does not let us in")
    trouble = graphene.String(description="Which, in its words")
    plans = graphene.Field(listed(Plan), description="Those that have not ended")


class ReplayFailures(graphene.Mutation):
    """Try anew what a target did not take; it goes into the next plan, with its tries counted from the start."""

    class Arguments:
        """Where, which (without any: all but the parked ones), and why."""

        target = graphene.NonNull(graphene.String)
        golden = graphene.List(graphene.NonNull(graphene.ID))
        reason = graphene.NonNull(graphene.String)

    golden = graphene.Field(listed(graphene.ID))
    user_errors = user_errors()

    @staticmethod
    def mutate(
        _root: None, info: graphene.ResolveInfo, target: str, reason: str, golden: Sequence[str] | None = None
    ) -> ReplayFailures:
        """Replay, or say why not."""

        def act() -> ReplayFailures:
            hub = hub_of(info)
            ids = failures.replay(hub.engine, target, golden or (), principal_of(info), reason=reason, now=hub.clock())
            return ReplayFailures(golden=ids, user_errors=[])

        return guarded(act, ReplayFailures, golden=[])


class ParkPublication(graphene.Mutation):
    """Send nothing of a golden record to a target until it is replayed; plans go on without it."""

    class Arguments:
        """What, where, and why."""

        golden = graphene.NonNull(graphene.ID)
        target = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, golden: str, target: str, reason: str) -> ParkPublication:
        """Park it, or say why not."""

        def act() -> ParkPublication:
            hub = hub_of(info)
            failures.park(hub.engine, target, golden, principal_of(info), reason=reason, now=hub.clock())
            return ParkPublication(done=True, user_errors=[])

        return guarded(act, ParkPublication, done=False)


class DiscardPlan(graphene.Mutation):
    """Discard a plan of which nothing was sent yet; what it would have sent is owed again."""

    class Arguments:
        """Which plan, and why."""

        plan = graphene.NonNull(graphene.Int)
        reason = graphene.NonNull(graphene.String)

    plan = graphene.Field(Plan)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, plan: int, reason: str) -> DiscardPlan:
        """Discard it, or say why not."""

        def act() -> DiscardPlan:
            hub = hub_of(info)
            publish.discard(hub.engine, plan, principal_of(info), reason, hub.clock())
            return DiscardPlan(plan=plan_of(info, plan), user_errors=[])

        return guarded(act, DiscardPlan)


class Query:
    """What did not go across."""

    publish_failures = graphene.Field(
        listed(PublishFailure), target=graphene.String(), description="What targets did not take, the oldest first."
    )
    publish_status = graphene.Field(
        listed(PublishStatus), target=graphene.String(), description="What is under way to targets."
    )

    @staticmethod
    def resolve_publish_failures(
        _root: None, info: graphene.ResolveInfo, target: str | None = None
    ) -> list[dict[str, Any]]:
        """Those of one target or of all."""
        rows = seen(info, failures.failed(hub_of(info).engine, target))
        return [timed(row, "since", "next_at") | {"golden": row["golden_id"]} for row in rows]

    @staticmethod
    def resolve_publish_status(
        _root: None, info: graphene.ResolveInfo, target: str | None = None
    ) -> list[dict[str, Any]]:
        """One target, or all to which something is under way."""
        rows = failures.status(hub_of(info).engine, target)
        return [
            row
            | {"plans": [told(plan) for plan in row["plans"]], "trouble": row["gate"] and row["gate"]["says"]}
            | {"opens_at": row["gate"] and row["gate"]["opens_at"].isoformat()}
            for row in rows
        ]


class Mutation:
    """Dealing with it."""

    replay_failures = ReplayFailures.Field()
    park_publication = ParkPublication.Field()
    discard_plan = DiscardPlan.Field()
