"""Asking before acting: who a record would be, what would become of a payload, what waits to leave."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import graphene
import orjson

from adapters.decode import read_payloads
from canonical.catalogue import entity as entity_named
from hub.errors import InvalidRequest
from hub.flow.trial import attempt
from hub.match.lookup import lookup
from hub.store import plans
from hub.store.engine import reading
from hub.web import auth
from hub.web.graphql.context import hub_of, seen

LONGEST = 1_000_000  # characters of a payload that is tried


class EvidencePart(graphene.ObjectType):
    """What one comparison adds to the evidence."""

    comparison = graphene.NonNull(graphene.String)
    similarity = graphene.NonNull(graphene.Float, description="0 to 1")
    weight = graphene.NonNull(graphene.Float, description="Log-odds")


class Match(graphene.ObjectType):
    """A golden record that the asked one may be."""

    golden = graphene.NonNull(graphene.ID)
    source = graphene.NonNull(graphene.String, description="The source key of its record that is most alike")
    score = graphene.NonNull(graphene.Float, description="Log-odds that the two are one")
    verdict = graphene.NonNull(graphene.String, description="match, review or no match")
    parts = graphene.NonNull(graphene.List(graphene.NonNull(EvidencePart)))


class Waiting(graphene.ObjectType):
    """A publication that somebody must approve before it may leave."""

    golden = graphene.NonNull(graphene.ID)
    version = graphene.NonNull(graphene.Int)
    label = graphene.NonNull(graphene.String)
    target = graphene.NonNull(graphene.String)
    waits_for = graphene.NonNull(graphene.String, description="Whose approval the rule asks for")
    since = graphene.NonNull(graphene.String)


class Query:
    """What may be asked before anything is done."""

    matches = graphene.Field(
        graphene.NonNull(graphene.List(graphene.NonNull(Match))),
        entity=graphene.NonNull(graphene.String),
        values=graphene.NonNull(graphene.JSONString, description="Canonical fields, as a JSON object"),
        first=graphene.Int(default_value=10),
        description="Who a record would be, before it is created twice. Stores nothing.",
    )
    trial = graphene.Field(
        graphene.NonNull(graphene.JSONString),
        system=graphene.NonNull(graphene.String),
        payload=graphene.NonNull(graphene.String, description="JSON Lines as the system sends them, at most fifty"),
        description="What would become of payloads: records, candidates, golden, what leaves. Stores nothing.",
    )
    waiting = graphene.Field(
        graphene.NonNull(graphene.List(graphene.NonNull(Waiting))),
        description="What waits for an approval before it may leave, the oldest first.",
    )

    @staticmethod
    def resolve_matches(
        _root: None, info: graphene.ResolveInfo, entity: str, values: Any, first: int
    ) -> list[dict[str, Any]]:
        """The golden records most like the values, the best first."""
        if not isinstance(values, dict):
            raise InvalidRequest("the values must be one JSON object.", hint='{"legal_name": "Acorn Ltd"}')
        hub, name = hub_of(info), entity_named(entity).name
        with reading(hub.engine) as connection:
            found = lookup(connection, hub.rulesets[name], values, max(1, min(first, 50)))
        return [
            {
                "golden": one.golden_id, "source": one.source, "score": one.evidence.score, "verdict": one.verdict,
                "parts": [{"comparison": n, "similarity": like, "weight": w} for n, like, w in one.evidence.parts],
            }
            for one in found
        ]  # fmt: skip

    @staticmethod
    def resolve_trial(_root: None, info: graphene.ResolveInfo, system: str, payload: str) -> Any:
        """What `hub try` tells, as JSON."""
        auth.require(info.context["principal"], "engineer", "steward")
        if len(payload) > LONGEST:
            raise InvalidRequest(f"a payload that is tried has at most {LONGEST:,} characters.")
        hub = hub_of(info)
        found = attempt(hub.engine, hub.bench(system), read_payloads(BytesIO(payload.encode()), "jsonl"))
        return orjson.loads(orjson.dumps(found, default=str))

    @staticmethod
    def resolve_waiting(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The newest waiting publication of each golden record and target."""
        with reading(hub_of(info).engine) as connection:
            rows = plans.waiting(connection)
        return [
            {
                "golden": row["golden_id"], "since": row["created_at"].isoformat(),
                **{name: row[name] for name in ("version", "label", "target", "waits_for")},
            }
            for row in seen(info, rows)
        ]  # fmt: skip
