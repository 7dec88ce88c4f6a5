"""The values that stewards set in place of what the systems say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import graphene

from canonical.ids import SourceKey
from hub.errors import InvalidRequest
from hub.store import overrides
from hub.store.engine import reading
from hub.web.graphql.context import desk_of, hub_of, seen
from hub.web.graphql.facts import Json
from hub.web.graphql.payloads import guarded, user_errors


class ValueSet(graphene.ObjectType):
    """A value that a steward set, and whether it is in force."""

    decision = graphene.NonNull(graphene.ID, description="To undo it by")
    record = graphene.NonNull(graphene.String, description="The source key that it hangs on")
    golden = graphene.ID(description="The golden record that holds it now")
    field = graphene.NonNull(graphene.String)
    value = Json()
    state = graphene.NonNull(
        graphene.String, description="stands, ended, or outdated: its record says something else since"
    )
    ends = graphene.NonNull(graphene.String, description="When it ends, in words")
    author = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String)
    decided_at = graphene.NonNull(graphene.String)


class SetValue(graphene.Mutation):
    """Set a field of whatever golden record holds a source record."""

    class Arguments:
        """What is set, why, and how long it stands: for ever, until a time, or while the record says the same."""

        key = graphene.NonNull(graphene.String)
        field = graphene.NonNull(graphene.String)
        value = Json(required=True)
        reason = graphene.NonNull(graphene.String)
        until = graphene.String()
        while_said = graphene.Boolean(default_value=False)
        seen = graphene.String(description="ID@VERSION of its golden record as you saw it")

    decision = graphene.ID(description="The decision's id, to undo it by")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, key: str, field: str, **said: Any) -> SetValue:
        """Set it, or say why not."""

        def act() -> SetValue:
            how = {"reason": said["reason"], "until": time_of(said.get("until")), "while_said": said["while_said"]}
            decision = desk_of(info, said.get("seen")).override(SourceKey.parse(key), field, said["value"], **how)
            return SetValue(decision=decision, user_errors=[])

        return guarded(act, SetValue)


class Query:
    """What stewards have set."""

    values_set = graphene.Field(
        graphene.NonNull(graphene.List(graphene.NonNull(ValueSet))),
        description="Values that stewards set and have not taken back, the newest first.",
    )

    @staticmethod
    def resolve_values_set(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The values set, with what has become of each."""
        hub = hub_of(info)
        with reading(hub.engine) as connection:
            found = overrides.every(connection, hub.clock())
        told = [
            {
                "entity": one.override.record.entity, "decision": one.override.id,
                "record": str(one.override.record), "golden": one.golden,
                "field": one.override.field, "value": one.override.value, "state": one.state, "ends": one.ends,
                "author": one.author, "reason": one.reason, "decided_at": one.override.decided_at.isoformat(),
            }
            for one in found
        ]  # fmt: skip
        return seen(info, told)


class Mutation:
    """What a steward may set."""

    set_value = SetValue.Field()


def time_of(text: str | None) -> datetime | None:
    """A time that may be left out."""
    return None if text is None else moment_of(text)


def moment_of(text: str) -> datetime:
    """A time as it is written in ISO 8601; without a zone it is UTC. Raises InvalidRequest."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{text[:40]!r} is not a time.", hint="Write 2026-12-31 or 2026-12-31T18:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
