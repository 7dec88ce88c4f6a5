"""API keys over GraphQL: whose, what each sees, until when it holds. For admins alone; a secret is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import graphene

from hub.store import access, allowance
from hub.store.access import Principal
from hub.store.allowance import Limits
from hub.store.engine import reading, writing
from hub.store.sight import Sight
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import listed
from hub.web.graphql.overrides import time_of
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed

_TIMES = ("created_at", "last_used_at", "expires_at", "revoked_at")


class ApiKey(graphene.ObjectType):
    """A key, without its secret."""

    id = graphene.NonNull(graphene.ID)
    name = graphene.NonNull(graphene.String)
    role = graphene.NonNull(graphene.String)
    state = graphene.NonNull(
        graphene.String, description="valid, rotated (still in force beside its heir), expired or revoked"
    )
    entities = graphene.List(graphene.NonNull(graphene.String), description="Only these; null for all")
    hidden = graphene.NonNull(
        graphene.List(graphene.NonNull(graphene.String)), description="Groups of fields that it masks: personal, money"
    )
    created_at = graphene.NonNull(graphene.String)
    last_used_at = graphene.String(description="To the minute")
    expires_at = graphene.String()
    revoked_at = graphene.String()
    rate = graphene.Int(description="Requests a minute; any number where there is none")
    cost = graphene.Int(description="Cost a minute, as `extensions.cost` of answers tells it")
    heir = graphene.ID(description="The key that it was rotated to")


class IssueApiKey(graphene.Mutation):
    """Issue a key. What it is comes back once, and is never shown again."""

    class Arguments:
        """For whom, in which role, and what it sees."""

        name = graphene.NonNull(graphene.String)
        role = graphene.NonNull(graphene.String)
        entities = graphene.List(graphene.NonNull(graphene.String), description="Only these; all, if nothing is said")
        hidden = graphene.List(graphene.NonNull(graphene.String), description="Groups that it masks: personal, money")
        expires_at = graphene.String()
        rate = graphene.Int(default_value=allowance.RATE, description="Requests a minute; 0 for any number")
        cost = graphene.Int(default_value=allowance.COST, description="Cost a minute; 0 for any")

    key = graphene.String(description="The key itself, this once")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, name: str, role: str, **said: Any) -> IssueApiKey:
        """Issue it, or say why not."""

        def act() -> IssueApiKey:
            auth.require(principal_of(info), "admin")
            hub, sight = hub_of(info), Sight.of(said.get("entities"), said.get("hidden") or ())
            limits = Limits(said["rate"] or None, said["cost"] or None)
            with writing(hub.engine) as connection:
                made = access.grant(
                    connection, Principal(name, role, sight, limits=limits), principal_of(info).name, hub.clock(),
                    expires_at=time_of(said.get("expires_at")),
                )  # fmt: skip
            return IssueApiKey(key=made, user_errors=[])

        return guarded(act, IssueApiKey)


class RotateApiKey(graphene.Mutation):
    """Issue a key in place of another, which holds until the overlap is over."""

    class Arguments:
        """Which key, and for how long the old one still holds."""

        id = graphene.NonNull(graphene.ID)
        overlap_hours = graphene.Int(default_value=168)

    key = graphene.String(description="The new key itself, this once")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, id: str, overlap_hours: int | None) -> RotateApiKey:
        """Rotate it, or say why not."""

        def act() -> RotateApiKey:
            auth.require(principal_of(info), "admin")
            hub, overlap = hub_of(info), access.OVERLAP if overlap_hours is None else timedelta(hours=overlap_hours)
            with writing(hub.engine) as connection:
                made = access.rotate(connection, id, principal_of(info).name, hub.clock(), overlap=overlap)
            return RotateApiKey(key=made, user_errors=[])

        return guarded(act, RotateApiKey)


class RevokeApiKey(graphene.Mutation):
    """End a key now."""

    class Arguments:
        """Which key."""

        id = graphene.NonNull(graphene.ID)

    done = graphene.NonNull(graphene.Boolean, description="Whether it was in force")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, id: str) -> RevokeApiKey:
        """Revoke it, or say why not."""

        def act() -> RevokeApiKey:
            auth.require(principal_of(info), "admin")
            hub = hub_of(info)
            with writing(hub.engine) as connection:
                done = access.revoke(connection, id, principal_of(info).name, hub.clock())
            return RevokeApiKey(done=done, user_errors=[])

        return guarded(act, RevokeApiKey, done=False)


class Query:
    """Keys."""

    api_keys = graphene.Field(listed(ApiKey), description="All API keys, the newest first; for admins.")

    @staticmethod
    def resolve_api_keys(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The keys without their secrets."""
        auth.require(principal_of(info), "admin")
        hub = hub_of(info)
        with reading(hub.engine) as connection:
            rows = access.every(connection, hub.clock())
        return [timed(row, *_TIMES) | {"hidden": row["hidden"] or []} for row in rows]


class Mutation:
    """Issuing and ending keys."""

    issue_api_key = IssueApiKey.Field()
    rotate_api_key = RotateApiKey.Field()
    revoke_api_key = RevokeApiKey.Field()
