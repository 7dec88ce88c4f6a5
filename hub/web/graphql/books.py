"""Closed books over GraphQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import graphene

from hub.errors import InvalidRequest
from hub.flow import books as flow
from hub.flow.promote import Will
from hub.store import books
from hub.store.engine import reading
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import listed
from hub.web.graphql.payloads import guarded, user_errors
from hub.web.graphql.shapes import timed


class BookClosing(graphene.ObjectType):
    """Books closed through a day: what touches them waits for an approval before it leaves."""

    id = graphene.NonNull(graphene.Int)
    books = graphene.NonNull(graphene.String, description="The golden id of the legal entity, or * for everybody's")
    through = graphene.NonNull(graphene.String, description="The last closed day")
    author = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String)
    closed_at = graphene.NonNull(graphene.String)
    reopened_at = graphene.String()
    reopened_by = graphene.String()
    outdated_since = graphene.String(description="When something of its period first changed after it")
    touched = graphene.NonNull(graphene.Int, description="Golden records of its period that changed after it")


class CloseBooks(graphene.Mutation):
    """Close books through a day."""

    class Arguments:
        """Whose, through which day, and why."""

        books = graphene.String(default_value="*")
        through = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    closing = graphene.Int()
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, books: str, through: str, reason: str) -> CloseBooks:
        """Close them, or say why not."""

        def act() -> CloseBooks:
            auth.require(principal_of(info), "approver")
            hub, who = hub_of(info), principal_of(info).name
            made = flow.close(hub.engine, books, _day(through), Will(who, reason), hub.clock())
            return CloseBooks(closing=made, user_errors=[])

        return guarded(act, CloseBooks)


class ReopenBooks(graphene.Mutation):
    """Take a closing back."""

    class Arguments:
        """Which one, and why."""

        closing = graphene.NonNull(graphene.Int)
        reason = graphene.NonNull(graphene.String)

    done = graphene.NonNull(graphene.Boolean)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, closing: int, reason: str) -> ReopenBooks:
        """Reopen them, or say why not."""

        def act() -> ReopenBooks:
            auth.require(principal_of(info), "approver")
            hub = hub_of(info)
            flow.reopen(hub.engine, closing, Will(principal_of(info).name, reason), hub.clock())
            return ReopenBooks(done=True, user_errors=[])

        return guarded(act, ReopenBooks, done=False)


class Query:
    """What is closed."""

    book_closings = graphene.Field(listed(BookClosing), description="Closings of books, the newest first.")

    @staticmethod
    def resolve_book_closings(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """All closings, reopened ones too."""
        hub = hub_of(info)
        with reading(hub.engine) as connection:
            rows, moved = books.every(connection), flow.outdated(connection, hub.rulesets)
        for row in rows:
            since = moved.get(row["id"], [])
            row |= {"outdated_since": since[0].at if since else None, "touched": len({one.golden for one in since})}
        return [timed(row, "through", "closed_at", "reopened_at", "outdated_since") for row in rows]


class Mutation:
    """Closing and reopening."""

    close_books = CloseBooks.Field()
    reopen_books = ReopenBooks.Field()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{text[:20]!r} is no day.", hint="Write 2026-10-31.") from None
