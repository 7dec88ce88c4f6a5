"""Roles that are lent for approvals, over GraphQL."""

from __future__ import annotations

from typing import Any

import graphene

from hub.flow import approvals
from hub.store import delegations
from hub.store.engine import reading
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import listed
from hub.web.graphql.overrides import moment_of
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed


class Delegation(graphene.ObjectType):
    """Somebody may approve in a role that another has, until a time."""

    id = graphene.NonNull(graphene.Int)
    role = graphene.NonNull(graphene.String)
    lender = graphene.NonNull(graphene.String)
    borrower = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String)
    since = graphene.NonNull(graphene.String)
    until = graphene.NonNull(graphene.String)
    ended_at = graphene.String(description="When it was taken back before its time")


class LendRole(graphene.Mutation):
    """Let somebody else approve in your role until a time."""

    class Arguments:
        """To whom, which role, until when and why."""

        borrower = graphene.NonNull(graphene.String)
        role = graphene.NonNull(graphene.String)
        until = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    delegation = graphene.Int()
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, borrower: str, role: str, **more: str) -> LendRole:
        """Lend it, or say why not."""

        def act() -> LendRole:
            hub, loan = hub_of(info), approvals.Loan(role, borrower, moment_of(more["until"]), more["reason"])
            made = approvals.lend(hub.engine, principal_of(info), loan, hub.clock())
            return LendRole(delegation=made, user_errors=[])

        return guarded(act, LendRole)


class EndDelegation(graphene.Mutation):
    """Take a delegation back before its time."""

    class Arguments:
        """Which one."""

        delegation = graphene.NonNull(graphene.Int)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, delegation: int) -> EndDelegation:
        """End it, or say why not."""

        def act() -> EndDelegation:
            hub = hub_of(info)
            approvals.take_back(hub.engine, delegation, principal_of(info), hub.clock())
            return EndDelegation(done=True, user_errors=[])

        return guarded(act, EndDelegation, done=False)


class Query:
    """Who stands in for whom."""

    delegations = graphene.Field(listed(Delegation), description="Roles lent for approvals, the newest first.")

    @staticmethod
    def resolve_delegations(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """All of them, ended ones too."""
        with reading(hub_of(info).engine) as connection:
            rows = delegations.every(connection)
        return [timed(row, "since", "until", "ended_at") for row in rows]


class Mutation:
    """Lending and taking back."""

    lend_role = LendRole.Field()
    end_delegation = EndDelegation.Field()
