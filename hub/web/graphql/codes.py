"""Code lists over GraphQL: what codes mean, which are not explained, and explaining one."""

from __future__ import annotations

from typing import Any

import graphene

from hub.errors import require_role
from hub.flow import codes as flow
from hub.store import codes
from hub.store.engine import reading
from hub.web.graphql.context import hub_of, principal_of, seen, sight_of
from hub.web.graphql.facts import Json, listed
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed

MAY_EXPLAIN = frozenset({"engineer", "steward", "admin"})


class Code(graphene.ObjectType):
    """What a system's code means in canonical words."""

    system = graphene.NonNull(graphene.String)
    entity = graphene.NonNull(graphene.String)
    field = graphene.NonNull(graphene.String)
    code = graphene.NonNull(graphene.String, description="As the system writes it")
    value = Json(description="The canonical value")
    author = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String)
    since = graphene.NonNull(graphene.String)
    until = graphene.String(description="Empty while it is in force")


class UnmappedCode(graphene.ObjectType):
    """A code that no list explains."""

    system = graphene.NonNull(graphene.String)
    entity = graphene.NonNull(graphene.String)
    field = graphene.NonNull(graphene.String)
    code = graphene.NonNull(graphene.String)
    records = graphene.NonNull(graphene.Int, description="How many records say it")
    key = graphene.NonNull(graphene.String, description="The key of one of them")


class MapCode(graphene.Mutation):
    """Say what a code means; all records that say it are read and judged again."""

    class Arguments:
        """The code, where it stands, and what it means."""

        system = graphene.NonNull(graphene.String)
        entity = graphene.NonNull(graphene.String)
        field = graphene.NonNull(graphene.String)
        code = graphene.NonNull(graphene.String)
        value = Json(required=True)
        reason = graphene.NonNull(graphene.String)

    records = graphene.Int(description="How many records are another now")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, **said: Any) -> MapCode:
        """Explain it, or say why not."""

        def act() -> MapCode:
            made = codes.Listed(_place(said), said["code"], said["value"], said["reason"], _author(info))
            return MapCode(records=flow.explain(_desk(info), made), user_errors=[])

        return guarded(act, MapCode)


class UnmapCode(graphene.Mutation):
    """Take back what a code means; all records that say it are read and judged again."""

    class Arguments:
        """The code, and where it stands."""

        system = graphene.NonNull(graphene.String)
        entity = graphene.NonNull(graphene.String)
        field = graphene.NonNull(graphene.String)
        code = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    records = graphene.Int(description="How many records are another now")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, **said: Any) -> UnmapCode:
        """Withdraw it, or say why not."""

        def act() -> UnmapCode:
            changed = flow.withdraw(_desk(info), _place(said), said["code"], _author(info), said["reason"])
            return UnmapCode(records=changed, user_errors=[])

        return guarded(act, UnmapCode)


class Query:
    """What codes mean."""

    codes = graphene.Field(
        listed(Code), history=graphene.Boolean(default_value=False), description="Entries of code lists."
    )
    unmapped_codes = graphene.Field(
        listed(UnmappedCode), description="Codes that no list explains, the most frequent first."
    )

    @staticmethod
    def resolve_codes(_root: None, info: graphene.ResolveInfo, *, history: bool) -> list[dict[str, Any]]:
        """The entries in force, or all that ever were."""
        with reading(hub_of(info).engine) as connection:
            rows = codes.entries(connection, ended=history)
        return [timed(row, "since", "until") for row in rows]

    @staticmethod
    def resolve_unmapped_codes(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """What waits to be explained."""
        with reading(hub_of(info).engine) as connection:
            rows = codes.unlisted(connection)
        return [row for row in seen(info, rows) if not sight_of(info).hides(row["entity"], row["field"])]


class Mutation:
    """Explaining codes."""

    map_code = MapCode.Field()
    unmap_code = UnmapCode.Field()


def _place(said: dict[str, Any]) -> codes.Place:
    return said["system"], said["entity"], said["field"]


def _desk(info: graphene.ResolveInfo) -> flow.Desk:
    hub = hub_of(info)
    return flow.Desk(hub.engine, hub.rulesets, hub.clock())


def _author(info: graphene.ResolveInfo) -> str:
    """Who explains. Raises NotPermitted."""
    principal = principal_of(info)
    require_role(principal.role, sorted(MAY_EXPLAIN))
    return principal.name
