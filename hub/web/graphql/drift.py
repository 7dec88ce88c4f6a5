"""Drift over GraphQL: what targets have against what they were sent, and what is done about it."""

from __future__ import annotations

from typing import Any

import graphene

from hub.errors import InvalidRequest
from hub.flow import reconcile as flow
from hub.store import drift
from hub.store.engine import reading
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of, seen
from hub.web.graphql.facts import Json, listed
from hub.web.graphql.overrides import time_of
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed

MAY_ACT = ("operator", "steward", "approver")


class Drift(graphene.ObjectType):
    """One record that is otherwise in a target than it was sent."""

    id = graphene.NonNull(graphene.Int)
    target = graphene.NonNull(graphene.String)
    entity = graphene.NonNull(graphene.String)
    golden = graphene.ID(description="Empty for a record that nobody sent from here")
    label = graphene.String()
    remote_id = graphene.String(description="The target's own key")
    kind = graphene.NonNull(graphene.String, description="missing, extra or different")
    cause = graphene.NonNull(graphene.String)
    fields = Json(required=True, description="Field to [as sent, as it is there], in the target's words")
    amount = Json(description="The money that the golden record speaks of")
    since = graphene.NonNull(graphene.String)
    state = graphene.NonNull(graphene.String, description="open or accepted")
    until = graphene.String(description="Until when it is accepted; empty for good")
    reason = graphene.String()
    masked = graphene.NonNull(
        graphene.Boolean,
        description="Whether what is otherwise is left out, for the scope of the key lacks a part of it",
    )


class Reconciliation(graphene.ObjectType):
    """A reading of a target."""

    id = graphene.NonNull(graphene.Int)
    target = graphene.NonNull(graphene.String)
    started_at = graphene.NonNull(graphene.String)
    finished_at = graphene.String()
    complete = graphene.NonNull(graphene.Boolean, description="Only then is it known what is missing")
    read = graphene.NonNull(graphene.Int, description="How many records were read")
    counts = Json(description="Drift that stood after it, by kind")
    trouble = graphene.String()


class Reconcile(graphene.Mutation):
    """Read a target back and compare it with what it was sent."""

    class Arguments:
        """Which target."""

        target = graphene.NonNull(graphene.String)

    reconciliation = graphene.Field(Reconciliation)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, target: str) -> Reconcile:
        """Reconcile, or say why not."""

        def act() -> Reconcile:
            auth.require(principal_of(info), *MAY_ACT)
            hub = hub_of(info)
            made = flow.reconcile(hub.engine, hub.target(target), hub.clock)
            row = next(one for one in _runs(info) if one["id"] == made.id)
            return Reconcile(reconciliation=row, user_errors=[])

        return guarded(act, Reconcile)


class SettleDrift(graphene.Mutation):
    """Resend, adopt or accept a drift."""

    class Arguments:
        """Which, what, why; `until` only when it is accepted."""

        drift = graphene.NonNull(graphene.Int)
        act = graphene.NonNull(graphene.String, description="resend, adopt or accept")
        reason = graphene.NonNull(graphene.String)
        until = graphene.String()

    key = graphene.String(description="Of the adopted statement")
    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, drift: int, act: str, reason: str, **more: Any) -> SettleDrift:
        """Settle it, or say why not."""
        return guarded(lambda: _settle(info, drift, act, reason, more.get("until")), SettleDrift, done=False)


class Query:
    """What targets have."""

    drift = graphene.Field(
        listed(Drift), target=graphene.String(), description="Drift that stands, the oldest first; accepted too."
    )
    reconciliations = graphene.Field(listed(Reconciliation), description="The newest readings of targets.")

    @staticmethod
    def resolve_drift(_root: None, info: graphene.ResolveInfo, target: str | None = None) -> list[dict[str, Any]]:
        """Drift of one target or of all."""
        with reading(hub_of(info).engine) as connection:
            rows = drift.standing(connection, target)
        return [
            row | {"golden": row["golden_id"], "since": row["since"].isoformat(),
                   "until": row["until"] and row["until"].isoformat()}
            for row in seen(info, rows)
        ]  # fmt: skip

    @staticmethod
    def resolve_reconciliations(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The newest first."""
        return _runs(info)


class Mutation:
    """Reading back, and dealing with drift."""

    reconcile = Reconcile.Field()
    settle_drift = SettleDrift.Field()


def _settle(info: graphene.ResolveInfo, drift_id: int, act: str, reason: str, until: str | None) -> SettleDrift:
    auth.require(principal_of(info), *MAY_ACT)
    hub, who = hub_of(info), principal_of(info)
    if act == "adopt":
        return SettleDrift(done=True, key=hub.adopt(drift_id, who, reason), user_errors=[])
    if act == "resend":
        flow.resend(hub.engine, drift_id, who.name, reason, hub.clock())
    elif act == "accept":
        flow.accept(hub.engine, drift_id, who.name, reason, hub.clock(), until=time_of(until))
    else:
        raise InvalidRequest(f"{act[:20]!r} is nothing that can be done.", hint="resend, adopt or accept.")
    return SettleDrift(done=True, user_errors=[])


def _runs(info: graphene.ResolveInfo) -> list[dict[str, Any]]:
    with reading(hub_of(info).engine) as connection:
        rows = drift.latest(connection)
    return [timed(row, "started_at", "finished_at") for row in rows]
