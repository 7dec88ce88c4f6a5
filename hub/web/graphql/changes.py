"""The feed of changes over GraphQL: resumable, without gaps. GET /changes is the same feed as it happens."""

from __future__ import annotations

from typing import Any

import graphene

from hub.store import changes
from hub.store.engine import reading
from hub.web.changes import told
from hub.web.graphql.context import hub_of, sight_of
from hub.web.graphql.facts import listed

MOST = 1000


class RecordChange(graphene.ObjectType):
    """A golden record that has changed."""

    cursor = graphene.NonNull(graphene.String, description="To go on after it")
    golden = graphene.NonNull(graphene.ID)
    entity = graphene.NonNull(graphene.String)
    version = graphene.NonNull(graphene.Int)
    kind = graphene.NonNull(graphene.String, description="created, updated, merged or retired")
    heir = graphene.ID(description="Of a merged one: where it leads")
    at = graphene.NonNull(graphene.String)


class ChangePage(graphene.ObjectType):
    """A part of the feed."""

    nodes = listed(RecordChange)
    cursor = graphene.NonNull(graphene.String, description="Ask with it as `since` for what comes after")
    more = graphene.NonNull(graphene.Boolean, description="Whether there is more already")


class Query:
    """What has changed."""

    changes = graphene.Field(
        graphene.NonNull(ChangePage),
        since=graphene.String(default_value=changes.START, description="A cursor of this feed; 0 is the beginning"),
        first=graphene.Int(default_value=100, description=f"At most {MOST}"),
        entity=graphene.String(),
        description="Changes of golden records, the oldest first. An unknown cursor is an error: read all again then.",
    )
    changes_cursor = graphene.Field(
        graphene.NonNull(graphene.String), description="The cursor after everything, before you read everything"
    )

    @staticmethod
    def resolve_changes(
        _root: None, info: graphene.ResolveInfo, since: str, first: int, entity: str | None = None
    ) -> dict[str, Any]:
        """The changes after a cursor. Raises CursorUnknown."""
        entities = sight_of(info).among(entity)
        with reading(hub_of(info).engine) as connection:
            page = changes.after(connection, since, max(1, min(first, MOST)), entities)
        return {"nodes": [told(row) for row in page.rows], "cursor": page.cursor, "more": page.more}

    @staticmethod
    def resolve_changes_cursor(_root: None, info: graphene.ResolveInfo) -> str:
        """Where the feed is now."""
        with reading(hub_of(info).engine) as connection:
            return changes.last(connection)
