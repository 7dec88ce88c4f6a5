"""Submitting records over GraphQL: the same door as POST /ingest/SYSTEM."""

from __future__ import annotations

from typing import Any

import graphene

from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import Json
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.ingest import take_in


class Submit(graphene.Mutation):
    """Take in payloads of a system, in its own words. The same payload twice changes nothing."""

    class Arguments:
        """Whose payloads, and what they say."""

        system = graphene.NonNull(graphene.String)
        payload = graphene.NonNull(graphene.String, description="JSON Lines as the system sends them")

    payloads = graphene.Int()
    accepted = graphene.Int()
    rejected = graphene.Int()
    failed = graphene.Int()
    repeated = graphene.Int(description="Known already")
    late = graphene.Int(description="Older than what is known; kept, and does not win")
    skipped = graphene.Int(description="Taken in by an earlier delivery of the same content")
    findings = Json(description="How often each code was found")
    examples = Json(description="The first of each: place, code, field, message")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, system: str, payload: str) -> Submit:
        """Take them in, or say why not."""

        def act() -> Submit:
            told: dict[str, Any] = take_in(hub_of(info), principal_of(info), system, payload.encode())
            return Submit(**told, user_errors=[])

        return guarded(act, Submit)


class Mutation:
    """What a system's engineers may submit."""

    submit = Submit.Field()
